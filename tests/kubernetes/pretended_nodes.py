"""Nodes without machines: pods are placed, run and become ready at once; deleted ones end at once; claims are bound.

Scheduler, kubelets and volumes in one task beside a real kube-apiserver. A test that wants to look at a moment in
between holds pods back:

    nodes.holds_back.add("kafka/my-cluster-kafka-1")       # it runs, and is not ready
    nodes.release("kafka/my-cluster-kafka-1")
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import datetime
from random import Random
from typing import Any

import msgspec

from klamm.base.clock import Clock
from klamm.kube import errors
from klamm.kube.client import Client
from klamm.kube.kinds import Name, name_of
from klamm.kube.native import NODES, PERSISTENT_VOLUME_CLAIMS, PODS, STORAGE_CLASSES
from klamm.kube.requests import Request
from klamm.kube.watching import Watched
from klamm.operators.cluster.pod_sets import is_ready
from klamm.resources.native.pod import Pod
from klamm.resources.native.volumes import PersistentVolumeClaim

ZONE = "topology.ebs.csi.aws.com/zone"
_AT_ONCE = 8


class PretendedNodes:
    """`holds_back` and `stay`: beginnings of "namespace/name" of pods that do not become ready, and that do not end."""

    def __init__(self, client: Client, random: Random, clock: Clock, count: int = 3) -> None:
        self.holds_back: set[str] = set()
        self.stay: set[str] = set()
        self._client = client
        self._clock = clock
        self._count = count
        self._pods = Watched(client, PODS, random)
        self._claims = Watched(client, PERSISTENT_VOLUME_CLAIMS, random)
        self._work: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._numbers = itertools.count()

    def ready_pods(self, namespace: str) -> set[str]:
        return {pod.metadata.name or "" for pod in self._pods.all() if name_of(pod)[0] == namespace and is_ready(pod)}

    def release(self, beginning: str) -> None:
        """Pods that were held back, or that stayed, go on."""
        self.holds_back.discard(beginning)
        self.stay.discard(beginning)
        for pod in self._pods.all():
            self._note_pod(None, pod)

    async def run(self) -> None:
        """Until cancelled."""
        for number in range(self._count):
            await self._raw("POST", NODES.path(), _node(number))
        await self._raw("POST", STORAGE_CLASSES.path(), _STORAGE_CLASS)
        self._pods.subscribe(self._note_pod)
        self._claims.subscribe(self._note_claim)
        async with asyncio.TaskGroup() as group:
            for run in (self._pods.run, self._claims.run, *[self._worker] * _AT_ONCE):
                group.create_task(run())

    def _note_pod(self, _: Pod | None, pod: Pod | None) -> None:
        if pod is not None:
            self._work.put_nowait(lambda: self._tend(name_of(pod)))

    def _note_claim(self, _: PersistentVolumeClaim | None, claim: PersistentVolumeClaim | None) -> None:
        if claim is not None and (claim.status is None or claim.status.phase != "Bound"):
            self._work.put_nowait(lambda: self._bind_claim(claim))

    async def _worker(self) -> None:
        while True:
            deed = await self._work.get()
            try:
                await deed()
            except (errors.NotFound, errors.Conflict):
                continue  # it has changed since: news of that come too

    async def _tend(self, name: Name) -> None:
        pod = self._pods.get(name)
        if pod is None:
            return
        if pod.metadata.deletion_timestamp is not None:
            if not _begins(name, self.stay):
                await self._client.delete(PODS, name, uid=pod.metadata.uid, grace_seconds=0)
            return
        if pod.spec.node_name is None:
            await self._place(name)
        ready = not _begins(name, self.holds_back)
        if pod.status is None or pod.status.phase != "Running" or (ready and not is_ready(pod)):
            await self._client.patch(PODS, name, self._running(pod, ready), subresource="status")

    async def _place(self, name: Name) -> None:
        target = {"apiVersion": "v1", "kind": "Node", "name": f"node-{next(self._numbers) % self._count}"}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name.name}, "target": target}
        await self._raw("POST", PODS.path(*name, "binding"), binding)

    def _running(self, pod: Pod, ready: bool) -> dict[str, Any]:
        number, now = next(self._numbers), _seconds(self._clock.now())
        address = f"10.244.{number // 250 % 250}.{number % 250 + 2}"
        states = {"PodScheduled": True, "Initialized": True, "ContainersReady": ready, "Ready": ready}
        conditions = [{"type": kind, "status": str(state), "lastTransitionTime": now} for kind, state in states.items()]
        status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "startTime": now}
        return {"metadata": {"uid": pod.metadata.uid}, "status": {**status, "conditions": conditions}}

    async def _bind_claim(self, claim: PersistentVolumeClaim) -> None:
        capacity = dict(claim.spec.resources.requests) if claim.spec.resources else {}
        change = {"metadata": {"uid": claim.metadata.uid}, "status": {"phase": "Bound", "capacity": capacity}}
        await self._client.patch(PERSISTENT_VOLUME_CLAIMS, name_of(claim), change, subresource="status")

    async def _raw(self, method: str, path: str, body: dict[str, Any]) -> None:
        """Objects whole as they are written here, which our types of them need not hold."""
        try:
            await self._client.raw(Request(method, path, f"pretend {path}", body=msgspec.json.encode(body)))
        except errors.AlreadyExists:
            return


def _begins(name: Name, beginnings: set[str]) -> bool:
    return str(name).startswith(tuple(beginnings))


def _seconds(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def _node(number: int) -> dict[str, Any]:
    """Node node-N in zone-N."""
    zone = f"zone-{number}"
    name = f"node-{number}"
    labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone, ZONE: zone}
    capacity = {"cpu": "64", "memory": "256Gi", "pods": "10000"}
    addresses = [{"type": "InternalIP", "address": f"10.90.0.{number + 1}"}]
    status = {"capacity": capacity, "allocatable": capacity, "addresses": addresses}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "status": status}


_STORAGE_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "tests.klamm/pretended",
    "allowVolumeExpansion": True,
}
