import asyncio

from tests.builders.virtual_time import in_virtual_time

from klamm.kube.kinds import Name
from klamm.operators.topic.backlog import Backlog

A, B, C = Name("kafka", "a"), Name("kafka", "b"), Name("kafka", "c")


@in_virtual_time
async def test_a_name_is_in_line_once_however_often_it_changes() -> None:
    backlog = Backlog()
    for _ in range(3):
        backlog.changed(A)
    backlog.routine([A, B])
    assert await backlog.take(10, 0) == [A, B]
    assert len(backlog) == 0


@in_virtual_time
async def test_changes_go_before_routine_which_fills_the_batch_up() -> None:
    backlog = Backlog()
    backlog.routine([A, B])
    backlog.changed(C)
    assert await backlog.take(2, 0) == [C, A]
    assert await backlog.take(2, 0) == [B]


@in_virtual_time
async def test_what_comes_within_a_moment_shares_a_batch() -> None:
    backlog = Backlog()
    taking = asyncio.create_task(backlog.take(10, 1.0))
    await asyncio.sleep(5)
    backlog.changed(A)
    await asyncio.sleep(0.5)
    backlog.changed(B)
    assert await taking == [A, B]


@in_virtual_time
async def test_who_comes_later_is_not_held_up_when_it_changes_before() -> None:
    backlog = Backlog()
    backlog.later(A, 60)
    backlog.later(B, 10)
    backlog.changed(A)
    assert await backlog.take(10, 0) == [A]
    assert await backlog.take(10, 0) == [B]
    assert asyncio.get_running_loop().time() == 10
