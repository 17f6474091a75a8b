"""A single-threaded event loop over epoll: what guardian, supervisor and relay run on.

asyncio would double the memory of each of these processes (19 MB instead of 9), and none of them needs more than
file descriptors, timers and SIGCHLD. Rules: a callback never blocks; an exception in a callback is written to
stderr and does not end the loop, because the loop's death would end every pod of the node.
"""

from __future__ import annotations

import heapq
import os
import select
import signal
import sys
from collections.abc import Callable

READ = select.EPOLLIN
WRITE = select.EPOLLOUT
BROKEN = select.EPOLLERR | select.EPOLLHUP
"""Told even when not asked for."""

Callback = Callable[[int], None]
"""Called with the ready events."""


class Timer:
    """A call to come; `cancel` is idempotent."""

    __slots__ = ("callback", "due")

    def __init__(self, due: float, callback: Callable[[], None]) -> None:
        self.due = due
        self.callback: Callable[[], None] | None = callback

    def __lt__(self, other: Timer) -> bool:
        return self.due < other.due

    def cancel(self) -> None:
        self.callback = None


class Loop:
    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.monotonic = monotonic
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callback] = {}
        self._timers: list[Timer] = []
        self._signals: dict[int, Callable[[], None]] = {}
        self._running = False

    def watch(self, fd: int, events: int, callback: Callback) -> None:
        self._callbacks[fd] = callback
        self._epoll.register(fd, events)

    def change(self, fd: int, events: int) -> None:
        self._epoll.modify(fd, events)

    def forget(self, fd: int) -> None:
        """Call before the descriptor is closed. Idempotent."""
        if self._callbacks.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(self.monotonic() + seconds, callback)
        heapq.heappush(self._timers, timer)
        return timer

    def on_signal(self, number: int, callback: Callable[[], None]) -> None:
        """`callback` runs in the loop, not in the handler."""
        if not self._signals:
            reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
            self.watch(reader, READ, lambda _: self._drain_signals(reader))
        self._signals[number] = callback
        signal.signal(number, lambda *_: None)

    def run(self) -> None:
        self._running = True
        while self._running:
            for fd, events in self._poll():
                callback = self._callbacks.get(fd)
                if callback is not None:
                    self._guarded(lambda callback=callback, events=events: callback(events))  # type: ignore[misc]
            self._run_timers()

    def stop(self) -> None:
        self._running = False

    def _poll(self) -> list[tuple[int, int]]:
        while self._timers and self._timers[0].callback is None:
            heapq.heappop(self._timers)
        timeout = -1.0
        if self._timers:
            timeout = max(0.0, self._timers[0].due - self.monotonic())
        return self._epoll.poll(timeout)

    def _run_timers(self) -> None:
        now = self.monotonic()
        while self._timers and self._timers[0].due <= now:
            callback = heapq.heappop(self._timers).callback
            if callback is not None:
                self._guarded(callback)

    def _drain_signals(self, reader: int) -> None:
        for number in set(os.read(reader, 4096)):
            callback = self._signals.get(number)
            if callback is not None:
                callback()

    def _guarded(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception:
            sys.excepthook(*sys.exc_info())
