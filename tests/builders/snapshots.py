"""A snapshot as the collector makes it, of two brokers and one healthy topic; change what the test is about."""

from typing import Any

from klamm.kafka.facts import Broker, Cluster, LogDir, Member, Partition, Topic
from klamm.observing.snapshot import Group, Snapshot


def a_topic(
    name: str, *partitions: tuple[int | None, tuple[int, ...], tuple[int, ...]], internal: bool = False
) -> Topic:
    """Partitions: leader, replicas, in sync."""
    return Topic(name, None, internal, tuple(Partition(name, id_, *one) for id_, one in enumerate(partitions)))


HEALTHY = a_topic("words", (1, (1, 2), (1, 2)), (2, (2, 1), (1, 2)))


def a_group(name: str, members: int = 1, state: str = "Stable") -> Group:
    all_of = tuple(Member(f"m{number}", "c", "h", {}) for number in range(members))
    return Group(name, "classic", state, "consumer", "range", 1, all_of)


def a_snapshot(*topics: Topic, brokers: tuple[int, ...] = (1, 2), **changed: Any) -> Snapshot:
    values: dict[str, Any] = {
        "number": 1,
        "at": 100.0,
        "seconds": 0.1,
        "cluster": Cluster("c", brokers[0], tuple(Broker(one, f"b{one}", 9092, None) for one in brokers)),
        "topics": {one.name: one for one in topics or (HEALTHY,)},
        "earliest": {},
        "latest": {},
        "groups": {},
        "committed": {},
        "lags": {},
        "log_dirs": {one: (LogDir("/d", {"words": 100}, 1000, 900),) for one in brokers},
        "unread": 0,
        "parts": {},
    }
    return Snapshot(**{**values, **changed})
