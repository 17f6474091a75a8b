"""Reading a topic: asks brokers for what the merge wants, looks into batches, hands on what matches.

    async with place.reader() as admin:
        topic = await opened(admin, "orders", committed=False)
        spans = await topic.kept([0, 1])
        async for one in read(topic, planned("LATEST", spans), Matcher(...), limit=100): ...

Batches are looked into in a thread: a search in bytes of many MB would hold up everybody else. While one lot is looked
into, the next one is on its way.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from klamm.base.clock import Clock
from klamm.base.together import ended, side_by_side
from klamm.console.records.merge import Found, Merge
from klamm.console.records.plan import Cursor, Plan, Span
from klamm.console.records.selection import Selection
from klamm.console.records.shown import Message
from klamm.kafka.admin import Admin
from klamm.kafka.batches import Batch, Corrupt, Record, batches_in, committed
from klamm.kafka.errors import NotNow
from klamm.kafka.offsets import EARLIEST, LATEST
from klamm.kafka.reading import Fetching, Piece, by_leader, fetch_batches, leaders_of, offsets_at

SECONDS = 30.0
"""For one answer of a broker."""

_PAGE = Fetching(of_partition=128 << 10, of_all=4 << 20, seconds=SECONDS)
_SEARCH = Fetching(of_partition=8 << 20, of_all=16 << 20, seconds=SECONDS)
_SIFT = Fetching(of_partition=1 << 20, of_all=4 << 20, seconds=SECONDS)
_TAIL = Fetching(of_partition=128 << 10, of_all=2 << 20, wait=1.0, seconds=SECONDS)
_LEAST = 64 << 10
"""Bytes of a partition in an answer."""
MOST_UNPACKED = 256 << 20
"""Bytes that are unpacked of what was fetched at once, and a record's own beside them; the rest is fetched again."""
_OF_RECORD = 256
_EVERY = 0.25
"""Seconds between two words about progress."""
_SHOWN_AT_ONCE = 500
_TAKEN_AT_ONCE = 200
_MOVES = 20
"""How often in a row a reader looks for new leaders before it gives up."""
_MOVE_PAUSE = 0.25


@dataclass
class Progress:
    """`bytes`: as they were fetched; `errors`: records that the filter could not look at; `unreadable`: batches."""

    messages: int = 0
    bytes: int = 0
    seconds: float = 0.0
    found: int = 0
    errors: int = 0
    unreadable: int = 0
    last_error: str | None = None


@dataclass(frozen=True)
class End:
    """No more comes. `more`: there is more behind the cursor, as far as is known."""

    cursor: Cursor
    more: bool


@dataclass(frozen=True, slots=True)
class Hit:
    record: Record
    message: Message


@dataclass
class OpenTopic:
    """A topic, and who leads its partitions now."""

    admin: Admin
    name: str
    leaders: dict[int, int | None]
    committed: bool = False
    _moves: int = field(default=0, init=False)

    @property
    def partitions(self) -> list[int]:
        return sorted(self.leaders)

    async def kept(self, partitions: Sequence[int]) -> dict[int, Span]:
        """What each holds now."""
        begins, ends = await side_by_side(self.at(partitions, EARLIEST), self.at(partitions, LATEST))
        return {one: Span(begins[one] or 0, ends[one] or 0) for one in partitions}

    async def at(self, partitions: Sequence[int], time: int) -> dict[int, int | None]:
        """The first offset at or after a time, by partition."""
        asked = by_leader(self.leaders, partitions, self.name)
        answers = await side_by_side(
            *(offsets_at(self.admin, one, self.name, ids, time, SECONDS, self.committed) for one, ids in asked.items())
        )
        return {one: offset for answer in answers for one, offset in answer.items()}

    async def fetched(self, offsets: Mapping[int, int], how: Fetching) -> dict[int, Piece]:
        """Of all leaders at once; leaders that moved are looked for, and asked the next time."""
        asked = by_leader(self.leaders, offsets, self.name)
        answers = await side_by_side(
            *(
                fetch_batches(self.admin, leader, self.name, {one: offsets[one] for one in ids}, _shared(how, len(ids)))
                for leader, ids in asked.items()
            )
        )
        pieces = {one: piece for answer in answers for one, piece in _told(answer).items()}
        if any(piece.moved for piece in pieces.values()):
            await self._look_again()
        else:
            self._moves = 0
        return {one: piece for one, piece in pieces.items() if not piece.moved}

    async def _look_again(self) -> None:
        self._moves += 1
        if self._moves > _MOVES:
            raise NotNow(f"read records of {self.name}", "its partitions move from leader to leader; try again later")
        await asyncio.sleep(_MOVE_PAUSE)
        self.leaders = await leaders_of(self.admin, self.name)


async def opened(admin: Admin, topic: str, committed: bool = False) -> OpenTopic:
    return OpenTopic(admin, topic, await leaders_of(admin, topic), committed)


