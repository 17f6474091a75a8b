"""Plans for another number of replicas beside all plans that there are."""

from collections import Counter
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klamm.console.topics.replicas import Move, TooFew, plan
from klamm.kafka.facts import Broker, Partition


def brokers(*racks: str | None) -> list[Broker]:
    return [Broker(number, "host", 9092, rack) for number, rack in enumerate(racks)]


def partition(
    *replicas: int, id: int = 0, leader: int | None = -1, in_sync: tuple[int, ...] | None = None
) -> Partition:
    first = replicas[0] if leader == -1 else leader
    return Partition("t", id, first, replicas, replicas if in_sync is None else in_sync)


def uneven(replicas: tuple[int, ...], racks: dict[int, str | None]) -> int:
    """Smaller is more evenly spread."""
    return sum(count * count for count in Counter(racks[one] for one in replicas if one in racks).values())


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=6),
    st.data(),
)
def test_no_plan_keeps_more_or_spreads_better(racks: list[str | None], data: st.DataObject) -> None:
    known = brokers(*racks)
    of = {one.id: one.rack for one in known}
    everybody = range(len(racks) + 2)  # two that are not there
    replicas = tuple(data.draw(st.lists(st.sampled_from(everybody), unique=True, min_size=1, max_size=4)))
    in_sync = tuple(one for one in replicas if data.draw(st.booleans()))
    leader = data.draw(
        st.sampled_from([*(one for one in in_sync if one in of), *([] if set(in_sync) & set(of) else [None])])
    )
    factor = data.draw(st.integers(1, len(racks)))
    load = dict.fromkeys(of, 0) | {one: data.draw(st.integers(0, 3)) for one in of}
    found = plan([partition(*replicas, leader=leader, in_sync=in_sync)], known, factor, load)
    assert not isinstance(found, TooFew)
    after = found[0].after if found else replicas
    if len(replicas) <= factor:
        others = [one for one in of if one not in replicas]
        all_plans = [replicas + more for more in combinations(others, min(factor - len(replicas), len(others)))]
        assert after[: len(replicas)] == replicas
        assert set(after) in [set(one) for one in all_plans]
    else:
        all_plans = [one for one in combinations(replicas, factor) if leader is None or leader in one]
        assert after in all_plans

        def worth(one: tuple[int, ...]) -> tuple[int, int]:
            """Kept although they are not there, or behind: as few as can be."""
            return sum(each not in of for each in one), sum(each in of and each not in in_sync for each in one)

        best = min(map(worth, all_plans))
        assert worth(after) == best
        all_plans = [one for one in all_plans if worth(one) == best]
    assert uneven(after, of) == min(uneven(one, of) for one in all_plans)
    assert len(set(after)) == len(after)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 5), st.integers(1, 12), st.integers(1, 5))
def test_new_replicas_are_carried_evenly(count: int, partitions: int, factor: int) -> None:
    known = brokers(*[None] * count)
    of = [partition(number % count, id=number) for number in range(partitions)]
    load = Counter(one.replicas[0] for one in of)
    found = plan(of, known, min(factor, count), load)
    assert not isinstance(found, TooFew)
    after = {one.id: one.replicas for one in of} | {move.partition: move.after for move in found}
    carried = Counter(broker for replicas in after.values() for broker in replicas)
    assert max(carried.values()) - min(carried[one.id] for one in known) <= (2 if partitions % count else 0)


@pytest.mark.parametrize(
    ("replicas", "leader", "in_sync", "factor", "after"),
    [
        ((0,), 0, (0,), 3, (0, 2, 4)),
        ((0, 1), 0, (0, 1), 3, (0, 1, 2)),
        ((0, 2, 4), 0, (0, 2, 4), 2, (0, 2)),
        ((0, 2, 1), 0, (0, 2, 1), 2, (0, 2)),
        ((0, 2, 4), 4, (4,), 1, (4,)),
        ((0, 2, 4), 0, (0, 4), 2, (0, 4)),
        ((9, 2, 4), 2, (2, 4), 2, (2, 4)),
        ((9, 2), 2, (2,), 3, (9, 2, 4)),
        ((0, 2), 0, (0, 2), 2, None),
    ],
)
def test_plans_as_people_would_make_them(
    replicas: tuple[int, ...], leader: int, in_sync: tuple[int, ...], factor: int, after: tuple[int, ...] | None
) -> None:
    """Racks: 0 and 1 in a, 2 and 3 in b, 4 and 5 in c; 9 is not there."""
    known = brokers("a", "a", "b", "b", "c", "c")
    found = plan([partition(*replicas, leader=leader, in_sync=in_sync)], known, factor, {})
    assert found == (() if after is None else (Move(0, replicas, after),))


def test_more_than_there_are_brokers_is_refused() -> None:
    assert plan([partition(0)], brokers("a", "b"), 3, {}) == TooFew(3, 2)


def test_every_pair_of_racks_is_used_for_many_partitions() -> None:
    known = brokers("a", "a", "b", "b")
    found = plan([partition(number % 4, id=number) for number in range(8)], known, 2, Counter(range(4)))
    assert not isinstance(found, TooFew)
    racks = {one.id: one.rack for one in known}
    assert all({racks[broker] for broker in move.after} == {"a", "b"} for move in found)
    assert {move.after for move in found} <= set(product(range(4), repeat=2))
