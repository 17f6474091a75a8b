"""The topic operator against a real API server and Kafka's rules in memory."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from tests.builders import metric_names as names
from tests.builders.entity_api import CLUSTER, GROUP, LABELS, NAMESPACE, EntityApi, entity_api, soon
from tests.builders.fake_kafka import FakeKafka
from tests.builders.metric_pages import names_of, read_page

from klamm.base.clock import SystemClock
from klamm.base.metrics import Metrics
from klamm.kafka.admin import Admin, Connection
from klamm.kafka.errors import Unreachable
from klamm.kafka.facts import Topic
from klamm.kafka.link import Link
from klamm.kube import errors
from klamm.kube.catalogue import KAFKA_TOPICS
from klamm.kube.kinds import Name
from klamm.kube.watching import Watched
from klamm.operators.topic.operator import Settings, TopicOperator
from klamm.operators.topic.resource import BY_TOPIC, topic_key, trimmed

FINALIZER = "strimzi.io/topic-operator"
TOPIC = "KafkaTopic"
KAFKA = {"kafka": {"replicas": 1, "listeners": [{"name": "plain", "port": 9092, "type": "internal", "tls": False}]}}


class Running:
    def __init__(self, entity: EntityApi, kafka: FakeKafka, operator: TopicOperator, metrics: Metrics) -> None:
        self.api = entity
        self.metrics = metrics
        self.kafka = kafka
        self.operator = operator

    async def create(self, name: str, **spec: Any) -> None:
        await self.api.create(TOPIC, name, {key.replace("topic_name", "topicName"): spec[key] for key in spec})

    async def until_ready(self, name: str) -> dict[str, Any]:
        await soon(f"{name} to be ready", lambda: self.is_(name, "Ready", "True"))
        return cast(dict[str, Any], (await self.api.get(TOPIC, name))["status"])

    async def until_refused(self, name: str, reason: str) -> str:
        await soon(f"{name} to be refused", lambda: self.is_(name, "Ready", "False", reason))
        return (await self.api.condition(TOPIC, name))["message"]

    async def until_gone(self, name: str) -> None:
        async def there() -> str | None:
            return "it is there" if name in await self.api.names(TOPIC) else None

        await soon(f"{name} to be gone", there)

    async def until_deleted(self, topic: str) -> None:
        async def there() -> str | None:
            return "it is there" if topic in self.kafka.topics else None

        await soon(f"topic {topic} to be deleted", there)

    async def is_(self, name: str, type_: str, status: str, reason: str | None = None) -> str | None:
        found = await self.api.condition(TOPIC, name)
        wanted = {"type": type_, "status": status, **({"reason": reason} if reason else {})}
        return None if wanted.items() <= found.items() else f"it says {found}"


@asynccontextmanager
async def topic_operator(
    entity: EntityApi, kafka: FakeKafka, resync: float = 60.0, home: str = NAMESPACE
) -> AsyncIterator[Running]:
    """`home` is the namespace of the Kafka resource."""

    async def open_admin(_: Connection) -> Admin:
        if kafka.down:
            raise Unreachable("connect", "no broker answers")
        return cast(Admin, _Open(kafka))

    async def nobody_is_silent(_: str) -> str | None:
        return None

    random = Random(1)
    topics = Watched(
        entity.client, KAFKA_TOPICS, random, namespace=NAMESPACE, labels=LABELS, trim=trimmed,
        indexes={BY_TOPIC: topic_key},
    )  # fmt: skip
    link = Link(Connection(("b:9092",)), random, open_admin=open_admin, reason_silent=nobody_is_silent)
    settings = Settings(linger=0.01, resync=resync, patience=0.1)
    cluster = Name(home, CLUSTER)
    clock, metrics = SystemClock(), Metrics(SystemClock().monotonic)
    operator = TopicOperator(entity.client, topics, link, cluster, clock, random, settings, metrics)
    tasks = [asyncio.create_task(topics.run()), asyncio.create_task(operator.run())]
    try:
        yield Running(entity, kafka, operator, metrics)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Open:
    """An open connection to the fake: all of it, and it can be closed."""

    def __init__(self, kafka: FakeKafka) -> None:
        self._kafka = kafka

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kafka, name)

    async def close(self) -> None:
        pass


@pytest.fixture
async def entity(tmp_path: Path) -> AsyncIterator[EntityApi]:
    async with entity_api(tmp_path, "kafkatopics") as running:
        yield running


@pytest.fixture
async def running(entity: EntityApi) -> AsyncIterator[Running]:
    async with topic_operator(entity, FakeKafka()) as started:
        yield started


async def test_a_topic_is_made_as_its_resource_says_and_nothing_holds_it(running: Running) -> None:
    running.kafka.put("of-nobody")
    await running.create("orders", partitions=3, replicas=2, config={"retention.ms": 1000, "preallocate": True})
    status = await running.until_ready("orders")
    made = running.kafka.topics["orders"]
    assert (made.partitions, made.replicas, made.config) == (3, 2, {"retention.ms": "1000", "preallocate": "true"})
    assert (status["topicName"], status["topicId"], status["observedGeneration"]) == ("orders", made.id, 1)
    assert "finalizers" not in (await running.api.get(TOPIC, "orders"))["metadata"]
    assert "of-nobody" in running.kafka.topics


async def test_what_is_done_is_counted_under_the_names_of_dashboards(running: Running) -> None:
    await running.create("orders", partitions=3, replicas=2)
    await running.until_ready("orders")
    page = running.metrics.text()
    assert names.TOPIC_OPERATOR - names_of(page) == set()
    values = {(name, dict(labels).get("name")): value for (name, labels), value in read_page(page).items()}
    assert values["strimzi_resources", None] == 1
    assert values["strimzi_resource_state", "orders"] == 1
    assert values["strimzi_create_topics_duration_seconds_count", None] == 1
    assert values["strimzi_add_finalizer_duration_seconds_count", None] == 0
    assert values["strimzi_update_status_duration_seconds_count", None] == 1
    assert values["strimzi_list_reassignments_duration_seconds_count", None] == 0
    assert values["strimzi_reconciliations_max_batch_size", None] == 1
    [info] = [dict(labels) for name, labels in read_page(page) if name == "strimzi_kafka_topic_resource_info"]
    assert {"ready": "True", "partitions": "3", "replicas": "2", "topicName": "orders"}.items() <= info.items()


async def test_a_pass_that_only_the_user_can_help_is_no_success(running: Running) -> None:
    def ends() -> dict[str, float]:
        page = read_page(running.metrics.text())
        return {
            dict(labels)["outcome"]: value for (name, labels), value in page.items() if name == "klamm_passes_total"
        }

    async def blocked() -> str | None:
        return None if ends().get("blocked") else f"passes ended so: {ends()}"

    await running.create("bad", config={"retention.ms": "soon"})
    await soon("its pass to be counted as blocked", blocked)
    assert ends()["done"] == ends()["failed"] == 0
    totals = {name: value for (name, _), value in read_page(running.metrics.text()).items()}
    assert totals["strimzi_reconciliations_successful_total"] == 0
    assert totals["strimzi_reconciliations_failed_total"] == totals["strimzi_reconciliations_total"]


async def test_many_topics_go_through_few_requests(entity: EntityApi) -> None:
    for number in range(40):
        await entity.create(TOPIC, f"t{number}", {"partitions": 1})
    async with topic_operator(entity, FakeKafka()) as running:
        for number in range(40):
            await running.until_ready(f"t{number}")
        assert running.kafka.calls["create_topics"] == 1
        assert running.kafka.calls["describe_topics"] <= 2


async def test_what_kafka_refuses_is_told_at_the_resource_with_field_and_mend(running: Running) -> None:
    await running.create("bad", config={"retention.ms": "soon"})
    message = await running.until_refused("bad", "KafkaError")
    assert message == (
        "spec.config.retention.ms: Invalid value soon for configuration retention.ms: Not a number of type LONG. "
        "Change or remove the value."
    )
    await running.api.patch(TOPIC, "bad", spec={"config": {"retention.ms": 5}})
    await running.until_ready("bad")


async def test_changes_are_made_and_drift_is_set_back(entity: EntityApi) -> None:
    async with topic_operator(entity, FakeKafka(), resync=0.2) as running:
        await running.create("orders", partitions=1, config={"retention.ms": 1000})
        await running.until_ready("orders")
        await entity.patch(TOPIC, "orders", spec={"partitions": 4})
        topic = running.kafka.topics["orders"]
        await soon("partitions to grow", lambda: None if topic.partitions == 4 else "they did not")
        topic.config = {"retention.ms": "7", "cleanup.policy": "compact"}
        await soon("drift to go", lambda: None if topic.config == {"retention.ms": "1000"} else str(topic.config))


async def test_a_resync_that_changes_nothing_writes_nothing(entity: EntityApi) -> None:
    async with topic_operator(entity, FakeKafka(), resync=0.05) as running:
        await running.create("orders", partitions=1)
        await running.until_ready("orders")
        version = (await entity.get(TOPIC, "orders"))["metadata"]["resourceVersion"]
        looks = running.kafka.calls["describe_topics"]
        enough = looks + 3
        await soon("resyncs", lambda: None if running.kafka.calls["describe_topics"] > enough else "too few")
        assert (await entity.get(TOPIC, "orders"))["metadata"]["resourceVersion"] == version


async def test_a_deleted_resource_takes_its_topic_with_it(running: Running) -> None:
    await running.create("orders")
    await running.until_ready("orders")
    await running.api.delete(TOPIC, "orders")
    await running.until_deleted("orders")


async def test_where_kafka_deletes_no_topics_the_topic_stays_and_its_successor_takes_it_over(entity: EntityApi) -> None:
    async with topic_operator(entity, FakeKafka(deletion_enabled=False)) as running:
        await running.create("orders")
        before = (await running.until_ready("orders"))["topicId"]
        await entity.delete(TOPIC, "orders")
        asked = running.kafka.calls["delete_topics"]
        await soon("it to be tried", lambda: None if running.kafka.calls["delete_topics"] > asked else "not yet")
        await running.create("orders")
        assert (await running.until_ready("orders"))["topicId"] == before


async def test_a_resource_made_anew_gets_a_topic_made_anew(running: Running) -> None:
    await running.create("orders")
    before = (await running.until_ready("orders"))["topicId"]
    await running.api.delete(TOPIC, "orders")
    await running.create("orders")
    assert (await running.until_ready("orders"))["topicId"] != before


async def test_who_gets_another_cluster_s_label_keeps_its_topic(running: Running) -> None:
    await running.create("orders")
    await running.until_ready("orders")
    await running.api.patch(TOPIC, "orders", metadata={"labels": {"strimzi.io/cluster": "another"}})
    await running.create("later")
    await running.until_ready("later")
    await running.api.delete(TOPIC, "orders")
    await running.api.delete(TOPIC, "later")
    await running.until_deleted("later")
    assert "orders" in running.kafka.topics


async def test_the_finalizer_of_strimzi_s_operator_is_taken_off_and_others_stay(running: Running) -> None:
    await running.api.create(TOPIC, "orders", {}, finalizers=[FINALIZER, "example.com/mine"])
    await running.until_ready("orders")
    assert (await running.api.get(TOPIC, "orders"))["metadata"]["finalizers"] == ["example.com/mine"]


async def test_who_was_deleted_under_strimzi_s_operator_and_is_held_still_goes_with_its_topic(
    entity: EntityApi,
) -> None:
    await entity.create(TOPIC, "orders", {}, finalizers=[FINALIZER])
    await entity.create(TOPIC, "kept", {}, finalizers=[FINALIZER], annotations={"strimzi.io/managed": "false"})
    for name in ("orders", "kept"):
        await entity.delete(TOPIC, name)
    kafka = FakeKafka()
    kafka.put("orders")
    kafka.put("kept")
    async with topic_operator(entity, kafka) as running:
        await running.until_gone("orders")
        await running.until_gone("kept")
        await running.until_deleted("orders")
        assert "kept" in kafka.topics


async def test_the_younger_of_two_waits_and_takes_the_topic_over_with_its_data(running: Running) -> None:
    await running.create("a-first", topic_name="Orders")
    await running.until_ready("a-first")
    identifier = running.kafka.topics["Orders"].id
    await running.create("b-second", topic_name="Orders")
    assert "'a-first'" in await running.until_refused("b-second", "ResourceConflict")
    await running.api.delete(TOPIC, "a-first")
    await running.until_gone("a-first")
    status = await running.until_ready("b-second")
    assert status["topicId"] == identifier == running.kafka.topics["Orders"].id


async def test_a_resource_that_only_waited_leaves_the_topic_alone(running: Running) -> None:
    await running.create("a-first", topic_name="Orders")
    await running.until_ready("a-first")
    await running.create("b-second", topic_name="Orders")
    await running.until_refused("b-second", "ResourceConflict")
    await running.api.delete(TOPIC, "b-second")
    await running.create("later")
    await running.until_ready("later")
    assert "Orders" in running.kafka.topics


async def test_a_topic_is_not_renamed(running: Running) -> None:
    await running.create("orders")
    await running.until_ready("orders")
    await running.api.patch(TOPIC, "orders", spec={"topicName": "other"})
    assert "cannot be renamed" in await running.until_refused("orders", "NotSupported")
    await running.api.delete(TOPIC, "orders")
    await running.until_deleted("orders")


async def test_a_topic_that_is_given_up_is_left_as_it_is(running: Running) -> None:
    await running.create("orders", partitions=1)
    await running.until_ready("orders")
    await running.api.patch(TOPIC, "orders", metadata={"annotations": {"strimzi.io/managed": "false"}})
    await soon("it to be given up", lambda: running.is_("orders", "Unmanaged", "True"))
    assert "topicName" not in (await running.api.get(TOPIC, "orders"))["status"]
    await running.api.delete(TOPIC, "orders")
    await running.create("later")
    await running.until_ready("later")
    assert "orders" in running.kafka.topics


async def test_a_topic_that_is_given_up_stays_although_its_resource_is_deleted_in_the_same_moment(
    running: Running,
) -> None:
    await running.create("orders", partitions=1)
    await running.until_ready("orders")
    await running.api.patch(TOPIC, "orders", metadata={"annotations": {"strimzi.io/managed": "false"}})
    await running.api.delete(TOPIC, "orders")
    await running.create("later")
    await running.until_ready("later")
    assert "orders" in running.kafka.topics


async def test_a_paused_resource_is_left_alone_until_it_goes_on(running: Running) -> None:
    await running.create("orders", partitions=1)
    await running.until_ready("orders")
    await running.api.patch(TOPIC, "orders", metadata={"annotations": {"strimzi.io/pause-reconciliation": "true"}})
    await soon("it to pause", lambda: running.is_("orders", "ReconciliationPaused", "True"))
    await running.api.patch(TOPIC, "orders", spec={"partitions": 2})
    await running.create("other")
    await running.until_ready("other")
    assert running.kafka.topics["orders"].partitions == 1
    await running.api.patch(TOPIC, "orders", metadata={"annotations": None})
    await running.until_ready("orders")
    assert running.kafka.topics["orders"].partitions == 2


async def test_without_kafka_only_newcomers_are_told_and_all_go_on_when_it_comes_back(running: Running) -> None:
    await running.create("old")
    await running.until_ready("old")
    running.kafka.down = True
    await running.create("new")
    await running.api.patch(TOPIC, "old", spec={"partitions": 2})
    assert "It is tried again" in await running.until_refused("new", "KafkaError")
    assert (await running.api.condition(TOPIC, "old"))["status"] == "True"
    running.kafka.down = False
    await running.until_ready("new")
    await soon("the change", lambda: None if running.kafka.topics["old"].partitions == 2 else "not yet made")


NOTES = f"{CLUSTER}-entity-topic-operator-topics"
MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"


async def put_cluster(entity: EntityApi) -> None:
    """A Kafka resource, and the ConfigMap for notes as the cluster operator makes it."""
    await entity.define("kafkas")
    await entity.create("Kafka", CLUSTER, KAFKA)
    await entity.request("POST", MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NOTES}})


async def notes(entity: EntityApi) -> dict[str, str]:
    found = await entity.request("GET", f"{MAPS}/{NOTES}")
    return cast(dict[str, str], found.get("data", {}))


async def test_what_is_deleted_while_the_operator_is_away_goes_when_it_is_back(entity: EntityApi) -> None:
    await put_cluster(entity)
    kafka = FakeKafka()
    async with topic_operator(entity, kafka) as running:
        for name in ("goes", "stays", "given-up"):
            await running.create(name, topic_name=name.title())
            await running.until_ready(name)
        await entity.patch(TOPIC, "given-up", metadata={"annotations": {"strimzi.io/managed": "false"}})
        await soon("it to be given up", lambda: running.is_("given-up", "Unmanaged", "True"))
    uid = (await entity.get(TOPIC, "stays"))["metadata"]["uid"]
    assert (await notes(entity)).keys() == {"goes", "stays"}
    assert (await notes(entity))["stays"] == f"{uid} Stays"
    for name in ("goes", "given-up"):
        await entity.delete(TOPIC, name)
    async with topic_operator(entity, kafka) as running:
        await running.until_deleted("Goes")
        assert kafka.topics.keys() == {"Stays", "Given-Up"}
        await soon("the note to go", lambda: _only(entity, "stays"))


async def _only(entity: EntityApi, name: str) -> str | None:
    noted = set(await notes(entity))
    return None if noted == {name} else f"{noted} are noted"


async def test_notes_of_another_kafka_of_the_name_delete_nothing(entity: EntityApi) -> None:
    await put_cluster(entity)
    kafka = FakeKafka()
    async with topic_operator(entity, kafka) as running:
        await running.create("orders")
        await running.until_ready("orders")
    await entity.delete(TOPIC, "orders")
    await entity.delete("Kafka", CLUSTER)
    await entity.create("Kafka", CLUSTER, KAFKA)
    async with topic_operator(entity, kafka) as running:
        await running.create("later")
        await running.until_ready("later")
        assert (await notes(entity)).keys() == {"later"}
        assert "orders" in kafka.topics


async def test_without_its_notes_the_operator_works_and_they_are_whole_again_later(entity: EntityApi) -> None:
    await put_cluster(entity)
    async with topic_operator(entity, FakeKafka()) as running:
        await running.create("first")
        await running.until_ready("first")
        await entity.request("DELETE", f"{MAPS}/{NOTES}")
        await running.create("second")
        await running.until_ready("second")
        await entity.request("POST", MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NOTES}})
        await running.create("third")
        await running.until_ready("third")
        assert (await notes(entity)).keys() == {"first", "second", "third"}


async def test_notes_of_others_are_not_taken_for_ours_when_they_come_late(entity: EntityApi) -> None:
    await put_cluster(entity)
    await entity.request("DELETE", f"{MAPS}/{NOTES}")
    async with topic_operator(entity, FakeKafka()) as running:
        await running.create("first")
        await running.until_ready("first")
        restored = {"name": NOTES, "annotations": {"klamm.dev/topics-of": "another"}}
        await entity.request(
            "POST", MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": restored, "data": {"old": "uid"}}
        )
        await running.create("second")
        await running.until_ready("second")
        assert (await notes(entity)).keys() == {"first", "second"}


async def change_notes(entity: EntityApi, **data: str | None) -> None:
    await entity.request("PATCH", f"{MAPS}/{NOTES}", {"data": data}, "application/merge-patch+json")


async def test_an_old_note_deletes_no_topic_of_a_resource_that_has_it(entity: EntityApi) -> None:
    await put_cluster(entity)
    kafka = FakeKafka()
    async with topic_operator(entity, kafka) as running:
        await running.create("orders")
        before = (await running.until_ready("orders"))["topicId"]
    await change_notes(entity, orders="uid-of-one-before")
    async with topic_operator(entity, kafka) as running:
        await running.create("later")
        await running.until_ready("later")
        assert kafka.topics["orders"].id == before
        assert (await notes(entity))["orders"] == (await entity.get(TOPIC, "orders"))["metadata"]["uid"]


async def test_who_is_made_anew_as_not_managed_keeps_the_topic(entity: EntityApi) -> None:
    await put_cluster(entity)
    kafka = FakeKafka()
    async with topic_operator(entity, kafka) as running:
        await running.create("orders")
        await running.until_ready("orders")
    await entity.delete(TOPIC, "orders")
    await entity.create(TOPIC, "orders", {}, annotations={"strimzi.io/managed": "false"})
    async with topic_operator(entity, kafka) as running:
        await running.create("later")
        await running.until_ready("later")
        assert "orders" in kafka.topics


async def test_whose_note_is_not_there_any_more_keeps_the_topic(entity: EntityApi) -> None:
    """So it is in an API server that was restored from a backup: it knows neither the resource nor the note."""
    await put_cluster(entity)
    async with topic_operator(entity, FakeKafka()) as running:
        for name in ("orders", "later"):
            await running.create(name)
            await running.until_ready(name)
        await change_notes(entity, orders=None)
        await entity.delete(TOPIC, "orders")
        await entity.delete(TOPIC, "later")
        await running.until_deleted("later")
        assert "orders" in running.kafka.topics


async def test_an_empty_configmap_made_anew_gives_no_topic_up(entity: EntityApi) -> None:
    await put_cluster(entity)
    async with topic_operator(entity, FakeKafka()) as running:
        for name in ("orders", "later"):
            await running.create(name)
            await running.until_ready(name)
        await entity.request("DELETE", f"{MAPS}/{NOTES}")
        await entity.request("POST", MAPS, {"metadata": {"name": NOTES}})
        await entity.delete(TOPIC, "orders")
        await running.until_deleted("orders")
        await soon("notes to be whole again", lambda: _only(entity, "later"))


async def test_where_notes_do_not_fit_old_ones_go_all_the_same(
    entity: EntityApi, caplog: pytest.LogCaptureFixture
) -> None:
    await put_cluster(entity)
    async with topic_operator(entity, FakeKafka(), resync=0.1) as running:
        await running.create("orders")
        await running.until_ready("orders")
        for power in range(20, -1, -1):
            with suppress(errors.Invalid):
                await change_notes(entity, **{f"filler-{power}": "x" * 2**power})
        await running.create("more", topic_name="more" * 50)
        await running.until_ready("more")
        await entity.patch(TOPIC, "orders", metadata={"annotations": {"strimzi.io/managed": "false"}})
        await soon("the note to go", lambda: _not_noted(entity, "orders"))
        assert "more" not in await notes(entity)
    assert [record.message for record in caplog.records].count(MISSED) == 1


MISSED = "KafkaTopics deleted while this operator is away will leave their topics"


async def _not_noted(entity: EntityApi, name: str) -> str | None:
    return f"{name} is noted" if name in await notes(entity) else None


async def test_a_namespace_made_anew_has_nothing_to_do_with_the_notes_of_the_former(entity: EntityApi) -> None:
    home = "cluster"
    await entity.define("kafkas")
    await entity.request("POST", "/api/v1/namespaces", {"metadata": {"name": home}})
    kafka_resource = {"apiVersion": "kafka.strimzi.io/v1beta2", "kind": "Kafka", "metadata": {"name": CLUSTER}}
    await entity.request("POST", f"{GROUP}/{home}/kafkas", {**kafka_resource, "spec": KAFKA})
    await entity.request("POST", f"/api/v1/namespaces/{home}/configmaps", {"metadata": {"name": NOTES}})
    kafka = FakeKafka()
    async with topic_operator(entity, kafka, home=home) as running:
        await running.create("orders")
        before = (await running.until_ready("orders"))["topicId"]
    await make_namespace_anew(entity)
    await entity.create(TOPIC, "orders", {})
    async with topic_operator(entity, kafka, home=home) as running:
        assert (await running.until_ready("orders"))["topicId"] == before


async def test_what_is_left_alone_with_its_namespace_stays_when_the_namespace_is_back(entity: EntityApi) -> None:
    kafka = FakeKafka()
    async with topic_operator(entity, kafka, home="cluster") as running:
        await running.create("orders")
        before = (await running.until_ready("orders"))["topicId"]
        await make_namespace_anew(entity)
        await entity.create(TOPIC, "orders", {})
        assert (await running.until_ready("orders"))["topicId"] == before


async def make_namespace_anew(entity: EntityApi) -> None:
    place = f"/api/v1/namespaces/{NAMESPACE}"
    namespace = await entity.request("DELETE", place)
    for name in await entity.names(TOPIC):
        await entity.delete(TOPIC, name)
    await entity.request("PUT", f"{place}/finalize", {**namespace, "spec": {"finalizers": []}})
    await entity.request("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})


async def test_topics_of_a_cluster_that_is_gone_are_not_touched(entity: EntityApi) -> None:
    await put_cluster(entity)
    async with topic_operator(entity, FakeKafka()) as running:
        await running.create("orders")
        await running.until_ready("orders")
        await entity.delete("Kafka", CLUSTER)
        await entity.delete(TOPIC, "orders")
        await running.create("later")
        await running.until_ready("later")
        assert "orders" in running.kafka.topics


async def test_a_topic_made_anew_is_not_mistaken_for_the_one_deleted(running: Running) -> None:
    await running.create("orders")
    before = (await running.until_ready("orders"))["topicId"]
    deleted = running.kafka.topics["orders"]
    await running.api.delete(TOPIC, "orders")
    await running.until_deleted("orders")
    running.kafka.topics["orders"] = deleted  # what a broker that lags behind still shows
    looks = running.kafka.calls["topic_configs"]
    await running.create("orders")
    await soon("a look", lambda: None if running.kafka.calls["topic_configs"] > looks else "none yet")
    del running.kafka.topics["orders"]
    assert (await running.until_ready("orders"))["topicId"] != before


class CursedKafka(FakeKafka):
    """Wakes a bug of ours whenever one of the topics is the cursed one."""

    async def describe_topics(self, names: Sequence[str] | None = None) -> dict[str, Topic]:
        if "cursed" in (names or ()):
            raise ValueError("nobody thought of that")
        return await super().describe_topics(names)


async def test_a_topic_that_wakes_a_bug_stops_no_other(entity: EntityApi) -> None:
    for name in ("cursed", *(f"t{number}" for number in range(8))):
        await entity.create(TOPIC, name, {})
    async with topic_operator(entity, CursedKafka()) as running:
        for number in range(8):
            await running.until_ready(f"t{number}")
        assert "nobody thought of that" in await running.until_refused("cursed", "InternalError")
