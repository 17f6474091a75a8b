"""The history: rings of numbers, bounded; gaps where nothing was read."""

import asyncio
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.snapshots import HEALTHY, a_group, a_snapshot

from klamm.console.health.past import COARSE, COARSE_FOR, NONE, OF_GROUP, OF_TOPIC, Past, Ring, drawn
from klamm.observing.snapshot import Lag, Part, PartKey, Snapshot


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 999)), max_size=30), st.integers(1, 7))
def test_a_ring_keeps_the_newest_and_tells_gaps(steps: list[dict[str, int]], slots: int) -> None:
    ring = Ring(("n",), slots)
    for at, step in enumerate(steps):
        ring.add(float(at), {name: (float(value),) for name, value in step.items()})
    kept = list(enumerate(steps))[-slots:]
    assert ring.times() == [float(at) for at, _ in kept]
    for name in "abc":
        expected = [float(step[name]) if name in step else None for _, step in kept]
        assert [None if math.isnan(one) else one for one in ring.of(name, "n")] == expected
    assert len(ring) == len({name for _, step in kept for name in step})


def test_names_beyond_the_most_have_no_history() -> None:
    ring = Ring(("n",), 2, most=2)
    ring.add(0.0, {"a": (1.0,), "b": (2.0,), "c": (3.0,)})
    assert len(ring) == 2
    assert ring.size == 2 * 2 * 4


def test_nine_thousand_topics_and_their_groups_take_less_than_60_mb() -> None:
    slots = int(COARSE_FOR / COARSE)
    topics, groups = Ring(OF_TOPIC, slots), Ring(OF_GROUP, slots)
    topics.add(0.0, {f"t{one}": (1.0, 2.0) for one in range(9000)})
    groups.add(0.0, {f"g{one}": (1.0, 2.0) for one in range(2200)})
    assert topics.size + groups.size < 60_000_000


def snapshot(at: float, *ends: int, failed: int | None = None) -> Snapshot:
    parts = {} if failed is None else {PartKey("latest", failed): Part(failure="no answer")}
    return a_snapshot(HEALTHY, at=at, latest={"words": dict(enumerate(ends))}, parts=parts)


async def test_the_pace_of_writing_is_of_the_ends_of_two_samples() -> None:
    past = Past()
    await past.add(1000.0, snapshot(0.0, 10, 20))
    await past.add(1020.0, snapshot(20.0, 50, 40))
    assert past.cluster.of("", "messagesIn")[-1] == 3.0
    assert past.brokers.of("1", "messagesIn")[-1] == 2.0
    assert past.brokers.of("2", "messagesIn")[-1] == 1.0
    assert math.isnan(past.cluster.of("", "messagesIn")[0]), "of one sample nobody knows"


async def test_an_old_end_is_a_gap_and_no_peak_follows() -> None:
    past = Past()
    await past.add(1000.0, snapshot(0.0, 10, 20))
    await past.add(1020.0, snapshot(20.0, 50, 20, failed=2))
    await past.add(1040.0, snapshot(40.0, 90, 980))
    await past.add(1060.0, snapshot(60.0, 110, 1000))
    assert [math.isnan(one) for one in past.cluster.of("", "messagesIn")] == [True, True, True, False]
    assert past.brokers.of("1", "messagesIn")[1] == 2.0
    assert past.cluster.of("", "messagesIn")[-1] == 2.0


async def test_a_topic_made_anew_has_a_gap() -> None:
    past = Past()
    await past.add(1000.0, snapshot(0.0, 1000, 20))
    await past.add(1060.0, snapshot(60.0, 5, 20))
    assert math.isnan(past.topics.of("words", "messagesIn")[-1])


async def test_samples_are_taken_when_they_are_due() -> None:
    past = Past()
    for second in range(0, 121, 5):
        await past.add(1000.0 + second, snapshot(float(second), second, 0))
    assert len(past.cluster.times()) == 9
    assert past.topics.times() == [1000.0, 1060.0, 1120.0]
    assert past.topics.of("words", "messagesIn")[1:] == [1.0, 1.0]


async def test_lag_and_sizes_are_kept() -> None:
    past = Past()
    lags = {"g": {"words": {0: Lag(7, 3.0), 1: Lag(5, 9.0)}}}
    groups = {"g": a_group("g"), "new": a_group("new")}
    await past.add(1000.0, replace(snapshot(0.0, 1, 2), groups=groups, lags=lags))
    assert (past.groups.of("g", "lag"), past.groups.of("g", "lagSeconds")) == ([12.0], [9.0])
    assert math.isnan(past.groups.of("new", "lag")[0])
    assert (past.cluster.of("", "lag"), past.topics.of("words", "bytes")) == ([12.0], [200.0])
    assert past.disks.of("1 /d", "free") == [900.0]


@pytest.mark.parametrize(
    ("longest", "shortest", "found"),
    [(300.0, 60.0, (20.0, 240.0)), (120.0, 60.0, (40.0, 120.0)), (50.0, 10.0, None)],
)
def test_how_it_was_before(longest: float, shortest: float, found: tuple[float, float] | None) -> None:
    ring = Ring(("lag",), 10)
    for at, value in ((0.0, 10.0), (60.0, NONE), (120.0, 20.0), (180.0, 30.0), (240.0, 40.0)):
        ring.add(at, {"g": (value,)})
    assert ring.earlier("lag", 360.0, longest, shortest).get("g") == found


def test_a_chart_has_few_points_and_keeps_short_troubles() -> None:
    ring = Ring(("bytes", "underReplicated"), 100)
    for at in range(100):
        ring.add(float(at), {"": (float(at), 1.0 if at == 33 else 0.0)})
    times, (bytes_, trouble) = drawn(ring, "", 0.0, 100.0, 10)
    assert len(times) == 10
    assert bytes_.values[0] == pytest.approx(4.5)
    assert trouble.values == (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def test_a_chart_of_what_is_not_known_is_empty_or_has_gaps() -> None:
    ring = Ring(("lag",), 10)
    assert drawn(ring, "g", 0.0, 10.0, 5) == ((), (drawn(ring, "g", 0.0, 10.0, 5)[1][0],))
    ring.add(1.0, {"g": (NONE,)})
    ring.add(9.0, {"g": (4.0,)})
    assert drawn(ring, "g", 0.0, 10.0, 5)[1][0].values == (None, 4.0)


async def test_what_is_added_in_pieces_is_seen_when_it_is_whole() -> None:
    ring = Ring(["n"], slots=2)
    for at in (0.0, 1.0):
        ring.add(at, {f"t{one}": (at,) for one in range(300)})
    adding = asyncio.ensure_future(ring.add_in_pieces(2.0, {f"t{one}": (2.0,) for one in range(300)}))
    seen = []
    while not adding.done():
        seen.append((ring.times(), ring.of("t0", "n"), ring.of("t299", "n")))
        await asyncio.sleep(0)
    # First as it was; then without the oldest, whose place is taken.
    assert seen[0] == ([0.0, 1.0], [0.0, 1.0], [0.0, 1.0])
    assert len(seen) > 2
    assert all(one == ([1.0], [1.0], [1.0]) for one in seen[1:])
    assert (ring.times(), ring.of("t0", "n"), ring.of("t299", "n")) == ([1.0, 2.0], [1.0, 2.0], [1.0, 2.0])
