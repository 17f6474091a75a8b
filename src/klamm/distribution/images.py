"""What container images hold on one machine: plain descriptions, from which localkube's images are made.

A pod's root file system is the host's /usr (read-only, with the links that lead into it), a handful of generated files
in /etc, and below /opt what the image is about; everything else is an empty tmpfs. Nothing of the host's own /etc,
/home or /var is there, but certificates of public authorities and what /usr cannot do without.

/opt/kafka itself is not mounted, only what stands in it: pods mount their volumes beside (/opt/kafka/custom-config, …),
and mount points cannot be made inside a read-only folder that all pods share.

Looking a name up costs nothing: `images()` only says where things are or will be, and which Kafka version must be
provided before the image can run (`ImageContent.kafka`).
"""

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from klamm.distribution.archives import FAST_START, archive_path
from klamm.distribution.artifacts import numbers, releases
from klamm.distribution.homes import POD_SCRIPTS, SHARED_FOLDERS, KafkaHome, home_of
from klamm.distribution.java import JavaHome
from klamm.distribution.store import Store, write_whole

JAVA_TARGET = "/opt/java"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

SERVER_DEFAULTS = ("controlled.shutdown.retry.backoff.ms=500",)
"""Settings of brokers whose server.config is silent. Brokers of one machine end together, and each then asks in vain,
three times and 5 s apart, that others take its partitions."""

Bind = tuple[str, str]
"""(file or folder on the host, path in the container); always read-only."""


@dataclass(frozen=True, slots=True)
class PythonRuntime:
    """The Python that the operators run with: seen in the container at its own absolute paths."""

    executable: str
    prefix: str
    """sys.prefix: the virtual environment."""
    base_prefix: str
    """sys.base_prefix: the installation that it was made from."""
    klamm: str
    """The folder of the package `klamm` itself."""


