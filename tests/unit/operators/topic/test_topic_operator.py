"""The topic operator against a real API server and Kafka's rules in memory."""

from collections.abc import Sequence

from tests.builders import metric_names as names
from tests.builders.entity_api import EntityApi, soon
from tests.builders.fake_kafka import FakeKafka
from tests.builders.metric_pages import names_of, read_page
from tests.builders.running_topic_operator import FINALIZER, TOPIC, Running, topic_operator

from klamm.kafka.facts import Topic


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

    async def uncounted() -> str | None:
        """A status is there a moment before the operator has heard that it is written."""
        counts = {name: value for (name, _), value in read_page(running.metrics.text()).items()}
        return None if counts["strimzi_update_status_duration_seconds_count"] == 1 else "it is not counted"

    await soon("the status to be counted", uncounted)
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
        await soon("it to be tried", lambda: None if running.kafka.calls["delete_topics_by_id"] else "not yet")
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


async def test_fields_that_nobody_knows_are_told_until_they_are_mended(running: Running) -> None:
    await running.create("orders", partition=3)
    unknown = "spec.partition is not a known field and is ignored (did you mean partitions?)"

    async def told_of(*messages: str) -> str | None:
        status = (await running.api.get(TOPIC, "orders")).get("status", {"conditions": ()})
        found = [one["message"] for one in status["conditions"] if one["type"] == "Warning"]
        return None if found == list(messages) else f"it says {status}"

    await running.until_ready("orders")
    await soon("the warning", lambda: told_of(unknown))
    await running.api.patch(TOPIC, "orders", metadata={"annotations": {"strimzi.io/pause-reconciliation": "true"}})
    await soon("it to pause", lambda: running.is_("orders", "ReconciliationPaused", "True"))
    assert await told_of(unknown) is None
    info = [dict(labels) for name, labels in read_page(running.metrics.text()) if name.endswith("_topic_resource_info")]
    assert [one["warnings"] for one in info] == ["True"]
    await running.api.patch(TOPIC, "orders", metadata={"annotations": None}, spec={"partition": None, "partitions": 3})
    await soon("no warning", told_of)
    assert running.kafka.topics["orders"].partitions == 3


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
