"""What was read this time and what is known from before, put together. Pure.

A lag is made only of a commit and an end that were read in the same collection, in this order: an old end under a new
commit would be a lag of zero that is not true, a new end over an old commit a lag that grows by itself. Where one of
the two is old, the lag stays as it was.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from klamm.kafka.facts import Offsets, Topic
from klamm.observing.history import History
from klamm.observing.snapshot import Lag, Lags, Partitions


@dataclass(frozen=True, slots=True)
class Joined:
    """`all`: new where there is something new, else old. `fresh`: what was read now."""

    all: Partitions
    fresh: Partitions


def join_offsets(topics: Mapping[str, Topic], before: Partitions, read: Iterable[Offsets]) -> Joined:
    """Offsets of the partitions that exist. A topic of which a broker said "gone" loses what was not read now."""
    fresh: dict[str, dict[int, int]] = {}
    gone: set[str] = set()
    for offsets in read:
        gone |= offsets.gone
        for name, of_topic in offsets.by_topic.items():
            if of_topic:
                fresh.setdefault(name, {}).update(of_topic)
    whole = {
        name: _of_partitions(topic, fresh.get(name, {}), {} if name in gone else before.get(name, {}))
        for name, topic in topics.items()
    }
    return Joined(whole, fresh)


def _of_partitions(topic: Topic, now: Mapping[int, int], before: Mapping[int, int]) -> Mapping[int, int]:
    if not before or len(now) == len(topic.partitions):
        return now
    known = {**before, **now}
    return {one.id: known[one.id] for one in topic.partitions if one.id in known}


def join_lags(
    before: Lags,
    committed: Mapping[str, Partitions],
    read_now: Collection[str],
    latest: Joined,
    history: History,
    now: float,
) -> Lags:
    """`read_now`: groups whose commits were read in this collection, before the ends."""
    lags: dict[str, Mapping[str, Mapping[int, Lag]]] = {}
    for group, of_group in committed.items():
        ends = latest.fresh if group in read_now else {}
        old = before.get(group, {})
        lags[group] = {
            topic: _of_topic(topic, offsets, ends.get(topic, {}), old.get(topic, {}), history, now)
            for topic, offsets in of_group.items()
            if topic in latest.all
        }
    return lags


def _of_topic(
    topic: str,
    committed: Mapping[int, int],
    ends: Mapping[int, int],
    before: Mapping[int, Lag],
    history: History,
    now: float,
) -> dict[int, Lag]:
    lags: dict[int, Lag] = {}
    for partition, offset in committed.items():
        end = ends.get(partition)
        if end is not None:
            behind = max(0, end - offset)
            lags[partition] = Lag(behind, history.seconds_behind(topic, partition, offset, now) if behind else 0.0)
        elif partition in before:
            lags[partition] = before[partition]
    return lags


def read_topics(committed: Mapping[str, Partitions], ends: Partitions) -> dict[str, Mapping[int, int]]:
    """The ends, as far as read now, of the topics that some group reads."""
    names = {topic for of_group in committed.values() for topic in of_group}
    return {topic: ends.get(topic, {}) for topic in names}