async def read(
    topic: OpenTopic, plan: Plan, selection: Selection, limit: int, clock: Clock
) -> AsyncIterator[Hit | Progress | End]:
    """Up to `limit` hits in the order of time, progress now and then, and at last the end."""
    merge: Merge[Hit] = Merge(plan, _window(plan, limit, selection))
    how = _SEARCH if selection.is_quick else _SIFT if selection.searches else _PAGE
    how = replace(how, committed=topic.committed)
    progress, begun, told = Progress(), clock.monotonic(), clock.monotonic()
    ahead = _Ahead(topic, how)
    try:
        while progress.found < limit:
            while lot := merge.take(min(_TAKEN_AT_ONCE, limit - progress.found)):
                for hit in lot:
                    progress.found += 1
                    yield hit
                await asyncio.sleep(0)  # others have their turn
            wanted = merge.wanted()
            if progress.found >= limit or not wanted:
                break
            pieces = await ahead.get(wanted)
            await _look_into(pieces, wanted, merge, selection, progress, topic)
            progress.seconds = clock.monotonic() - begun
            if clock.monotonic() - told >= _EVERY:
                told = clock.monotonic()
                yield progress
    finally:
        await ahead.close()
    progress.seconds = clock.monotonic() - begun
    yield progress
    yield End(merge.cursor(), not merge.is_done)


