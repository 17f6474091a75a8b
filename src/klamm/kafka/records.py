"""Single records, written and read without a producer or a consumer: for who writes one a second and measures it."""

from collections.abc import Mapping
from typing import Any

from klamm.kafka.admin import Admin
from klamm.kafka.writing import append_batch

_NAMES_UNTIL = 12  # later versions of Fetch speak of topics' ids
_MOST_BYTES = 1 << 20


async def append(admin: Admin, leader: int, topic: str, partition: int, value: bytes, seconds: float) -> int:
    """Write one record, acknowledged by all replicas in sync. Returns its offset."""
    from kafka.record.memory_records import MemoryRecordsBuilder

    builder = MemoryRecordsBuilder(magic=2, compression_type=0, batch_size=1 << 14)
    builder.append(timestamp=None, key=None, value=value)
    builder.close()
    return await append_batch(admin, leader, topic, partition, bytes(builder.buffer()), seconds)


async def fetch(
    admin: Admin, leader: int, topic: str, offsets: Mapping[int, int], wait: float, seconds: float
) -> dict[int, list[tuple[int, bytes]]]:
    """Records from these offsets on, by partition, each with its offset; waits up to `wait` for the first."""
    from kafka.protocol.consumer import FetchRequest

    from klamm.kafka.answers import failure_of

    of_topic = FetchRequest.FetchTopic
    one = of_topic.FetchPartition
    request = FetchRequest(
        max_wait_ms=int(wait * 1000),
        min_bytes=1,
        max_bytes=_MOST_BYTES,
        isolation_level=0,
        session_id=0,
        session_epoch=-1,
        topics=[
            of_topic(
                topic=topic,
                partitions=[
                    one(partition=partition, fetch_offset=offset, partition_max_bytes=_MOST_BYTES)
                    for partition, offset in offsets.items()
                ],
            )
        ],
        forgotten_topics_data=[],
        rack_id="",
        min_version=4,
        max_version=_NAMES_UNTIL,
    )
    doing = f"read records of {topic} from broker {leader}"
    answer = await admin.ask_within(seconds, doing, request, leader)
    partitions = [part for response in answer.responses for part in response.partitions]
    for part in partitions:
        failure = failure_of(doing, part.error_code, None)
        if failure is not None:
            raise failure
    return {part.partition_index: _records(part.records, offsets[part.partition_index]) for part in partitions}


def _records(data: Any, first: int) -> list[tuple[int, bytes]]:
    """A batch may begin before the offset that was asked for."""
    from kafka.record.memory_records import MemoryRecords

    found = []
    batches = MemoryRecords(bytes(data or b""))
    while batches.has_next():
        found += [(one.offset, bytes(one.value or b"")) for one in batches.next_batch() if one.offset >= first]
    return found