@dataclass(frozen=True, slots=True)
class ImageContent:
    """What an image name means. `binds` in the order in which they are mounted."""

    binds: tuple[Bind, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    working_directory: str = "/"
    image_id: str = ""
    size_bytes: int = 0
    kafka: str | None = None
    """The Kafka release whose home must be there before a container of it starts; None: nothing to prepare."""


@dataclass(frozen=True, slots=True)
class Images:
    """The table of image names. `find` knows aliases; `names` lists what a message can offer."""

    store: Store
    java: JavaHome
    python: PythonRuntime
    klamm_version: str

    def find(self, name: str) -> ImageContent | None:
        """The meaning of an image name as a pod writes it; None when there is none."""
        repository, tag = split_name(name)
        if repository in PROGRAM_REPOSITORIES:
            return self.program(PROGRAM_REPOSITORIES[repository])
        if repository in _SYSTEM_REPOSITORIES:
            return self.system(name)
        if repository in _OPERATOR_REPOSITORIES:
            return self.operator()
        if repository in _CONSOLE_REPOSITORIES:
            return self.console()
        if repository in _BITNAMI_REPOSITORIES:
            version = version_of_tag(tag)
            return self.kafka(version, "/opt/bitnami/kafka") if version else None
        if repository in _KAFKA_REPOSITORIES:
            version = version_of_tag(tag.rpartition("kafka-")[2])
            return self.kafka(version) if version else None
        return None

    def names(self) -> list[str]:
        """One name for everything there is, for messages and documentation."""
        versions = list(releases())
        return [
            *(kafka_image(self.klamm_version, version) for version in versions),
            operator_image(self.klamm_version),
            console_image(self.klamm_version),
            *sorted(_CONSOLE_REPOSITORIES - {"klamm/kafka-ui"}),
            *(f"bitnami/kafka:{version}" for version in versions),
            *(f"apache/kafka:{version}" for version in versions),
            *sorted(_SYSTEM_REPOSITORIES),
            *(name for name, program in PROGRAM_REPOSITORIES.items() if self.program(program)),
        ]

    def kafka(self, version: str, target: str = "/opt/kafka") -> ImageContent:
        """Kafka of one release below `target`, with its tools on PATH and Java in JAVA_HOME."""
        release = releases()[version]
        home = home_of(self.store, release)
        return ImageContent(
            binds=(*base_binds(self.store), *java_binds(self.java), *home_binds(home, target)),
            environment={
                "PATH": f"{target}/bin:{JAVA_TARGET}/bin:{SYSTEM_PATH}",
                "JAVA_HOME": JAVA_TARGET,
                "KAFKA_HOME": target,
                "KAFKA_VERSION": version,
                "KAFKA_JVM_PERFORMANCE_OPTS": " ".join(FAST_START),
                "KAFKA_SERVER_DEFAULTS": " ".join(SERVER_DEFAULTS),
                "KLAMM_CLASS_ARCHIVE": f"{target}/archives/{archive_path(home, self.java).name}",
                "LANG": "C.UTF-8",
            },
            arguments=(f"{target}/bin/kafka-server-start.sh", f"{target}/config/server.properties"),
            working_directory=target,
            image_id=f"klamm-kafka@{home.path.name}",
            size_bytes=release.size,
            kafka=version,
        )

    def operator(self) -> ImageContent:
        return replace(operator_content(self.store, self.python), image_id=f"klamm-operator@{self.klamm_version}")

    def console(self) -> ImageContent:
        """klamm's console, wherever a pod names kafka-ui: it reads the same configuration and has the same port."""
        image_id = f"klamm-kafka-ui@{self.klamm_version}"
        return replace(console_content(self.store, self.python), image_id=image_id)

    def program(self, program: "InstalledProgram") -> ImageContent | None:
        """A program that the machine's owner has installed; None when it is not there."""
        command = program.command()
        if command is None:
            return None
        image_id = f"klamm-installed@{command[0]}"
        return replace(self.system(program.name), entrypoint=command, arguments=(), image_id=image_id)

    def system(self, name: str) -> ImageContent:
        """The host's own programs, for images that are only asked for a shell and small tools."""
        return ImageContent(
            binds=base_binds(self.store),
            environment={"PATH": SYSTEM_PATH, "LANG": "C.UTF-8"},
            arguments=("/bin/sh",),
            image_id=f"klamm-system@{name}",
        )


@dataclass(frozen=True, slots=True)
class InstalledProgram:
    """A program in /usr, which pods see, by its possible commands: the first that is there runs."""

    name: str
    commands: tuple[tuple[str, ...], ...]

    def command(self) -> tuple[str, ...] | None:
        for program, *arguments in self.commands:
            path = shutil.which(program, path=SYSTEM_PATH)
            if path is not None and _within(os.path.realpath(path), "/usr"):
                return (path, *arguments)
        return None


PROGRAM_REPOSITORIES = {
    "prom/prometheus": InstalledProgram("prometheus", (("prometheus",),)),
    "grafana/grafana": InstalledProgram(
        "grafana",
        (
            ("grafana", "server", "--homepath=/usr/share/grafana"),
            ("grafana-server", "--homepath=/usr/share/grafana"),
        ),
    ),
}
_SYSTEM_REPOSITORIES = frozenset({"alpine", "busybox", "debian", "ubuntu"})
_OPERATOR_REPOSITORIES = frozenset({"klamm/operator", "quay.io/strimzi/operator"})
_CONSOLE_REPOSITORIES = frozenset(
    {"klamm/kafka-ui", "provectuslabs/kafka-ui", "ghcr.io/kafbat/kafka-ui", "kafbat/kafka-ui"}
)
_BITNAMI_REPOSITORIES = frozenset({"bitnami/kafka", "bitnamilegacy/kafka"})
_KAFKA_REPOSITORIES = frozenset({"klamm/kafka", "apache/kafka", "quay.io/strimzi/kafka"})


def operator_content(store: Store, python: PythonRuntime) -> ImageContent:
    """Python with klamm, and the start scripts of the operators, of kafka-init and of the exporter."""
    return ImageContent(
        binds=(*base_binds(store), *python_binds(python), (str(store.base / "strimzi-bin"), "/opt/strimzi/bin")),
        environment={
            "PATH": f"{os.path.dirname(python.executable)}:{SYSTEM_PATH}",
            "PYTHONPATH": os.path.dirname(python.klamm),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "KLAMM_PYTHON": python.executable,
            "KLAMM_KAFKA_INIT": os.path.join(python.klamm, "programs/kafka_init.py"),
            "STRIMZI_HOME": "/opt/strimzi",
            "LANG": "C.UTF-8",
        },
        arguments=("/opt/strimzi/bin/cluster_operator_run.sh",),
        working_directory="/opt/strimzi",
    )


def console_content(store: Store, python: PythonRuntime) -> ImageContent:
    """The operator's content; what starts is the console. Not by a script: shells drop variables with a dash in their
    names, and SPRING_CONFIG_ADDITIONAL-LOCATION is one.
    """
    return replace(
        operator_content(store, python),
        entrypoint=(python.executable, "-m", "klamm.programs.kafka_ui"),
        arguments=(),
        working_directory="/",
    )


def kafka_image(klamm_version: str, kafka_version: str) -> str:
    return f"klamm/kafka:{klamm_version}-kafka-{kafka_version}"


def operator_image(klamm_version: str) -> str:
    return f"klamm/operator:{klamm_version}"


def console_image(klamm_version: str) -> str:
    return f"klamm/kafka-ui:{klamm_version}"


def split_name(name: str) -> tuple[str, str]:
    """("docker.io/library/busybox:1.36@sha256:…") → ("busybox", "1.36"). Without a tag it is "latest"."""
    name = name.partition("@")[0]
    head, _, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    repository = f"{head}/{last}" if head else last
    repository = repository.removeprefix("docker.io/").removeprefix("library/")
    return repository, tag or "latest"


def version_of_tag(tag: str) -> str | None:
    """The newest release that a tag stands for: "3.6" → "3.6.0", "3.5.1-debian-11-r0" → "3.5.1", "latest" → newest."""
    known = list(releases())
    if tag == "latest":
        return known[-1]
    match = re.fullmatch(r"(\d+(?:\.\d+){0,2})(?:-.*)?", tag)
    if match is None:
        return None
    wanted = numbers(match.group(1))
    fitting = [version for version in known if numbers(version)[: len(wanted)] == wanted]
    return fitting[-1] if fitting else None


def home_binds(home: KafkaHome, target: str) -> tuple[Bind, ...]:
    """What of a home is mounted below `target`. Archives come from where they are, also when made later."""
    folders = [(str(home.archives if name == "archives" else home.path / name), name) for name in SHARED_FOLDERS]
    scripts = [name for name in POD_SCRIPTS if home.zookeeper or "zookeeper" not in name]
    files = [(str(home.path / name), name) for name in scripts]
    # The JVM looks for an archive's jars where they were when it was made (see archives.py).
    origin = (str(home.archives), str(home.archives))
    return (origin, *((source, f"{target}/{name}") for source, name in [*folders, *files]))


def java_binds(java: JavaHome) -> tuple[Bind, ...]:
    return ((str(java.path), JAVA_TARGET), *((str(path), str(path)) for path in java.outside))


def python_binds(python: PythonRuntime) -> tuple[Bind, ...]:
    """Outermost folders only, and none that /usr brings along."""
    wanted = [python.base_prefix, python.prefix, python.klamm, os.path.dirname(os.path.realpath(python.executable))]
    return tuple((path, path) for path in _outermost(wanted) if not _within(path, "/usr"))


def _outermost(paths: Sequence[str]) -> list[str]:
    distinct = sorted({os.path.abspath(path) for path in paths})
    return [path for path in distinct if not any(path != other and _within(path, other) for other in distinct)]


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


# Files and folders of the host's /etc that programs of /usr need and that say nothing about its users.
_SYSTEM_SETTINGS = (
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/ld.so.cache",
    "/etc/pki/ca-trust",
    "/etc/pki/tls",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
)

_GENERATED = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\nkafka:x:1001:0:kafka:/home/kafka:/bin/sh\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": "root:x:0:\nkafka:x:1001:\nnogroup:x:65534:\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
}


