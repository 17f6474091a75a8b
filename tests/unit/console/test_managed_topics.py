"""The operator's view and managed topics, against localkube's real API and brokers that only speak the protocol."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.builders.entity_api import CLUSTER, LABELS, NAMESPACE, EntityApi, entity_api, soon
from tests.builders.fake_kafka_server import FakeServers, FakeTopic, fake_servers
from tests.builders.running_console import RunningConsole, cluster_settings, running_console
from tests.builders.streams import Told, told

from klamm.console.problems import Problem
from klamm.console.settings import KubernetesSettings, Settings
from klamm.kube import errors
from klamm.kube.connection import from_kubeconfig

LISTENER = {"name": "plain", "port": 9092, "type": "internal", "tls": False}
KAFKA = {"kafka": {"replicas": 1, "listeners": [LISTENER], "storage": {"type": "ephemeral"}}}
_WITHIN = 10.0
POD = {"spec": {"containers": [{"name": "kafka", "image": "kafka"}]}}


@asynccontextmanager
async def operated(folder: Path, servers: FakeServers) -> AsyncIterator[tuple[EntityApi, RunningConsole]]:
    """A console that has found the Kafka resource of its cluster."""
    async with entity_api(
        folder, "kafkas", "kafkatopics", "kafkausers", "kafkanodepools", "strimzipodsets.core"
    ) as api:
        await api.create("Kafka", CLUSTER, KAFKA)
        await says(api, {"type": "Ready", "status": "True"})
        kubernetes = KubernetesSettings(from_kubeconfig(api.api.kubeconfig), (NAMESPACE,))
        settings = Settings((cluster_settings(servers.bootstrap),), kubernetes=kubernetes)
        async with running_console(settings=settings) as console:

            async def is_joined() -> str | None:
                said = (await console.get("/api/clusters")).json["clusters"]
                return None if said[0]["operator"] else str(said)

            await soon("the cluster is joined to its resource", is_joined)
            yield api, console


async def says(api: EntityApi, *conditions: dict[str, str]) -> None:
    """The Kafka resource, of itself."""
    status = {"clusterId": "fake", "observedGeneration": 1, "conditions": conditions}
    path = f"/apis/kafka.strimzi.io/v1beta2/namespaces/{NAMESPACE}/kafkas/{CLUSTER}/status"
    await api.request("PATCH", path, {"status": status}, "application/merge-patch+json")


async def of_topic(console: RunningConsole, topic: str, state: str) -> Any:
    """What is said of its resource, once that is seen in this state."""
    said: dict[str, Any] = {}

    async def is_seen() -> str | None:
        said.update((await console.get(f"/api/clusters/kafka/topics/{topic}/resource")).json)
        return None if said["state"] == state else str(said)

    await soon(f"the resource of {topic} is {state}", is_seen)
    return said


@pytest.fixture
def servers() -> Any:
    topics = {"orders": FakeTopic([5, 5], [1, 1]), "free": FakeTopic([5], [1])}
    with fake_servers(FakeServers([1], topics=topics)) as running:
        yield running


async def test_a_managed_topic_is_changed_through_its_resource(tmp_path: Path, servers: FakeServers) -> None:
    async with operated(tmp_path, servers) as (api, console):
        await api.create("KafkaTopic", "orders", {"partitions": 2, "config": {"cleanup.policy": "delete", "old": 1}})
        await of_topic(console, "orders", "managed")
        path = "/api/clusters/kafka/topics/orders"
        said = await console.ask("PATCH", f"{path}/config", {"set": {"retention.ms": "1000"}, "delete": ["old"]})
        assert (said.status, said.json["through"]) == (200, "KafkaTopic kafka/orders")
        assert (await console.ask("PATCH", f"{path}/partitions", {"partitions": 4})).status == 200
        stored = await api.get("KafkaTopic", "orders")
        assert stored["spec"] == {"partitions": 4, "config": {"cleanup.policy": "delete", "retention.ms": "1000"}}
        managers = {one["manager"]: one for one in stored["metadata"]["managedFields"]}
        owned = managers["klamm-console"]["fieldsV1"]["f:spec"]
        assert owned == {"f:config": {"f:retention.ms": {}}, "f:partitions": {}}
        assert (await console.ask("DELETE", path)).json["through"] == "KafkaTopic kafka/orders"
        assert await api.names("KafkaTopic") == []
        assert "orders" in servers.topics, "that is the operator's to delete"


async def test_a_managed_topic_is_not_made_anew_behind_its_resource(tmp_path: Path, servers: FakeServers) -> None:
    async with operated(tmp_path, servers) as (api, console):
        await api.create("KafkaTopic", "orders", {"partitions": 2})
        await of_topic(console, "orders", "managed")
        said = await console.ask("POST", "/api/clusters/kafka/topics/orders/recreate")
        assert (said.status, said.json["title"]) == (409, "Managed")
        assert "KafkaTopic kafka/orders manages topic orders" in said.json["detail"]
        assert "orders" in servers.topics


async def test_the_operators_view_follows_topics_that_come_and_go(tmp_path: Path, servers: FakeServers) -> None:
    async with operated(tmp_path, servers) as (api, console):

        async def tells_of(*names: str) -> None:
            async def does() -> str | None:
                said = (await console.get("/api/clusters/kafka/operator")).json
                told = (said["topics"], [one["name"] for one in said["topicsNotReady"]])
                return None if told == (len(names), [*names]) else str(told)

            await soon(f"the view tells of {names}", does)

        await tells_of()
        await api.create("KafkaTopic", "orders", {})
        await tells_of("orders")
        await api.create("KafkaTopic", "bills", {})
        await tells_of("bills", "orders")
        await api.delete("KafkaTopic", "orders")
        await tells_of("bills")


async def test_a_topic_without_a_resource_is_changed_itself(tmp_path: Path, servers: FakeServers) -> None:
    async with operated(tmp_path, servers) as (_, console):
        assert (await console.get("/api/clusters/kafka/topics/free/resource")).json["state"] is None
        said = await console.ask("DELETE", "/api/clusters/kafka/topics/free")
        assert (said.status, said.json["through"]) == (200, None)
        assert "free" not in servers.topics


@pytest.mark.parametrize(
    ("annotation", "value", "state", "says"),
    [
        ("strimzi.io/pause-reconciliation", "true", "paused", "after the pause it is set back"),
        ("strimzi.io/managed", "false", "unmanaged", "does not manage the topic"),
    ],
)
async def test_what_nobody_would_carry_out_goes_to_kafka(
    tmp_path: Path, servers: FakeServers, annotation: str, value: str, state: str, says: str
) -> None:
    async with operated(tmp_path, servers) as (api, console):
        await api.create("KafkaTopic", "orders", {}, annotations={annotation: value})
        await of_topic(console, "orders", state)
        said = (await console.ask("DELETE", "/api/clusters/kafka/topics/orders")).json
        assert says in said["said"]
        assert "orders" not in servers.topics
        assert await api.names("KafkaTopic") == ["orders"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.Invalid("patch", "spec.partitions", 422, "Invalid", ()), 422),
        (errors.Forbidden("patch", "no right", 403, "Forbidden"), 403),
        (errors.NotFound("patch", "gone", 404, "NotFound"), 404),
        (errors.Unreachable("patch", "no answer", sent=False), 503),
        (errors.ServerFault("patch", "broken", 500), 502),
    ],
)
def test_what_the_api_refuses_is_told(error: errors.KubeError, status: int) -> None:
    said = Problem.of_kubernetes(error).said
    assert said.status == status
    assert error.message in said.detail


async def test_the_operators_view(tmp_path: Path, servers: FakeServers) -> None:
    async with operated(tmp_path, servers) as (api, console):
        labels = {**LABELS, "strimzi.io/kind": "Kafka"}
        pod = {**POD, "apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"{CLUSTER}-kafka-0", "labels": labels}}
        await api.request("POST", f"/api/v1/namespaces/{NAMESPACE}/pods", pod)
        await api.create("KafkaUser", "alice", {"authentication": {"type": "tls"}})
        said: dict[str, Any] = {}

        async def is_seen() -> str | None:
            said.update((await console.get("/api/clusters/kafka/operator")).json)
            return None if said["pods"] and said["users"] else str(said)

        await soon("pods and users are seen", is_seen)
        assert (said["kafka"]["name"], said["kafka"]["state"]) == (CLUSTER, "Ready")
        assert [(one["name"], one["ready"]) for one in said["pods"]] == [(f"{CLUSTER}-kafka-0", False)]
        assert [(one["name"], one["about"]) for one in said["users"]] == [("alice", "tls")]
        wrong = (await console.get("/api/clusters/kafka/wrong")).json["findings"]
        assert "PodNotReady" in {one["kind"] for one in wrong}


async def test_without_kubernetes_there_is_no_such_view(servers: FakeServers) -> None:
    async with running_console(servers.bootstrap) as console:
        said = await console.get("/api/clusters/kafka/operator")
        assert (said.status, said.json["title"]) == (404, "NoOperator")
        assert (await console.get("/api/clusters")).json["clusters"][0]["operator"] is False


async def test_what_a_roll_changes_is_sent_at_once(tmp_path: Path, servers: FakeServers) -> None:
    async with operated(tmp_path, servers) as (api, console):
        name = f"{CLUSTER}-kafka-0"
        labels = {**LABELS, "strimzi.io/kind": "Kafka"}
        written = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}}
        pod_set = {
            "apiVersion": "core.strimzi.io/v1beta2",
            "kind": "StrimziPodSet",
            "metadata": {"name": f"{CLUSTER}-kafka", "labels": labels},
            "spec": {"selector": {"matchLabels": LABELS}, "pods": [{**written, **POD}]},
        }
        pods = f"/api/v1/namespaces/{NAMESPACE}/pods"
        address = f"{console.url}/api/clusters/kafka/operator/moving"
        async with asyncio.timeout(_WITHIN), console.session.get(address) as answer:
            assert answer.content_type == "text/event-stream"
            stream = told(answer)
            assert (await anext(stream)).data["roll"] is None

            await api.request("POST", f"/apis/core.strimzi.io/v1beta2/namespaces/{NAMESPACE}/strimzipodsets", pod_set)
            said = await until_said(stream, lambda one: one["roll"] is not None)
            assert [(one["name"], one["state"], one["ready"]) for one in said["pods"]] == [(name, "Missing", False)]
            assert [(one["pod"], one["step"]) for one in said["roll"]["pods"]] == [(name, "missing")]

            pod = {**POD, "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}}
            await api.request("POST", pods, pod)
            await until_said(stream, lambda one: one["roll"]["pods"][0]["step"] == "starting")
            waits = {
                "type": "NotReady",
                "status": "True",
                "reason": "NotYetAsWanted",
                "message": "a partition needs it",
            }
            await says(api, waits)
            said = await until_said(stream, lambda one: one["kafka"]["state"] == "NotReady")
            assert said["roll"]["waits"] == "", "a pod is away, and that is what is waited for"

            mark = {"metadata": {"annotations": {"strimzi.io/manual-rolling-update": "true"}}}
            await api.request("PATCH", f"{pods}/{name}", mark, "application/merge-patch+json")
            said = await until_said(stream, lambda one: one["roll"]["pods"][0]["step"] == "due")
            assert said["roll"]["why"] == ["annotation strimzi.io/manual-rolling-update asks for it"]
            assert said["roll"]["waits"] == "a partition needs it"
            whole = (await console.get("/api/clusters/kafka/operator")).json
            assert {one: whole["roll"][one] for one in ("began", "why", "done", "ended", "whole")} == {
                one: said["roll"][one] for one in ("began", "why", "done", "ended", "whole")
            }


async def until_said(stream: AsyncIterator[Told], holds: Callable[[Any], bool]) -> Any:
    async for event in stream:
        if holds(event.data):
            return event.data
    raise AssertionError("the stream ended")
