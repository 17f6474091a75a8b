"""Clusters at a glance."""

from dataclasses import dataclass

import msgspec

from klamm.base.pieces import in_pieces
from klamm.base.together import side_by_side
from klamm.console.api.operator import kafka_of
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
    places = [place for name, place in call.scene.places.items() if call.who.sees(name)]
    return ClusterList(await side_by_side(*(_line(call.scene, place) for place in places)))


async def cluster(call: Call[NoQuery, None]) -> ClusterView:
    place, snapshot = call.place, await call.place.snapshot()
    numbers = await place.derived("numbers", snapshot, lambda: _numbers(snapshot))
    return ClusterView(
        name=place.name,
        id=snapshot.cluster.id,
        read_only=place.settings.read_only,
        controller=snapshot.cluster.controller,
        broker_count=len(snapshot.cluster.brokers),
        topic_count=len(snapshot.topics),
        partition_count=numbers.partitions,
        under_replicated=numbers.under_replicated,
        offline=numbers.offline,
        group_count=len(snapshot.groups),
        messages=numbers.messages,
        bytes=numbers.bytes,
        seen=seen(call, snapshot),
    )


@dataclass(frozen=True, slots=True)
class _Numbers:
    partitions: int
    under_replicated: int
    offline: int
    messages: int
    bytes: int


async def _numbers(snapshot: Snapshot) -> _Numbers:
    partitions = under_replicated = offline = messages = 0
    async for topic in in_pieces(snapshot.topics.values()):
        partitions += len(topic.partitions)
        under_replicated += sum(len(one.in_sync) < len(one.replicas) for one in topic.partitions)
        offline += sum(one.leader is None for one in topic.partitions)
        earliest = snapshot.earliest.get(topic.name, {})
        messages += sum(end - earliest.get(one, end) for one, end in snapshot.latest.get(topic.name, {}).items())
    return _Numbers(
        partitions,
        under_replicated,
        offline,
        messages,
        bytes=sum(size for dirs in snapshot.log_dirs.values() for one in dirs for size in one.sizes.values()),
    )


async def _line(scene: Scene, place: Place) -> ClusterLine:
    snapshot, why = place.collector.snapshot, place.reason_offline
    operator = kafka_of(scene.kubernetes, place) is not None
    if snapshot is None:
        return ClusterLine(place.name, "offline", place.settings.read_only, why, operator=operator)
    numbers = await place.derived("numbers", snapshot, lambda: _numbers(snapshot))
    return ClusterLine(
        place.name,
        "offline" if why else "online",
        place.settings.read_only,
        why,
        len(snapshot.cluster.brokers),
        len(snapshot.topics),
        numbers.partitions,
        len(snapshot.groups),
        numbers.under_replicated,
        numbers.offline,
        operator,
    )


ROUTES = (
    Route("GET", "/api/clusters", clusters, "The clusters that this console knows", answer=ClusterList),
    Route("GET", "/api/clusters/{cluster}", cluster, "A cluster in numbers", answer=ClusterView),
)
