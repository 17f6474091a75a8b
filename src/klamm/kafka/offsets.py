"""Offsets in bulk: one request for all partitions that a broker leads, one for all groups that it coordinates."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

from klamm.base.pieces import in_pieces
from klamm.kafka.admin import Admin
from klamm.kafka.errors import KafkaFailure, TooOld
from klamm.kafka.facts import Offsets

Which = Literal["earliest", "latest"]
Committed = dict[str, dict[int, int]]
"""By topic and partition; partitions without a commit are left out."""

_TIMESTAMPS: dict[Which, int] = {"latest": -1, "earliest": -2}
_MOVED = frozenset({5, 6, 74, 76})  # LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER, FENCED_ and UNKNOWN_LEADER_EPOCH
_GONE = 3  # UNKNOWN_TOPIC_OR_PARTITION
_NAMES_UNTIL = 9  # OffsetFetch 10 speaks of topics' ids
_MANY_GROUPS = 8  # OffsetFetch 8 takes many groups (KIP-709)
_AT_ONCE = 500
"""Groups in one request: an answer of some MB, not of hundreds."""


async def partition_offsets(
    admin: Admin, broker: int, partitions: Mapping[str, Sequence[int]], which: Which, seconds: float
) -> Offsets:
    """The broker's word on partitions that it leads. "latest" is the end that consumers see (high watermark)."""
    doing = f"read {which} offsets of broker {broker}"
    return await offsets_of(await ask_offsets(admin, broker, partitions, _TIMESTAMPS[which], seconds, doing))


async def ask_offsets(
    admin: Admin,
    broker: int,
    partitions: Mapping[str, Sequence[int]],
    timestamp: int,
    seconds: float,
    doing: str,
    *,
    committed: bool = False,
) -> Iterable[Any]:
    """The answer's topics, as the library has them. `timestamp`: milliseconds since 1970, or the protocol's -1, -2."""
    from kafka.protocol.consumer import ListOffsetsRequest

    topic, partition = ListOffsetsRequest.ListOffsetsTopic, ListOffsetsRequest.ListOffsetsTopic.ListOffsetsPartition
    # Of ten thousands of partitions: made in pieces, so that whoever waits for a page does not wait for this.
    topics = [
        topic(
            name=name,
            partitions=[partition(partition_index=one, timestamp=timestamp, current_leader_epoch=-1) for one in ids],
        )
        async for name, ids in in_pieces(partitions.items())
    ]
    request = ListOffsetsRequest(
        replica_id=-1,
        isolation_level=int(committed),
        topics=topics,
        timeout_ms=int(seconds * 1000),
        min_version=1,
    )
    answer: Iterable[Any] = (await admin.ask_within(seconds, doing, request, broker)).topics
    return answer


async def offsets_of(topics: Iterable[Any]) -> Offsets:
    read: dict[str, dict[int, int]] = {}
    moved, gone = set(), set()
    async for topic in in_pieces(topics):
        of_topic = read[topic.name] = {}
        for partition in topic.partitions:
            code = partition.error_code
            if not code:
                of_topic[partition.partition_index] = partition.offset
            elif code == _GONE:
                gone.add(topic.name)
            elif code in _MOVED:
                moved.add(topic.name)
    return Offsets(read, frozenset(moved), frozenset(gone))


async def committed_offsets(
    admin: Admin, coordinator: int, groups: Collection[str], seconds: float
) -> dict[str, "Committed | KafkaFailure"]:
    """What each group committed, or why its coordinator does not say. Raises when the coordinator does not answer."""
    names = sorted(groups)
    outcomes: dict[str, Committed | KafkaFailure] = {}
    try:
        for first in range(0, len(names), _AT_ONCE):
            outcomes |= await _of_many(admin, coordinator, names[first : first + _AT_ONCE], seconds)
    except TooOld:  # before Kafka 3.0
        for name in names:
            outcomes[name] = await _of_one(admin, coordinator, name, seconds)
    return outcomes


async def _of_many(
    admin: Admin, coordinator: int, groups: Sequence[str], seconds: float
) -> dict[str, "Committed | KafkaFailure"]:
    from kafka.protocol.consumer import OffsetFetchRequest

    one = OffsetFetchRequest.OffsetFetchRequestGroup
    request = OffsetFetchRequest(
        groups=[one(group_id=name, member_id=None, member_epoch=-1, topics=None) for name in groups],
        require_stable=False,
        min_version=_MANY_GROUPS,
        max_version=_NAMES_UNTIL,
    )
    doing = f"read what {len(groups)} groups committed, of broker {coordinator}"
    answer = await admin.ask_within(seconds, doing, request, coordinator)
    return {group.group_id: _committed(group.group_id, group) for group in answer.groups}


async def _of_one(admin: Admin, coordinator: int, group: str, seconds: float) -> "Committed | KafkaFailure":
    from kafka.protocol.consumer import OffsetFetchRequest

    request = OffsetFetchRequest(
        group_id=group, topics=None, require_stable=False, min_version=2, max_version=_MANY_GROUPS - 1
    )
    answer = await admin.ask_within(seconds, f"read what group {group} committed", request, coordinator)
    return _committed(group, answer)


def _committed(group: str, answer: Any) -> "Committed | KafkaFailure":
    from klamm.kafka.answers import failure_of

    failure = failure_of(f"read what group {group} committed", answer.error_code, None)
    if failure is not None:
        return failure
    return {topic.name: of_topic for topic in answer.topics if (of_topic := _of_topic(topic.partitions))}


def _of_topic(partitions: Iterable[Any]) -> dict[int, int]:
    return {
        one.partition_index: one.committed_offset
        for one in partitions
        if not one.error_code and one.committed_offset >= 0
    }
