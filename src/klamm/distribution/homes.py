"""A Kafka release's folder, laid out as its users know it.

    bin/        every tool of the release under its usual name, and kafka-run-class.sh
    config/     minimal defaults
    libs/       the release's jars (hard links into the store's artifacts) and class-path.sh
    agents/     the JMX exporter, for pods with metrics
    archives/   → class-data archives of exactly these jars (a link; see `archives.py`)
    *.sh        what pods run: kafka_run.sh, kafka_readiness.sh, …

A home's name carries a key of all that is in it, so a newer klamm with other scripts makes a new folder and pods of
the older one keep theirs. A home appears by a rename when it is whole; a jar that was changed afterwards (size, date)
is noticed by `is_whole` and put right by `repair`.
"""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from klamm.distribution import configuration, launchers
from klamm.distribution.artifacts import Artifact, Release
from klamm.distribution.store import ARTIFACT_TIME, Store, write_whole

AGENT = "jmx_prometheus_javaagent"
POD_SCRIPTS = (
    "kafka_run.sh",
    "kafka_readiness.sh",
    "kafka_liveness.sh",
    "pod_jvm.sh",
    "zookeeper_run.sh",
    "zookeeper_healthcheck.sh",
)
SHARED_FOLDERS = ("bin", "config", "libs", "agents", "archives")
"""What stands below /opt/kafka beside the pods' scripts."""


@dataclass(frozen=True, slots=True)
class KafkaHome:
    """A whole home in the store."""

    kafka: str
    zookeeper: str | None
    path: Path
    archives: Path
    """The folder that `path/archives` leads to. Its libs/ has the jars once more, where archives remember them."""

    @property
    def pod_scripts(self) -> tuple[Path, ...]:
        return tuple(self.path / name for name in POD_SCRIPTS if (self.path / name).exists())


def home_of(store: Store, release: Release) -> KafkaHome:
    """Where the release's home is, whether or not it is there yet."""
    path = store.homes / f"{release.kafka}-{_key(release)}"
    return KafkaHome(release.kafka, release.zookeeper, path, store.archives / _archives_name(release))


def is_whole(home: KafkaHome, release: Release) -> bool:
    """The home is there and its jars have the pinned sizes and the store's date. Costs two stats per jar."""
    return all(path.is_dir() and not _changed(path, release.artifacts) for path in (home.path, home.archives))


def build(store: Store, release: Release) -> KafkaHome:
    """Make or repair the home from artifacts that are in the store. The caller holds the store's lock."""
    home = home_of(store, release)
    # Archives are dumped from these links: their path stays when a newer klamm's scripts make another home.
    _link_jars(store, home.archives, _changed(home.archives, release.artifacts))
    if home.path.is_dir():
        _link_jars(store, home.path, _changed(home.path, release.artifacts))
        return home
    new = home.path.with_name(f".{home.path.name}.{os.getpid()}.new")
    shutil.rmtree(new, ignore_errors=True)
    for name, text in _texts(release).items():
        write_whole(new / name, text.encode(), 0o555 if name.endswith(".sh") else 0o444)
    _link_jars(store, new, release.artifacts)
    (new / "archives").symlink_to(os.path.relpath(home.archives, home.path))
    os.replace(new, home.path)
    return home


def altered(home: KafkaHome, release: Release) -> list[str]:
    """Scripts and settings whose text is not ours any more; reads them all (what `klamm doctor` does)."""
    return [name for name, text in _texts(release).items() if _read(home.path / name) != text]


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None


def _changed(path: Path, artifacts: tuple[Artifact, ...]) -> list[Artifact]:
    found: dict[str, os.stat_result] = {}
    for folder in ("libs", "agents"):
        if (path / folder).is_dir():
            found |= {entry.name: entry.stat() for entry in os.scandir(path / folder)}
    return [
        artifact
        for artifact in artifacts
        if (state := found.get(artifact.coordinate.file_name)) is None
        or state.st_size != artifact.size
        or state.st_mtime != ARTIFACT_TIME
    ]


def _link_jars(store: Store, path: Path, artifacts: tuple[Artifact, ...] | list[Artifact]) -> None:
    for artifact in artifacts:
        folder = path / ("agents" if artifact.coordinate.artifact == AGENT else "libs")
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{artifact.coordinate.file_name}.{os.getpid()}.new"
        temporary.unlink(missing_ok=True)
        source = store.artifacts / artifact.coordinate.path
        try:
            os.link(source, temporary)
        except OSError:
            # No hard links here (some network file systems): a copy with the same date does.
            shutil.copy2(source, temporary)
        os.replace(temporary, folder / artifact.coordinate.file_name)


def _texts(release: Release) -> Mapping[str, str]:
    """Every file that we write, by its path in the home."""
    version = release.kafka
    texts = {f"config/{name}": text for name, text in configuration.files(version).items()}
    texts |= {f"bin/{tool.name}": launchers.launcher(tool, version) for tool in launchers.tools(version)}
    texts |= {f"bin/{stopper.name}": _stopper(stopper) for stopper in launchers.stoppers(version)}
    texts |= {f"bin/{name}": script(name) for name in ("kafka-run-class.sh", "trogdor.sh")}
    pod_scripts = POD_SCRIPTS if release.zookeeper else [n for n in POD_SCRIPTS if "zookeeper" not in n]
    texts |= {name: script(name) for name in pod_scripts}
    texts["libs/class-path.sh"] = class_path(release)
    return texts


def _stopper(stopper: launchers.Stopper) -> str:
    text = script("server-stop.sh").replace("@NAME@", stopper.name)
    return text.replace("@CLASS@", stopper.main_class).replace("@WHAT@", stopper.what)


def class_path(release: Release) -> str:
    """libs/class-path.sh: sets `class_path` from `libs`, always in this order."""
    jars = [a.coordinate for a in release.artifacts if a.coordinate.artifact != AGENT]
    # Kafka's own jars first, then by use: a class is looked for jar by jar.
    jars.sort(key=lambda jar: (_rank(jar.artifact), jar.file_name))
    listed = ":".join(f"$libs/{jar.file_name}" for jar in jars)
    return f"# Read by bin/kafka-run-class.sh.\nclass_path={listed}\n"


_FIRST = ("kafka_2.13", "kafka-clients", "scala-library", "zookeeper", "slf4j-api")


def _rank(artifact: str) -> int:
    return _FIRST.index(artifact) if artifact in _FIRST else len(_FIRST)


@cache
def script(name: str) -> str:
    """A script of the package's scripts/ folder."""
    return resources.files(__package__).joinpath("scripts", name).read_text(encoding="utf-8")


@cache
def _key(release: Release) -> str:
    digest = hashlib.sha256(_jars_key(release).encode())
    for name, text in sorted(_texts(release).items()):
        digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()[:8]


def _archives_name(release: Release) -> str:
    return f"{release.kafka}-{_jars_key(release)}"


@cache
def _jars_key(release: Release) -> str:
    text = class_path(release) + "".join(artifact.sha256 for artifact in release.artifacts)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