def base_binds(store: Store) -> tuple[Bind, ...]:
    """The parts of the root that every image has."""
    generated = ((str(store.base / "etc" / name), f"/etc/{name}") for name in _GENERATED)
    settings = ((path, path) for path in _SYSTEM_SETTINGS if os.path.exists(path))
    return (("/usr", "/usr"), *_top_folders(), *generated, *settings)


def _top_folders() -> Iterator[Bind]:
    """/bin, /lib and so on: with a merged /usr they are links, and what they lead to is mounted in their place."""
    for name in ("/bin", "/sbin", "/lib", "/lib32", "/lib64"):
        if os.path.isdir(name):
            yield os.path.realpath(name), name


_PROGRAMS = ("cluster_operator", "topic_operator", "user_operator", "kafka_exporter", "prometheus_discovery")


def prepare_base(store: Store) -> None:
    """Write the generated files that images are made of. Cheap, and nothing when they are there."""
    for name, text in _GENERATED.items():
        _keep(store.base / "etc" / name, text, 0o444)
    for name in _PROGRAMS:
        _keep(store.base / f"strimzi-bin/{name}_run.sh", _program(f"-m klamm.programs.{name}"), 0o555)
    # By its path and without site-packages: an init container should cost milliseconds.
    init = '-I -S "${KLAMM_KAFKA_INIT:?names kafka_init.py}"'
    _keep(store.base / "strimzi-bin/kafka_init_run.sh", _program(init), 0o555)


def _program(arguments: str) -> str:
    return f'#!/bin/sh\nexec "${{KLAMM_PYTHON:-python3}}" {arguments} "$@"\n'


def _keep(path: Path, text: str, mode: int) -> None:
    try:
        if path.read_text(encoding="utf-8") == text:
            return
    except OSError:
        pass
    write_whole(path, text.encode(), mode)
