"""Single records, written and read without a producer or a consumer: for who writes one a second and measures it."""

from klamm.kafka.admin import Admin
from klamm.kafka.writing import append_batch


async def append(admin: Admin, leader: int, topic: str, partition: int, value: bytes, seconds: float) -> int:
    """Write one record, acknowledged by all replicas in sync. Returns its offset."""
    from kafka.record.memory_records import MemoryRecordsBuilder

    builder = MemoryRecordsBuilder(magic=2, compression_type=0, batch_size=1 << 14)
    builder.append(timestamp=None, key=None, value=value)
    builder.close()
    return await append_batch(admin, leader, topic, partition, bytes(builder.buffer()), seconds)


def records_of(batches: bytes, first: int) -> list[tuple[int, bytes]]:
    """Offset and value of each record from `first` on; a batch may begin before the offset that was asked for."""
    from kafka.record.memory_records import MemoryRecords

    found = []
    reading = MemoryRecords(batches)
    while reading.has_next():
        found += [(one.offset, bytes(one.value or b"")) for one in reading.next_batch() if one.offset >= first]
    return found
