"""Statistics of messages beside sums over all of them, and bounds that strangers cannot pass."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klamm.console.topics.statistics import EXACT, MOST_HOURS, Counting, Distincts, SizeCounts

_HOUR = 3_600_000
_MESSAGES = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.none() | st.binary(max_size=3),
        st.none() | st.binary(max_size=300),
        st.integers(-1, 5 * _HOUR),
    ),
    max_size=60,
)


@settings(max_examples=100, deadline=None)
@given(_MESSAGES)
def test_what_is_counted_is_what_is_there(messages: list[tuple[int, bytes | None, bytes | None, int]]) -> None:
    counting = Counting()
    for one in messages:
        counting.add(*one)
    said = counting.result()
    keys, values = [one[1] for one in messages], [one[2] for one in messages]
    assert said.messages == len(messages)
    assert (said.null_keys, said.null_values) == (keys.count(None), values.count(None))
    assert said.keys.count == len({one for one in keys if one is not None})
    assert said.values.count == len({one for one in values if one is not None})
    assert said.keys.exact
    sizes = sorted(len(one) for one in values if one is not None)
    assert said.value_sizes.total == sum(sizes)
    assert (said.value_sizes.smallest, said.value_sizes.largest) == ((sizes[0], sizes[-1]) if sizes else (None, None))
    times = [one[3] for one in messages if one[3] >= 0]
    assert (said.first, said.last) == ((min(times), max(times)) if times else (None, None))
    assert sum(one.messages for one in said.hours) == len(times)
    assert all(one.messages == sum(at // _HOUR * _HOUR == one.begin for at in times) for one in said.hours)
    assert sum(one.messages for one in said.partitions) == len(messages)
    assert sum(one.bytes for one in said.partitions) == said.key_sizes.total + said.value_sizes.total


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 10_000_000), min_size=1))
def test_percentiles_are_nearly_those_of_the_sorted_list(sizes: list[int]) -> None:
    counts = SizeCounts()
    for one in sizes:
        counts.add(one)
    said, ordered = counts.result(), sorted(sizes)
    for part, found in ((0.5, said.p50), (0.95, said.p95), (0.999, said.p999)):
        exact = ordered[-(-int(part * 1000) * len(ordered) // 1000) - 1]
        assert found is not None
        assert found <= exact <= found + exact / 64 + 1


@pytest.mark.parametrize("count", [EXACT, EXACT + 1, 60_000])
def test_many_different_keys_are_estimated_well(count: int) -> None:
    distincts = Distincts()
    for number in range(count):
        distincts.add(b"%d" % number)
        distincts.add(b"%d" % (number // 2))
    said = distincts.result()
    assert said.exact == (count <= EXACT)
    assert abs(said.count - count) <= (0 if said.exact else 0.06 * count)


def test_times_of_strangers_do_not_fill_memory() -> None:
    counting, random = Counting(), Random(1)
    for _ in range(3 * MOST_HOURS):
        counting.add(0, b"k", None, random.randrange(1 << 60))
    assert len(counting._hours) <= 2 * MOST_HOURS
    assert len(counting.result().hours) <= MOST_HOURS
