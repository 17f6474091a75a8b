from dataclasses import replace

import pytest

from klamm.planning.topics import (
    Change,
    Create,
    Delete,
    Keep,
    Leave,
    Manage,
    Nothing,
    Observed,
    Paused,
    Refuse,
    Standing,
    Unmanaged,
    Wanted,
    config_texts,
    course,
    decide,
    explained,
    legacy,
    renamed,
)

PLAIN = Observed(partitions=3, replicas=3, config={})


def test_a_topic_that_is_not_there_is_created() -> None:
    wanted = Wanted("orders", 3, 3, {"retention.ms": "1000"})
    assert decide(wanted, None) == Create(wanted)


def test_a_topic_as_wanted_is_kept() -> None:
    assert decide(Wanted("orders", 3, 3), PLAIN) == Keep("orders")


def test_what_the_resource_leaves_open_is_kept_as_it_is() -> None:
    assert decide(Wanted("orders"), PLAIN) == Keep("orders")


def test_partitions_grow() -> None:
    assert decide(Wanted("orders", 5), PLAIN) == Change("orders", grow_to=5)


def test_partitions_never_shrink() -> None:
    decision = decide(Wanted("orders", 2), PLAIN)
    assert isinstance(decision, Refuse)
    assert decision.reason == "NotSupported"
    assert "Set spec.partitions back to 3" in decision.message


def test_another_replication_factor_is_refused_with_the_mend() -> None:
    decision = decide(Wanted("orders", 3, 1), PLAIN)
    assert isinstance(decision, Refuse)
    assert "Set spec.replicas back to 3" in decision.message


def test_drift_in_the_configuration_is_set_back() -> None:
    observed = Observed(3, 3, {"retention.ms": "5", "cleanup.policy": "compact"})
    assert decide(Wanted("orders", 3, 3, {"retention.ms": "1000"}), observed) == Change(
        "orders", set={"retention.ms": "1000"}, delete=frozenset({"cleanup.policy"})
    )


def test_the_throttle_of_a_running_reassignment_stays() -> None:
    observed = Observed(3, 3, {"leader.replication.throttled.replicas": "*"})
    assert decide(Wanted("orders", 3, 3), observed) == Keep("orders")


def test_a_name_that_kafka_refuses_is_explained() -> None:
    for name in ("", ".", "..", "a b", "ü", "x" * 250):
        decision = decide(Wanted(name), None)
        assert isinstance(decision, Refuse), name
        assert "spec.topicName" in decision.message


def test_a_topic_is_not_renamed() -> None:
    assert renamed("b", "b") is None
    assert renamed("b", None) is None
    refusal = renamed("b", "a")
    assert refusal is not None
    assert "'a'" in refusal.message


ORDERS = Standing("orders", "2026-01-01T00:00:00Z", topic="orders", named="orders")
YOUNGER = Standing("younger", "2026-01-02T00:00:00Z", topic="orders", named="orders")


def leaving(one: Standing) -> Standing:
    return replace(one, leaving=True)


@pytest.mark.parametrize(
    ("one", "rivals", "way"),
    [
        pytest.param(ORDERS, [], Manage("orders"), id="a resource alone manages its topic"),
        pytest.param(ORDERS, [YOUNGER], Manage("orders"), id="the oldest of several manages it"),
        pytest.param(
            YOUNGER,
            [replace(YOUNGER, resource="a")],
            Refuse,
            id="of equally old ones the first by name manages it",
        ),
        pytest.param(YOUNGER, [ORDERS], Refuse, id="the younger one is refused"),
        pytest.param(YOUNGER, [leaving(ORDERS)], Manage("orders"), id="who is leaving speaks no more"),
        pytest.param(
            YOUNGER, [replace(ORDERS, managed=False)], Manage("orders"), id="who has given the topic up speaks no more"
        ),
        pytest.param(YOUNGER, [replace(ORDERS, paused=True)], Refuse, id="who is paused has the topic still"),
        pytest.param(replace(ORDERS, paused=True), [], Paused(), id="a paused one is left alone"),
        pytest.param(replace(ORDERS, managed=False), [], Unmanaged(), id="one that is not managed is left alone"),
        pytest.param(replace(ORDERS, named="other"), [], Refuse, id="one that was renamed is refused"),
        pytest.param(leaving(ORDERS), [], Nothing(), id="whom somebody's finalizer holds is left alone"),
    ],
)
def test_the_course_of_a_resource(one: Standing, rivals: list[Standing], way: object) -> None:
    found = course(one, [one, *rivals])
    if isinstance(way, type):
        assert isinstance(found, way)
    else:
        assert found == way


@pytest.mark.parametrize(
    ("claimants", "way"),
    [
        pytest.param([], Delete("orders"), id="the last one takes the topic with it"),
        pytest.param([YOUNGER], Leave, id="but not when another one is left to take it over"),
        pytest.param([replace(YOUNGER, paused=True)], Leave, id="also when that one is paused"),
        pytest.param([replace(YOUNGER, managed=False)], Delete("orders"), id="who has given it up takes nothing over"),
        pytest.param([leaving(YOUNGER)], Delete("orders"), id="nor does who is leaving"),
        pytest.param([ORDERS], Delete("orders"), id="one made anew under its name is not left the former one's topic"),
    ],
)
def test_what_becomes_of_a_deleted_resource_s_topic(claimants: list[Standing], way: object) -> None:
    found = legacy("orders", "orders", claimants)
    assert found == way or (isinstance(way, type) and isinstance(found, way))


def test_a_conflict_names_the_other_resource() -> None:
    refusal = course(YOUNGER, [ORDERS])
    assert isinstance(refusal, Refuse)
    assert (refusal.reason, "KafkaTopic 'orders'" in refusal.message) == ("ResourceConflict", True)


@pytest.mark.parametrize(
    ("wanted", "observed"),
    [("0.50", "0.5"), ("delete, compact", "delete,compact"), ("TRUE", "true"), ("1000", "1000")],
)
def test_a_value_that_kafka_writes_in_another_way_is_no_difference(wanted: str, observed: str) -> None:
    assert decide(Wanted("t", config={"k": wanted}), Observed(1, 1, {"k": observed})) == Keep("t")


@pytest.mark.parametrize(
    ("wanted", "observed"),
    [("9223372036854775807", "9223372036854775806"), ("a,b", "b,a"), ("Delete", "delete"), ("1", "2")],
)
def test_a_value_that_is_another_one_is_a_difference(wanted: str, observed: str) -> None:
    decision = decide(Wanted("t", config={"k": wanted}), Observed(1, 1, {"k": observed}))
    assert decision == Change("t", set={"k": wanted})


def test_a_refusal_of_kafka_points_at_the_field_and_keeps_the_sentence() -> None:
    wanted = Wanted("t", config={"retention.ms": "x", "local.retention.ms": "1"})
    sentence = "Invalid value x for configuration local.retention.ms: Not a number of type LONG"
    assert explained("INVALID_CONFIG", sentence, wanted) == Refuse(
        "KafkaError", f"spec.config.local.retention.ms: {sentence}. Change or remove the value."
    )
    assert explained("SOMETHING_NEW", "No.", wanted) == Refuse("KafkaError", "spec: No.")


def test_values_are_written_as_kafka_stores_them() -> None:
    assert config_texts({"a": True, "b": 1, "c": 0.5, "d": ["x", "y"], "e": None, "f": "g"}) == {
        "a": "true",
        "b": "1",
        "c": "0.5",
        "d": "x,y",
        "f": "g",
    }
