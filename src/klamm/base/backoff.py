"""How long to wait before the next try: a pure sequence, with jitter from a given source of randomness.

Jitter keeps many clients that lost the same server from coming back in the same moment.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random


@dataclass(frozen=True, slots=True)
class BackOff:
    """`first`, `first * factor`, … up to `longest` seconds; each made shorter by up to `jitter` of itself."""

    first: float = 1.0
    factor: float = 2.0
    longest: float = 60.0
    jitter: float = 0.2

    def delay(self, failures: int, random: Random) -> float:
        """Seconds to wait after that many failures in a row (1 is the first)."""
        # 64 doublings are beyond any longest wait; without the bound a float overflows after a week of failures.
        exponent = min(max(failures, 1) - 1, 64)
        full = min(self.first * self.factor**exponent, self.longest)
        return full * (1.0 - self.jitter * random.random())

    def delays(self, random: Random) -> Iterator[float]:
        """The endless sequence of waits."""
        return (self.delay(failures, random) for failures in count(1))
