"""What is written and read by hand, beside the library's own: the same bytes, the same answers, for every version."""

from collections.abc import Iterator, Mapping
from uuid import UUID

import pytest
from kafka.protocol.consumer import ListOffsetsRequest, ListOffsetsResponse
from kafka.protocol.metadata import MetadataResponse
from tests.builders.fake_kafka_server import FakeServers, FakeTopic, fake_servers

from klamm.kafka.admin import Admin, Connection
from klamm.kafka.facts import Offsets
from klamm.kafka.offsets import _Asked, _packed, _unpacked, bundles, partition_offsets
from klamm.kafka.packed import Answer, Told, length, metadata_in, written_length
from klamm.kafka.topology import Remembered, topology

_MANY = {f"topic-{number}": [0, 5, number] for number in range(300)} | {"ä" * 60: list(range(200)), "empty": []}


@pytest.mark.parametrize("count", [-1, 0, 126, 127, 16_382, 16_383, 3_000_000])
def test_lengths(count: int) -> None:
    written = written_length(count)
    assert length(written, 0) == (count, len(written))


@pytest.mark.parametrize("version", range(6, 12))
@pytest.mark.parametrize("asked", [_Asked(-1, False, -1, 5000), _Asked(-2, True, 1_700_000_000_000, 1)])
async def test_a_request_for_offsets_is_written_as_the_library_writes_it(asked: _Asked, version: int) -> None:
    theirs = await _unpacked(asked, _MANY)
    theirs.timeout_ms = asked.timeout_ms
    ours = await _packed(asked, _MANY)
    assert ours.encode(version=version) == theirs.encode(version=version)


def test_no_version_is_spoken_that_is_not_known() -> None:
    assert ListOffsetsRequest.max_version == ListOffsetsResponse.max_version == 11
    assert MetadataResponse.max_version == 13


def _told(offsets: Mapping[str, list[tuple[int, int, int]]], version: int = 11) -> Answer:
    topic = ListOffsetsResponse.ListOffsetsTopicResponse
    one = topic.ListOffsetsPartitionResponse
    told = ListOffsetsResponse(
        throttle_time_ms=7,
        topics=[
            topic(
                name=name,
                partitions=[
                    one(partition_index=id, error_code=code, timestamp=-1, offset=offset, leader_epoch=3)
                    for id, code, offset in found
                ],
            )
            for name, found in offsets.items()
        ],
    )
    return Answer(bytes(told.encode(version=version)), version)


@pytest.mark.parametrize("version", range(6, 12))
def test_an_answer_of_offsets_is_read_as_the_library_reads_it(version: int) -> None:
    offsets = {name: [(id, id % 7, id << 33) for id in ids] for name, ids in _MANY.items()}
    answer = _told(offsets, version)
    assert answer.throttle_time_ms == 7
    assert dict(Told(answer)) == offsets


def test_of_two_answers_it_is_told_where_they_differ() -> None:
    same, failed = [(0, 0, 5), (1, 0, 6)], [(0, 6, -1)]
    stable = {"a": same, "b": [(0, 0, 3)], "c": failed, "d": [(0, 0, 1)], "e": same}
    ends = {"a": same, "b": [(0, 0, 4)], "c": failed, "e": same, "d": [(0, 0, 1)]}
    pieces = list(Told(_told(stable)).beside(Told(_told(ends)), 2))
    assert [len(one) for one in pieces] == [1, 2, 1]
    assert [one for some in pieces for one in some] == [
        ("b", [(0, 0, 3)], [(0, 0, 4)]),
        ("c", failed, failed),
        ("d", [(0, 0, 1)], None),  # another one is in its place
        ("e", same, None),
    ]


def test_fields_that_are_not_known_are_passed_over() -> None:
    told = bytes.fromhex(
        "00000000" "02" "02" "61" "02"  # one topic, "a", of one partition
        "00000003" "0000" "ffffffffffffffff" "0000000000000009" "00000001"
        "02" "05" "03" "010203" "06" "00"  # two tagged fields: 5 with three bytes, 6 with none
        "01" "80" "01" "01" "ff"  # one of the topic
        "00"
    )  # fmt: skip
    assert list(Told(Answer(told, 11))) == [("a", [(3, 0, 9)])]


