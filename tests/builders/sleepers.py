"""Pretended processes on one event loop that can be stopped, as by SIGSTOP.

What a process started goes on only while it is awake; the world's time, the network and the other processes go on
meanwhile. It wakes as real processes do: everything that came due is there at once, in any order, and a task may do
its next step before a timer of the same process has been looked at.

    loop.set_task_factory(tasks_of_sleepers)
    one = Sleeper(Random(1))
    one.start(election.lead(work))
    one.stop(); await asyncio.sleep(60); one.wake()
"""

import asyncio
import types
from collections.abc import Coroutine, Generator
from contextvars import ContextVar
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")

_RUNNING: ContextVar["Sleeper | None"] = ContextVar("the process that a task belongs to", default=None)


class Sleeper:
    def __init__(self, random: Random) -> None:
        self.asleep = False
        self._random = random
        self._held: list[asyncio.Future[None]] = []

    def start(self, what: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run it, and everything that it starts, in this process."""
        token = _RUNNING.set(self)
        try:
            return asyncio.ensure_future(what)
        finally:
            _RUNNING.reset(token)

    def stop(self) -> None:
        self.asleep = True

    def wake(self) -> None:
        self.asleep = False
        self._random.shuffle(self._held)
        for each in self._held:
            if not each.done():
                each.set_result(None)
        self._held.clear()

    def held(self) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        self._held.append(future)
        return future


def tasks_of_sleepers(loop: asyncio.AbstractEventLoop, what: Coroutine[Any, Any, T], **more: Any) -> "asyncio.Task[T]":
    """For `loop.set_task_factory`."""
    process = _RUNNING.get()
    return asyncio.Task(what if process is None else _while_awake(process, what), loop=loop, **more)


@types.coroutine
def _while_awake(process: Sleeper, what: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    """Each step of `what` only while the process is awake; what is thrown in meanwhile comes with the next step."""
    failure: BaseException | None = None
    while True:
        while process.asleep:
            try:
                yield from process.held().__await__()
            except GeneratorExit:
                raise
            except BaseException as error:
                failure = error
        try:
            awaited = what.throw(failure) if failure is not None else what.send(None)
        except StopIteration as end:
            result: T = end.value
            return result
        failure = None
        try:
            yield awaited
        except GeneratorExit:
            raise
        except BaseException as error:
            failure = error
