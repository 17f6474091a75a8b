"""Each name at most once in line, never twice at work."""

import asyncio

from tests.builders.virtual_time import in_virtual_time

from klamm.control.queue import Queue
from klamm.kube.kinds import Name

A, B = Name("kafka", "a"), Name("kafka", "b")


def _now() -> float:
    return asyncio.get_running_loop().time()


@in_virtual_time
async def test_a_name_triggered_often_is_taken_once() -> None:
    queue = Queue()
    assert queue.trigger(A)
    assert not queue.trigger(A)
    queue.trigger(B)
    assert [await queue.take(), await queue.take()] == [A, B]
    assert len(queue) == 0


@in_virtual_time
async def test_a_name_triggered_while_it_runs_runs_once_more() -> None:
    queue = Queue()
    queue.trigger(A)
    await queue.take()
    queue.trigger(A)
    queue.trigger(A)
    assert len(queue) == 0
    assert queue.finish(A)
    assert await queue.take() == A
    assert not queue.finish(A)


@in_virtual_time
async def test_a_later_trigger_comes_at_its_time() -> None:
    queue = Queue()
    queue.trigger(A, after=30)
    assert await queue.take() == A
    assert _now() == 30


@in_virtual_time
async def test_the_earliest_trigger_wins_and_there_is_only_one() -> None:
    queue = Queue()
    queue.trigger(A, after=30)
    assert queue.trigger(A, after=10)
    assert not queue.trigger(A, after=20)
    assert await queue.take() == A
    assert _now() == 10
    queue.finish(A)
    queue.trigger(B, after=100)
    assert await queue.take() == B


@in_virtual_time
async def test_a_trigger_now_takes_the_place_of_a_timer() -> None:
    queue = Queue()
    queue.trigger(A, after=30)
    queue.trigger(A)
    assert await queue.take() == A
    queue.finish(A)
    queue.trigger(B, after=60)
    assert await queue.take() == B
