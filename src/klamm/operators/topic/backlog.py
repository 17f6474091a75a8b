"""Topics that want a look: each at most once in line, so the line is never longer than there are topics.

Two lines: what changed goes first, and resyncs fill up the batches that are not full. A user's change does not wait
until ten thousand quiet topics have been looked at.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable

from klamm.kube.kinds import Name


class Backlog:
    def __init__(self) -> None:
        self._changed: OrderedDict[Name, None] = OrderedDict()
        self._routine: OrderedDict[Name, None] = OrderedDict()
        self._timers: dict[Name, asyncio.TimerHandle] = {}
        self._arrived = asyncio.Event()

    def __len__(self) -> int:
        """How many are in line."""
        return len(self._changed) + len(self._routine)

    def changed(self, name: Name) -> bool:
        """False when it was in line as changed already."""
        if name in self._changed:
            return False
        if timer := self._timers.pop(name, None):
            timer.cancel()
        self._routine.pop(name, None)
        self._changed[name] = None
        self._arrived.set()
        return True

    def routine(self, names: Iterable[Name]) -> None:
        for name in names:
            if name not in self._changed:
                self._routine[name] = None
        self._arrived.set()

    def later(self, name: Name, seconds: float) -> None:
        """In line after that time; whoever is in line already, or comes sooner, is not held up."""
        if name in self._changed or name in self._timers:
            return
        self._timers[name] = asyncio.get_running_loop().call_later(seconds, self.changed, name)

    async def take(self, most: int, linger: float) -> list[Name]:
        """The next batch: at least one name. `linger` seconds are given to others that come along with the first."""
        while not len(self):
            self._arrived.clear()
            await self._arrived.wait()
        if len(self) < most:
            await asyncio.sleep(linger)
        taken = _popped(self._changed, most)
        return taken + _popped(self._routine, most - len(taken))

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()


def _popped(line: OrderedDict[Name, None], most: int) -> list[Name]:
    return [line.popitem(last=False)[0] for _ in range(min(most, len(line)))]
