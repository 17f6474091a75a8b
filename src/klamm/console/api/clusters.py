"""Clusters at a glance."""

import msgspec

from klamm.console.api.operator import resources_of
from klamm.console.api.seen import Seen, seen
from klamm.console.clusters import Place
from klamm.console.routes import Call, NoQuery, Route
from klamm.console.scene import Scene
from klamm.observing.snapshot import Snapshot


class ClusterLine(msgspec.Struct, frozen=True, rename="camel"):
    """`status`: online, or offline, and then `why`. Numbers are None while it was never seen. `operator`: a Kafka
    resource of the cluster is known."""

    name: str
    status: str
    read_only: bool
    why: str | None = None
    broker_count: int | None = None
    topic_count: int | None = None
    partition_count: int | None = None
    group_count: int | None = None
    under_replicated: int | None = None
    offline: int | None = None
    operator: bool = False


class ClusterList(msgspec.Struct, frozen=True):
    clusters: tuple[ClusterLine, ...]


class ClusterView(msgspec.Struct, frozen=True, rename="camel"):
    """`bytes`: of all replicas' logs; `messages`: what the partitions hold, by their offsets."""

    name: str
    id: str
    read_only: bool
    controller: int | None
    broker_count: int
    topic_count: int
    partition_count: int
    under_replicated: int
    offline: int
    group_count: int
    messages: int
    bytes: int
    seen: Seen


async def clusters(call: Call[NoQuery, None]) -> ClusterList:
    return ClusterList(
        tuple(_line(call.scene, place) for name, place in call.scene.places.items() if call.who.sees(name))
    )


async def cluster(call: Call[NoQuery, None]) -> ClusterView:
    place, snapshot = call.place, await call.place.snapshot()
    partitions = [one for topic in snapshot.topics.values() for one in topic.partitions]
    return ClusterView(
        name=place.name,
        id=snapshot.cluster.id,
        read_only=place.settings.read_only,
        controller=snapshot.cluster.controller,
        broker_count=len(snapshot.cluster.brokers),
        topic_count=len(snapshot.topics),
        partition_count=len(partitions),
        under_replicated=sum(len(one.in_sync) < len(one.replicas) for one in partitions),
        offline=sum(one.leader is None for one in partitions),
        group_count=len(snapshot.groups),
        messages=_messages(snapshot),
        bytes=sum(size for dirs in snapshot.log_dirs.values() for one in dirs for size in one.sizes.values()),
        seen=seen(call, snapshot),
    )


def _line(scene: Scene, place: Place) -> ClusterLine:
    snapshot, why = place.collector.snapshot, place.reason_offline
    operator = resources_of(scene.kubernetes, place) is not None
    if snapshot is None:
        return ClusterLine(place.name, "offline", place.settings.read_only, why, operator=operator)
    partitions = [one for topic in snapshot.topics.values() for one in topic.partitions]
    return ClusterLine(
        place.name,
        "offline" if why else "online",
        place.settings.read_only,
        why,
        len(snapshot.cluster.brokers),
        len(snapshot.topics),
        len(partitions),
        len(snapshot.groups),
        sum(len(one.in_sync) < len(one.replicas) for one in partitions),
        sum(one.leader is None for one in partitions),
        operator,
    )


def _messages(snapshot: Snapshot) -> int:
    return sum(
        end - snapshot.earliest.get(topic, {}).get(partition, end)
        for topic, ends in snapshot.latest.items()
        for partition, end in ends.items()
    )


ROUTES = (
    Route("GET", "/api/clusters", clusters, "The clusters that this console knows", answer=ClusterList),
    Route("GET", "/api/clusters/{cluster}", cluster, "A cluster in numbers", answer=ClusterView),
)
