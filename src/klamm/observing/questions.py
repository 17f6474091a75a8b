"""Questions to brokers that run on beside the collections.

Whoever asks waits for a while. An answer that comes later is kept for whoever asks the same the next time: so nobody
waits long for a broker that hangs, and one that needs long is read all the same. Of each part of each broker at most
one question is under way.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from klamm.base.clock import Clock
from klamm.base.deadlines import DeadlineExceeded
from klamm.kafka.errors import KafkaFailure, Unreachable
from klamm.observing.snapshot import PartKey

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """`at`: when it was asked for; `late`: it was not there yet when the one who asked went on."""

    value: T
    at: float
    seconds: float
    late: bool = False

    @property
    def came_at(self) -> float:
        return self.at + self.seconds


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """`silent`: nobody spoke at all. `error`: it was told and nobody could make sense of it."""

    why: str
    silent: bool = False
    error: Exception | None = None


class Questions:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._under_way: dict[PartKey, asyncio.Task[Answer[Any] | NoAnswer]] = {}

    def under_way(self, key: PartKey) -> bool:
        return key in self._under_way

    def late(self, key: PartKey) -> "Answer[Any] | NoAnswer | None":
        """What came since somebody went on without it; None when nothing was asked or nothing has come."""
        task = self._under_way.get(key)
        if task is None or not task.done():
            return None
        del self._under_way[key]
        outcome = task.result()
        return replace(outcome, late=True) if isinstance(outcome, Answer) else outcome

    async def ask(self, key: PartKey, ask: Callable[[], Awaitable[T]], wait: float) -> "Answer[T] | NoAnswer | None":
        """What is answered within `wait` seconds; None: later. Not while the same is under way."""
        task = self._under_way[key] = asyncio.create_task(self.asked(ask))
        await asyncio.wait({task}, timeout=wait)
        if not task.done():
            return None
        del self._under_way[key]
        return task.result()

    async def asked(self, ask: Callable[[], Awaitable[T]]) -> "Answer[T] | NoAnswer":
        """To the end, here and now."""
        begun = self._clock.monotonic()
        try:
            value = await ask()
        except (KafkaFailure, DeadlineExceeded) as failure:
            return NoAnswer(str(failure), silent=isinstance(failure, Unreachable))
        except Exception as error:
            # Something that a broker or a group's leader wrote and nobody thought of: it costs this part and no other.
            return NoAnswer(f"{type(error).__name__}: {error}", error=error)
        return Answer(value, begun, self._clock.monotonic() - begun)

    def forget(self, keys: Collection[PartKey] | None = None) -> None:
        """Nobody wants to know any more; None: anything."""
        for key in tuple(self._under_way) if keys is None else keys & self._under_way.keys():
            self._under_way.pop(key).cancel()
