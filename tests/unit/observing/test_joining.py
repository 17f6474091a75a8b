"""Old and new values together: never a negative lag, never a zero that is not true."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from klamm.base.together import ended
from klamm.kafka.facts import Offsets, Partition, Topic
from klamm.observing.history import History
from klamm.observing.joining import Commits, Ends, join_lags, join_offsets
from klamm.observing.snapshot import Beyond, Lag


def topic(name: str, partitions: int) -> Topic:
    return Topic(name, None, False, tuple(Partition(name, one, 1, (1,), (1,)) for one in range(partitions)))


TOPICS = {"a": topic("a", 2), "b": topic("b", 1)}


def test_what_was_not_read_stays_as_it_was() -> None:
    joined = asyncio.run(join_offsets(TOPICS, {"a": {0: 1, 1: 2}, "b": {0: 3}}, [Offsets({"a": {1: 20}})]))
    assert joined.all == {"a": {0: 1, 1: 20}, "b": {0: 3}}
    assert joined.fresh == {"a": {1: 20}}


def test_a_topic_that_is_gone_loses_its_old_values() -> None:
    joined = asyncio.run(join_offsets(TOPICS, {"a": {0: 1, 1: 2}}, [Offsets({"a": {}}, gone=frozenset({"a"}))]))
    assert joined.all == {"a": {}, "b": {}}


def test_a_topic_that_is_not_known_any_more_goes() -> None:
    joined = asyncio.run(join_offsets({"b": TOPICS["b"]}, {"a": {0: 1}, "b": {0: 3}}, []))
    assert joined.all == {"b": {0: 3}}


def ends(end: int | None, after: Commits) -> Ends:
    return Ends(Offsets({} if end is None else {"a": {0: end}}), after)


def commits(committed: int, read: bool = True) -> Commits:
    return Commits({"g": {"a": {0: committed}}}, frozenset({"g"} if read else ()))


def lags(committed: int, end: int | None, group_read: bool, before: Lag | None) -> Lag | Beyond | None:
    """Of one partition."""
    old = {} if before is None else {"g": {"a": {0: before}}}
    known = commits(committed, group_read)
    joined = asyncio.run(join_lags(old, known.of_groups, [ends(end, known)], TOPICS, History(), 0.0))
    return joined["g"]["a"].get(0)


def test_a_lag_is_of_a_commit_and_an_end_of_the_same_collection() -> None:
    old = Lag(99, 5.0)
    assert lags(5, 8, True, old) == Lag(3, None)
    assert lags(500, None, True, old) == old, "the end is old: a new commit beyond it is no lag of zero"
    assert lags(5, 8, False, old) == old, "the commit is old: the lag does not grow by itself"
    assert lags(5, None, True, None) is None, "nothing is known: nothing is said"
    assert lags(8, 8, True, old) == Lag(0, 0.0)
    assert lags(9, 8, True, old) == Beyond(1), "the log was cut back: the consumer has not arrived"


def test_an_end_that_came_late_belongs_to_the_commits_before_it() -> None:
    late = ends(100, after=commits(90))
    now = commits(95)
    assert asyncio.run(join_lags({}, now.of_groups, [late], TOPICS, History(), 0.0)) == {"g": {"a": {0: Lag(10, None)}}}
    both = [late, ends(120, after=now)]
    assert asyncio.run(join_lags({}, now.of_groups, both, TOPICS, History(), 0.0)) == {"g": {"a": {0: Lag(25, None)}}}


def test_a_late_end_tells_nothing_of_what_was_committed_after_it_or_is_gone() -> None:
    late = ends(100, after=commits(90))
    two = {"g": {"a": {0: 95, 1: 7}, "b": {0: 1}}}
    before = {"g": {"a": {1: Lag(3, 1.0)}}}
    assert asyncio.run(join_lags(before, two, [late], TOPICS, History(), 0.0))["g"] == {
        "a": {0: Lag(10, None), 1: Lag(3, 1.0)},
        "b": {},
    }
    assert asyncio.run(join_lags({}, {"g": {"b": {0: 1}}}, [late], TOPICS, History(), 0.0)) == {"g": {"b": {}}}
    assert asyncio.run(join_lags({}, {}, [late], TOPICS, History(), 0.0)) == {}


@settings(deadline=None)
@given(st.integers(0, 10**9), st.none() | st.integers(0, 10**9), st.booleans(), st.none() | st.integers(1, 10**9))
def test_no_lag_is_negative_and_zero_is_only_said_of_who_has_arrived(
    committed: int, end: int | None, group_read: bool, before: int | None
) -> None:
    lag = lags(committed, end, group_read, None if before is None else Lag(before, 1.0))
    match lag:
        case Lag(records=0):
            assert committed == end
        case Lag() | Beyond():
            assert lag.records > 0


async def test_others_have_their_turn_while_very_many_are_joined() -> None:
    many = {f"t{one}": topic(f"t{one}", 1) for one in range(5000)}
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    working = asyncio.ensure_future(other())
    await join_offsets(many, {}, [Offsets({name: {0: 1} for name in many})])
    await ended(working)
    assert turns >= 90  # after each hundred topics of what was read, and of what is known
