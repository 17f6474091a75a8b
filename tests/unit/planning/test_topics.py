from klamm.planning.topics import (
    Change,
    Claim,
    Create,
    Keep,
    Observed,
    Refuse,
    Wanted,
    config_texts,
    conflict,
    decide,
    renamed,
    speakers,
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


def test_the_oldest_resource_speaks_and_the_others_are_told() -> None:
    speaking = speakers(
        [
            ("t", Claim("2026-01-02T00:00:00Z", "younger")),
            ("t", Claim("2026-01-01T00:00:00Z", "older")),
            ("t", Claim("2026-01-01T00:00:00Z", "older-too")),
        ]
    )
    assert speaking == {"t": "older"}
    assert conflict("t", "older", "older") is None
    refusal = conflict("t", "younger", "older")
    assert refusal is not None
    assert refusal.reason == "ResourceConflict"


def test_values_are_written_as_kafka_stores_them() -> None:
    assert config_texts({"a": True, "b": 1, "c": 0.5, "d": ["x", "y"], "e": None, "f": "g"}) == {
        "a": "true",
        "b": "1",
        "c": "0.5",
        "d": "x,y",
        "f": "g",
    }
