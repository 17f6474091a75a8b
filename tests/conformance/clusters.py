"""Two whole clusters but for their kubelets: Kubernetes' own controllers and scheduler, and those of localkube.

A node is registered in each; what a kubelet would report is written by the test (`Cluster.kubelet`).
"""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, cast

import aiohttp
from tests.builders.api_server import RunningApi, api_registry, running_api
from tests.builders.small_cluster import NotedFolders
from tests.conformance.conftest import session_to
from tests.kubernetes.control_plane import ControlPlane

from klamm.base.clock import SystemClock
from klamm.base.together import ended
from klamm.localkube.apiserver.local_objects import LocalObjects
from klamm.localkube.controllers import all as controllers
from klamm.localkube.kubelet.runtime import Network
from klamm.localkube.objects import Streams

Object = dict[str, Any]
GROUPS = {
    "configmaps": "/api/v1",
    "endpoints": "/api/v1",
    "persistentvolumeclaims": "/api/v1",
    "pods": "/api/v1",
    "serviceaccounts": "/api/v1",
    "services": "/api/v1",
    "daemonsets": "/apis/apps/v1",
    "deployments": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "statefulsets": "/apis/apps/v1",
    "jobs": "/apis/batch/v1",
    "endpointslices": "/apis/discovery.k8s.io/v1",
    "poddisruptionbudgets": "/apis/policy/v1",
}
NODE: Object = {
    "metadata": {"name": "node-0", "labels": {"kubernetes.io/hostname": "node-0", "zone": "a"}},
    "status": {
        "capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"},
        "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"},
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "pretended"}],
    },
}
_TICK = 0.1


@dataclass
class Cluster:
    """One of the two, as a namespace of it is seen through the API."""

    session: aiohttp.ClientSession
    namespace: str
    held: set[str] = field(default_factory=set)
    """Beginnings of the names of pods that do not become ready."""
    ended: set[str] = field(default_factory=set)
    """Beginnings of the names of pods that have done their work."""

    async def ask(self, method: str, path: str, body: Any = None, kind: str = "application/merge-patch+json") -> Any:
        data = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": kind if method == "PATCH" else "application/json"}
        async with self.session.request(method, path, data=data, headers=headers) as answer:
            return await answer.json(content_type=None)

    def path(self, plural: str, name: str = "") -> str:
        return f"{GROUPS[plural]}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    async def create(self, plural: str, body: Object) -> None:
        made = await self.ask("POST", self.path(plural), body)
        assert made.get("status") != "Failure", made

    async def patch(self, plural: str, name: str, change: Object) -> None:
        made = await self.ask("PATCH", self.path(plural, name), change)
        assert made.get("status") != "Failure", made

    async def delete(self, plural: str, name: str, policy: str = "Background") -> None:
        await self.ask("DELETE", self.path(plural, name), {"propagationPolicy": policy})

    async def listed(self, plural: str) -> list[Object]:
        found: list[Object] = (await self.ask("GET", self.path(plural))).get("items") or []
        return found

    async def kubelet(self) -> None:
        """Bound pods run and are ready; deleted ones end. Runs until it is cancelled."""
        addresses = (f"10.244.{n // 250}.{n % 250 + 2}" for n in range(60_000))
        while True:
            for pod in await self.listed("pods"):
                await self._look_after(pod, addresses)
            await asyncio.sleep(_TICK)

    async def _look_after(self, pod: Object, addresses: Iterable[str]) -> None:
        name, status = pod["metadata"]["name"], pod["status"]
        if not pod["spec"].get("nodeName"):
            return
        if pod["metadata"].get("deletionTimestamp"):
            await self.ask("DELETE", self.path("pods", name), {"gracePeriodSeconds": 0})
        elif name.startswith(tuple(self.ended)) and status["phase"] != "Succeeded":
            ended = {"exitCode": 0, "startedAt": "2020-01-01T00:00:00Z", "finishedAt": "2020-01-01T00:00:01Z"}
            containers = [_container(pod, {"terminated": ended}, ready=False)]
            change = {"phase": "Succeeded", "containerStatuses": containers}
            await self.ask("PATCH", self.path("pods", f"{name}/status"), {"status": change})
        elif status["phase"] == "Pending":
            ready = not name.startswith(tuple(self.held))
            told = {"type": "Ready", "status": str(ready), "lastTransitionTime": "2020-01-01T00:00:00Z"}
            others = [each for each in status.get("conditions") or () if each["type"] != "Ready"]
            address = next(iter(addresses))
            change = {
                "phase": "Running",
                "podIP": address,
                "podIPs": [{"ip": address}],
                "conditions": [*others, told],
                "containerStatuses": [_container(pod, {"running": {"startedAt": "2020-01-01T00:00:00Z"}}, ready=ready)],
            }
            await self.ask("PATCH", self.path("pods", f"{name}/status"), {"status": change})

    async def picture(self, kinds: Iterable[str]) -> Mapping[str, Any]:
        """What is there, without what differs from run to run."""
        shown = {}
        for plural in kinds:
            made = [_steady(each) for each in await self.listed(plural)]
            shown[plural] = sorted(made, key=lambda each: json.dumps(each, sort_keys=True))
        return shown


