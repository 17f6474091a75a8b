"""Records written without a producer, and purged: for people who send some, and for copies of a selection."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from klamm.kafka.admin import Admin
from klamm.kafka.batches import Headers
from klamm.kafka.checksum import crc32c

_NAMES_UNTIL = 12  # later versions of Produce speak of topics' ids
_ALL_IN_SYNC = -1
_LARGEST_BATCH = 512 << 10
"""Bytes: well under the 1 MB that a topic takes by default."""
_RECORD_MORE = 100
"""Bytes that a record takes beside what is in it, at most."""


@dataclass(frozen=True, slots=True)
class NewRecord:
    """`timestamp`: milliseconds since 1970; it is an argument like every clock."""

    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: Headers = ()

    @property
    def size(self) -> int:
        headers = sum(len(name) + len(value or b"") for name, value in self.headers)
        return len(self.key or b"") + len(self.value or b"") + headers + _RECORD_MORE


def partition_for(key: bytes | None, partitions: Sequence[int], random: Random) -> int:
    """Where Kafka's own producers put the key (murmur2); any partition for a record without one."""
    from kafka.partitioner.default import murmur2

    if key is None:
        return random.choice(partitions)
    return partitions[int(murmur2(key) & 0x7FFFFFFF) % len(partitions)]


async def produce(
    admin: Admin, leader: int, topic: str, partition: int, records: Sequence[NewRecord], seconds: float
) -> list[int]:
    """Acknowledged by all replicas in sync; the records' offsets, in order."""
    offsets: list[int] = []
    for some in _in_batches(records):
        first = await _append_batch(admin, leader, topic, partition, batch_of(some), seconds)
        offsets += range(first, first + len(some))
    return offsets


def _in_batches(records: Sequence[NewRecord]) -> Iterable[Sequence[NewRecord]]:
    first, size = 0, 0
    for at, one in enumerate(records):
        if at > first and size + one.size > _LARGEST_BATCH:
            yield records[first:at]
            first, size = at, 0
        size += one.size
    if first < len(records):
        yield records[first:]


async def _append_batch(admin: Admin, leader: int, topic: str, partition: int, batch: bytes, seconds: float) -> int:
    """Write one batch, acknowledged by all replicas in sync. Returns its first record's offset."""
    from kafka.protocol.producer import ProduceRequest

    from klamm.kafka.answers import failure_of

    of_topic = ProduceRequest.TopicProduceData
    data = of_topic.PartitionProduceData(index=partition, records=batch)
    request = ProduceRequest(
        transactional_id=None,
        acks=_ALL_IN_SYNC,
        timeout_ms=int(seconds * 1000),
        topic_data=[of_topic(name=topic, partition_data=[data])],
        min_version=3,
        max_version=_NAMES_UNTIL,
    )
    doing = f"write records to {topic}-{partition}"
    answer = await admin.ask_within(seconds, doing, request, leader)
    said = answer.responses[0].partition_responses[0]
    failure = failure_of(doing, said.error_code, said.error_message)
    if failure is not None:
        raise failure
    return int(said.base_offset)


def batch_of(records: Sequence[NewRecord]) -> bytes:
    """One batch of format v2, uncompressed, as brokers take it from producers without an id."""
    first = records[0].timestamp
    body = b"".join(_record(number, one, first) for number, one in enumerate(records))
    latest = max(one.timestamp for one in records)
    last = len(records) - 1
    counted = struct.pack(">hiqqqhii", 0, last, first, latest, -1, -1, -1, len(records)) + body
    rest = struct.pack(">ibI", -1, 2, crc32c(counted)) + counted
    return struct.pack(">qi", 0, len(rest)) + rest


def _record(number: int, one: NewRecord, first: int) -> bytes:
    parts = [b"\0", _varint(one.timestamp - first), _varint(number), _sized(one.key), _sized(one.value)]
    parts.append(_varint(len(one.headers)))
    for name, value in one.headers:
        parts += [_sized(name.encode()), _sized(value)]
    content = b"".join(parts)
    return _varint(len(content)) + content


def _sized(data: bytes | None) -> bytes:
    return _varint(-1) if data is None else _varint(len(data)) + data


def _varint(value: int) -> bytes:
    left = ((value << 1) ^ (value >> 63)) & 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while left > 0x7F:
        out.append((left & 0x7F) | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out)


async def delete_records(
    admin: Admin, leader: int, topic: str, before: Mapping[int, int], seconds: float
) -> dict[int, Any]:
    """Purge the partitions of one leader up to these offsets (-1: to the end). Returns where each begins now, or why
    it was not purged (a `KafkaFailure`)."""
    from kafka.protocol.admin import DeleteRecordsRequest

    from klamm.kafka.answers import failure_of

    of_topic = DeleteRecordsRequest.DeleteRecordsTopic
    one = of_topic.DeleteRecordsPartition
    request = DeleteRecordsRequest(
        topics=[
            of_topic(
                name=topic,
                partitions=[one(partition_index=id_, offset=offset) for id_, offset in before.items()],
            )
        ],
        timeout_ms=int(seconds * 1000),
    )
    doing = f"purge {topic}"
    answer = await admin.ask_within(seconds, doing, request, leader)
    return {
        part.partition_index: failure_of(f"{doing}-{part.partition_index}", part.error_code, None) or part.low_watermark
        for answered in answer.topics
        for part in answered.partitions
    }
