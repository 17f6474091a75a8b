"""What was read this time and what is known from before, put together. Pure.

A lag is made only of an end and of a commit that was read before that end was asked for: an old end under a new
commit would be a lag of zero that is not true. And of the newest such commit that there was then: a new end over an old
commit would be a lag that grows by itself. So an end that comes late still belongs to the commits that were read before
it, not to those that have been read meanwhile. Where one of the two is missing, the lag stays as it was.

A commit beyond the end, read before it, is no race: the log was cut back (unclean election) or made anew under the same
name, or the commit came from another cluster. It is no lag of zero, for the consumer has not arrived: at its next fetch
it is told that its offset is out of range, and begins at the beginning (then all of the log is its lag), at the end, or
not at all, as its auto.offset.reset says, which only it knows. Kafka's own kafka-consumer-groups.sh and
kafka_exporter print a negative number, Burrow and kminion zero; here it is `Beyond`, and no lag.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from klamm.base.pieces import in_pieces
from klamm.kafka.facts import Offsets, Topic
from klamm.observing.history import History
from klamm.observing.snapshot import Beyond, Lag, Lags, Partitions


@dataclass(frozen=True, slots=True)
class Joined:
    """`all`: new where there is something new, else old. `fresh`: what was read now."""

    all: Partitions
    fresh: Partitions


@dataclass(frozen=True, slots=True)
class Commits:
    """What groups had committed. `read`: those of which it was read right then; of others it is older."""

    of_groups: Mapping[str, Partitions]
    read: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ends:
    """What one broker said of the ends of its partitions, and what was committed when it was asked."""

    offsets: Offsets
    after: Commits


async def join_offsets(topics: Mapping[str, Topic], before: Partitions, read: Iterable[Offsets]) -> Joined:
    """Offsets of the partitions that exist; what was asked for later comes later.

    A topic of which a broker said "gone" loses what was not read now. In pieces, as all here: of ten thousands of
    partitions whoever waits for a page does not wait for this.
    """
    fresh: dict[str, dict[int, int]] = {}
    gone: set[str] = set()
    for offsets in read:
        gone |= offsets.gone
        async for name, of_topic in in_pieces(offsets.by_topic.items()):
            if of_topic:
                fresh.setdefault(name, {}).update(of_topic)
    whole = {
        name: _of_partitions(topic, fresh.get(name, {}), {} if name in gone else before.get(name, {}))
        async for name, topic in in_pieces(topics.items())
    }
    return Joined(whole, fresh)


def _of_partitions(topic: Topic, now: Mapping[int, int], before: Mapping[int, int]) -> Mapping[int, int]:
    if not before or len(now) == len(topic.partitions):
        return now
    known = {**before, **now}
    return {one.id: known[one.id] for one in topic.partitions if one.id in known}


async def join_lags(
    before: Lags,
    committed: Mapping[str, Partitions],
    read: Sequence[Ends],
    topics: Collection[str],
    history: History,
    now: float,
) -> Lags:
    """Of what is `committed` on `topics` now; what was asked for later comes later in `read`."""
    batches = await _batches(read)
    return {
        group: {
            topic: _of_topic(group, topic, offsets, batches, before.get(group, {}).get(topic, {}), history, now)
            for topic, offsets in of_group.items()
            if topic in topics
        }
        async for group, of_group in in_pieces(committed.items())
    }


async def _batches(read: Sequence[Ends]) -> list[tuple[Commits, Mapping[str, Mapping[int, int]]]]:
    """The ends that belong to the same commits, of all brokers together: in most collections there is one batch."""
    batches: dict[int, tuple[Commits, dict[str, dict[int, int]]]] = {}
    for ends in read:
        _, together = batches.setdefault(id(ends.after), (ends.after, {}))
        async for topic, of_topic in in_pieces(ends.offsets.by_topic.items()):
            together.setdefault(topic, {}).update(of_topic)
    return list(batches.values())


def _of_topic(
    group: str,
    topic: str,
    committed: Mapping[int, int],
    batches: Iterable[tuple[Commits, Mapping[str, Mapping[int, int]]]],
    before: Mapping[int, Lag | Beyond],
    history: History,
    now: float,
) -> dict[int, Lag | Beyond]:
    lags = {partition: lag for partition, lag in before.items() if partition in committed}
    for commits, ends in batches:
        of_topic = ends.get(topic)
        if not of_topic or group not in commits.read:
            continue
        for partition, offset in commits.of_groups[group].get(topic, {}).items():
            end = of_topic.get(partition)
            if end is not None and partition in committed:
                behind = end - offset
                if behind < 0:
                    lags[partition] = Beyond(-behind)
                else:
                    ago = history.seconds_behind(topic, partition, offset, now) if behind else 0.0
                    lags[partition] = Lag(behind, ago)
    return lags


def read_topics(committed: Mapping[str, Partitions], ends: Partitions) -> dict[str, Mapping[int, int]]:
    """The ends, as far as read now, of the topics that some group reads."""
    names = {topic for of_group in committed.values() for topic in of_group}
    return {topic: ends.get(topic, {}) for topic in names}
