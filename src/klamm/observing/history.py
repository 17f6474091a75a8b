"""How long ago an end of a partition was where a consumer is now: lag in seconds.

For each topic that somebody reads, the ends seen are kept with their times, a bounded number of them: when it is full,
every second of the older half goes, so that the near past is known closely and the far past coarsely.

A record at offset n was written when the end passed n. Between two points the end is taken to have moved evenly.
Before the first point nothing is known: then the pace since the first point is taken to have been the pace before, and
when there was no pace, the answer is None. It is never zero for what lies behind.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import zip_longest

LONGEST = 64


_NOT_READ = -1


@dataclass(slots=True)
class _OfTopic:
    times: list[float] = field(default_factory=list)
    ends: "list[array[int]]" = field(default_factory=list)
    """By partition; eight bytes each, for there are many."""
    last: "array[int]" = field(default_factory=lambda: array("q"))
    """The end of each partition when it was read last."""


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
                partitions = range(max(of_topic) + 1)
                now = array("q", (of_topic.get(partition, _NOT_READ) for partition in partitions))
                self._add(self._topics.setdefault(topic, _OfTopic()), at, now)

    def _add(self, seen: _OfTopic, at: float, ends: "array[int]") -> None:
        if any(_NOT_READ < now < before for before, now in zip(seen.last, ends, strict=False)):
            # Deleted and made anew, or cut back: what was before is of another log.
            seen.times.clear()
            seen.ends.clear()
            seen.last = ends
        seen.last = _known(seen.last, ends)
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
        seen = self._topics.get(topic, _OfTopic())
        newest = later = None
        for at, ends in zip(reversed(seen.times), reversed(seen.ends), strict=True):
            end = ends[partition] if partition < len(ends) else _NOT_READ
            if end == _NOT_READ:
                continue
            if end <= offset:
                # The last point at which the record was not there yet.
                return None if later is None else _between((end, at), later, offset, now)
            later = (end, at)
            newest = newest or later
        return None if newest is None or later is None else _before_all(later, newest, offset, now)

    def points(self) -> int:
        return sum(len(seen.times) for seen in self._topics.values())


def _known(before: "array[int]", now: "array[int]") -> "array[int]":
    if _NOT_READ not in now and len(now) >= len(before):
        return now
    pairs = zip_longest(before, now, fillvalue=_NOT_READ)
    return array("q", (old if new == _NOT_READ else new for old, new in pairs))


Point = tuple[int, float]
"""An end, and when it was seen."""


def _between(before: Point, after: Point, offset: int, now: float) -> float:
    (low, since), (high, until) = before, after
    return max(0.0, now - (since + (until - since) * (offset - low) / (high - low)))


def _before_all(oldest: Point, newest: Point, offset: int, now: float) -> float | None:
    (first, begun), (last, ended) = oldest, newest
    if last == first or ended == begun:
        return None
    pace = (last - first) / (ended - begun)
    return (now - begun) + (first - offset) / pace
