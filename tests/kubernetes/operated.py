"""A real Kubernetes API with its controllers, pretended nodes and a pretended Kafka: where the real operator works.

with kubernetes_with_controllers(folder) as plane:                  # some ten seconds, once for all tests
    async with operated(plane) as place:
        operator = place.start_operator()
        await place.make_namespace("kafka")
        await place.apply("kafka", example("kafka-1"))
        await place.ready(Name("kafka", "my-cluster"))
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import yaml
from tests.kubernetes.control_plane import ControlPlane, control_plane, controller_manager
from tests.kubernetes.pretended_kafka import PretendedKafka
from tests.kubernetes.pretended_nodes import PretendedNodes
from tests.kubernetes.running_operator import RunningOperator

from klamm.base.clock import SystemClock
from klamm.base.together import ended
from klamm.kube import errors, requests
from klamm.kube.catalogue import KAFKAS
from klamm.kube.client import Client, connect
from klamm.kube.kinds import Name
from klamm.kube.native import NAMESPACES
from klamm.kube.requests import Request
from klamm.resources import crds
from klamm.resources.native.cluster import Namespace
from klamm.resources.native.metadata import ObjectMeta

READY_WITHIN = 180.0
_EXAMPLES = Path(__file__).parents[2] / "examples"
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_MANAGER = "someone"


def example(name: str) -> dict[str, Any]:
    """The only manifest of examples/<name>.yaml."""
    loaded: dict[str, Any] = yaml.safe_load((_EXAMPLES / f"{name}.yaml").read_text())
    return loaded


@contextmanager
def kubernetes_with_controllers(folder: Path) -> Iterator[ControlPlane]:
    """etcd, kube-apiserver, kube-controller-manager, and the definitions of our kinds."""
    with control_plane(folder) as plane:
        asyncio.run(define_kinds(plane))
        with controller_manager(plane):
            yield plane


async def define_kinds(plane: ControlPlane) -> None:
    """Returns once all are served."""
    async with connect(plane.connection(), _MANAGER, Random(0)) as client:
        for definition in crds.all_definitions():
            body = msgspec.json.encode(definition)
            await client.raw(Request("POST", _DEFINITIONS, f"define {definition['metadata']['name']}", body=body))

        async def why_not() -> str | None:
            listed = json.loads(await client.raw(Request("GET", _DEFINITIONS, "list definitions")))["items"]
            late = [one["metadata"]["name"] for one in listed if not _is_established(one)]
            return f"{', '.join(late)} are not established" if late else None

        await until("custom kinds to be served", why_not, READY_WITHIN)


def _is_established(definition: dict[str, Any]) -> bool:
    conditions = definition.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


async def until(what: str, why_not: Callable[[], Awaitable[str | None]], seconds: float, every: float = 0.05) -> None:
    """Returns once `why_not` gives None; AssertionError with its last word after so many seconds."""
    loop = asyncio.get_running_loop()
    end, why = loop.time() + seconds, await why_not()
    while why is not None:
        if loop.time() > end:
            raise AssertionError(f"waited {seconds:g} s for {what}: {why}")
        await asyncio.sleep(every)
        why = await why_not()


class Operated:
    """The world around operators, and the hands of the people in it. `client` is an administrator's."""

    def __init__(self, plane: ControlPlane, client: Client, nodes: PretendedNodes) -> None:
        self.plane = plane
        self.client = client
        self.nodes = nodes
        self.kafka = PretendedKafka(nodes.ready_pods)

    def start_operator(self, **changes: Any) -> RunningOperator:
        """With the administrator's rights and straight to the API, unless `connection` says otherwise."""
        return RunningOperator(
            **{"connection": self.plane.connection(), "outside": self.kafka.outside, "random": Random(1), **changes}
        )

    async def make_namespace(self, name: str) -> None:
        await self.client.create(NAMESPACES, Namespace(metadata=ObjectMeta(name=name)))

    async def apply(self, namespace: str, manifest: dict[str, Any]) -> None:
        """As `kubectl apply --server-side` does: what is no longer in the manifest goes."""
        path = KAFKAS.path(namespace, manifest["metadata"]["name"])
        query = (("fieldManager", _MANAGER), ("force", "true"))
        body = msgspec.json.encode(manifest)
        await self.client.raw(Request("PATCH", path, f"apply {path}", query, body, requests.APPLY_PATCH))

    async def delete(self, name: Name) -> None:
        await self.client.delete(KAFKAS, name)

    async def resource(self, name: Name) -> dict[str, Any] | None:
        """The Kafka resource as it is stored; None when it is gone."""
        try:
            found: dict[str, Any] = json.loads(await self.client.raw(requests.get(KAFKAS, name)))
        except errors.NotFound:
            return None
        return found

    async def reason_not_ready(self, name: Name) -> str | None:
        resource = await self.resource(name)
        if resource is None:
            return f"Kafka {name} is not there"
        status = resource.get("status", {})
        if status.get("observedGeneration") != resource["metadata"]["generation"]:
            return f"Kafka {name} was not looked at yet"
        conditions = status.get("conditions", [])
        return None if any(one["type"] == "Ready" for one in conditions) else f"its conditions are {conditions}"

    async def ready(self, name: Name, seconds: float = READY_WITHIN) -> None:
        await until(f"Kafka {name} to be ready", lambda: self.reason_not_ready(name), seconds)


@asynccontextmanager
async def operated(plane: ControlPlane) -> AsyncIterator[Operated]:
    """With nodes, and without operator yet."""
    async with connect(plane.connection(), _MANAGER, Random(0)) as client:
        nodes = PretendedNodes(client, Random(0), SystemClock())
        working = asyncio.create_task(nodes.run(), name="pretended nodes")
        try:
            yield Operated(plane, client, nodes)
            if working.done():
                working.result()
        finally:
            await ended(working)
