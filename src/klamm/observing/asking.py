"""Asking brokers for the parts of a collection, and what is known of how each part fared.

A collection begins with `begin`; each part is asked for by `part`, waits as long as `patience.py` allows, and gets the
newest answer that has come by then, which may be the one to a question of an earlier collection.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from klamm.base import logs
from klamm.base.clock import Clock
from klamm.observing.patience import wait
from klamm.observing.questions import Answer, NoAnswer, Questions
from klamm.observing.snapshot import Kind, Part, PartKey

T = TypeVar("T")

Limit = Callable[[Part | None, float], float]

NO_ANSWER_YET = "there is no answer yet"

_log = logs.room("observing")


class Asking:
    def __init__(self, clock: Clock, limit: Limit) -> None:
        self.parts: dict[PartKey, Part] = {}
        self.late: set[int] = set()
        """Brokers that let something of this collection be late."""
        self._clock = clock
        self._limit_of = limit
        self._questions = Questions(clock)
        self._wait_until = 0.0

    def begin(self, seconds: float) -> None:
        """A collection, which may wait so long for late answers, all of them together."""
        self.late = set()
        self._wait_until = self._clock.monotonic() + seconds

    def so_far(self, key: PartKey) -> Part:
        return self.parts.get(key, Part())

    async def part(
        self,
        key: PartKey,
        ask: Callable[[float], Awaitable[T]],
        every: Callable[[], float] = lambda: 0.0,
    ) -> Answer[T] | None:
        """The newest answer that has come by now, or None; how it went is written down.

        `ask` is told how long it may take. `every`: seconds after which the same is asked again. After a late answer
        that may be at once: else who was late once would be a whole collection late for ever.
        """
        late = self._questions.late(key)
        newest = self.note(key, late) if late is not None else None
        if self._questions.under_way(key):
            return self.note(key, None)
        if not self._due(key, every()):
            return newest
        seconds = self.limit(key)
        waits = wait(self.parts.get(key), self._wait_until - self._clock.monotonic(), key.broker in self.late)
        return self.note(key, await self._questions.ask(key, lambda: ask(seconds), waits)) or newest

    async def here(self, ask: Callable[[], Awaitable[T]]) -> Answer[T] | NoAnswer:
        """Of something that is part of a question already: to its end, and to be noted with it."""
        return await self._questions.asked(ask)

    def limit(self, key: PartKey) -> float:
        """Seconds that a question may take."""
        longest = max((part.seconds for of, part in self.parts.items() if of.broker == key.broker), default=0.0)
        return self._limit_of(self.parts.get(key), longest)

    def _due(self, key: PartKey, every: float) -> bool:
        read_at = self.so_far(key).read_at
        return read_at is None or self._clock.monotonic() - read_at >= every

    def note(self, key: PartKey, outcome: Answer[T] | NoAnswer | None) -> Answer[T] | None:
        """None: there is no answer yet."""
        before = self.parts.get(key)
        if key.broker is not None and (outcome is None or (isinstance(outcome, NoAnswer) and outcome.silent)):
            self.late.add(key.broker)
        match outcome:
            case Answer():
                self.parts[key] = (before or Part()).succeeded(outcome.at, outcome.seconds)
                if before is not None and before.failure is not None:
                    _log.info("is read again", part=key.kind, broker=key.broker)
                return outcome
            case NoAnswer():
                self.parts[key] = (before or Part()).failed(outcome.why)
                if before is None or before.failure is None:
                    _tell(key, outcome)
            case None if before is None:
                self.parts[key] = Part(failure=NO_ANSWER_YET)
        return None

    def hangs(self, broker: int) -> bool:
        """Something is under way that an earlier collection, or this one, did not wait for."""
        kinds: tuple[Kind, ...] = ("groups", "latest", "earliest")
        return any(self._questions.under_way(PartKey(kind, broker)) for kind in kinds)

    def forget_answers(self, keys: Collection[PartKey] | None = None) -> None:
        """What is under way is of no interest any more; None: all of it."""
        self._questions.forget(keys)

    def forget(self, keys: Collection[PartKey]) -> None:
        """Nobody is to be told any more how old these parts are."""
        self._questions.forget(keys)
        for key in keys:
            self.parts.pop(key, None)


def _tell(key: PartKey, outcome: NoAnswer) -> None:
    if outcome.error is None:
        _log.warning("could not be read", part=key.kind, broker=key.broker, because=outcome.why)
    else:
        _log.error("could not be understood", outcome.error, part=key.kind, broker=key.broker)
