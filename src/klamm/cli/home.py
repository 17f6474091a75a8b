"""The home of one local cluster: everything that makes it up, in one folder that only its owner can enter.

`KLAMM_HOME` separates several clusters of one machine; what they share (Kafka, Java) lies in `KLAMM_CACHE`.
"""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    path: Path
    cache: Path
    """Downloads and class archives, shared by all homes of this user."""

    @property
    def kubeconfig(self) -> Path:
        return self.path / "kubeconfig"

    @property
    def settings(self) -> Path:
        return self.path / "cluster.json"

    @property
    def database(self) -> Path:
        return self.path / "objects.sqlite"

    @property
    def certificates(self) -> Path:
        return self.path / "certificates"

    @property
    def volumes(self) -> Path:
        return self.path / "volumes"

    @property
    def pods(self) -> Path:
        return self.path / "pods"

    @property
    def logs(self) -> Path:
        return self.path / "log"

    @property
    def run(self) -> Path:
        """Sockets and locks."""
        return self.path / "run"

    @property
    def memory(self) -> Path:
        """For volumes that are to live in memory (Secrets, tokens); one for each home, closed to others."""
        from uuid import NAMESPACE_URL, uuid5  # 3 ms that few commands need

        shared = Path("/dev/shm")
        if not os.access(shared, os.W_OK):
            return self.run / "memory"
        return shared / f"klamm-{os.getuid()}-{uuid5(NAMESPACE_URL, str(self.path)).hex[:12]}"

    def make(self) -> None:
        """Create what is missing, closed to everyone else."""
        for folder in (self.path, self.certificates, self.volumes, self.pods, self.logs, self.run):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
