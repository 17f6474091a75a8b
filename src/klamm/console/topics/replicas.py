"""Another number of replicas for a topic: which brokers get one, which lose one.

What is there stays where it can: growing only adds, shrinking only takes away, and the order stays, so the preferred
leader is the same. Each partition is spread over racks as evenly as its brokers allow (brokers without a rack are one
rack together); among equals the broker with the fewest replicas takes, the one with the most gives.

Shrinking takes brokers that are not there first, then replicas that are behind, then from the fullest rack. The leader
keeps its replica: a partition must not stand still for it.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from klamm.kafka.facts import Broker, Partition


@dataclass(frozen=True, slots=True)
class Move:
    """One partition; `before` and `after` are brokers, the preferred leader first."""

    partition: int
    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TooFew:
    """More replicas are wanted than brokers are there."""

    wanted: int
    brokers: int


def plan(
    partitions: Iterable[Partition], brokers: Sequence[Broker], factor: int, load: Mapping[int, int]
) -> tuple[Move, ...] | TooFew:
    """Those partitions that change. `load`: replicas of each broker, of all topics; `factor`: 1 or more."""
    if factor > len(brokers):
        return TooFew(factor, len(brokers))
    racks = {one.id: one.rack for one in brokers}
    carried = Counter({broker: load.get(broker, 0) for broker in racks})
    moves = []
    for one in sorted(partitions, key=lambda partition: partition.id):
        after = _grown(one.replicas, racks, factor, carried)
        after = _shrunk(one, after, racks, factor, carried)
        carried.update(set(after) - set(one.replicas))
        carried.subtract(set(one.replicas) - set(after))
        if after != one.replicas:
            moves.append(Move(one.id, one.replicas, after))
    return tuple(moves)


def _grown(
    replicas: tuple[int, ...], racks: Mapping[int, str | None], factor: int, carried: Counter[int]
) -> tuple[int, ...]:
    """A broker that is not there counts: its data may come back with it. Equals take in turn: the next one after the
    last replica, else the lowest would take for all partitions."""
    grown = list(replicas)
    ids = sorted(racks)
    while len(grown) < factor:
        used = Counter(racks[broker] for broker in grown if broker in racks)
        free = [broker for broker in racks if broker not in grown]
        if not free:
            break
        turn = bisect_right(ids, grown[-1] if grown else -1)
        in_turn = [*ids[turn:], *ids[:turn]]
        grown.append(min(free, key=lambda broker: (used[racks[broker]], carried[broker], in_turn.index(broker))))
    return tuple(grown)


def _shrunk(
    partition: Partition, replicas: tuple[int, ...], racks: Mapping[int, str | None], factor: int, carried: Counter[int]
) -> tuple[int, ...]:
    left = list(replicas)
    while len(left) > factor:
        used = Counter(racks[broker] for broker in left if broker in racks)
        givers = [broker for broker in left if broker != partition.leader]
        left.remove(
            max(
                givers,
                key=lambda broker: (
                    broker not in racks,
                    broker not in partition.in_sync,
                    used[racks.get(broker)],
                    carried[broker],
                    left.index(broker),
                ),
            )
        )
    return tuple(left)
