"""The Node objects of the pretended nodes: made when missing, refreshed only where they differ.

There are no Lease heartbeats: node and API server are one process, so a node that does not answer cannot be told
from an API that does not answer, and idle writes would cost.
"""

from collections.abc import Mapping
from typing import Any

from klamm.base.clock import Clock
from klamm.localkube.kubelet.settings import KUBELET_VERSION, RUNTIME_VERSION, NodeSettings
from klamm.localkube.objects import NODES, Object, Objects
from klamm.localkube.times import rfc3339

_HEALTHY = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def ensure_nodes(objects: Objects, nodes: tuple[NodeSettings, ...], clock: Clock) -> None:
    for settings in nodes:
        _ensure(objects, settings, clock)


def capacity(settings: NodeSettings) -> dict[str, str]:
    return {
        "cpu": settings.cpus,
        "memory": settings.memory,
        "ephemeral-storage": settings.storage,
        "pods": str(settings.pods),
    }


def _ensure(objects: Objects, settings: NodeSettings, clock: Clock) -> None:
    labels = _labels(settings)
    node = objects.find(NODES, None, settings.name)
    if node is None:
        fresh = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": settings.name, "labels": labels},
            "spec": {"providerID": f"klamm://{settings.name}"},
        }
        node = objects.create(NODES, None, fresh)
    present = node["metadata"].get("labels") or {}
    if any(present.get(name) != value for name, value in labels.items()):
        node = objects.patch(NODES, None, settings.name, {"metadata": {"labels": labels}})
    _refresh_status(objects, node, settings, rfc3339(clock.now().timestamp()))


def _labels(settings: NodeSettings) -> dict[str, str]:
    own = {
        "kubernetes.io/hostname": settings.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": settings.architecture,
    }
    return own | dict(settings.labels)


def _refresh_status(objects: Objects, node: Object, settings: NodeSettings, now: str) -> None:
    old = node.get("status") or {}
    wanted = _status(old, settings, now)
    changed = {name: value for name, value in wanted.items() if old.get(name) != value}
    if changed:
        objects.patch(NODES, None, settings.name, {"status": changed}, subresource="status")


def _status(old: Mapping[str, Any], settings: NodeSettings, now: str) -> dict[str, Any]:
    return {
        "capacity": capacity(settings),
        "allocatable": capacity(settings),
        "addresses": [
            {"type": "InternalIP", "address": settings.address},
            {"type": "Hostname", "address": settings.name},
        ],
        "conditions": _conditions(old.get("conditions") or (), now),
        "nodeInfo": {
            "architecture": settings.architecture,
            "bootID": "",
            "containerRuntimeVersion": RUNTIME_VERSION,
            "kernelVersion": settings.kernel_version,
            "kubeProxyVersion": "",
            "kubeletVersion": KUBELET_VERSION,
            "machineID": settings.machine_id,
            "operatingSystem": "linux",
            "osImage": settings.os_image,
            "systemUUID": settings.machine_id,
        },
    }


def _conditions(old: Any, now: str) -> list[dict[str, Any]]:
    known = {entry["type"]: entry for entry in old}
    ours = [
        _condition(kind, status, reason, message, known.pop(kind, None), now)
        for kind, status, reason, message in _HEALTHY
    ]
    return ours + list(known.values())


def _condition(
    kind: str, status: str, reason: str, message: str, old: Mapping[str, Any] | None, now: str
) -> dict[str, Any]:
    if old is not None and old.get("status") == status:
        return dict(old)
    times = {"lastHeartbeatTime": now, "lastTransitionTime": now}
    return {"type": kind, "status": status, "reason": reason, "message": message, **times}
