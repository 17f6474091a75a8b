"""Partitions merged in the order of time, fetched from only as far as that needs."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from klamm.console.records.merge import Found, Merge
from klamm.console.records.plan import Cursor, Plan, Span, resumed

Log = list[int]
"""The times of a partition's records; their offsets are their places."""


def _plan(logs: Mapping[int, Log], backward: bool) -> Plan:
    return Plan(backward, {one: Span(0, len(log)) for one, log in logs.items()})


def _page(merge: "Merge[tuple[int, int]]", logs: Mapping[int, Log], limit: int, piece: int) -> list[tuple[int, int]]:
    """Reads as the reader does, `piece` records of each wanted partition at a time."""
    page: list[tuple[int, int]] = []
    while True:
        page += merge.take(limit - len(page))
        wanted = merge.wanted()
        if len(page) == limit or not wanted:
            return page
        for one, span in wanted.items():
            offsets = range(span.begin, min(span.begin + piece, span.end))
            found = [Found(at, logs[one][at], (one, at)) for at in offsets]
            times = [logs[one][at] for at in offsets]
            merge.add(one, found, offsets.stop, (min(times) if merge.backward else max(times)) if times else None)


_ordered = st.dictionaries(st.integers(0, 4), st.lists(st.integers(0, 50), max_size=30).map(sorted), min_size=1)


@given(_ordered, st.booleans(), st.integers(1, 12), st.integers(1, 12), st.integers(1, 12))
def test_pages_are_the_whole_in_order_without_a_gap_or_a_double(
    logs: dict[int, Log], backward: bool, limit: int, piece: int, window: int
) -> None:
    plan, pages = _plan(logs, backward), []
    kept = dict(plan.spans)
    while True:
        merge: Merge[tuple[int, int]] = Merge(plan, window)
        page = _page(merge, logs, limit, piece)
        pages += page
        if merge.is_done:
            break
        assert page
        plan = resumed(merge.cursor(), kept)
    assert sorted(pages) == sorted((one, at) for one, log in logs.items() for at in range(len(log)))
    times = [logs[one][at] for one, at in pages]
    assert times == sorted(times, reverse=backward)
    for one in logs:
        offsets = [at for partition, at in pages if partition == one]
        assert offsets == sorted(offsets, reverse=backward)


def test_only_partitions_that_hold_up_the_others_are_fetched_from() -> None:
    merge: Merge[str] = Merge(Plan(False, {0: Span(0, 100), 1: Span(0, 100)}), 10)
    assert set(merge.wanted()) == {0, 1}
    merge.add(0, [Found(5, 50, "young")], 10, 60)
    merge.add(1, [], 10, 20)  # nothing matched, and it may still bring an earlier one
    assert merge.take(10) == []
    assert merge.wanted() == {1: Span(10, 100)}
    merge.add(1, [], 20, 55)
    assert merge.take(10) == ["young"]


def test_an_empty_topic_wants_nothing_and_is_done() -> None:
    for backward in (False, True):
        merge: Merge[str] = Merge(Plan(backward, {0: Span(7, 7)}), 10)
        assert (merge.wanted(), merge.take(5), merge.is_done) == ({}, [], True)
        assert merge.cursor() == Cursor(backward, {0: 7})


def test_clocks_that_go_back_lose_nothing() -> None:
    logs = {0: [50, 10, 60], 1: [20, 5, 70]}
    merge: Merge[tuple[int, int]] = Merge(_plan(logs, False), 10)
    assert sorted(_page(merge, logs, 10, 2)) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]


class _Counted(int):
    """A time that counts how often it is compared."""

    compared = 0

    def __lt__(self, other: object) -> bool:
        _Counted.compared += 1
        return int(self) < other  # type: ignore[operator]

    __hash__ = int.__hash__


def test_a_record_is_not_compared_with_those_of_all_partitions() -> None:
    partitions, each = 300, 10
    merge: Merge[int] = Merge(Plan(False, {one: Span(0, each) for one in range(partitions)}), 10)
    for one in range(partitions):
        times = [_Counted(one + partitions * at) for at in range(each)]
        merge.add(one, [Found(at, time, int(time)) for at, time in enumerate(times)], each, times[-1])
    _Counted.compared = 0
    assert merge.take(partitions * each) == list(range(partitions * each))
    assert _Counted.compared < 40 * partitions * each
