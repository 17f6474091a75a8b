"""What becomes of calls side by side when one fails, and when nobody wants them any more."""

import asyncio

import pytest

from klamm.base.together import ended, outcomes_of, side_by_side


class _Calls:
    """Some that wait, and remember how they ended."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.ends: list[str] = []

    async def fails(self, said: str = "no") -> None:
        await self.go.wait()
        self.ends.append("failed")
        raise OSError(said)

    async def answers(self, said: str) -> str:
        await self.go.wait()
        self.ends.append(said)
        return said

    async def hangs(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.ends.append("cancelled")


async def test_results_come_in_order() -> None:
    calls = _Calls()
    calls.go.set()
    assert await side_by_side(calls.answers("a"), calls.answers("b")) == ("a", "b")
    assert await side_by_side() == ()


async def test_a_failure_is_raised_when_all_have_ended() -> None:
    calls = _Calls()
    calls.go.set()
    with pytest.raises(OSError, match="first"):
        await side_by_side(calls.fails("first"), calls.fails("second"), calls.answers("a"))
    assert calls.ends == ["failed", "failed", "a"]


async def test_failures_stand_in_the_place_of_results() -> None:
    calls = _Calls()
    calls.go.set()
    failed, answered = await outcomes_of(calls.fails(), calls.answers("a"))
    assert isinstance(failed, OSError)
    assert answered == "a"


async def test_a_cancellation_in_the_moment_of_a_failure_is_not_lost() -> None:
    calls = _Calls()
    task = asyncio.create_task(side_by_side(calls.fails(), calls.hangs()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    calls.go.set()
    await asyncio.sleep(0)
    # One has failed, and the task that waits for it has not heard of it yet.
    assert calls.ends == ["failed"]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert calls.ends == ["failed", "cancelled"]


async def test_ended_tasks_have_ended() -> None:
    calls = _Calls()
    tasks = [asyncio.create_task(calls.hangs()) for _ in range(2)]
    done = asyncio.create_task(calls.fails())
    calls.go.set()
    await asyncio.wait([done])
    await ended(*tasks, done)
    assert calls.ends == ["failed", "cancelled", "cancelled"]
    assert all(task.cancelled() for task in tasks)
