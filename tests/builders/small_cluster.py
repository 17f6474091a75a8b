"""A cluster without processes: the real store and rules of the API, the controllers, and a kubelet that pretends.

Runs in virtual time (`virtual_time`): `settled` lets everything happen that needs no waiting, `passes` moves the clock.

    @in_virtual_time
    async def test_...() -> None:
        async with small_cluster(nodes=3) as cluster:
            cluster.apply(deployment("web", replicas=2))
            await cluster.settled()
            assert len(cluster.pods("web")) == 2
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.builders.definitions import store_with
from tests.builders.virtual_time import LoopClock

from klamm.base.together import ended
from klamm.localkube.apiserver.local_objects import LocalObjects
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.controllers import all as controllers
from klamm.localkube.kubelet.runtime import Network
from klamm.localkube.objects import (
    CUSTOM_RESOURCE_DEFINITIONS,
    DAEMON_SETS,
    DEPLOYMENTS,
    EVENTS,
    JOBS,
    NAMESPACES,
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    POD_DISRUPTION_BUDGETS,
    PODS,
    REPLICA_SETS,
    SERVICES,
    STATEFUL_SETS,
    STORAGE_CLASSES,
    Object,
    Resource,
)
from klamm.localkube.times import timestamp

KINDS = {
    r.kind: r
    for r in (
        CUSTOM_RESOURCE_DEFINITIONS,
        DAEMON_SETS,
        DEPLOYMENTS,
        JOBS,
        NAMESPACES,
        NODES,
        PERSISTENT_VOLUME_CLAIMS,
        POD_DISRUPTION_BUDGETS,
        PODS,
        REPLICA_SETS,
        SERVICES,
        STATEFUL_SETS,
        STORAGE_CLASSES,
    )
}


@dataclass
class NotedFolders:
    """Folders that are only remembered."""

    there: set[Path] = field(default_factory=set)

    def make(self, path: Path) -> None:
        self.there.add(path)

    async def remove(self, path: Path) -> None:
        self.there.discard(path)


@dataclass
class SmallCluster:
    objects: LocalObjects
    registry: Registry
    clock: LoopClock
    folders: NotedFolders
    networks: list[Network]
    holds_back: set[str] = field(default_factory=set)
    """Names (or their beginnings) of pods that the pretended kubelet leaves unready."""
    slow_to_end: set[str] = field(default_factory=set)
    """Names (or their beginnings) of pods that stay when they are deleted."""
    refused_node_ports: dict[int, str] = field(default_factory=dict)
    """What the pretended host says when it is told its network."""

    around: controllers.Surroundings | None = None
    running: asyncio.Task[None] | None = None

    def start_controllers(self) -> None:
        assert self.around is not None
        own = LocalObjects(self.registry, "controllers")
        self.running = asyncio.create_task(controllers.run(own, self.around))

    async def stop_controllers(self) -> None:
        """As when the control plane is killed; what went wrong before is raised."""
        assert self.running is not None
        if self.running.done():
            self.running.result()
        await ended(self.running)

    async def settled(self) -> None:
        """Everything that needs no waiting has happened (retries of conflicts included)."""
        await asyncio.sleep(0.3)

    async def passes(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def apply(self, obj: Object, namespace: str = "default") -> Object:
        """Create, or change what is said; the namespace is the object's or this one."""
        resource = KINDS[obj["kind"]]
        where = obj["metadata"].get("namespace", namespace) if resource.namespaced else None
        if self.objects.find(resource, where, obj["metadata"]["name"]) is None:
            return self.objects.create(resource, where, obj)
        return self.objects.patch(resource, where, obj["metadata"]["name"], obj)

    def get(self, resource: Resource, name: str, namespace: str | None = "default") -> Object:
        return self.objects.get(resource, namespace if resource.namespaced else None, name)

    def find(self, resource: Resource, name: str, namespace: str | None = "default") -> Object | None:
        return self.objects.find(resource, namespace if resource.namespaced else None, name)

    def pods(self, app: str | None = None, namespace: str = "default") -> Sequence[Object]:
        """Pods by their label app, sorted by name."""
        found = [
            p for p in self.objects.list(PODS, namespace) if app in (None, p["metadata"].get("labels", {}).get("app"))
        ]
        return sorted(found, key=lambda p: str(p["metadata"]["name"]))

    def names(self, resource: Resource, namespace: str | None = "default") -> list[str]:
        listed = self.objects.list(resource, namespace if resource.namespaced else None)
        return sorted(o["metadata"]["name"] for o in listed)

    def run_pod(self, pod: Object, ip: str, *, ready: bool = True) -> None:
        """The pod runs, as a kubelet would report it."""
        metadata, now = pod["metadata"], timestamp(self.clock.now())
        others = [c for c in pod["status"].get("conditions") or () if c["type"] != "Ready"]
        condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": now}
        status = {"phase": "Running", "podIP": ip, "conditions": [*others, condition]}
        self.objects.patch(PODS, metadata["namespace"], metadata["name"], {"status": status}, subresource="status")

    def becomes(self, name: str, *, ready: bool, namespace: str = "default") -> None:
        pod = self.get(PODS, name, namespace)
        self.run_pod(pod, pod["status"]["podIP"], ready=ready)

    def ends(self, name: str, phase: str, namespace: str = "default") -> None:
        """The pod's containers have exited: phase Succeeded or Failed."""
        now = timestamp(self.clock.now())
        state = {"terminated": {"exitCode": int(phase == "Failed"), "finishedAt": now}}
        told = {"name": "main", "image": "app:1", "imageID": "", "ready": False, "restartCount": 0, "state": state}
        status = {"phase": phase, "containerStatuses": [told]}
        self.objects.patch(PODS, namespace, name, {"status": status}, subresource="status")

    def events(self, reason: str, namespace: str = "default") -> list[str]:
        """Messages of the events with this reason."""
        return [e["message"] for e in self.objects.list(EVENTS, namespace) if e["reason"] == reason]


