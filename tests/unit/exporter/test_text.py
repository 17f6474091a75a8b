"""What /metrics says of a snapshot, name by name."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klamm.base.metrics import escaped
from klamm.exporter.text import GROUPS, TOPICS, Form, Writer, left_out
from klamm.kafka.facts import Broker, Cluster, LogDir, Member, Partition, Topic
from klamm.observing.snapshot import Beyond, Group, Lag, Snapshot

BROKERS = (Broker(1, "b1", 9092, None), Broker(2, "b2", 9092, "r"))
WORDS = Topic(
    "words",
    None,
    False,
    (
        Partition("words", 0, 1, (1, 2), (1, 2)),
        Partition("words", 1, 2, (1, 2), (2,)),
        Partition("words", 2, None, (1,), ()),
    ),
)


def group(name: str, *members: Mapping[str, tuple[int, ...]], type: str = "classic") -> Group:
    all_of = tuple(Member(f"m{number}", "c", "h", one) for number, one in enumerate(members))
    return Group(name, type, "Stable", "consumer", "range", 1, all_of)


def snapshot(**changed: object) -> Snapshot:
    values: dict[str, object] = {
        "number": 1,
        "at": 100.0,
        "seconds": 0.1,
        "cluster": Cluster("c", 1, BROKERS),
        "topics": {"words": WORDS},
        "earliest": {"words": {0: 5, 1: 0}},
        "latest": {"words": {0: 100, 1: 200}},
        "groups": {"readers": group("readers", {"words": (0, 1)})},
        "committed": {"readers": {"words": {0: 90}}},
        "lags": {"readers": {"words": {0: Lag(10, 2.5)}}},
        "log_dirs": {1: (LogDir("/d", {"words": 70}, 1000, 400),), 2: (LogDir("/d", {"words": 30}, None, None),)},
        "unread": 1,
        "parts": {},
    }
    return Snapshot(**{**values, **changed})  # type: ignore[arg-type]


def series(form: Form | None = None, **changed: object) -> dict[str, str]:
    text = Writer(form or Form()).text(snapshot(**changed)).body.decode()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    said = dict(line.rsplit(" ", 1) for line in lines)
    assert len(said) == len(lines), "a series is told once"
    return said


def test_every_series_of_a_small_cluster() -> None:
    assert series() == {
        "kafka_brokers": "2",
        'kafka_broker_info{id="1",address="b1:9092"}': "1",
        'kafka_broker_info{id="2",address="b2:9092"}': "1",
        'kafka_topic_partitions{topic="words"}': "3",
        'kafka_topic_partition_in_sync_replica{topic="words",partition="0"}': "2",
        'kafka_topic_partition_in_sync_replica{topic="words",partition="1"}': "1",
        'kafka_topic_partition_in_sync_replica{topic="words",partition="2"}': "0",
        'kafka_topic_partition_leader{topic="words",partition="0"}': "1",
        'kafka_topic_partition_leader{topic="words",partition="1"}': "2",
        'kafka_topic_partition_leader_is_preferred{topic="words",partition="0"}': "1",
        'kafka_topic_partition_leader_is_preferred{topic="words",partition="1"}': "0",
        'kafka_topic_partition_leader_is_preferred{topic="words",partition="2"}': "0",
        'kafka_topic_partition_replicas{topic="words",partition="0"}': "2",
        'kafka_topic_partition_replicas{topic="words",partition="1"}': "2",
        'kafka_topic_partition_replicas{topic="words",partition="2"}': "1",
        'kafka_topic_partition_under_replicated_partition{topic="words",partition="0"}': "0",
        'kafka_topic_partition_under_replicated_partition{topic="words",partition="1"}': "1",
        'kafka_topic_partition_under_replicated_partition{topic="words",partition="2"}': "1",
        'kafka_topic_partition_current_offset{topic="words",partition="0"}': "100",
        'kafka_topic_partition_current_offset{topic="words",partition="1"}': "200",
        'kafka_topic_partition_oldest_offset{topic="words",partition="0"}': "5",
        'kafka_topic_partition_oldest_offset{topic="words",partition="1"}': "0",
        'kafka_consumergroup_members{consumergroup="readers"}': "1",
        'kafka_consumergroup_info{consumergroup="readers",state="Stable",type="classic",protocol="range"}': "1",
        'kafka_consumergroup_current_offset{consumergroup="readers",topic="words",partition="0"}': "90",
        'kafka_consumergroup_current_offset{consumergroup="readers",topic="words",partition="1"}': "-1",
        'kafka_consumergroup_current_offset{consumergroup="readers",topic="words",partition="2"}': "-1",
        'kafka_consumergroup_current_offset_sum{consumergroup="readers",topic="words"}': "90",
        'kafka_consumergroup_lag{consumergroup="readers",topic="words",partition="0"}': "10",
        'kafka_consumergroup_lag{consumergroup="readers",topic="words",partition="1"}': "-1",
        'kafka_consumergroup_lag_sum{consumergroup="readers",topic="words"}': "10",
        'kafka_consumergroup_lag_seconds{consumergroup="readers",topic="words",partition="0"}': "2.5",
        'kafka_topic_log_size_bytes{topic="words"}': "100",
        'kafka_broker_log_dir_size_bytes{id="1",path="/d"}': "70",
        'kafka_broker_log_dir_size_bytes{id="2",path="/d"}': "30",
        'kafka_broker_log_dir_volume_total_bytes{id="1",path="/d"}': "1000",
        'kafka_broker_log_dir_volume_usable_bytes{id="1",path="/d"}': "400",
    }


def of(name: str, said: Mapping[str, str]) -> dict[str, str]:
    return {key.partition("{")[2]: value for key, value in said.items() if key.partition("{")[0] == name}


def test_without_show_all_only_partitions_that_a_member_is_assigned_are_told() -> None:
    said = series(Form(show_all=False))
    assert len(of("kafka_consumergroup_current_offset", said)) == 2
    nobody = series(Form(show_all=False), groups={"readers": group("readers")})
    assert of("kafka_consumergroup_current_offset", nobody) == {}
    assert of("kafka_consumergroup_members", nobody) == {'consumergroup="readers"}': "0"}


def test_a_topic_that_the_group_never_committed_to_is_not_told_even_if_it_is_assigned() -> None:
    said = series(committed={"readers": {}}, lags={"readers": {}})
    assert of("kafka_consumergroup_lag", said) == of("kafka_consumergroup_lag_sum", said) == {}


def test_what_is_not_known_is_left_out_and_is_no_zero() -> None:
    said = series(
        latest={"words": {}},
        lags={"readers": {"words": {}}},
        groups={"readers": Group("readers", "consumer", "", "consumer", "", 1, None)},
        log_dirs={1: (LogDir("/d", {"words": 70}, None, None),)},
    )
    for name in ("kafka_topic_partition_current_offset", "kafka_consumergroup_lag", "kafka_consumergroup_lag_sum"):
        assert of(name, said) == {}, name
    for name in ("kafka_consumergroup_lag_seconds", "kafka_consumergroup_members", "kafka_topic_log_size_bytes"):
        assert of(name, said) == {}, name


def test_a_topic_made_after_sizes_were_read_has_none() -> None:
    new = Topic("new", None, False, (Partition("new", 0, 1, (1,), (1,)),))
    said = series(topics={"words": WORDS, "new": new})
    assert of("kafka_topic_log_size_bytes", said) == {'topic="words"}': "100"}


def test_a_sum_that_would_miss_a_partition_is_left_out() -> None:
    said = series(committed={"readers": {"words": {0: 90, 1: 10}}}, lags={"readers": {"words": {0: Lag(0, 0.0)}}})
    assert of("kafka_consumergroup_lag", said) == {'consumergroup="readers",topic="words",partition="0"}': "0"}
    assert of("kafka_consumergroup_lag_sum", said) == {}


def test_what_is_committed_beyond_the_end_has_no_lag_and_is_named() -> None:
    beyond = {"readers": {"words": {0: Beyond(7), 1: Lag(3, 1.0)}}}
    said = series(committed={"readers": {"words": {0: 107, 1: 197}}}, lags=beyond)
    assert of("kafka_consumergroup_lag", said) == {'consumergroup="readers",topic="words",partition="1"}': "3"}
    assert of("kafka_consumergroup_lag_sum", said) == {}, "a sum without it would look like a group that arrived"
    assert of("kafka_consumergroup_lag_seconds", said).keys() == of("kafka_consumergroup_lag", said).keys()
    assert of("kafka_consumergroup_beyond_end", said) == {'consumergroup="readers",topic="words",partition="0"}': "7"}


def test_constant_labels_are_on_every_series() -> None:
    said = series(Form(labels={"dc": 'a"b'}))
    assert said
    assert all('{dc="a\\"b"' in key for key in said)
    assert said['kafka_brokers{dc="a\\"b"}'] == "2"


def test_names_cannot_break_out_of_their_label() -> None:
    said = series(groups={'a"} 1\nx{y="': group('a"} 1\nx{y="')}, committed={}, lags={})
    assert of("kafka_consumergroup_members", said) == {'consumergroup="a\\"} 1\\nx{y=\\""}': "0"}


@settings(deadline=None)
@given(st.text(max_size=20))
def test_an_escaped_value_is_one_line_and_ends_where_it_should(value: str) -> None:
    text = escaped(value)
    assert "\n" not in text
    assert text.replace(r"\\", "").replace(r"\"", "").count('"') == 0


@pytest.mark.parametrize(
    ("most", "without"),
    [
        (1000, {}),
        (100, {}),
        (99, {GROUPS: 30}),
        (70, {GROUPS: 30}),
        (69, {GROUPS: 30, TOPICS: 60}),
        (0, {GROUPS: 30, TOPICS: 60}),
    ],
)
def test_too_many_series(most: int, without: dict[str, int]) -> None:
    assert left_out({"the rest": 10, GROUPS: 30, TOPICS: 60}, most) == without


def test_what_is_left_out_is_said_and_sums_stay() -> None:
    text = Writer(Form(most_series=20)).text(snapshot())
    assert set(text.left_out) == {GROUPS, TOPICS}
    said = text.body.decode()
    assert "kafka_consumergroup_lag_sum{" in said
    assert "kafka_topic_partitions{" in said
    assert "partition=" not in said
    assert text.series == len([line for line in said.splitlines() if not line.startswith("#")])


def test_what_did_not_change_is_not_written_anew_and_what_did_is() -> None:
    writer = Writer(Form())
    first = writer.text(snapshot())
    assert writer.text(snapshot()).body == first.body
    fewer = snapshot(cluster=Cluster("c", 1, BROKERS[:1]))
    assert b"kafka_brokers 1\n" in writer.text(fewer).body
