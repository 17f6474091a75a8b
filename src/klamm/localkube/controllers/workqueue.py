"""The queue in front of a controller: keys, each at most once, with delays and back-off.

A key that is added while it waits is merged; the controller looks at the newest state anyway (level-triggered).
A key has one next time: an earlier one wins, so that a change is not held up by a long wait. Delays run on the
given clock; the event loop is only woken at the next due time, so an idle queue costs nothing.
"""

import asyncio
import heapq
from collections import deque
from typing import Final, Generic, TypeVar

from klamm.base.clock import Clock

K = TypeVar("K")

FIRST_DELAY: Final = 0.02
LONGEST_DELAY: Final = 30.0


class WorkQueue(Generic[K]):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready: deque[K] = deque()
        self._waiting: set[K] = set()
        """What is in `_ready`."""
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._pushed = 0
        self._failures: dict[K, int] = {}
        self._wakeup = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, key: K) -> None:
        """Put the key at the end of the queue, unless it is in it."""
        self._due.pop(key, None)
        if key in self._waiting:
            return
        self._waiting.add(key)
        self._ready.append(key)
        self._wakeup.set()

    def add_after(self, key: K, seconds: float) -> None:
        """Add the key later; an earlier wait for the same key stays."""
        if seconds <= 0:
            return self.add(key)
        due = self._clock.monotonic() + seconds
        if key in self._waiting or self._due.get(key, due + 1) <= due:
            return
        self._due[key] = due
        self._pushed += 1
        heapq.heappush(self._heap, (due, self._pushed, key))
        self._set_timer()

    def retry(self, key: K) -> float:
        """Add the key after a delay that doubles with every failure in a row; returns the delay."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay: float = min(FIRST_DELAY * 2 ** min(failures, 16), LONGEST_DELAY)
        self.add_after(key, delay)
        return delay

    def succeeded(self, key: K) -> None:
        """Forget the key's failures."""
        self._failures.pop(key, None)

    async def get(self) -> K:
        """Wait for a key and take it out of the queue."""
        while not self._ready:
            self._wakeup.clear()
            await self._wakeup.wait()
        key = self._ready.popleft()
        self._waiting.discard(key)
        return key

    def release_due(self) -> None:
        """Move what is due into the queue; the timer calls it, and tests that move the clock do."""
        now = self._clock.monotonic()
        while self._heap and self._heap[0][0] <= now:
            due, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == due:
                self.add(key)
        self._set_timer()

    def __len__(self) -> int:
        return len(self._ready)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._heap:
            delay = max(0.0, self._heap[0][0] - self._clock.monotonic())
            self._timer = asyncio.get_running_loop().call_later(delay + 0.001, self.release_due)
