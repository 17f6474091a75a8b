"""Waits that have a name, a reason and an end.

The time of *waits* is the time of the running event loop, so a test that runs on a loop with virtual time
(`tests/builders/virtual_time.py`) waits for nothing. The time that is *written* somewhere comes from a `Clock`.

    await within(30, "the answer of Kafka's controller", admin.describe())
    await until(300, "pod kafka/my-cluster-kafka-0 to be ready", reason_not_ready, every=1)
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from klamm.base.faults import Transient

T = TypeVar("T")

Condition = Callable[[], "str | Awaitable[str | None] | None"]
"""Says why it does not hold yet, in words that fit after "because"; None once it holds."""


class DeadlineExceeded(Transient, TimeoutError):
    """A named wait came to its end. `reason` is what was last seen, "" when nothing is known."""

    def __init__(self, name: str, seconds: float, reason: str = "") -> None:
        because = f", because {reason}" if reason else ""
        super().__init__(f"waited {seconds:g} s for {name} in vain{because}")
        self.name = name
        self.seconds = seconds
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of the loop's time, shared by several waits that together must not take longer."""

    at: float
    seconds: float
    """What it was set to: for messages."""

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(asyncio.get_running_loop().time() + seconds, seconds)

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - asyncio.get_running_loop().time())

    @property
    def passed(self) -> bool:
        return self.remaining() == 0.0


def deadline_of(given: Deadline | float) -> Deadline:
    """Seconds from now, or the deadline itself."""
    return given if isinstance(given, Deadline) else Deadline.after(given)


async def within(
    deadline: Deadline | float, name: str, awaitable: Awaitable[T], reason: Callable[[], str] | str = ""
) -> T:
    """The result of `awaitable`, which is cancelled at the deadline: then `DeadlineExceeded`.

    `reason` is asked at the end for what was last seen. A `TimeoutError` of the awaitable itself passes through.
    """
    end = deadline_of(deadline)
    try:
        async with asyncio.timeout_at(end.at) as scope:
            return await awaitable
    except TimeoutError as error:
        if not scope.expired():
            raise
        raise DeadlineExceeded(name, end.seconds, reason if isinstance(reason, str) else reason()) from error


async def reason_of(condition: Condition) -> str | None:
    """Ask a condition once, whether it is a plain or an async function."""
    answer = condition()
    return await answer if inspect.isawaitable(answer) else answer


async def until(deadline: Deadline | float, name: str, condition: Condition, every: float = 0.5) -> None:
    """Return once `condition` gives no reason against it any more; asked at once and then `every` seconds.

    The error carries the last reason. A condition that raises ends the wait with its own error.
    """
    end = deadline_of(deadline)
    last = ""

    async def holds() -> None:
        nonlocal last
        while (why_not := await reason_of(condition)) is not None:
            last = why_not
            await asyncio.sleep(every)

    await within(end, name, holds(), lambda: last)
