"""What topics take on each broker's disks."""

from collections import Counter
from typing import Any

from klamm.base.pieces import in_pieces
from klamm.kafka.admin import Admin
from klamm.kafka.facts import LogDir


async def log_dirs(admin: Admin, broker: int, seconds: float) -> tuple[LogDir, ...]:
    """Directories that are offline are left out: their sizes are not known."""
    from kafka.protocol.admin import DescribeLogDirsRequest

    from klamm.kafka.answers import failure_of

    doing = f"read sizes of logs of broker {broker}"
    answer = await admin.ask_within(seconds, doing, DescribeLogDirsRequest(topics=None), broker)
    failure = failure_of(doing, answer.error_code, None)
    if failure is not None:
        raise failure
    return tuple([await _log_dir(one) for one in answer.results if not one.error_code])


async def _log_dir(one: Any) -> LogDir:
    sizes: Counter[str] = Counter()
    async for topic in in_pieces(one.topics):
        sizes[topic.name] += sum(partition.partition_size for partition in topic.partitions)
    return LogDir(one.log_dir, dict(sizes), _told(one.total_bytes), _told(one.usable_bytes))


def _told(size: int | None) -> int | None:
    return size if size is not None and size >= 0 else None
