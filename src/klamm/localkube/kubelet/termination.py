"""Ending one container: preStop hook, SIGTERM, grace, SIGKILL (Kubernetes, "Termination of Pods").

The hook's time counts against the grace; when the hook has used it up, the program still gets two seconds. A later,
more impatient deletion shortens the grace of a termination that is under way (`hurry`).
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable

from klamm.base.clock import Clock
from klamm.localkube.kubelet.runtime import Runtime

LEAST_AFTER_HOOK = 2.0
_KILL_AGAIN = 5.0
"""SIGKILL always works, a lost message does not."""


class Termination:
    def __init__(self, runtime: Runtime, clock: Clock, container_id: str, grace: float, term: int) -> None:
        """`term`: the signal that asks the program to end, usually SIGTERM."""
        self._runtime = runtime
        self._clock = clock
        self._container_id = container_id
        self._term = term
        self._deadline = clock.monotonic() + grace
        self._changed = asyncio.Event()
        self._ended = asyncio.Event()

    def hurry(self, grace: float) -> None:
        self._deadline = min(self._deadline, self._clock.monotonic() + grace)
        self._changed.set()

    def ended(self) -> None:
        """The container has ended: `run` returns."""
        self._ended.set()
        self._changed.set()

    async def run(self, pre_stop: Callable[[float], Awaitable[None]] | None) -> None:
        """`pre_stop` gets the seconds that it may take. Returns when the container has ended."""
        if pre_stop is not None and self._left() > 0:
            await self._hook(pre_stop)
            self._deadline = max(self._deadline, self._clock.monotonic() + LEAST_AFTER_HOOK)
        if not self._ended.is_set():
            await self._runtime.signal_container(self._container_id, self._term)
        await self._until_deadline()
        while not self._ended.is_set():
            await self._runtime.signal_container(self._container_id, signal.SIGKILL)
            await self._wait(_KILL_AGAIN)

    async def _hook(self, pre_stop: Callable[[float], Awaitable[None]]) -> None:
        hook = asyncio.ensure_future(pre_stop(self._left()))
        try:
            while not hook.done() and not self._ended.is_set() and self._left() > 0:
                self._changed.clear()
                waiter = asyncio.ensure_future(self._changed.wait())
                await asyncio.wait({hook, waiter}, timeout=self._left(), return_when=asyncio.FIRST_COMPLETED)
                waiter.cancel()
        finally:
            hook.cancel()

    async def _until_deadline(self) -> None:
        while not self._ended.is_set() and self._left() > 0:
            await self._wait(self._left())

    async def _wait(self, seconds: float) -> None:
        self._changed.clear()
        if self._ended.is_set():
            return
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _left(self) -> float:
        # To the microsecond: a rest that is too small to move a clock would be waited for again and again.
        return round(self._deadline - self._clock.monotonic(), 6)
