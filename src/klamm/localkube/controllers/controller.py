"""What a controller is, and the loop that runs one.

A controller says which changes give it work (`watch`) and does the work for one key (`reconcile`), from the newest
state and again whenever it is told. It holds no plan in memory that its objects do not hold, so it may be stopped
and started at any moment. One key at a time: no two reconciles of one controller run together.
"""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Protocol

from klamm.base import logs
from klamm.base.clock import Clock
from klamm.localkube.controllers.workqueue import WorkQueue
from klamm.localkube.objects import Refused

_log = logs.room("localkube.controllers")

LOUD_AFTER = 1.0
"""Conflicts are everyday: a refusal is a warning only when the back-off has grown to this many seconds."""


class Controller(Protocol):
    @property
    def name(self) -> str: ...

    def watch(self, queue: "WorkQueue[Any]") -> None:
        """Subscribe to what gives work. Called once, before the first `reconcile`."""
        ...

    async def reconcile(self, key: Any) -> float | None:
        """Do the work for the key; return the seconds after which to look again, or None."""
        ...


@dataclass
class Loop:
    """One controller at work. `run` ends only by an error of its own (a bug), never by one of `reconcile`."""

    controller: Controller
    clock: Clock
    queue: "WorkQueue[Any]" = field(init=False)
    _watching: bool = False

    def __post_init__(self) -> None:
        self.queue = WorkQueue(self.clock)

    def watch(self) -> None:
        if not self._watching:
            self._watching = True
            self.controller.watch(self.queue)

    async def run(self) -> None:
        self.watch()
        while True:
            key = await self.queue.get()
            await self._reconcile(key)
            await asyncio.sleep(0)

    async def _reconcile(self, key: Hashable) -> None:
        try:
            again_after = await self.controller.reconcile(key)
        except Refused as refused:
            if refused.namespace_is_ending:
                return  # the owner goes with it
            delay = self.queue.retry(key)
            tell = _log.warning if delay > LOUD_AFTER else _log.debug
            tell(f"refused: {refused}", controller=self.controller.name, of=key, after=delay)
        except Exception as error:
            delay = self.queue.retry(key)
            _log.error("failed and is tried again", error, controller=self.controller.name, of=key, after=delay)
        else:
            self.queue.succeeded(key)
            if again_after is not None:
                self.queue.add_after(key, again_after)
