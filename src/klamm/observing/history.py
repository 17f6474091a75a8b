"""How long ago an end of a partition was where a consumer is now: lag in seconds.

For each topic that somebody reads, the ends seen are kept with their times, a bounded number of them: when it is full,
every second of the older half goes, so that the near past is known closely and the far past coarsely.

A record at offset n was written when the end passed n. Between two points the end is taken to have moved evenly.
Before the first point nothing is known: then the pace since the first point is taken to have been the pace before, and
when there was no pace, the answer is None. It is never zero for what lies behind.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

LONGEST = 64


@dataclass(slots=True)
class _OfTopic:
    times: list[float] = field(default_factory=list)
    ends: list[Mapping[int, int]] = field(default_factory=list)


class History:
    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._topics: dict[str, _OfTopic] = {}

    def add(self, at: float, ends: Mapping[str, Mapping[int, int]]) -> None:
        """The ends of the topics that somebody reads, as far as they were read now; other topics are forgotten."""
        for gone in self._topics.keys() - ends.keys():
            del self._topics[gone]
        for topic, of_topic in ends.items():
            if of_topic:
                self._add(self._topics.setdefault(topic, _OfTopic()), at, of_topic)

    def _add(self, seen: _OfTopic, at: float, ends: Mapping[int, int]) -> None:
        if seen.ends and _shrank(seen.ends[-1], ends):
            # Deleted and made anew, or cut back: what was before is of another log.
            seen.times.clear()
            seen.ends.clear()
        if len(seen.ends) >= 2 and ends == seen.ends[-1] == seen.ends[-2]:
            seen.times[-1] = at  # it rests: the beginning and the end of the rest say all
            return
        seen.times.append(at)
        seen.ends.append(ends)
        if len(seen.times) > self._longest:
            half = len(seen.times) // 2
            seen.times[:half] = seen.times[:half:2]
            seen.ends[:half] = seen.ends[:half:2]

    def seconds_behind(self, topic: str, partition: int, offset: int, now: float) -> float | None:
        """Seconds since the record at `offset` was written; the end has passed it."""
        seen = self._topics.get(topic)
        if seen is None:
            return None
        points = [(ends[partition], at) for at, ends in zip(seen.times, seen.ends, strict=True) if partition in ends]
        if not points or points[-1][0] <= offset:
            return None
        # The last point at which the record was not there yet.
        before = bisect_right(points, offset, key=lambda point: point[0]) - 1
        if before < 0:
            return _before_all(points, offset, now)
        (low, since), (high, until) = points[before], points[before + 1]
        return max(0.0, now - (since + (until - since) * (offset - low) / (high - low)))

    def points(self) -> int:
        return sum(len(seen.times) for seen in self._topics.values())


def _shrank(before: Mapping[int, int], now: Mapping[int, int]) -> bool:
    return any(now.get(partition, end) < end for partition, end in before.items())


def _before_all(points: list[tuple[int, float]], offset: int, now: float) -> float | None:
    (first, begun), (last, ended) = points[0], points[-1]
    if last == first or ended == begun:
        return None
    pace = (last - first) / (ended - begun)
    return (now - begun) + (first - offset) / pace
