"""Every program of the release's bin/ starts and says how it is used."""

import subprocess
from pathlib import Path

import pytest

from klamm.distribution.archives import FAST_START, archive_path
from klamm.distribution.launchers import tools
from klamm.distribution.provide import Provided


def run(provided: Provided, version: str, *command: str) -> str:
    home = provided.homes[version]
    environment = {
        "PATH": f"{home.path}/bin:/usr/bin:/bin",
        "JAVA_HOME": str(provided.java.path),
        "KAFKA_JVM_PERFORMANCE_OPTS": " ".join(FAST_START),
        "KLAMM_CLASS_ARCHIVE": str(archive_path(home, provided.java)),
        "LOG_DIR": "/tmp",
    }
    done = subprocess.run(
        [str(home.path / "bin" / command[0]), *command[1:]],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
        cwd="/",
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", [tool.name for tool in tools("3.6.0")])
def test_the_tool_says_how_it_is_used(provided: Provided, name: str) -> None:
    said = run(provided, "3.6.0", name, "--help")
    assert "ClassNotFound" not in said
    assert "NoClassDefFound" not in said
    assert "SLF4J" not in said
    assert "usage" in said.lower() or "option" in said.lower(), said


def test_trogdor_says_how_it_is_used(provided: Provided) -> None:
    assert "usage" in run(provided, "3.6.0", "trogdor.sh", "--help")


def test_a_damaged_archive_is_ignored_silently(provided: Provided, tmp_path: Path) -> None:
    home = provided.homes["3.6.0"]
    (tmp_path / "classes.jsa").write_bytes(b"this is no archive" * 1000)
    done = subprocess.run(
        [str(home.path / "bin/kafka-topics.sh"), "--version"],
        env={
            "PATH": "/usr/bin:/bin",
            "JAVA_HOME": str(provided.java.path),
            "KLAMM_CLASS_ARCHIVE": str(tmp_path / "classes.jsa"),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("3.6.0")
