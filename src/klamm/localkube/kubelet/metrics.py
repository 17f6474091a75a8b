"""A node's metrics in the names that a kubelet and its cAdvisor have: what containers use, and the space of volumes.

What people's dashboards and alerts ask for is here, and not all that a kubelet tells. A container's memory is what its
processes hold resident. Every volume of one machine is a folder of the same disk, and says what that disk says.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from klamm.base.metrics import escaped
from klamm.localkube.kubelet.runtime import Usage

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RunningContainer:
    namespace: str
    pod: str
    name: str
    image: str
    id: str
    started_at: float
    usage: Usage


@dataclass(frozen=True, slots=True)
class ClaimedVolume:
    namespace: str
    claim: str
    folder: Path


def of_containers(containers: Iterable[RunningContainer], now: float) -> str:
    """`now`: seconds since the epoch, when they were seen."""
    rows = [(_labels_of(container), container) for container in containers]
    families = (
        ("container_cpu_usage_seconds_total", "counter", "CPU that was used", lambda one: one.usage.cpu_seconds),
        ("container_last_seen", "gauge", "When it was last seen, since the epoch", lambda one: now),
        ("container_memory_usage_bytes", "gauge", "Memory in use", lambda one: one.usage.memory_bytes),
        ("container_memory_working_set_bytes", "gauge", "Memory in use", lambda one: one.usage.memory_bytes),
        ("container_start_time_seconds", "gauge", "When it began, since the epoch", lambda one: one.started_at),
    )
    return "".join(
        line
        for name, kind, help, value in families
        for line in _family(name, kind, help, ((labels, value(one)) for labels, one in rows))
    )


def of_volumes(volumes: Iterable[ClaimedVolume]) -> str:
    rows = [(_labels_of_volume(volume), space) for volume in volumes if (space := _space(volume.folder)) is not None]
    return "".join(
        line
        for index, (name, help) in enumerate(_OF_VOLUMES)
        for line in _family(name, "gauge", help, ((labels, space[index]) for labels, space in rows))
    )


_OF_VOLUMES = (
    ("kubelet_volume_stats_available_bytes", "Bytes that are free"),
    ("kubelet_volume_stats_capacity_bytes", "Bytes that there are"),
    ("kubelet_volume_stats_used_bytes", "Bytes that are taken"),
)


def _space(folder: Path) -> tuple[int, int, int] | None:
    """(free for us, all, taken); None when the folder is gone."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    return disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize, (disk.f_blocks - disk.f_bfree) * disk.f_frsize


def _labels_of(container: RunningContainer) -> Labels:
    return {
        "container": container.name,
        "cpu": "total",
        "id": f"/klamm/{container.id}",
        "image": container.image,
        "name": container.id,
        "namespace": container.namespace,
        "pod": container.pod,
    }


def _labels_of_volume(volume: ClaimedVolume) -> Labels:
    return {"namespace": volume.namespace, "persistentvolumeclaim": volume.claim}


def _family(name: str, kind: str, help: str, rows: Iterable[tuple[Labels, float]]) -> Iterator[str]:
    yield f"# HELP {name} {help}\n# TYPE {name} {kind}\n"
    for labels, value in rows:
        pairs = ",".join(f'{key}="{escaped(each)}"' for key, each in labels.items() if key != "cpu" or "cpu" in name)
        yield f"{name}{{{pairs}}} {value!r}\n"
