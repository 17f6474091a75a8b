"""Scans of whole topics for their statistics: a few at a time, each with progress, each ended when one likes.

    place.analyses.start("orders")
    place.analyses.of("orders").progress

A scan reads what the topic held when it began. It has a connection of its own, and its counting runs in a thread.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Literal

from klamm.base import logs
from klamm.base.clock import Clock, milliseconds
from klamm.base.together import ended
from klamm.console.problems import Problem
from klamm.console.records.reading import MOST_UNPACKED, OpenTopic, opened
from klamm.console.topics.statistics import Counting, Statistics
from klamm.kafka.admin import Admin
from klamm.kafka.batches import Corrupt, batches_in
from klamm.kafka.errors import KafkaFailure
from klamm.kafka.reading import Fetching, Piece

_log = logs.room("console")

MOST_AT_ONCE = 4
_KEPT = 100
_HOW = Fetching(of_partition=2 << 20, of_all=16 << 20, wait=0.2)
_IDLE = 5
"""Answers without a record after which the rest is taken for compacted away. Of all that was asked for: leaders that
moved, and brokers that hold back for a quota, say nothing."""

State = Literal["running", "done", "failed", "cancelled"]


@dataclass
class Analysis:
    """`total`: by offsets, of which compaction and transactions leave out some. Times are of the clock's `now`, in
    milliseconds; `unreadable`: batches that are broken."""

    topic: str
    begun: int
    state: State = "running"
    total: int = 0
    passed: int = 0
    unreadable: int = 0
    why: str | None = None
    result: Statistics | None = None
    ended: int | None = None
    counting: Counting = field(default_factory=Counting)


class Analyses:
    """Those of one cluster."""

    def __init__(self, reader: Callable[[], AbstractAsyncContextManager[Admin]], clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._known: OrderedDict[str, Analysis] = OrderedDict()
        self._running: dict[str, asyncio.Task[None]] = {}

    def of(self, topic: str) -> Analysis | None:
        """The last one."""
        return self._known.get(topic)

    def start(self, topic: str) -> None:
        """Raises `Problem` when it runs already, or too many do."""
        if topic in self._running:
            raise Problem(409, "Running", f"topic {topic} is being analysed already; wait, or cancel that")
        if len(self._running) >= MOST_AT_ONCE:
            raise Problem(429, "TooManyAnalyses", f"{MOST_AT_ONCE} topics are being analysed; wait, or cancel one")
        analysis = Analysis(topic, self._now())
        self._known.pop(topic, None)
        self._known[topic] = analysis
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        task = self._running[topic] = asyncio.create_task(self._run(analysis))
        task.add_done_callback(lambda _: self._end(analysis))

    async def cancel(self, topic: str) -> bool:
        """Whether one was running."""
        task = self._running.get(topic)
        if task is not None:
            await ended(task)
        return task is not None

    async def close(self) -> None:
        await ended(*self._running.values())

    async def _run(self, analysis: Analysis) -> None:
        try:
            async with self._reader() as admin:
                await scan(await opened(admin, analysis.topic), analysis)
            analysis.result = analysis.counting.result()
            analysis.state = "done"
        except (Problem, KafkaFailure) as failure:
            analysis.state, analysis.why = "failed", str(failure)
        except Exception as error:
            _log.error("an analysis failed", error, topic=analysis.topic)
            analysis.state, analysis.why = "failed", f"klamm failed: {type(error).__name__}"

    def _end(self, analysis: Analysis) -> None:
        """Also of one that was cancelled before it could begin."""
        if analysis.state == "running":
            analysis.state = "cancelled"
        analysis.ended = self._now()
        analysis.counting = Counting()
        del self._running[analysis.topic]

    def _now(self) -> int:
        return milliseconds(self._clock)


async def scan(topic: OpenTopic, analysis: Analysis) -> None:
    """Counts what the topic holds now."""
    spans = await topic.kept(topic.partitions)
    offsets = {one: span.begin for one, span in spans.items() if span.begin < span.end}
    begins, ends = dict(offsets), {one: spans[one].end for one in offsets}
    analysis.total = sum(ends[one] - begins[one] for one in offsets)
    idle = 0
    while offsets and idle < _IDLE:
        pieces = await topic.fetched(offsets, _HOW)
        told_of_all = len(pieces) == len(offsets)
        if any(piece.out_of_range for piece in pieces.values()):
            kept = await topic.kept(list(offsets))
            pieces = {one: piece for one, piece in pieces.items() if not piece.out_of_range}
            offsets = {one: max(offset, kept[one].begin) for one, offset in offsets.items()}
        after = await asyncio.to_thread(_counted, pieces, offsets, ends, analysis)
        idle = 0 if after != offsets else idle + told_of_all
        analysis.passed = sum(min(after.get(one, ends[one]), ends[one]) - begins[one] for one in begins)
        offsets = {one: offset for one, offset in after.items() if offset < ends[one]}


def _counted(
    pieces: Mapping[int, Piece], offsets: Mapping[int, int], ends: Mapping[int, int], analysis: Analysis
) -> dict[int, int]:
    """Where to read on, by partition. Ends early when much was unpacked: nobody can cancel a thread."""
    after, unpacked = dict(offsets), 0
    for partition, piece in pieces.items():
        for batch in batches_in(partition, piece.data):
            if not batch.is_control:
                try:
                    for one in batch.records():
                        if after[partition] <= one.offset < ends[partition]:
                            analysis.counting.add(partition, one.key, one.value, one.timestamp)
                except Corrupt:
                    analysis.unreadable += 1
            after[partition] = max(after[partition], batch.next_offset)
            unpacked += batch.release()
            if unpacked > MOST_UNPACKED:
                return after
    return after
