"""What outlives a cluster's processes: its folder and its control groups. Claimed, and taken away again.

Everything else (processes, mounts, devices, firewall rules) ends with namespaces. A folder is locked by the runner for
as long as it lives; one that can be locked by another was left by a runner that was killed.
"""

import fcntl
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.kubernetes.node.layout import CACHE, MACHINES

from klamm.base.clock import SystemClock

GONE_WITHIN = 30.0
_CLOCK = SystemClock()
_PREFIX = "klamm-tests-"


@contextmanager
def claimed() -> Iterator[tuple[Path, list[Path]]]:
    """(a folder, and its control group in each hierarchy) of a new cluster; both are gone at the end.

    Whoever works with them ends every process before.
    """
    clusters = CACHE / "clusters"
    clusters.mkdir(parents=True, exist_ok=True)
    clear(clusters)
    folder = clusters / str(os.getpid())
    with _lock(folder) as free:
        assert free, f"{folder} belongs to another process with this one's number"
        groups = [hierarchy / f"{_PREFIX}{folder.name}" for hierarchy in _hierarchies()]
        try:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o755)
            for group in groups:
                for each in (group, *(group / machine.name for machine in MACHINES)):
                    _make_group(each)
            yield folder, groups
        finally:
            _remove(folder)


def clear(clusters: Path) -> None:
    """Take away what runners that were killed have left."""
    for folder in clusters.iterdir():
        if folder.is_dir():
            with _lock(folder) as free:
                if free:
                    _remove(folder)


def left_of(folder: Path) -> list[str]:
    """What of a cluster is still there, in words."""
    groups = [hierarchy / f"{_PREFIX}{folder.name}" for hierarchy in _hierarchies()]
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return [
        *(f"control group {group}" for group in groups if group.exists()),
        *(f"folder {folder}" for _ in range(folder.exists())),
        *(f"mount {line}" for line in mounts if str(folder) in line),
    ]


@contextmanager
def _lock(folder: Path) -> Iterator[bool]:
    """Beside the folder, so that the folder can go while it is held; False when another process holds it."""
    path = folder.with_suffix(".lock")
    with open(path, "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        try:
            yield True
        finally:
            path.unlink(missing_ok=True)


def _hierarchies() -> list[Path]:
    """Those with controllers; the ones without are systemd's."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [Path(point) for _, point, kind, options, *_ in mounts if kind == "cgroup" and "name=" not in options]


def _make_group(path: Path) -> None:
    path.mkdir(exist_ok=True)
    # A new group of processors has none, and takes no process before it has.
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (path / name).exists():
            (path / name).write_text((path.parent / name).read_text())


def _remove(folder: Path) -> None:
    for hierarchy in _hierarchies():
        group = hierarchy / f"{_PREFIX}{folder.name}"
        if group.exists():
            _until_empty(group)
            for path, _, _ in os.walk(group, topdown=False):
                os.rmdir(path)
    shutil.rmtree(folder)


def _until_empty(group: Path) -> None:
    """Processes that were killed with their namespace may need a moment to be gone."""
    begun = _CLOCK.monotonic()
    while processes := [number for path in group.rglob("cgroup.procs") for number in _processes(path)]:
        if _CLOCK.monotonic() - begun > GONE_WITHIN:
            raise AssertionError(f"processes of {group} have not ended after {GONE_WITHIN:g} s: {processes}")
        threading.Event().wait(0.05)


def _processes(path: Path) -> list[str]:
    with suppress(OSError):
        return path.read_text().split()
    return []
