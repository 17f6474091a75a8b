"""Who looks after a task that fails."""

import asyncio
from random import Random

import pytest
from tests.builders.virtual_time import in_virtual_time, settle

from klamm.base.backoff import BackOff
from klamm.base.tasks import OnFailure, Supervisor, TaskFailed


class _Failing:
    """Fails some times, then runs for ever; remembers when it was started and whether it was cancelled."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.starts: list[float] = []
        self.cancelled = False

    async def run(self) -> None:
        self.starts.append(asyncio.get_running_loop().time())
        if len(self.starts) <= self.times:
            raise OSError("no server")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


def _supervisor() -> Supervisor:
    return Supervisor("test", Random(1), BackOff(first=1, longest=4, jitter=0))


@in_virtual_time
async def test_a_failing_task_is_started_again_with_growing_waits() -> None:
    task = _Failing(times=4)
    async with _supervisor() as tasks:
        tasks.start("watch", task.run)
        await asyncio.sleep(60)
    assert task.starts == [0, 1, 3, 7, 11]


@in_virtual_time
async def test_leaving_the_block_cancels_the_tasks_and_waits_for_them() -> None:
    task = _Failing(times=0)
    async with _supervisor() as tasks:
        tasks.start("watch", task.run)
        await settle()
    assert task.cancelled


@in_virtual_time
async def test_a_needed_task_that_fails_ends_the_group_and_is_named() -> None:
    other = _Failing(times=0)

    async def program() -> None:
        async with _supervisor() as tasks:
            tasks.start("watch", other.run)
            await settle()
            tasks.start("health server", _Failing(times=1).run, OnFailure.END)
            await asyncio.sleep(60)

    with pytest.raises(TaskFailed, match="test: health server failed: no server") as caught:
        await program()
    assert str(caught.value.__cause__) == "no server"
    assert other.cancelled
    assert asyncio.get_running_loop().time() == 0


@in_virtual_time
async def test_the_error_of_the_block_itself_comes_out_as_it_is() -> None:
    async def program() -> None:
        async with _supervisor() as tasks:
            tasks.start("watch", _Failing(times=0).run)
            await settle()
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await program()


@in_virtual_time
async def test_a_task_that_returns_is_finished() -> None:
    runs: list[int] = []

    async def once() -> None:
        runs.append(1)

    async with _supervisor() as tasks:
        tasks.start("once", once)
        await asyncio.sleep(60)
    assert runs == [1]
