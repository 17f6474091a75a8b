"""Tasks that somebody looks after.

A bare asyncio task that fails is noticed when it is garbage-collected, or never. Here every task belongs to a
`Supervisor`, has a name, and says beforehand what its failure means: it is started again after a back-off (a watch,
a periodic job), or it ends the whole group (what the process cannot be without).

    async with Supervisor("cluster operator", random) as tasks:
        tasks.start("watch of pods", pods.run)
        tasks.start("health server", serve, on_failure=OnFailure.END)
        await stop.wait()

Leaving the block cancels the tasks and waits for them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from random import Random
from types import TracebackType
from typing import Self

from klamm.base import logs
from klamm.base.backoff import BackOff

_log = logs.room("tasks")


class OnFailure(Enum):
    RESTART = "restart"
    END = "end"


class TaskFailed(Exception):
    """A task without which the group has no sense failed; the cause is chained."""

    def __init__(self, group: str, task: str, error: BaseException) -> None:
        super().__init__(f"{group}: {task} failed: {error or type(error).__name__}")
        self.task = task


class Supervisor:
    """A group of named tasks. Failures are logged; whoever leaves the block early leaves no task behind."""

    def __init__(self, name: str, random: Random, back_off: BackOff | None = None) -> None:
        self.name = name
        self._random = random
        self._back_off = back_off or BackOff(first=0.2, longest=30.0)
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(
        self, name: str, run: Callable[[], Awaitable[object]], on_failure: OnFailure = OnFailure.RESTART
    ) -> asyncio.Task[None]:
        """Run it now. A task that returns is finished and not started again."""
        looked_after = self._restarting(name, run) if on_failure is OnFailure.RESTART else self._needed(name, run)
        task = self._group.create_task(looked_after, name=f"{self.name}: {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        try:
            await self._group.__aexit__(kind, error, trace)
        except BaseExceptionGroup as group:
            telling = _most_telling(group)
            raise telling from telling.__cause__  # `from None` would take the cause away

    async def _needed(self, name: str, run: Callable[[], Awaitable[object]]) -> None:
        try:
            await run()
        except Exception as error:
            raise TaskFailed(self.name, name, error) from error

    async def _restarting(self, name: str, run: Callable[[], Awaitable[object]]) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            started = loop.time()
            try:
                await run()
                return
            except Exception as error:
                # A task that ran well for long starts anew: its failure is not the continuation of the last one.
                lasted = loop.time() - started
                failures = 1 if lasted > self._back_off.longest else failures + 1
                delay = self._back_off.delay(failures, self._random)
                _log.error("task failed and is started again", error, task=name, group=self.name, after=round(delay, 2))
                await asyncio.sleep(delay)


def _most_telling(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one error to show: a needed task's failure, else the error that left the block."""
    flat: list[BaseException] = []
    for error in group.exceptions:
        flat.append(_most_telling(error) if isinstance(error, BaseExceptionGroup) else error)
    return next((error for error in flat if isinstance(error, TaskFailed)), flat[0])
