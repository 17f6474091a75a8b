"""Time as a parameter. Only `programs/` makes a `SystemClock`; tests hand in a clock that they move."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The wall clock, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        ...


def milliseconds(clock: Clock) -> int:
    """Now, since 1970, as Kafka counts."""
    return int(clock.now().timestamp() * 1000)


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 (the one place that reads the real clock)

    def monotonic(self) -> float:
        return time.monotonic()  # noqa: TID251


class BootClock(SystemClock):
    """Its seconds count while the machine sleeps, where the system has such a clock: for what others rely on.

    A process that was suspended must find out that its time is over before anything else.
    """

    def monotonic(self) -> float:
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
