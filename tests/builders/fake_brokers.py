"""Kafka as the cluster operator asks it: which brokers answer, and who is in sync. No brokers, no library.

A replica is in sync while its broker's pod is ready.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Self, cast

from klamm.kafka.admin import Admin, Connection
from klamm.kafka.errors import Unreachable
from klamm.kafka.facts import Broker, Cluster, ConfigValue, Partition, Topic


@dataclass(frozen=True)
class FakeTopic:
    """`replicas`: broker ids of its one partition."""

    replicas: tuple[int, ...]
    min_in_sync: int = 2


@dataclass
class FakeBrokers:
    """Kafka as the operator asks it. `asked` counts connections; `down`: nobody answers."""

    ready_pods: Callable[[], Collection[str]]
    cluster: str
    topics: dict[str, FakeTopic] = field(default_factory=dict)
    lagging: set[int] = field(default_factory=set)
    """Brokers that run, and whose replicas are not in sync."""
    blind: set[int] = field(default_factory=set)
    """Brokers that run and have not been told of topics yet. When it is all the same who answers, one of them does."""
    down: bool = False
    controller: int = 0
    asked: int = 0

    async def open(self, connection: Connection) -> Admin:
        self.asked += 1
        await asyncio.sleep(0)
        if self.down or not self.running():
            raise Unreachable(f"connect to {connection.bootstrap[0]}", "no broker answers")
        return cast(Admin, _Session(self))

    def running(self) -> set[int]:
        prefix = f"{self.cluster}-kafka-"
        ids = [name.removeprefix(prefix) for name in self.ready_pods() if name.startswith(prefix)]
        return {int(one) for one in ids if one.isdecimal()} - self.lagging  # the exporter's pod begins so, too


class _Session:
    def __init__(self, brokers: FakeBrokers) -> None:
        self._brokers = brokers

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def describe_cluster(self) -> Cluster:
        running = sorted(self._brokers.running())
        brokers = tuple(Broker(one, f"broker-{one}", 9091, None) for one in running)
        return Cluster("fake-cluster-id", self._brokers.controller, brokers)

    async def describe_topics(self, names: object = None, node: int | None = None) -> dict[str, Topic]:
        running = self._brokers.running()
        if self._brokers.blind and (node is None or node in self._brokers.blind):
            return {}
        return {
            name: Topic(
                name,
                None,
                False,
                (Partition(name, 0, None, topic.replicas, tuple(one for one in topic.replicas if one in running)),),
            )
            for name, topic in self._brokers.topics.items()
        }

    async def topic_configs(self, names: object, keys: object = None) -> dict[str, dict[str, ConfigValue]]:
        return {
            name: {"min.insync.replicas": ConfigValue(str(topic.min_in_sync), True)}
            for name, topic in self._brokers.topics.items()
        }
