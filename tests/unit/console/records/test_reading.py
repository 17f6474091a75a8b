"""Reading a topic: of partitions that tests hold in memory, and of brokers that say what tests want."""

import asyncio
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from tests.builders.virtual_time import in_virtual_time

from klamm.base.clock import SystemClock
from klamm.console.api.messages import forward
from klamm.console.records.plan import Plan, Span, planned
from klamm.console.records.reading import End, Hit, OpenTopic, Progress, read, tail
from klamm.console.records.selection import Selection
from klamm.console.records.shown import Showing
from klamm.console.serdes.builtin import BUILT_IN, BuiltIns
from klamm.console.topics.analyses import Analysis, scan
from klamm.kafka.admin import Admin
from klamm.kafka.errors import NotNow
from klamm.kafka.facts import Partition, Topic
from klamm.kafka.offsets import EARLIEST
from klamm.kafka.reading import Fetching, Piece, by_leader
from klamm.kafka.writing import NewRecord, batch_of

ALL = Selection(Showing("orders", BuiltIns(), BUILT_IN["Auto"], BUILT_IN["Auto"]))


def _batch(base: int, times: Sequence[int]) -> bytes:
    data = batch_of([NewRecord(None, b"", one, ()) for one in times])
    return struct.pack(">q", base) + data[8:]


class Held(OpenTopic):
    """`logs`: by partition the times of its records, `of_batch` in a batch; an answer has room for one partition that
    has something, the first. `silent`: so many answers at first tell nothing."""

    def __init__(self, logs: Mapping[int, Sequence[int]], of_batch: int = 1, silent: int = 0) -> None:
        super().__init__(Admin(None, None), "orders", dict.fromkeys(logs, 1))  # type: ignore[arg-type]
        self.logs, self.of_batch, self.silent, self.answers = logs, of_batch, silent, 0

    async def at(self, partitions: Sequence[int], time: int) -> dict[int, int | None]:
        return {one: 0 if time == EARLIEST else len(self.logs[one]) for one in partitions}

    async def fetched(self, offsets: Mapping[int, int], how: Fetching) -> dict[int, Piece]:
        self.answers += 1
        if self.answers <= self.silent:
            return {}
        for one, offset in offsets.items():
            log = self.logs[one]
            if offset > len(log):
                return {one: Piece(b"", -1, out_of_range=True)}
            base = offset - offset % self.of_batch
            if offset < len(log):
                return {one: Piece(_batch(base, log[base : base + self.of_batch]), len(log))}
        return {one: Piece(b"", len(self.logs[one])) for one in offsets}


async def _hits(found: AsyncIterator[Hit | Progress | End]) -> list[tuple[int, int]]:
    return [(one.record.partition, one.record.offset) async for one in found if isinstance(one, Hit)]


async def test_what_is_found_backward_is_read_again_as_it_was_written() -> None:
    topic = Held({0: [10, 30, 50, 70], 1: [20, 40, 60]}, of_batch=2)
    plan = planned("LATEST", await topic.kept([0, 1]))
    newest = await _hits(read(topic, plan, ALL, 4, SystemClock()))
    again, more = await forward(plan, read(topic, plan, ALL, 4, SystemClock()))
    assert await _hits(read(topic, again, ALL, 4, SystemClock())) == newest[::-1] == [(1, 1), (0, 2), (1, 2), (0, 3)]
    assert more


async def test_a_log_that_was_cut_is_asked_once_and_not_offset_by_offset() -> None:
    topic = Held({0: [1, 2]})
    assert await _hits(read(topic, Plan(False, {0: Span(3, 1000)}), ALL, 10, SystemClock())) == []
    assert topic.answers == 1


async def test_no_partition_is_behind_for_another_that_always_has_something() -> None:
    topic = Held({0: [1, 2, 3], 1: [1, 2, 3]})
    live = tail(topic, Plan(False, {0: Span(0, 0), 1: Span(0, 0)}), ALL, SystemClock())
    partitions: list[int] = []
    async for one in live:
        if isinstance(one, Hit):
            partitions.append(one.record.partition)
            if len(partitions) == 4:
                break
    await live.aclose()  # type: ignore[attr-defined]
    assert partitions == [0, 1, 0, 1]


async def test_a_record_is_looked_at_once_in_whatever_windows_its_batch_comes() -> None:
    topic = Held({0: range(500), **dict.fromkeys(range(1, 10), ())}, of_batch=500)
    plan = planned("LATEST", await topic.kept(topic.partitions))
    (*_, progress, _) = [one async for one in read(topic, plan, ALL, 500, SystemClock())]
    assert isinstance(progress, Progress)
    assert (progress.messages, progress.found) == (500, 500)
    assert topic.answers > 2


async def test_answers_that_tell_of_nothing_are_no_end_of_a_scan() -> None:
    topic, analysis = Held({0: [1, 2, 3]}, silent=7), Analysis("orders", 0)
    await scan(topic, analysis)
    assert (analysis.passed, analysis.total) == (3, 3)


class Moving(Admin):
    """A broker that says each second time, or each time, that it leads no more."""

    def __init__(self, always: bool) -> None:
        self._always, self._answers = always, 0
        self._client = SimpleNamespace(_manager=SimpleNamespace(_conns={}))

    async def describe_topics(self, names: Sequence[str] | None = None, node: int | None = None) -> dict[str, Topic]:
        return {"orders": Topic("orders", None, False, (Partition("orders", 0, 1, (1,), (1,)),))}

    async def ask_within(self, seconds: float, doing: str, request: Any, node: int | None = None) -> Any:
        self._answers += 1
        moved = self._always or self._answers % 2
        part = SimpleNamespace(
            partition_index=0, error_code=6 if moved else 0, records=b"", high_watermark=0, aborted_transactions=()
        )
        return SimpleNamespace(responses=[SimpleNamespace(partitions=[part])])


@in_virtual_time
async def test_only_leaders_that_move_again_and_again_without_an_answer_are_given_up() -> None:
    now_and_then, always = (OpenTopic(Moving(one), "orders", {0: 1}) for one in (False, True))

    async def ask(topic: OpenTopic) -> None:
        for _ in range(100):
            await topic.fetched({0: 0}, Fetching())

    await ask(now_and_then)
    with pytest.raises(NotNow, match="move from leader to leader"):
        await ask(always)


def test_a_partition_without_a_leader_is_named() -> None:
    with pytest.raises(NotNow, match="partition 1 has no leader"):
        by_leader({0: 1, 1: None}, [0, 1], "orders")
    assert by_leader({0: 1, 1: None}, [0], "orders") == {1: [0]}


async def test_others_have_their_turn_while_many_records_go_out() -> None:
    topic, turns = Held({0: list(range(1000))}, of_batch=1000), 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    found = read(topic, Plan(False, {0: Span(0, 1000)}), ALL, 1000, SystemClock())
    seen = {turns async for one in found if isinstance(one, Hit)}
    task.cancel()
    assert len(seen) >= 5