def _window(plan: Plan, limit: int, selection: Selection) -> int:
    """A search scans more at once than a page shows."""
    if selection.searches:
        return 5_000
    return max(10, -(-limit // max(1, len(plan.spans))) + 5)


def _shared(how: Fetching, partitions: int) -> Fetching:
    """So that each partition has its part of an answer; brokers fill it in order until it is full."""
    return replace(how, of_partition=max(_LEAST, min(how.of_partition, how.of_all // partitions)))


def _told(answer: Mapping[int, Piece]) -> dict[int, Piece]:
    """Without those that an answer had no room for: that they are empty says nothing. The first always has room."""
    if all(not piece.data for piece in answer.values()):
        return dict(answer)
    return {one: piece for one, piece in answer.items() if piece.data or piece.moved or piece.out_of_range}


class _Ahead:
    """Fetches what is wanted, and while that is looked into, what comes behind it.

    What was fetched and is not wanted yet (its partition is ahead of the others) is kept: one answer of each.
    """

    def __init__(self, topic: OpenTopic, how: Fetching) -> None:
        self._topic, self._how = topic, how
        self._kept: dict[int, tuple[int, Piece]] = {}
        self._coming: asyncio.Task[None] | None = None

    async def get(self, wanted: Mapping[int, Span]) -> "dict[int, tuple[Piece, list[Batch]]]":
        """Of some of them; none when leaders moved."""
        offsets = {one: span.begin for one, span in wanted.items()}
        if self._coming is not None:
            await self._coming
        if not self._ready(offsets):
            await self._fetch(offsets)
        ready = self._ready(offsets)
        found = {one: (piece, list(batches_in(one, piece.data))) for one, piece in ready.items()}
        for one in ready:
            del self._kept[one]
        self._begin(offsets, wanted, found)
        return found

    def _ready(self, offsets: Mapping[int, int]) -> dict[int, Piece]:
        kept = self._kept
        return {one: kept[one][1] for one, offset in offsets.items() if one in kept and kept[one][0] == offset}

    def _begin(
        self,
        offsets: Mapping[int, int],
        wanted: Mapping[int, Span],
        found: "Mapping[int, tuple[Piece, list[Batch]]]",
    ) -> None:
        missing = {one: offset for one, offset in offsets.items() if one not in found}
        behind = {one: batches[-1].next_offset for one, (_, batches) in found.items() if batches}
        next_ = missing | {one: offset for one, offset in behind.items() if offset < wanted[one].end}
        self._coming = asyncio.create_task(self._fetch(next_)) if next_ else None

    async def _fetch(self, offsets: Mapping[int, int]) -> None:
        pieces = await self._topic.fetched(offsets, self._how)
        self._kept |= {one: (offsets[one], piece) for one, piece in pieces.items()}

    async def close(self) -> None:
        coming, self._coming = self._coming, None
        if coming is not None:
            await ended(coming)


async def _look_into(
    pieces: "Mapping[int, tuple[Piece, list[Batch]]]",
    wanted: Mapping[int, Span],
    merge: Merge[Hit],
    selection: Selection,
    progress: Progress,
    topic: OpenTopic,
) -> None:
    left = MOST_UNPACKED
    for partition, (piece, batches) in pieces.items():
        span = wanted[partition]
        if piece.out_of_range:
            begin = (await topic.at([partition], EARLIEST))[partition] or 0
            # A log that begins no later ends before: a leader cut it, and nothing is there up to the end known before.
            merge.add(partition, (), begin if begin > span.begin else span.end, None)
            continue
        if not batches:
            merge.add(partition, (), _behind_nothing(piece, span, topic, partition), None)
            continue
        looked = await asyncio.to_thread(_looked, piece, batches, span, selection, topic.committed, left)
        left -= looked.unpacked
        progress.messages += looked.messages
        progress.bytes += len(piece.data)
        progress.unreadable += looked.unreadable
        hits = await _hits(looked.records, selection, progress)
        found = [Found(hit.record.offset, hit.record.timestamp, hit) for hit in hits]
        merge.add(partition, found, looked.next_offset, looked.earliest if merge.backward else looked.latest)


def _behind_nothing(piece: Piece, span: Span, topic: OpenTopic, partition: int) -> int:
    """Nothing up to the end: it was compacted away."""
    if piece.data:  # brokers give the first batch whole, whatever its size (KIP-74)
        doing = f"read records of {topic.name}-{partition} from offset {span.begin}"
        raise NotNow(doing, "the broker gave less than a whole batch")
    return span.end


@dataclass(frozen=True, slots=True)
class _Looked:
    """`next_offset`: where to go on."""

    records: list[Record]
    messages: int
    unreadable: int
    earliest: int | None
    latest: int | None
    next_offset: int
    unpacked: int


def _looked(
    piece: Piece, batches: Sequence[Batch], span: Span, selection: Selection, only_committed: bool, most: int
) -> _Looked:
    """In a thread. Ends behind the batch with which more than `most` bytes are unpacked."""
    is_among = selection.may_be_among(piece.data)
    records: list[Record] = []
    messages, unreadable, unpacked, next_offset = 0, 0, 0, batches[-1].next_offset
    earliest: int | None = None
    latest: int | None = None
    shown = committed(batches, piece.aborted) if only_committed else batches
    for batch in shown:
        if batch.is_control or batch.base >= span.end or batch.next_offset <= span.begin:
            continue
        # Backward, a batch comes in each window that it reaches into: of each record once.
        messages += min(batch.count, min(batch.next_offset, span.end) - max(batch.base, span.begin))
        latest = batch.latest if latest is None else max(latest, batch.latest)
        earliest = batch.first_time if earliest is None else min(earliest, batch.first_time)
        try:
            fitting = [one for one in selection.fitting(batch, is_among) if span.begin <= one.offset < span.end]
            records += fitting
            unpacked += _OF_RECORD * len(fitting)
        except Corrupt:
            unreadable += 1
        unpacked += batch.release()
        if unpacked > most:
            next_offset = batch.next_offset
            break
    return _Looked(records, messages, unreadable, earliest, latest, next_offset, unpacked)


async def _hits(records: Sequence[Record], selection: Selection, progress: Progress) -> list[Hit]:
    if not records:
        return []
    hits = []
    for first in range(0, len(records), _SHOWN_AT_ONCE):
        lot = records[first : first + _SHOWN_AT_ONCE]
        messages = await selection.showing.show(lot)
        for record, message, verdict in zip(lot, messages, await selection.verdicts(messages), strict=True):
            if verdict is True:
                hits.append(Hit(record, message))
            elif verdict is not False:
                progress.errors += 1
                progress.last_error = verdict
        await asyncio.sleep(0)  # others have their turn
    return hits


async def tail(topic: OpenTopic, plan: Plan, selection: Selection, clock: Clock) -> AsyncIterator[Hit | Progress]:
    """From where the plan ends on, for as long as somebody listens. Each leader is asked by itself, so one broker
    without news holds up nobody."""
    progress, begun = Progress(), clock.monotonic()
    lots: asyncio.Queue[list[Hit] | BaseException] = asyncio.Queue(maxsize=4)
    offsets = {one: span.begin for one, span in plan.spans.items()}
    tasks = [
        asyncio.create_task(_follow(topic, {one: offsets[one] for one in ids}, selection, progress, lots))
        for ids in by_leader(topic.leaders, offsets, topic.name).values()
    ]
    try:
        while True:
            lot = await lots.get()
            if isinstance(lot, BaseException):
                raise lot
            for hit in lot:
                progress.found += 1
                yield hit
            progress.seconds = clock.monotonic() - begun
            yield progress
    finally:
        await ended(*tasks)


async def _follow(
    topic: OpenTopic,
    offsets: dict[int, int],
    selection: Selection,
    progress: Progress,
    lots: "asyncio.Queue[list[Hit] | BaseException]",
) -> None:
    how = replace(_TAIL, committed=topic.committed)
    try:
        while True:
            hits: list[Hit] = []
            for partition, piece in (await topic.fetched(offsets, how)).items():
                if piece.out_of_range:
                    offsets[partition] = (await topic.at([partition], LATEST))[partition] or 0
                    continue
                if piece.data:  # to the end of the line, for brokers fill an answer in order until it is full
                    offsets[partition] = offsets.pop(partition)
                batches = list(batches_in(partition, piece.data))
                if not batches:
                    continue
                span = Span(offsets[partition], batches[-1].next_offset)
                looked = await asyncio.to_thread(
                    _looked, piece, batches, span, selection, topic.committed, MOST_UNPACKED
                )
                progress.messages += looked.messages
                progress.bytes += len(piece.data)
                hits += await _hits(looked.records, selection, progress)
                offsets[partition] = looked.next_offset
            hits.sort(key=lambda one: (one.record.timestamp, one.record.partition, one.record.offset))
            await lots.put(hits)
    except Exception as error:
        await lots.put(error)
