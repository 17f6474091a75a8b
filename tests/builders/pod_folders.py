"""A pod's folders outside a pod: volumes, temporary files and a stand-in for java that tells how it was called."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from klamm.distribution.homes import KafkaHome

JAVA = '#!/bin/sh\nprintf "%s\\n" "$@" > "$JAVA_CALLED"\n'


@dataclass
class Pod:
    folder: Path
    home: KafkaHome
    hostname: str
    environment: dict[str, str] = field(default_factory=dict)

    def write(self, path: str, text: str) -> None:
        target = self.folder / "volumes" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def made(self, path: str) -> str:
        """What a script wrote below /tmp."""
        return (self.folder / "tmp" / path).read_text()

    def run(self, script: str) -> "subprocess.CompletedProcess[str]":
        java = self.folder / "java/bin/java"
        java.parent.mkdir(parents=True, exist_ok=True)
        java.write_text(JAVA)
        java.chmod(0o755)
        (self.folder / "ready").mkdir(exist_ok=True)
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOSTNAME": self.hostname,
            "JAVA_HOME": str(self.folder / "java"),
            "JAVA_CALLED": str(self.folder / "java.called"),
            "KAFKA_VOLUMES": str(self.folder / "volumes"),
            "KAFKA_TEMPORARY": str(self.folder / "tmp"),
            "KAFKA_READY_FOLDER": str(self.folder / "ready"),
            "ZOOKEEPER_DATA": str(self.folder / "zookeeper"),
            **self.environment,
        }
        return subprocess.run(
            [os.fspath(self.home.path / script)], env=environment, capture_output=True, text=True, timeout=20
        )

    @property
    def java_arguments(self) -> list[str]:
        return (self.folder / "java.called").read_text().splitlines()
