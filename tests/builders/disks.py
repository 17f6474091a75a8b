"""Small disks of their own for volumes, which tests fill and freeze: ext4 in a file, by a loop device. Needs root.

A disk has to be mounted before a local cluster's node starts, because its pods see the mounts that were there then;
the cluster ends before the disk goes.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

needs_disks = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts disks")

_FREEZE = 'fsfreeze --freeze "$1" && { echo frozen; read -r _; fsfreeze --unfreeze "$1"; }'


@dataclass(frozen=True, slots=True)
class Disk:
    """`folder`: where it is mounted."""

    folder: Path

    @contextmanager
    def filled(self, percent: int) -> Iterator[None]:
        """A file of somebody else's takes so much of what is free."""
        space = os.statvfs(self.folder)
        file = self.folder / "of-somebody-else"
        with file.open("wb") as opened:
            os.posix_fallocate(opened.fileno(), 0, space.f_bavail * space.f_frsize * percent // 100)
        try:
            yield
        finally:
            file.unlink()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """What is written waits, as on a disk that hangs. Another process thaws it, also when this one is killed."""
        argv = ["bash", "-c", _FREEZE, "freeze", str(self.folder)]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin
            assert process.stdout
            try:
                assert process.stdout.readline() == "frozen\n", f"{self.folder} was not frozen"
                yield
            finally:
                process.stdin.close()
                process.wait()
        assert process.returncode == 0, f"{self.folder} is still frozen"

    def volume(self, claim: str, size: str) -> Mapping[str, Any]:
        """The PersistentVolume that is kept for this claim of the namespace `kafka`."""
        reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": "kafka", "name": claim}
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"disk-of-{claim}"},
            "spec": {
                "capacity": {"storage": size},
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": "standard",
                "claimRef": reference,
                "hostPath": {"path": str(self.folder), "type": "Directory"},
            },
        }


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Disk]:
    """An empty one, mounted at `folder`, which is made; its file beside it takes what is written only."""
    image = folder.with_suffix(".img")
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    _run("mkfs.ext4", "-q", "-m", "0", str(image))
    _run("mount", "-o", "loop,nosuid,nodev", str(image), str(folder))
    try:
        yield Disk(folder)
    finally:
        _run("umount", str(folder))


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stdout}{done.stderr}"
