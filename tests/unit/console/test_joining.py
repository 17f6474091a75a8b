"""Which Kafka resource a cluster is, which KafkaTopic speaks for a topic, and where the two differ."""

import pytest
from tests.builders.seen_resources import a_kafka, a_topic_resource

from klamm.console.comparing import Difference
from klamm.console.kubernetes.joining import claim, config_patch, drift, joined
from klamm.kube.kinds import name_of
from klamm.planning.topics import Observed

_ONE = a_kafka(name="one", clusterId="id-1", listeners=[{"bootstrapServers": "127.0.0.1:31000,127.0.0.1:31001"}])
_TWO = a_kafka(name="two", namespace="other", clusterId="id-2")
_THREE = a_kafka(name="one", namespace="other")


@pytest.mark.parametrize(
    ("named", "bootstrap", "id_", "found"),
    [
        ("other/two", ("x:9092",), "id-1", "other/two"),
        ("one", ("x:9092",), None, "kafka/one"),
        ("kafka/none", ("one-kafka-bootstrap:9092",), "id-1", None),
        (None, ("x:9092",), "id-2", "other/two"),
        (None, ("one-kafka-bootstrap:9092",), None, "kafka/one"),
        (None, ("one-kafka-bootstrap.other.svc:9092",), None, "other/one"),
        (None, ("one-kafka-bootstrap.other.svc.cluster.local:9092",), "unknown", "other/one"),
        (None, ("x:9092", "127.0.0.1:31001"), None, "kafka/one"),
        (None, ("127.0.0.1:9092",), None, None),
        (None, ("three-kafka-bootstrap:9092",), None, None),
        (None, (), None, None),
    ],
)
def test_a_cluster_is_joined_to_its_resource(
    named: str | None, bootstrap: tuple[str, ...], id_: str | None, found: str | None
) -> None:
    kafka = joined(named, bootstrap, id_, (_ONE, _TWO, _THREE), "kafka")
    assert (str(name_of(kafka)) if kafka else None) == found


@pytest.mark.parametrize(
    ("claimants", "speaker", "state", "speaks"),
    [
        ([a_topic_resource("a")], "a", "managed", True),
        ([a_topic_resource("a", annotations={"strimzi.io/managed": "false"})], "a", "unmanaged", False),
        ([a_topic_resource("a", annotations={"strimzi.io/pause-reconciliation": "true"})], "a", "paused", False),
        ([a_topic_resource("a", leaving=True)], "a", "leaving", False),
        (
            [
                a_topic_resource("young", {"topicName": "t"}, created="2026-02-01T00:00:00Z"),
                a_topic_resource("old", {"topicName": "t"}, created="2026-01-01T00:00:00Z"),
            ],
            "old",
            "managed",
            True,
        ),
        (
            [
                a_topic_resource("old", {"topicName": "t"}, annotations={"strimzi.io/managed": "false"}),
                a_topic_resource("young", {"topicName": "t"}, created="2026-02-01T00:00:00Z"),
            ],
            "young",
            "managed",
            True,
        ),
        ([a_topic_resource("a", {"topicName": "b"}, had="a")], "a", "refused", False),
    ],
)
def test_who_speaks_for_a_topic(claimants: list[object], speaker: str, state: str, speaks: bool) -> None:
    found = claim(claimants)  # type: ignore[arg-type]
    assert found is not None
    assert (found.topic.metadata.name, found.state, found.speaks) == (speaker, state, speaks)
    assert len(found.others) == len(claimants) - 1


def test_of_a_topic_without_a_resource_nobody_speaks() -> None:
    assert claim([]) is None


@pytest.mark.parametrize(
    ("spec", "observed", "apart"),
    [
        ({"partitions": 3, "config": {"retention.ms": 1000}}, Observed(3, 1, {"retention.ms": "1000"}), ()),
        ({"partitions": 3}, Observed(2, 1, {}), (Difference("partitions", "3", "2"),)),
        ({"partitions": 1, "replicas": 3}, Observed(2, 1, {}), ("partitions", "replicas")),
        ({"config": {"a": "1"}}, Observed(1, 1, {"b": "2"}), (Difference("a", "1", None), Difference("b", None, "2"))),
        ({}, None, (Difference("topic", "t", None),)),
    ],
)
def test_where_kafka_differs_from_the_resource(
    spec: dict[str, object], observed: Observed | None, apart: tuple[object, ...]
) -> None:
    found = drift(a_topic_resource("t", spec), observed)
    assert tuple(one.name if isinstance(want, str) else one for one, want in zip(found, apart, strict=True)) == apart


def test_a_patch_has_only_what_changes() -> None:
    assert config_patch({"a": "1"}, ["b"]) == {"spec": {"config": {"a": "1", "b": None}}}
