"""Partitions merged in the order of time, with as little fetched as that takes. Nothing here asks Kafka.

A record may go out when no other partition can still bring an earlier one: when that one's own next record is known,
or when it was scanned past that time. Only partitions that hold the others up are fetched from; so one that is far
ahead waits, and a page of a hundred records costs about what it shows.

Backward, a partition is read in windows: a window is scanned to its end and then given out from its end. Writers'
clocks may go back; records then stand where their partition has them.
"""

import heapq
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from klamm.console.records.plan import Cursor, Plan, Span

T = TypeVar("T")

_LARGEST_WINDOW = 50_000
"""Records that a backward search scans before it gives out what it found."""


@dataclass(slots=True)
class Found(Generic[T]):
    offset: int
    timestamp: int
    what: T


@dataclass(slots=True)
class _Track(Generic[T]):
    """`mark`: the time up to which it was scanned; None before the first record."""

    span: Span
    window: int
    ready: deque[Found[T]] = field(default_factory=deque)
    mark: int | None = None
    # Backward only: from where the current window is still to be scanned, and what was found in it.
    low: int = 0
    at: int = 0
    waiting: list[Found[T]] = field(default_factory=list)
    lowest: int | None = None

    @property
    def is_done(self) -> bool:
        return self.span.is_empty


class Merge(Generic[T]):
    """`window`: records that a backward look takes from each partition at first; it doubles."""

    def __init__(self, plan: Plan, window: int) -> None:
        self.backward = plan.backward
        self._sign = -1 if plan.backward else 1
        self._heads: list[tuple[int, int]] = []
        """Of each partition that has records ready, the time of the first (turned round when backward) and its number,
        as a heap."""
        self._bound: float | None = None
        """The earliest time that may still come of a partition without records ready; None: to be looked for."""
        self._tracks: dict[int, _Track[T]] = {one: _Track(span, window) for one, span in plan.spans.items()}
        if self.backward:
            for track in self._tracks.values():
                _open_window(track)

    def wanted(self) -> Mapping[int, Span]:
        """What to fetch next, by partition; empty when nothing holds up what there is."""
        first = self._heads[0][0] if self._heads else math.inf
        return {
            one: Span(track.at, track.span.end) if self.backward else track.span
            for one, track in self._tracks.items()
            if self._may_bring(track) < first
        }

    def add(self, partition: int, found: Sequence[Found[T]], next_offset: int, scanned_to: int | None) -> None:
        """What was found from the wanted offset to before `next_offset`; `scanned_to`: the last time seen on the way
        (backward: the first)."""
        track = self._tracks[partition]
        had_head = bool(track.ready)
        self._bound = None
        if self.backward:
            self._add_backward(track, found, next_offset, scanned_to)
        else:
            track.ready.extend(found)
            track.span = Span(max(next_offset, track.span.begin), track.span.end)
            if scanned_to is not None:
                track.mark = scanned_to if track.mark is None else max(track.mark, scanned_to)
        if not had_head:
            self._push_head(partition, track)

    def _add_backward(
        self, track: _Track[T], found: Sequence[Found[T]], next_offset: int, scanned_to: int | None
    ) -> None:
        track.waiting += found
        if scanned_to is not None:
            track.lowest = scanned_to if track.lowest is None else min(track.lowest, scanned_to)
        track.at = max(next_offset, track.at)
        if track.at >= track.span.end:
            _close_window(track)

    def take(self, most: int) -> list[T]:
        """Those that may go out, in order; at most so many."""
        taken: list[T] = []
        if self._bound is None:
            self._bound = min(map(self._may_bring, self._tracks.values()), default=math.inf)
        while self._heads and len(taken) < most and self._heads[0][0] <= self._bound:
            _, number = heapq.heappop(self._heads)
            partition = self._sign * number
            track = self._tracks[partition]
            taken.append(track.ready.popleft().what)
            self._push_head(partition, track)
            self._bound = min(self._bound, self._may_bring(track))
        return taken

    @property
    def is_done(self) -> bool:
        return all(track.is_done and not track.ready for track in self._tracks.values())

    def cursor(self) -> Cursor:
        """Where a next page begins: with the first record that was not taken."""
        places = {}
        for one, track in self._tracks.items():
            if self.backward:
                places[one] = track.ready[0].offset + 1 if track.ready else track.span.end
            else:
                places[one] = track.ready[0].offset if track.ready else track.span.begin
        return Cursor(self.backward, places)

    def _push_head(self, partition: int, track: _Track[T]) -> None:
        if track.ready:
            heapq.heappush(self._heads, (self._sign * track.ready[0].timestamp, self._sign * partition))

    def _may_bring(self, track: _Track[T]) -> float:
        """The earliest time (the latest, turned round, when backward) of what is still to be fetched of it; none while
        it has records ready, for these come first."""
        if track.is_done or track.ready:
            return math.inf
        return -math.inf if track.mark is None else self._sign * track.mark


def _open_window(track: _Track[T]) -> None:
    track.low = track.at = max(track.span.begin, track.span.end - track.window)


def _close_window(track: _Track[T]) -> None:
    track.ready.extend(reversed(track.waiting))
    track.span = Span(track.span.begin, track.low)
    if track.lowest is not None:
        track.mark = track.lowest if track.mark is None else min(track.mark, track.lowest)
    track.waiting, track.lowest = [], None
    track.window = min(track.window * 2, _LARGEST_WINDOW)
    _open_window(track)
