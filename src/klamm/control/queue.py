"""Names that want a pass: each at most once in line, never worked on twice at a time, some of them later.

    trigger ──▶ waiting ──take──▶ running ──finish──▶ (triggered meanwhile? waiting again : nothing)
    trigger(after) ──▶ a timer; an earlier trigger replaces a later one

The rules are those of every level-triggered loop: a name that is triggered while it runs runs once more afterwards,
however often it was triggered; what happened in between is read from the world, not from the queue.
"""

import asyncio
from collections import OrderedDict

from klamm.kube.kinds import Name


class Queue:
    def __init__(self) -> None:
        self._waiting: OrderedDict[Name, None] = OrderedDict()
        self._running: set[Name] = set()
        self._again: set[Name] = set()
        self._timers: dict[Name, asyncio.TimerHandle] = {}
        self._arrived = asyncio.Event()

    def __len__(self) -> int:
        """How many are in line."""
        return len(self._waiting)

    @property
    def running(self) -> int:
        return len(self._running)

    def trigger(self, name: Name, after: float = 0.0) -> bool:
        """Put the name in line now or later. False when an earlier trigger covers this one."""
        if name in self._waiting or name in self._again:
            return False
        if after <= 0:
            self._put(name)
            return True
        loop = asyncio.get_running_loop()
        due = loop.time() + after
        timer = self._timers.get(name)
        if timer is not None:
            if timer.when() <= due:
                return False
            timer.cancel()
        self._timers[name] = loop.call_at(due, self._put, name)
        return True

    async def take(self) -> Name:
        """The next name, which is running from now on until `finish`."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        name, _ = self._waiting.popitem(last=False)
        self._running.add(name)
        return name

    def finish(self, name: Name) -> bool:
        """The pass is over. True when the name goes back in line because it was triggered meanwhile."""
        self._running.discard(name)
        if name not in self._again:
            return False
        self._again.discard(name)
        self._put(name)
        return True

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _put(self, name: Name) -> None:
        if timer := self._timers.pop(name, None):
            timer.cancel()
        if name in self._running:
            self._again.add(name)
        else:
            self._waiting[name] = None
            self._arrived.set()
