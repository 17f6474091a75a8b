"""When to try a probe and what its results mean: pure.

Regular tries stand on a grid: initialDelaySeconds, then every periodSeconds. Readiness and liveness probes that are
alike therefore fall on the same moments, and one run can answer both. Before the first success of a readiness or
startup probe quiet tries lie in between (see `EarlyReadiness`).
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from klamm.localkube.kubelet.facts import ProbeTimes
from klamm.localkube.kubelet.settings import EarlyReadiness


class ProbeKind(StrEnum):
    STARTUP = "Startup"
    LIVENESS = "Liveness"
    READINESS = "Readiness"


@dataclass(frozen=True, slots=True)
class Try:
    at: float
    """Seconds since the container's start."""
    counts: bool
    """A regular try: its failure counts and makes an event."""


def next_regular(times: ProbeTimes, age: float) -> float:
    """The first moment of the grid after `age`."""
    if age < times.initial_delay:
        return times.initial_delay
    return times.initial_delay + (math.floor((age - times.initial_delay) / times.period + 1e-9) + 1) * times.period


@dataclass(frozen=True, slots=True)
class ProbeState:
    """How far one probe of one running container has come."""

    times: ProbeTimes
    kind: ProbeKind
    quiet_gap: float = 0.0
    """The wait before the next quiet try; 0: no quiet tries (any more)."""
    successes: int = 0
    failures: int = 0
    passed: bool = False
    """It has reached its success threshold, and not its failure threshold since."""

    @classmethod
    def begin(cls, kind: ProbeKind, times: ProbeTimes, early: EarlyReadiness, *, passed: bool) -> "ProbeState":
        quiet = early.enabled and kind is not ProbeKind.LIVENESS and not passed
        return cls(times, kind, early.first if quiet else 0.0, passed=passed)

    def next_try(self, age: float, first: bool) -> Try:
        """`first`: nothing was tried yet, so that a probe without initial delay is tried at once."""
        regular = age if first and age >= self.times.initial_delay else next_regular(self.times, age)
        if self.quiet_gap and age + self.quiet_gap < regular:
            return Try(age + self.quiet_gap, False)
        return Try(regular, True)

    def after(self, ok: bool, counts: bool, age: float, early: EarlyReadiness) -> "ProbeState":
        if ok:
            enough = self.successes + 1 >= self.times.success_threshold
            passed = self.passed or enough
            gap = 0.0 if passed else self.quiet_gap
            return replace(self, successes=self.successes + 1, failures=0, passed=passed, quiet_gap=gap)
        longest = early.longest if age < self.times.initial_delay else max(early.longest, self.times.period)
        gap = min(self.quiet_gap * early.factor, longest)
        if not counts:
            return replace(self, successes=0, quiet_gap=gap)
        failures = self.failures + 1
        passed = self.passed and failures < self.times.failure_threshold
        return replace(self, successes=0, failures=failures, passed=passed, quiet_gap=gap)

    @property
    def failed(self) -> bool:
        return self.failures >= self.times.failure_threshold
