"""A real API server with the custom kinds and a namespace, a client of it, and short words for tests of operators."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, cast

from tests.builders.api_server import RunningApi, api_registry, running_api
from tests.builders.definitions import store_with

from klamm.base.deadlines import Condition, until
from klamm.kube.client import Client, connect
from klamm.kube.connection import from_kubeconfig
from klamm.kube.requests import Request
from klamm.localkube.objects import Streams

NAMESPACE = "kafka"
CLUSTER = "my-cluster"
LABELS = {"strimzi.io/cluster": CLUSTER}
GROUP = "/apis/kafka.strimzi.io/v1beta2/namespaces"


@dataclass
class EntityApi:
    api: RunningApi
    client: Client

    async def request(self, method: str, path: str, body: object = None, type_: str = "application/json") -> Any:
        data = None if body is None else json.dumps(body).encode()
        answer = await self.client.raw(Request(method, path, f"{method} {path}", body=data, content_type=type_))
        return json.loads(answer)

    async def create(self, kind: str, name: str, spec: object, **metadata: object) -> Any:
        """A custom resource of the cluster; `kind` as in "KafkaTopic"."""
        resource = {
            "apiVersion": "kafka.strimzi.io/v1beta2",
            "kind": kind,
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": LABELS, **metadata},
            "spec": spec,
        }
        return await self.request("POST", f"{GROUP}/{NAMESPACE}/{kind.lower()}s", resource)

    async def get(self, kind: str, name: str) -> Any:
        return await self.request("GET", f"{GROUP}/{NAMESPACE}/{kind.lower()}s/{name}")

    async def names(self, kind: str) -> list[str]:
        listed = await self.request("GET", f"{GROUP}/{NAMESPACE}/{kind.lower()}s")
        return [item["metadata"]["name"] for item in listed["items"]]

    async def patch(self, kind: str, name: str, **change: object) -> Any:
        path = f"{GROUP}/{NAMESPACE}/{kind.lower()}s/{name}"
        return await self.request("PATCH", path, change, "application/merge-patch+json")

    async def delete(self, kind: str, name: str) -> None:
        await self.request("DELETE", f"{GROUP}/{NAMESPACE}/{kind.lower()}s/{name}")

    async def condition(self, kind: str, name: str) -> dict[str, str]:
        """The first condition; {} when there is none."""
        status = (await self.get(kind, name)).get("status", {})
        return cast(dict[str, str], next(iter(status.get("conditions", ())), {}))

    async def secret(self, name: str) -> Any:
        found = await self.request("GET", f"/api/v1/namespaces/{NAMESPACE}/secrets")
        return next((item for item in found["items"] if item["metadata"]["name"] == name), None)


@asynccontextmanager
async def entity_api(folder: Path, *kinds: str) -> AsyncIterator[EntityApi]:
    """`kinds` by plural, with the group's first word where that is not kafka ("strimzipodsets.core")."""
    definitions = [kind if "." in kind else f"{kind}.kafka" for kind in kinds]
    registry = api_registry(store_with(definitions, folder / "objects.db"))
    async with running_api(folder, cast(Streams, None), registry) as api:
        connection = from_kubeconfig(api.kubeconfig)
        async with connect(connection, "klamm-test", Random(1)) as client:
            entity = EntityApi(api, client)
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
            await entity.request("POST", "/api/v1/namespaces", namespace)
            yield entity


async def soon(what: str, condition: Condition) -> None:
    """It takes a moment, on a machine that does much else a longer one; the failure says why it does not hold."""
    await until(60.0, what, condition, every=0.01)
