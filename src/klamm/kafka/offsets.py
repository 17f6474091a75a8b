"""Offsets in bulk: one request for all partitions that a broker leads, one for all groups that it coordinates."""

import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from klamm.base.pieces import in_pieces
from klamm.kafka.admin import Admin
from klamm.kafka.errors import KafkaFailure, TooOld
from klamm.kafka.facts import Offsets, Topic
from klamm.kafka.packed import Packed, Told, TopicOffsets, written_length, written_text

Which = Literal["earliest", "latest"]
Committed = dict[str, dict[int, int]]
"""By topic and partition; partitions without a commit are left out."""

EARLIEST, LATEST = -2, -1
"""Instead of a time: where a partition begins and where it ends for readers."""
_TIMESTAMPS: dict[Which, int] = {"latest": LATEST, "earliest": EARLIEST}
MOVED = frozenset({5, 6, 74, 76})  # LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER, FENCED_ and UNKNOWN_LEADER_EPOCH
_GONE = 3  # UNKNOWN_TOPIC_OR_PARTITION
_CONSUMER = -1
ONLOOKER = -2
"""Instead of a consumer: is told where the log itself ends, replicated or not."""
_FLEXIBLE, _WITH_TIMEOUT, _KNOWN = 6, 10, 11  # versions of ListOffsets
_INT, _PARTITION = struct.Struct(">i"), struct.Struct(">iiqB")
_NAMES_UNTIL = 9  # OffsetFetch 10 speaks of topics' ids
_MANY_GROUPS = 8  # OffsetFetch 8 takes many groups (KIP-709)
_AT_ONCE = 500
"""Groups in one request: an answer of some MB, not of hundreds."""


class Bundle(dict[str, Sequence[int]]):
    """Partitions that are asked for again and again, and never change: how a request names them is made once."""

    def __init__(self) -> None:
        self.written: dict[int, bytes] = {}
        """By timestamp."""


async def bundles(topics: Mapping[str, Topic]) -> dict[int, Bundle]:
    """By broker the partitions that it leads."""
    led: dict[int, Bundle] = {}
    known: dict[tuple[int, ...], tuple[int, ...]] = {}
    async for name, topic in in_pieces(topics.items()):
        here: dict[int, list[int]] = {}
        for partition in topic.partitions:
            if partition.leader is not None:
                here.setdefault(partition.leader, []).append(partition.id)
        for leader, ids in here.items():
            # Most topics have the same few at a broker: one tuple for all of them.
            led.setdefault(leader, Bundle())[name] = known.setdefault(tuple(ids), tuple(ids))
    return led


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
    replica: int = _CONSUMER,
) -> Iterable[TopicOffsets]:
    """What the broker says of each. `timestamp`: milliseconds since 1970, or EARLIEST, LATEST."""
    asked = _Asked(replica, committed, timestamp, int(seconds * 1000))
    try:
        answer = await admin.ask_within(seconds, doing, await _packed(asked, partitions), broker)
    except TooOld:  # before Kafka 2.8
        answer = await admin.ask_within(seconds, doing, await _unpacked(asked, partitions), broker)
        return _offsets_in(answer.topics)
    return Told(answer)


@dataclass(frozen=True, slots=True)
class _Asked:
    replica: int
    committed: bool
    timestamp: int
    timeout_ms: int


async def _packed(asked: _Asked, partitions: Mapping[str, Sequence[int]]) -> Packed:
    from kafka.protocol.consumer import ListOffsetsRequest

    kept = partitions.written if isinstance(partitions, Bundle) else {}
    topics = kept.get(asked.timestamp) or await _topics(asked, partitions)
    kept[asked.timestamp] = topics

    def write(version: int) -> bytes:
        end = _INT.pack(asked.timeout_ms) if version >= _WITH_TIMEOUT else b""
        return b"".join((_INT.pack(asked.replica), bytes((asked.committed,)), topics, end, b"\0"))

    return Packed(ListOffsetsRequest(min_version=_FLEXIBLE, max_version=_KNOWN), write)


async def _topics(asked: _Asked, partitions: Mapping[str, Sequence[int]]) -> bytes:
    one = lru_cache(None)(lambda id: _PARTITION.pack(id, -1, asked.timestamp, 0))
    # Of ten thousands of partitions: made in pieces, so that whoever waits for a page does not wait for this.
    topics = bytearray(written_length(len(partitions)))
    async for name, ids in in_pieces(partitions.items()):
        topics += written_text(name) + written_length(len(ids)) + b"".join(map(one, ids)) + b"\0"
    return bytes(topics)


async def _unpacked(asked: _Asked, partitions: Mapping[str, Sequence[int]]) -> Any:
    from kafka.protocol.consumer import ListOffsetsRequest

    topic, partition = ListOffsetsRequest.ListOffsetsTopic, ListOffsetsRequest.ListOffsetsTopic.ListOffsetsPartition
    # Most topics have the same few partitions at a broker: one object for each number does for all of them.
    one = lru_cache(None)(lambda id: partition(partition_index=id, timestamp=asked.timestamp, current_leader_epoch=-1))
    topics = [topic(name=name, partitions=[one(id) for id in ids]) async for name, ids in in_pieces(partitions.items())]
    return ListOffsetsRequest(
        replica_id=asked.replica, isolation_level=int(asked.committed), topics=topics, min_version=1
    )


def _offsets_in(topics: Iterable[Any]) -> Iterable[TopicOffsets]:
    """The same of an answer that the library read."""
    for topic in topics:
        yield topic.name, [(one.partition_index, one.error_code, one.offset) for one in topic.partitions]


async def offsets_of(topics: Iterable[TopicOffsets]) -> Offsets:
    read: dict[str, dict[int, int]] = {}
    moved, gone = set(), set()
    async for name, partitions in in_pieces(topics):
        of_topic = read[name] = {}
        for id, code, offset in partitions:
            if not code:
                of_topic[id] = offset
            elif code == _GONE:
                gone.add(name)
            elif code in MOVED:
                moved.add(name)
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
