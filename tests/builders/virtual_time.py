"""Time that costs nothing: the house's one way to test what waits.

An event loop whose clock jumps to the next timer as soon as nothing is left to do. `asyncio.sleep`, timeouts and
deadlines work as they are; a test of a ten-minute back-off takes a millisecond and always the same course.

    @in_virtual_time
    async def test_a_failed_pass_comes_back_later() -> None: ...

Not for real sockets, processes and threads: their answer takes real time, and the clock would jump past it.
"""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec

P = ParamSpec("P")

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


class Stuck(AssertionError):
    """All tasks wait and no timer is set: the test would hang for ever."""


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of sleeping until the next timer, says that the time has come.

    While the loop has something to do (`timeout` 0), what other threads and sockets have for it waits: asking the
    kernel at each of some million steps would cost more than the steps.
    """

    passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout == 0:
            return []
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise Stuck("every task waits and no timer is set")
        self.passed += max(timeout, 0)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        # Timers within the resolution are due together, so that no rounding error makes the loop spin.
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self._jumping.passed


class LoopClock:
    """The `Clock` that agrees with the running loop; 2026-03-01 12:00 UTC at its start."""

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


def run_in_virtual_time(test: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(test)


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test on a loop of its own with virtual time."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        run_in_virtual_time(test(*args, **kwargs))

    return run


async def settle() -> None:
    """Let every task run that can run now, without moving the clock."""
    for _ in range(50):
        await asyncio.sleep(0)