@pytest.mark.parametrize("version", range(9, 14))
@pytest.mark.parametrize("cluster", ["lkc", None])
def test_an_answer_of_metadata_is_read_as_the_library_reads_it(version: int, cluster: str | None) -> None:
    answer = metadata_in(Answer(bytes(_metadata(cluster).encode(version=version)), version))
    brokers = [(1, "a", 9092, "rack"), (2, "", 9093, None)]
    assert ([tuple(one) for one in answer.brokers], answer.cluster_id, answer.controller_id) == (brokers, cluster, 2)
    found = {one.name: one for one in answer.topics}
    assert [one.error_code for one in found.values()] == [0, 5]
    assert [one.is_internal for one in found.values()] == [True, False]
    assert found["orders"].topic_id == (UUID(int=77) if version >= 10 else None)
    assert [tuple(one) for one in found["orders"].partitions] == [(0, 0, 1, (1, 2), (1,)), (9, 300, -1, (), ())]


def _metadata(cluster: str | None) -> MetadataResponse:
    topic, broker = MetadataResponse.MetadataResponseTopic, MetadataResponse.MetadataResponseBroker

    def partition(code: int, id: int, leader: int, replicas: list[int], in_sync: list[int]) -> object:
        return topic.MetadataResponsePartition(
            error_code=code,
            partition_index=id,
            leader_id=leader,
            leader_epoch=4,
            replica_nodes=replicas,
            isr_nodes=in_sync,
            offline_replicas=[2],
        )

    parts = [partition(0, 0, 1, [1, 2], [1]), partition(9, 300, -1, [], [])]
    return MetadataResponse(
        throttle_time_ms=0,
        brokers=[
            broker(node_id=1, host="a", port=9092, rack="rack"),
            broker(node_id=2, host="", port=9093, rack=None),
        ],
        cluster_id=cluster,
        controller_id=2,
        topics=[
            topic(error_code=0, name="orders", topic_id=UUID(int=77), is_internal=True, partitions=parts),
            topic(error_code=5, name="gone", topic_id=UUID(int=0), is_internal=False, partitions=[]),
        ],
        error_code=0,
    )


@pytest.fixture(params=[{}, {2: 5, 3: 8}], ids=["new brokers", "brokers before 2.8"])
def servers(request: pytest.FixtureRequest) -> Iterator[FakeServers]:
    topics = {"a": FakeTopic([10, 20], [1, 2], start=3), "b": FakeTopic([7], [1]), "c": FakeTopic([1], [None])}
    made = FakeServers([1, 2], topics=topics, newest=request.param, gone_for_offsets={"b"})
    with fake_servers(made) as running:
        yield running


async def test_old_brokers_are_spoken_to_by_the_library(servers: FakeServers) -> None:
    async with await Admin.connect(Connection(servers.bootstrap)) as admin:
        read = await partition_offsets(admin, 1, {"a": [0, 1], "b": [0]}, "latest", 5.0)
        assert read == Offsets({"a": {0: 10}, "b": {}}, moved=frozenset({"a"}), gone=frozenset({"b"}))
        assert (await partition_offsets(admin, 2, {"a": [1]}, "earliest", 5.0)).by_topic == {"a": {1: 3}}
        seen = await topology(admin, 5.0)
    assert seen.cluster.id == "fake"
    assert [one.id for one in seen.cluster.brokers] == [1, 2]
    assert {name: [one.leader for one in topic.partitions] for name, topic in seen.topics.items()} == {
        "a": [1, 2],
        "b": [1],
        "c": [None],
    }


async def test_topics_of_which_the_same_is_told_are_not_read_again() -> None:
    made = FakeServers([1, 2], topics={"a": FakeTopic([10, 20], [1, 2])})
    with fake_servers(made) as servers:
        async with await Admin.connect(Connection(servers.bootstrap)) as admin:
            remembered = Remembered()
            first = await topology(admin, 5.0, 1, remembered)
            assert (await topology(admin, 5.0, 2, remembered)).topics is first.topics
            servers.topics["a"].leaders[1] = 1
            changed = await topology(admin, 5.0, 1, remembered)
    assert [one.leader for one in first.topics["a"].partitions] == [1, 2]
    assert [one.leader for one in changed.topics["a"].partitions] == [1, 1]


async def test_partitions_are_bundled_by_leader_and_named_once() -> None:
    made = FakeServers([1, 2], topics={"a": FakeTopic([1, 2, 3], [1, 2, 1]), "b": FakeTopic([4, 5], [1, None])})
    with fake_servers(made) as servers:
        async with await Admin.connect(Connection(servers.bootstrap)) as admin:
            led = await bundles((await topology(admin, 5.0)).topics)
            assert led == {1: {"a": (0, 2), "b": (0,)}, 2: {"a": (1,)}}
            for _ in range(2):
                read = await partition_offsets(admin, 1, led[1], "latest", 5.0)
                assert read.by_topic == {"a": {0: 1, 2: 3}, "b": {0: 4}}
            assert (await partition_offsets(admin, 1, led[1], "earliest", 5.0)).by_topic["b"] == {0: 0}
            assert set(led[1].written) == {-1, -2}
