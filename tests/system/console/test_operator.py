"""A managed topic changed in a real browser, by a real topic operator on real brokers; a broker that goes away."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.builders.browser import browser
from tests.builders.entity_api import CLUSTER, NAMESPACE, EntityApi, entity_api
from tests.builders.fake_kafka import FakeKafka
from tests.builders.real_brokers import RealBrokers
from tests.builders.running_console import RunningConsole, cluster_settings, running_console
from tests.builders.running_topic_operator import topic_operator

from klamm.base.deadlines import until
from klamm.console.settings import KubernetesSettings, Settings
from klamm.kube.connection import from_kubeconfig

_WITHIN = 180.0
_LISTENER = {"name": "plain", "port": 9092, "type": "internal", "tls": False}
_KAFKA = {"kafka": {"replicas": 2, "listeners": [_LISTENER], "storage": {"type": "ephemeral"}}}


@asynccontextmanager
async def operated(folder: Path, brokers: RealBrokers) -> AsyncIterator[tuple[EntityApi, RunningConsole]]:
    """A console whose cluster has a Kafka resource, and a topic operator that works for it."""
    async with entity_api(folder, "kafkas", "kafkatopics", "kafkausers", "kafkanodepools") as api:
        await api.create("Kafka", CLUSTER, _KAFKA)
        kubernetes = KubernetesSettings(from_kubeconfig(api.api.kubeconfig), (NAMESPACE,))
        named = cluster_settings(brokers.bootstrap, resource=f"{NAMESPACE}/{CLUSTER}")
        async with (
            topic_operator(api, FakeKafka(), bootstrap=brokers.bootstrap),
            running_console(settings=Settings((named,), kubernetes=kubernetes)) as console,
        ):
            yield api, console


async def test_a_managed_topic_is_changed_through_its_resource(brokers: RealBrokers, tmp_path: Path) -> None:
    async with operated(tmp_path, brokers) as (api, console), browser(tmp_path) as tab:
        spec = {"partitions": 2, "replicas": 2, "config": {"retention.ms": 3600000}}
        await api.create("KafkaTopic", "managed", spec)
        await until(_WITHIN, "the topic", lambda: _says(console, "/topics/managed/config", "3600000"), every=0.2)

        await tab.open(f"{console.url}/clusters/kafka/topics/managed?tab=config")
        await tab.until_shown("manages this topic")
        await tab.click("Change")
        await tab.fill("retention.ms", "7200000")
        await tab.click("Change")
        await tab.until_shown("KafkaTopic kafka/managed was changed")
        assert (await api.get("KafkaTopic", "managed"))["spec"]["config"] == {"retention.ms": "7200000"}
        await until(_WITHIN, "Kafka's topic", lambda: _says(console, "/topics/managed/config", "7200000"), every=0.2)

        await tab.click("More partitions")
        await tab.fill("Partitions in all", "4")
        await tab.click("Add")
        await tab.until_shown("its operator changes the topic")
        await until(_WITHIN, "four partitions", lambda: _says(console, "/topics/managed", '"partitions":4'), every=0.2)

        await tab.click("Delete")
        await tab.until_shown("It cannot be undone")
        await tab.click("Delete")
        await tab.until_shown("its operator deletes the topic")
        await until(_WITHIN, "no resource", lambda: _none_of(api, "KafkaTopic"), every=0.2)
        await until(_WITHIN, "no topic", lambda: _says(console, "/topics/managed", "is not there"), every=0.2)
        assert tab.said == []


async def test_what_is_changed_past_a_user_s_resource_is_said_to_be_set_back(
    brokers: RealBrokers, tmp_path: Path
) -> None:
    """No user operator works here: who says so is the console, by the resource alone."""
    async with operated(tmp_path, brokers) as (api, console), browser(tmp_path) as tab:
        await api.create("KafkaUser", "anna", {"authentication": {"type": "scram-sha-512"}})
        await until(_WITHIN, "the user", lambda: _says(console, "/operator", '"name":"anna"'), every=0.2)
        await tab.open(f"{console.url}/clusters/kafka/quotas")
        await tab.click("Set a user's password")
        await tab.fill("User", "anna")
        await tab.fill("Password", "a-password-of-anna")
        await tab.fill("Once more", "a-password-of-anna")
        await tab.click("Set")
        await tab.until_shown("KafkaUser kafka/anna manages anna: the operator sets back what is changed past it")
        await tab.click("Cancel")
        await tab.until_shown("It was not done.")
        await tab.click("Set")
        await tab.click("Do it all the same")
        await tab.until_shown("KafkaUser kafka/anna manages anna, and its operator will set it back")
        await tab.until("!document.querySelector('dialog')", "the dialogs to go")
        await tab.until_shown("SCRAM-SHA-512")
        await tab.until("klammTest.named('KafkaUser kafka/anna', 'a.tag')", "who manages the user")

        await tab.click("Set a quota for a user or client")
        await tab.fill("User", "anna")
        await tab.fill("Bytes/s written", "1024")
        await tab.click("Set")
        await tab.until_shown("KafkaUser kafka/anna was changed, and its operator changes the limits")
        assert (await api.get("KafkaUser", "anna"))["spec"]["quotas"] == {"producerByteRate": 1024}
        refused = [one for one in tab.said if "409" in one]
        assert tab.said == refused, "the browser itself tells of what was refused, and nothing else is told"


async def test_a_broker_that_goes_away_is_told_with_what_it_means(brokers: RealBrokers, tmp_path: Path) -> None:
    """The last of this file: nobody brings it back."""
    made = ("--topic", "safe", "--partitions", "2", "--replication-factor", "2", "--config", "min.insync.replicas=2")
    brokers.tool("kafka-topics.sh", "--create", *made)
    async with running_console(brokers.bootstrap) as console, browser(tmp_path) as tab:
        await tab.open(f"{console.url}/clusters/kafka/compare?own=1")
        await tab.until_shown("advertised.listeners")
        await tab.open(f"{console.url}/clusters/kafka/wrong")
        await tab.until_shown("as of")
        brokers.brokers[1].kill()
        for kind in ("BrokerAway", "UnderReplicated", "BelowMinInSync"):
            await until(_WITHIN, kind, lambda kind=kind: _says(console, "/wrong", kind), every=0.2)  # type: ignore[misc]
        await tab.until_shown("Broker 2 is away")
        await tab.until_shown("cannot be written with acks=all: safe")
        await tab.open(f"{console.url}/clusters/kafka")
        await tab.until_shown("Partitions in trouble")
        assert tab.said == []


async def _none_of(api: EntityApi, kind: str) -> str | None:
    """A resource stays until its operator has let it go."""
    found = await api.names(kind)
    return f"there are {found}" if found else None


async def _says(console: RunningConsole, path: str, what: str) -> str | None:
    said: Any = await console.get(f"/api/clusters/kafka{path}")
    return None if what in said.text else f"it says {said.text[:500]}"