def _container(pod: Object, state: Object, *, ready: bool) -> Object:
    of = pod["spec"]["containers"][0]
    return {"name": of["name"], "image": of["image"], "imageID": "", "ready": ready, "restartCount": 0, "state": state}


_TEXTS = (
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"\b10\.(96|244)\.\d+\.\d+\b"), "<address>"),
    (re.compile(r"kube-api-access-\w{5}"), "kube-api-access-<random>"),
    (re.compile(r'(nodes are available: [^."]*\.)[^"]*'), r"\1"),
    (re.compile(r'-----BEGIN CERTIFICATE-----[^"]*'), "<certificate>"),
)
_OF_THE_MOMENT = frozenset(["managedFields", "resourceVersion", "uid", "creationTimestamp", "annotations"])
_SHOWN_ANNOTATIONS = ("deployment.kubernetes.io/revision", "deployment.kubernetes.io/desired-replicas")


def _readiness(endpoint: Object) -> str:
    return json.dumps(endpoint["conditions"], sort_keys=True)


def _under_way(condition: Object) -> Object:
    """A Deployment's condition without what timing decides.

    Kubernetes tells of a new ReplicaSet's first pods only if it wrote down in time that there were none. That write may
    meet a conflict, and then the condition stays at NewReplicaSetCreated until something else happens.
    """
    if condition.get("reason") not in ("NewReplicaSetCreated", "ReplicaSetUpdated"):
        return condition
    return {**condition, "reason": "<under way>", "message": "<under way>"}


def _steady(obj: Object) -> Any:
    metadata = obj["metadata"]
    kept = {name: value for name, value in metadata.items() if name not in _OF_THE_MOMENT}
    marks = metadata.get("annotations") or {}
    kept["annotations"] = {name: marks[name] for name in _SHOWN_ANNOTATIONS if name in marks}
    if metadata.get("generateName") and "apps.kubernetes.io/pod-index" not in (metadata.get("labels") or {}):
        kept["name"] = f"{metadata['generateName']}<random>"
    labels = metadata.get("labels") or {}
    if obj.get("spec", {}).get("selector", {}).get("matchLabels", {}).get("pod-template-hash"):
        kept.pop("generation", None)  # of a ReplicaSet: how often it was scaled on the way
        obj = {**obj, "status": {**obj["status"], "observedGeneration": 0}}
    conditions = obj.get("status", {}).get("conditions")
    if conditions:  # they stand in the order in which they came, which timing decides
        shown = sorted(map(_under_way, conditions), key=lambda each: str(each["type"]))
        obj = {**obj, "status": {**obj["status"], "conditions": shown}}
    if "endpoints" in obj:
        obj = {**obj, "endpoints": sorted(obj["endpoints"] or (), key=_readiness)}
    text = json.dumps({**obj, "metadata": kept}, sort_keys=True)
    for label in ("pod-template-hash", "controller-revision-hash"):
        if label in labels:
            text = text.replace(labels[label], "<hash>")
    text = re.sub(r"\b([a-z]+)-[0-9a-z]{8,10}\b", r"\1-<hash>", text)
    text = re.sub(r"(?<=<hash>-)[a-z0-9]{5}\b", "<random>", text)
    for varies, steady in _TEXTS:
        text = varies.sub(steady, text)
    return json.loads(text)


@contextlib.asynccontextmanager
async def localkube_cluster(folder: Path, namespace: str) -> AsyncIterator[Cluster]:
    async with (
        localkube_with_controllers(folder) as api,
        session_to(api.url, folder) as session,
        _settled(Cluster(session, namespace)) as cluster,
    ):
        yield cluster


@contextlib.asynccontextmanager
async def localkube_with_controllers(folder: Path) -> AsyncIterator[RunningApi]:
    registry = api_registry(folder / "objects.db")

    async def configure(network: Network) -> Mapping[int, str]:
        return {}

    around = controllers.Surroundings(
        clock=SystemClock(),
        served=lambda: [kind.resource for kind in registry.kinds() if {"list", "watch"} <= set(kind.verbs)],
        ca_certificate="-----BEGIN CERTIFICATE-----",
        volumes=folder / "volumes",
        configure=configure,
        random=Random(1),
        folders=NotedFolders(),
    )
    async with running_api(folder, cast(Streams, None), registry) as api:
        running = asyncio.create_task(controllers.run(LocalObjects(registry, "controllers"), around))
        try:
            yield api
        finally:
            await ended(running)


@contextlib.asynccontextmanager
async def kubernetes_cluster(running: ControlPlane, namespace: str) -> AsyncIterator[Cluster]:
    async with (
        session_to(running.url, running.folder) as session,
        _settled(Cluster(session, namespace)) as cluster,
    ):
        yield cluster


@contextlib.asynccontextmanager
async def _settled(cluster: Cluster) -> AsyncIterator[Cluster]:
    """With its node, its namespace and its kubelet."""
    await cluster.ask("POST", "/api/v1/nodes", NODE)
    await cluster.ask("PATCH", f"/api/v1/nodes/{NODE['metadata']['name']}", {"spec": {"taints": None}})
    await cluster.ask("POST", "/api/v1/namespaces", {"metadata": {"name": cluster.namespace}})
    kubelet = asyncio.create_task(cluster.kubelet())
    try:
        yield cluster
    finally:
        await ended(kubelet)
