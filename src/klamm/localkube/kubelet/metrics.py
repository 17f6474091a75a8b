"""A node's metrics in the names that a kubelet and its cAdvisor have: what containers use, and the space of volumes.

What people's dashboards and alerts ask for is here, and not all that a kubelet tells. A container's memory is what its
processes hold resident. Every volume of one machine is a folder of the same disk, and says what that disk says.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from klamm.base.metrics import Metrics, counter, gauge
from klamm.localkube.kubelet.runtime import Usage


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


_OF_CONTAINERS = ("container", "id", "image", "name", "namespace", "pod")
_OF_VOLUMES = ("namespace", "persistentvolumeclaim")

CPU = counter("container_cpu_usage_seconds_total", "CPU that was used", "cpu", *_OF_CONTAINERS)
SEEN = gauge("container_last_seen", "When it was last seen, since the epoch", *_OF_CONTAINERS)
MEMORY = gauge("container_memory_usage_bytes", "Memory in use", *_OF_CONTAINERS)
WORKING_SET = gauge("container_memory_working_set_bytes", "Memory in use", *_OF_CONTAINERS)
START = gauge("container_start_time_seconds", "When it began, since the epoch", *_OF_CONTAINERS)
FREE = gauge("kubelet_volume_stats_available_bytes", "Bytes that are free", *_OF_VOLUMES)
SIZE = gauge("kubelet_volume_stats_capacity_bytes", "Bytes that there are", *_OF_VOLUMES)
TAKEN = gauge("kubelet_volume_stats_used_bytes", "Bytes that are taken", *_OF_VOLUMES)


def of_containers(containers: Iterable[RunningContainer], now: float) -> str:
    """`now`: seconds since the epoch, when they were seen."""
    metrics = Metrics(lambda: now)
    for one in containers:
        labels = _labels_of(one)
        metrics.count(CPU, one.usage.cpu_seconds, cpu="total", **labels)
        metrics.set(SEEN, now, **labels)
        metrics.set(MEMORY, one.usage.memory_bytes, **labels)
        metrics.set(WORKING_SET, one.usage.memory_bytes, **labels)
        metrics.set(START, one.started_at, **labels)
    return metrics.text()


def of_volumes(volumes: Iterable[ClaimedVolume]) -> str:
    metrics = Metrics(lambda: 0.0)
    for volume in volumes:
        labels = {"namespace": volume.namespace, "persistentvolumeclaim": volume.claim}
        for family, space in zip((FREE, SIZE, TAKEN), _space(volume.folder) or (), strict=False):
            metrics.set(family, space, **labels)
    return metrics.text()


def _space(folder: Path) -> tuple[int, int, int] | None:
    """(free for us, all, taken); None when the folder is gone."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    return disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize, (disk.f_blocks - disk.f_bfree) * disk.f_frsize


def _labels_of(container: RunningContainer) -> Mapping[str, str]:
    return {
        "container": container.name,
        "id": f"/klamm/{container.id}",
        "image": container.image,
        "name": container.id,
        "namespace": container.namespace,
        "pod": container.pod,
    }
