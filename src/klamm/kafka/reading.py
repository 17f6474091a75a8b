"""Records in bulk: raw batches of many partitions of one leader in one request, and where in time they stand.

pieces = await fetch_batches(admin, leader, "orders", {0: 15, 1: 0}, Fetching())
for partition, piece in pieces.items(): ...
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from klamm.kafka.admin import Admin
from klamm.kafka.errors import NotNow, UnknownTopic
from klamm.kafka.offsets import MOVED, ask_offsets

_NAMES_UNTIL = 12  # later versions of Fetch speak of topics' ids
_OUT_OF_RANGE = 1


@dataclass(frozen=True, slots=True)
class Fetching:
    """`wait`: seconds that a broker may wait for records; `committed`: nothing of open or aborted transactions."""

    of_partition: int = 1 << 20
    of_all: int = 16 << 20
    wait: float = 0.0
    seconds: float = 30.0
    committed: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """What one partition gave. `end`: as readers see it. `aborted`: (producer, first offset) of transactions.

    `moved`: another broker leads it now. `out_of_range`: nothing is kept at the offset that was asked for.
    """

    data: bytes
    end: int
    aborted: tuple[tuple[int, int], ...] = ()
    moved: bool = False
    out_of_range: bool = False


async def fetch_batches(
    admin: Admin, leader: int, topic: str, offsets: Mapping[int, int], how: Fetching
) -> dict[int, Piece]:
    """By partition. Raises what is wrong with all of it, or with a partition beyond moving and range."""
    from kafka.protocol.consumer import FetchRequest

    of_topic = FetchRequest.FetchTopic
    one = of_topic.FetchPartition
    request = FetchRequest(
        max_wait_ms=int(how.wait * 1000),
        min_bytes=1,
        max_bytes=how.of_all,
        isolation_level=int(how.committed),
        session_id=0,
        session_epoch=-1,
        topics=[
            of_topic(
                topic=topic,
                partitions=[
                    one(partition=partition, fetch_offset=offset, partition_max_bytes=how.of_partition)
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
    answer = await admin.ask_within(how.seconds + how.wait, doing, request, leader)
    return {part.partition_index: _piece(doing, part) for response in answer.responses for part in response.partitions}


def _piece(doing: str, part: Any) -> Piece:
    from klamm.kafka.answers import failure_of

    code = part.error_code
    if code in MOVED:
        return Piece(b"", -1, moved=True)
    if code == _OUT_OF_RANGE:
        return Piece(b"", -1, out_of_range=True)
    failure = failure_of(f"{doing}, partition {part.partition_index}", code, None)
    if failure is not None:
        raise failure
    aborted = tuple((one.producer_id, one.first_offset) for one in part.aborted_transactions or ())
    records = part.records
    return Piece(records if isinstance(records, bytes) else bytes(records or b""), part.high_watermark, aborted)


async def offsets_at(
    admin: Admin, leader: int, topic: str, partitions: Sequence[int], time: int, seconds: float, committed: bool = False
) -> dict[int, int | None]:
    """The offset of the first record at or after `time` (milliseconds since 1970, or EARLIEST, LATEST).

    None: no record is that young. Raises for the first partition that cannot tell.
    """
    from klamm.kafka.answers import failure_of

    doing = f"read offsets of {topic}, of broker {leader}"
    ((_, told),) = await ask_offsets(admin, leader, {topic: partitions}, time, seconds, doing, committed=committed)
    found: dict[int, int | None] = {}
    for id, code, offset in told:
        failure = failure_of(f"{doing}, partition {id}", code, None)
        if failure is not None:
            raise failure
        found[id] = offset if offset >= 0 else None
    return found


async def leaders_of(admin: Admin, topic: str) -> dict[int, int | None]:
    """The leader of each partition; None: it has none at present. Raises `UnknownTopic`."""
    doing = f"look for the leaders of topic {topic}"
    found = (await admin.describe_topics([topic])).get(topic)
    if found is None:
        raise UnknownTopic(doing, "there is no such topic")
    return {one.id: one.leader for one in found.partitions}


def by_leader(leaders: Mapping[int, int | None], partitions: Iterable[int], topic: str) -> dict[int, list[int]]:
    """Which partitions to ask of whom. Raises `NotNow` for one without a leader."""
    grouped: dict[int, list[int]] = {}
    for one in partitions:
        leader = leaders.get(one)
        if leader is None:
            raise NotNow(f"read records of {topic}", f"partition {one} has no leader at present")
        grouped.setdefault(leader, []).append(one)
    return grouped
