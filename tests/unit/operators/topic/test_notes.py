"""Notes of who has which topic: what is deleted while nobody looks goes, and nothing else ever does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from tests.builders.entity_api import CLUSTER, GROUP, NAMESPACE, EntityApi, entity_api, soon
from tests.builders.fake_kafka import FakeKafka
from tests.builders.running_topic_operator import FINALIZER, TOPIC, Running, topic_operator

from klamm.kafka.errors import KafkaFailure, NotNow, TopicExists
from klamm.kafka.facts import Created, NewTopic, Topic
from klamm.kube import errors
from klamm.kube.kinds import Name
from klamm.operators.topic.resource import is_managed

KAFKA = {"kafka": {"replicas": 1, "listeners": [{"name": "plain", "port": 9092, "type": "internal", "tls": False}]}}
NOTES = f"{CLUSTER}-entity-topic-operator-topics"
MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"


@pytest.fixture
async def entity(tmp_path: Path) -> AsyncIterator[EntityApi]:
    async with entity_api(tmp_path, "kafkatopics", "kafkas") as running:
        yield running


async def put_cluster(entity: EntityApi) -> None:
    """A Kafka resource, and the ConfigMap for notes as the cluster operator makes it."""
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
    assert (await notes(entity))["stays"] == f"{uid} Stays #{kafka.topics['Stays'].id}"
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
        uid = (await entity.get(TOPIC, "orders"))["metadata"]["uid"]
        assert (await notes(entity))["orders"] == f"{uid} #{before}"


class OvertakenKafka(FakeKafka):
    """Another topic operator comes first, each time: it deletes the topic and makes one anew under its name."""

    async def delete_topics(self, names: Sequence[str]) -> dict[str, KafkaFailure | None]:
        self.put("orders")
        return await super().delete_topics(names)

    async def delete_topics_by_id(self, ids: Sequence[str]) -> dict[str, KafkaFailure | None]:
        self.put("orders")
        return await super().delete_topics_by_id(ids)


async def test_a_topic_made_anew_by_another_operator_is_not_deleted(entity: EntityApi) -> None:
    await put_cluster(entity)
    kafka = OvertakenKafka()
    async with topic_operator(entity, kafka) as running:
        await running.create("orders")
        before = (await running.until_ready("orders"))["topicId"]
        await entity.delete(TOPIC, "orders")
        await soon("the note to go", lambda: _not_noted(entity, "orders"))
        assert kafka.topics["orders"].id != before


async def uid_of(entity: EntityApi, name: str) -> str:
    return cast(str, (await entity.get(TOPIC, name))["metadata"]["uid"])


async def killed_before_the_id_was_noted(entity: EntityApi, kafka: FakeKafka) -> None:
    """The topic operator was, and its KafkaTopic `orders` was deleted then."""
    await put_cluster(entity)
    async with topic_operator(entity, kafka) as running:
        await running.create("orders")
        await running.until_ready("orders")
    await change_notes(entity, orders=await uid_of(entity, "orders"))
    await entity.delete(TOPIC, "orders")


class LateKafka(FakeKafka):
    """Brokers hear of a topic only after it was asked for once."""

    async def describe_topics(self, names: Sequence[str] | None = None) -> dict[str, Topic]:
        self.calls["of " + ",".join(names or ())] += 1
        is_late = names == ["orders"] and self.calls["of orders"] == 2
        return {} if is_late else await super().describe_topics(names)


async def test_a_topic_whose_id_was_not_noted_goes_as_soon_as_brokers_show_it(entity: EntityApi) -> None:
    kafka = LateKafka()
    await killed_before_the_id_was_noted(entity, kafka)
    async with topic_operator(entity, kafka) as running:
        await running.until_deleted("orders")
        assert kafka.calls["of orders"] == 3


async def test_of_a_topic_whose_id_was_not_noted_the_note_is_asked_for_after_the_id(entity: EntityApi) -> None:
    class Overtaken(FakeKafka):
        """Another operator is faster: it has deleted the topic, taken the note away, and made a topic anew."""

        async def describe_topics(self, names: Sequence[str] | None = None) -> dict[str, Topic]:
            if names == ["orders"] and "orders" in await notes(entity):
                await change_notes(entity, orders=None)
                self.put("orders")
            return await super().describe_topics(names)

    kafka = FakeKafka()
    await killed_before_the_id_was_noted(entity, kafka)
    before = kafka.topics["orders"].id
    overtaken = Overtaken(topics=kafka.topics, numbers=kafka.numbers)
    async with topic_operator(entity, overtaken) as running:
        await soon("the note to go", lambda: _not_noted(entity, "orders"))
        await running.create("later")
        await running.until_ready("later")
        assert overtaken.topics["orders"].id != before


async def test_what_was_never_made_is_given_up(entity: EntityApi) -> None:
    kafka = FakeKafka()
    await killed_before_the_id_was_noted(entity, kafka)
    del kafka.topics["orders"]
    async with topic_operator(entity, kafka):
        await soon("the note to go", lambda: _not_noted(entity, "orders"))
        assert kafka.calls["delete_topics"] == kafka.calls["delete_topics_by_id"] == 0


async def test_the_id_of_a_topic_made_anew_is_noted(entity: EntityApi) -> None:
    await put_cluster(entity)
    kafka = FakeKafka()
    async with topic_operator(entity, kafka, resync=0.1) as running:
        await running.create("orders")
        await running.until_ready("orders")
        del kafka.topics["orders"]
        await soon("it to be made anew", lambda: None if "orders" in kafka.topics else "not yet")
        note = f"{await uid_of(entity, 'orders')} #{kafka.topics['orders'].id}"
        await soon("its id to be noted", lambda: _noted(entity, "orders", note))
    await entity.delete(TOPIC, "orders")
    async with topic_operator(entity, kafka) as running:
        await running.until_deleted("orders")


async def _noted(entity: EntityApi, name: str, note: str) -> str | None:
    noted = (await notes(entity)).get(name)
    return None if noted == note else f"it is {noted!r}"


class NamelessKafka(FakeKafka):
    """Brokers before 2.8: topics have no ids."""

    async def describe_topics(self, names: Sequence[str] | None = None) -> dict[str, Topic]:
        described = await super().describe_topics(names)
        return {name: replace(topic, id=None) for name, topic in described.items()}

    async def create_topics(self, topics: Sequence[NewTopic]) -> dict[str, Created | KafkaFailure]:
        made = await super().create_topics(topics)
        return {name: Created(None) if isinstance(one, Created) else one for name, one in made.items()}


async def test_where_brokers_give_no_ids_a_topic_is_deleted_by_its_name(entity: EntityApi) -> None:
    await put_cluster(entity)
    async with topic_operator(entity, NamelessKafka()) as running:
        await running.create("orders")
        await running.until_ready("orders")
        await entity.delete(TOPIC, "orders")
        await running.until_deleted("orders")


async def test_who_was_refused_takes_nobody_s_topic_along(entity: EntityApi) -> None:
    await put_cluster(entity)
    kafka = FakeKafka()
    kafka.put("orders", partitions=3)
    async with topic_operator(entity, kafka) as running:
        await running.create("orders", partitions=1)
        await running.until_refused("orders", "NotSupported")
        await running.create("a-first", topic_name="bills")
        await running.until_ready("a-first")
        await entity.create(TOPIC, "b-second", {"topicName": "bills"}, finalizers=[FINALIZER])
        await running.until_refused("b-second", "ResourceConflict")
        await running.create("bad", config={"retention.ms": "soon"})
        await running.until_refused("bad", "KafkaError")
        await soon("notes of what there is", lambda: _only(entity, "a-first"))
        await entity.delete(TOPIC, "orders")
        await running.create("later")
        await running.until_ready("later")
        assert "orders" in kafka.topics


async def test_who_is_refused_later_still_takes_its_own_topic_along(entity: EntityApi) -> None:
    await put_cluster(entity)
    async with topic_operator(entity, FakeKafka()) as running:
        await running.create("orders", partitions=2)
        await running.until_ready("orders")
        await entity.patch(TOPIC, "orders", spec={"partitions": 1})
        await running.until_refused("orders", "NotSupported")
        await entity.delete(TOPIC, "orders")
        await running.until_deleted("orders")


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


@pytest.mark.parametrize("held", ["describe_topics", "create_topics"])
async def test_who_is_given_up_and_deleted_while_a_batch_waits_for_kafka_keeps_the_topic(
    held: str, entity: EntityApi
) -> None:
    await put_cluster(entity)
    kafka = SlowKafka(held)
    async with topic_operator(entity, kafka) as running:
        if held == "describe_topics":  # of a topic that is there
            await running.create("orders")
            await running.until_ready("orders")
            kafka.hold()
            await entity.patch(TOPIC, "orders", spec={"config": {"retention.ms": "1000"}})
        else:
            kafka.hold()
            await running.create("orders")
        await kafka.asked.wait()
        orders = Name(NAMESPACE, "orders")
        await entity.patch(TOPIC, "orders", metadata={"annotations": {"strimzi.io/managed": "false"}})
        await soon("it to be seen as given up", lambda: seen(running, orders, managed=False))
        await entity.delete(TOPIC, "orders")
        await soon("it to be seen as gone", lambda: seen(running, orders, managed=None))
        kafka.go_on()
        await running.create("later")
        await running.until_ready("later")
        assert kafka.topics.keys() == {"orders", "later"}
    assert (await notes(entity)).keys() == {"later"}


async def seen(running: Running, name: Name, *, managed: bool | None) -> str | None:
    resource = running.topics.get(name)
    found = None if resource is None else is_managed(resource)
    return None if found is managed else f"managed: {found}"


class SlowKafka(FakeKafka):
    """The answer to one kind of call waits, once it is held, until it may go on."""

    def __init__(self, held: str) -> None:
        super().__init__()
        self._held = held
        self._free = asyncio.Event()
        self._free.set()
        self.asked = asyncio.Event()

    def hold(self) -> None:
        self._free.clear()

    def go_on(self) -> None:
        self._free.set()

    async def _wait(self, call: str) -> None:
        if call == self._held and not self._free.is_set():
            self.asked.set()
            await self._free.wait()

    async def describe_topics(self, names: Sequence[str] | None = None) -> dict[str, Topic]:
        await self._wait("describe_topics")
        return await super().describe_topics(names)

    async def create_topics(self, topics: Sequence[NewTopic]) -> dict[str, Created | KafkaFailure]:
        made = await super().create_topics(topics)
        await self._wait("create_topics")
        return made


class ReluctantKafka(FakeKafka):
    """Takes deletions only once it is `ready`."""

    def __init__(self) -> None:
        super().__init__()
        self.ready = False

    async def delete_topics_by_id(self, ids: Sequence[str]) -> dict[str, KafkaFailure | None]:
        if not self.ready:
            self.calls["put off"] += 1
            return {one: NotNow(f"delete topic {one}", "the controller is moving") for one in ids}
        return await super().delete_topics_by_id(ids)


async def test_a_successor_waits_until_the_topic_of_its_namesake_is_deleted(entity: EntityApi) -> None:
    await put_cluster(entity)
    kafka = ReluctantKafka()
    async with topic_operator(entity, kafka, resync=0.05) as running:
        await running.create("orders")
        before = (await running.until_ready("orders"))["topicId"]
        await entity.delete(TOPIC, "orders")
        await running.create("orders", config={"retention.ms": "1000"})
        await soon("three tries", lambda: often_enough(kafka, 3))
        assert "status" not in await entity.get(TOPIC, "orders")
        assert kafka.topics["orders"].config == {}
        kafka.ready = True
        assert (await running.until_ready("orders"))["topicId"] != before


async def often_enough(kafka: FakeKafka, times: int) -> str | None:
    return None if kafka.calls["put off"] >= times else f"put off {kafka.calls['put off']} times"


class OutrunKafka(FakeKafka):
    """Says that a topic exists to who has just made it: the answer to the first try got lost."""

    async def create_topics(self, topics: Sequence[NewTopic]) -> dict[str, Created | KafkaFailure]:
        if not self.calls["create_topics"]:
            await super().create_topics(topics)
            return {one.name: TopicExists(f"create topic {one.name}", "It exists.", "TOPIC_EXISTS") for one in topics}
        return await super().create_topics(topics)


async def test_a_topic_whose_making_was_not_heard_of_goes_with_a_resource_deleted_at_once(entity: EntityApi) -> None:
    await put_cluster(entity)
    kafka = OutrunKafka()
    async with topic_operator(entity, kafka) as running:
        await running.create("orders")
        await soon("it to be made", lambda: made(kafka, "orders"))
        await entity.delete(TOPIC, "orders")
        await running.until_deleted("orders")


async def made(kafka: FakeKafka, topic: str) -> str | None:
    return None if topic in kafka.topics else "it is not made"
