"""What container images hold: what pods see on one machine, laid into a folder that becomes an image's layer.

Below the base (Debian) both have the same content, from the same descriptions (`images.py`). They differ where one
machine is a special case: a container brings its own /usr, all of /opt/kafka stands in it, and brokers of a cluster
run with Kafka's own JVM options, for throughput, and not with those that spare a laptop.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from klamm.distribution.archives import archive_path
from klamm.distribution.homes import KafkaHome
from klamm.distribution.images import (
    JAVA_TARGET,
    SYSTEM_PATH,
    Bind,
    ImageContent,
    PythonRuntime,
    base_binds,
    console_content,
    home_binds,
    java_binds,
    operator_content,
)
from klamm.distribution.java import JavaHome
from klamm.distribution.store import Store

KAFKA = "/opt/kafka"
OF_ONE_MACHINE = ("KAFKA_JVM_PERFORMANCE_OPTS", "KAFKA_SERVER_DEFAULTS", "KLAMM_CLASS_ARCHIVE")
"""Variables of pods on one machine that containers go without."""


def kafka(home: KafkaHome, java: JavaHome) -> ImageContent:
    """Kafka of one release with its tools, its Java, and the class archive when it was made."""
    elsewhere = (str(home.archives), f"{KAFKA}/archives")
    binds = [bind for bind in home_binds(home, KAFKA) if bind[1] not in elsewhere]
    return ImageContent(
        binds=(*java_binds(java), *binds, *_archive(home, java)),
        environment={
            "PATH": f"{KAFKA}/bin:{JAVA_TARGET}/bin:{SYSTEM_PATH}",
            "JAVA_HOME": JAVA_TARGET,
            "KAFKA_HOME": KAFKA,
            "KAFKA_VERSION": home.kafka,
            "LANG": "C.UTF-8",
        },
        working_directory=KAFKA,
    )


def operator(store: Store, python: PythonRuntime) -> ImageContent:
    """Python's libraries, klamm, and the programs' scripts; Python itself is of the base."""
    return _above_base(operator_content(store, python), store)


def console(store: Store, python: PythonRuntime) -> ImageContent:
    """The operator's image, in which the console starts."""
    return _above_base(console_content(store, python), store)


def _above_base(content: ImageContent, store: Store) -> ImageContent:
    base = set(base_binds(store))
    return replace(content, binds=tuple(bind for bind in content.binds if bind not in base))


def lay(content: ImageContent, root: Path) -> None:
    """Copy it below `root`. Dates stay as they are: an archive of classes holds only for jars of the same date."""
    for source, target in content.binds:
        place = root / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if os.path.isdir(source):
            shutil.copytree(source, place, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, place)


def lay_jars_of_archive(home: KafkaHome, root: Path) -> None:
    """The JVM looks for an archive's jars where they were when it was made: a link leads to where they are now."""
    place = root / str(home.archives).lstrip("/")
    place.mkdir(parents=True)
    (place / "libs").symlink_to(f"{KAFKA}/libs")


def _archive(home: KafkaHome, java: JavaHome) -> Iterator[Bind]:
    """Under the name that kafka-run-class.sh looks for when it is told none."""
    made = archive_path(home, java)
    if made.exists():
        yield str(made), f"{KAFKA}/archives/classes.jsa"