@asynccontextmanager
async def small_cluster(
    nodes: int = 1, *, node_changes: Callable[[int, Object], Object] | None = None, definitions: Iterable[str] = ()
) -> AsyncIterator[SmallCluster]:
    """`definitions`: of custom kinds that are there from the beginning, e.g. "kafkas.kafka"."""
    clock, random = LoopClock(), Random(1)
    uids = (f"uid-{n}" for n in itertools.count(1))
    registry = Registry(store_with(definitions), clock, random, lambda: next(uids))
    objects = LocalObjects(registry, "test")
    cluster = SmallCluster(objects, registry, clock, NotedFolders(), [])

    async def configure(network: Network) -> Mapping[int, str]:
        cluster.networks.append(network)
        return dict(cluster.refused_node_ports)

    cluster.around = controllers.Surroundings(
        clock=clock,
        served=lambda: [k.resource for k in registry.kinds() if {"list", "watch"} <= set(k.verbs)],
        ca_certificate="a certificate",
        volumes=Path("/volumes"),
        configure=configure,
        random=random,
        folders=cluster.folders,
    )
    for n in range(nodes):
        made = node(n)
        cluster.objects.create(NODES, None, node_changes(n, made) if node_changes else made)
    kubelet = asyncio.create_task(_pretended_kubelet(cluster))
    cluster.start_controllers()
    try:
        await cluster.settled()
        yield cluster
        if kubelet.done():
            kubelet.result()
    finally:
        kubelet.cancel()
        await cluster.stop_controllers()


async def _pretended_kubelet(cluster: SmallCluster) -> None:
    """Bound pods run and are ready at once; deleted ones end at once."""
    addresses = (f"10.244.{n // 250}.{n % 250 + 2}" for n in itertools.count())
    async for event in cluster.objects.watch(PODS):
        pod, metadata = event.object, event.object["metadata"]
        newest = cluster.objects.find(PODS, metadata["namespace"], metadata["name"])
        if newest is None or newest["metadata"]["uid"] != metadata["uid"] or not pod["spec"].get("nodeName"):
            continue
        if newest["metadata"].get("deletionTimestamp"):
            if not metadata["name"].startswith(tuple(cluster.slow_to_end)):
                cluster.objects.delete(PODS, metadata["namespace"], metadata["name"], grace_seconds=0)
        elif newest["status"].get("phase") == "Pending":
            ready = not metadata["name"].startswith(tuple(cluster.holds_back))
            cluster.run_pod(newest, next(addresses), ready=ready)


def node(number: int, **changes: Any) -> Object:
    """Node klamm-N in zone N."""
    zone = f"zone-{number}"
    labels = {"kubernetes.io/hostname": f"klamm-{number}", "topology.kubernetes.io/zone": zone}
    capacity = {"cpu": "4", "memory": "8Gi", "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"klamm-{number}", "labels": labels},
        "status": {"capacity": capacity, "allocatable": capacity},
        **changes,
    }


def pod(name: str, *, labels: dict[str, str] | None = None, namespace: str = "default", **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels or {"app": name}},
        "spec": {"containers": [{"name": "main", "image": "app:1"}], **spec},
    }


def template(app: str, image: str = "app:1", **spec: Any) -> Object:
    return {
        "metadata": {"labels": {"app": app}},
        "spec": {"containers": [{"name": "main", "image": image}], **spec},
    }


def deployment(name: str, *, replicas: int = 1, image: str = "app:1", **spec: Any) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": template(name, image),
            **spec,
        },
    }


def daemon_set(name: str, *, image: str = "app:1", pod_spec: dict[str, Any] | None = None, **spec: Any) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": template(name, image, **(pod_spec or {})),
            **spec,
        },
    }


def service(name: str, *, ports: Sequence[Object] = ({"port": 80},), **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": list(ports), **spec},
    }


def claim(name: str, size: str = "1Gi", **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **spec},
    }
