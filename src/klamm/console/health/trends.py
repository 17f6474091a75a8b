"""How each group's lag moves, and so when it will be gone: the last looks of each group, bounded."""

from array import array
from collections.abc import Mapping, Sequence

SAMPLES = 30
EVERY = 10.0
"""Seconds between two samples of a group at the least: five minutes are remembered."""
_LEAST = 3
"""Fewer samples are no trend."""


def seconds_until_gone(samples: Sequence[tuple[float, int]]) -> float | None:
    """From (seconds, records) in their order; None when the lag grows, stands, or is not known for long enough.

    The slope is that of least squares over all samples: one burst does not turn it round.
    """
    if not samples:
        return None
    lag = samples[-1][1]
    if lag == 0:
        return 0.0
    if len(samples) < _LEAST:
        return None
    middle = sum(at for at, _ in samples) / len(samples)
    mean = sum(records for _, records in samples) / len(samples)
    spread = sum((at - middle) ** 2 for at, _ in samples)
    if not spread:
        return None
    slope = sum((at - middle) * (records - mean) for at, records in samples) / spread
    return lag / -slope if slope < 0 else None


class Trends:
    def __init__(self, samples: int = SAMPLES, every: float = EVERY) -> None:
        self._samples = samples
        self._every = every
        self._of_groups: dict[str, array[float]] = {}
        """Times and lags in turn: ten thousand groups cost some six MB."""

    def add(self, at: float, lags: Mapping[str, int]) -> None:
        """The lag of every group that is there; others are forgotten."""
        for gone in self._of_groups.keys() - lags.keys():
            del self._of_groups[gone]
        for group, lag in lags.items():
            kept = self._of_groups.setdefault(group, array("d"))
            # A little early is in time: looks begin not to the millisecond.
            if not kept or at - kept[-2] >= 0.9 * self._every:
                kept.extend((at, lag))
            if len(kept) > 2 * self._samples:
                del kept[:2]

    def forget(self, group: str) -> None:
        """Its offsets were set: what was before is no trend."""
        self._of_groups.pop(group, None)

    def of(self, group: str) -> list[tuple[float, int]]:
        kept = self._of_groups.get(group, array("d"))
        return [(kept[at], int(kept[at + 1])) for at in range(0, len(kept), 2)]

    def gone_in(self, group: str) -> float | None:
        return seconds_until_gone(self.of(group))
