"""Lag in seconds: when the end of a partition was where a consumer is now."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klamm.observing.history import History


def history(points: Sequence[tuple[float, int]], longest: int = 64) -> History:
    made = History(longest)
    for at, end in points:
        made.add(at, {"t": {0: end}})
    return made


@pytest.mark.parametrize(
    ("points", "offset", "now", "seconds", "because"),
    [
        ([(0, 100), (10, 200)], 150, 10, 5.0, "the end passed 150 half-way between two points"),
        ([(0, 100), (10, 200)], 100, 10, 10.0, "record 100 came right after the first point"),
        ([(0, 100), (10, 200)], 199, 20, 10.1, "the newest record is nearly as old as the last point"),
        ([(0, 100), (10, 200), (20, 200), (30, 200)], 150, 30, 25.0, "the end rested since"),
        ([(0, 100), (10, 200), (20, 200), (30, 300)], 200, 30, 10.0, "it rested, and went on only after 20"),
        ([(0, 100), (10, 200)], 50, 10, 15.0, "before the first point: the pace since then is taken"),
        ([(0, 100)], 50, 10, None, "one point has no pace"),
        ([(0, 100), (10, 100)], 50, 10, None, "nothing was written since, so nobody knows when it was"),
        ([], 50, 10, None, "nothing was seen"),
        ([(0, 500), (10, 600), (20, 5), (30, 10)], 6, 30, 8.0, "the topic was made anew: what was before says nothing"),
    ],
)
def test_seconds_behind(
    points: list[tuple[float, int]], offset: int, now: float, seconds: float | None, because: str
) -> None:
    assert history(points).seconds_behind("t", 0, offset, now) == (
        None if seconds is None else pytest.approx(seconds)
    ), because


def test_a_topic_that_nobody_reads_is_forgotten() -> None:
    made = history([(0, 1), (10, 2)])
    made.add(20, {"other": {0: 1}})
    assert made.points() == 1
    assert made.seconds_behind("t", 0, 1, 20) is None


def test_a_partition_that_was_not_read_has_no_point() -> None:
    made = History()
    made.add(0, {"t": {0: 100, 1: 100}})
    made.add(10, {"t": {1: 200}})
    made.add(20, {"t": {0: 300, 1: 300}})
    assert made.seconds_behind("t", 0, 200, 20) == pytest.approx(10)
    assert made.seconds_behind("t", 1, 250, 20) == pytest.approx(5)


def test_a_topic_made_anew_while_a_partition_could_not_be_read_is_another_log() -> None:
    made = History()
    made.add(0, {"t": {0: 100, 1: 100}})
    made.add(10, {"t": {1: 200}})
    made.add(20, {"t": {0: 10, 1: 200}})
    assert made.seconds_behind("t", 0, 5, 20) is None, "not a pace backwards, which would be a negative time"


growing = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 1000)), min_size=2, max_size=100)


@settings(deadline=None)
@given(growing, st.data())
def test_the_time_lies_between_the_points_between_which_the_end_passed(
    steps: list[tuple[int, int]], data: st.DataObject
) -> None:
    points = added_up(steps)
    offset = data.draw(st.integers(points[0][1], max(points[0][1], points[-1][1] - 1)))
    now = points[-1][0]
    behind = history(points, longest=1000).seconds_behind("t", 0, offset, now)
    if offset >= points[-1][1]:
        assert behind is None
        return
    before = max(at for at, end in points if end <= offset)
    after = min(at for at, end in points if end > offset)
    assert behind is not None
    assert now - after - 1e-6 <= behind <= now - before + 1e-6


@settings(deadline=None)
@given(growing)
def test_it_is_bounded_and_keeps_the_newest_points_and_the_first(steps: list[tuple[int, int]]) -> None:
    points = added_up(steps)
    made = history(points, longest=16)
    assert made.points() <= 16
    now, end = points[-1]
    moved = [(at, seen) for at, seen in points if seen < end]
    if moved:
        newest = made.seconds_behind("t", 0, end - 1, now)
        assert newest is not None
        assert newest <= now - moved[-1][0] + 1e-6
        oldest = made.seconds_behind("t", 0, points[0][1], now)
        assert oldest is not None
        assert oldest <= now - points[0][0] + 1e-6


def added_up(steps: list[tuple[int, int]]) -> list[tuple[float, int]]:
    at, end = 0.0, 0
    points = []
    for seconds, records in steps:
        at, end = at + seconds, end + records
        points.append((at, end))
    return points


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**12), min_size=3, max_size=40), st.integers(0, 10**12))
def test_what_lies_behind_is_never_said_to_be_zero_old_unless_it_came_now(ends: list[int], offset: int) -> None:
    ordered = sorted(ends)
    made = history([(10.0 * number, end) for number, end in enumerate(ordered)])
    now = 10.0 * len(ordered)
    behind = made.seconds_behind("t", 0, offset, now)
    assert behind is None or behind >= 10.0 - 1e-6
