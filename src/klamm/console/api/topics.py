"""Topics: the list, one topic, what people do to topics."""

from typing import Annotated, Any

import msgspec

from klamm.base.pieces import in_pieces
from klamm.console.access.rights import Right
from klamm.console.api.managing import Done, managing, past
from klamm.console.api.seen import Seen, seen
from klamm.console.api.values import ConfigList, ConfigWish, config_list
from klamm.console.clusters import Place
from klamm.console.paging import PageQuery, cut, ordered
from klamm.console.problems import Problem, bad_value, not_found
from klamm.console.routes import Call, NoQuery, Route
from klamm.kafka.errors import KafkaFailure
from klamm.kafka.facts import ConfigChange, NewTopic, Topic
from klamm.observing.snapshot import Snapshot

_VIEW = Right("topic", "view", of="topic")
_CREATE = Right("topic", "create")
_EDIT = Right("topic", "edit", of="topic")
_DELETE = Right("topic", "delete", of="topic")


class TopicsQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    show_internal: bool = msgspec.field(default=False, name="showInternal")


class TopicLine(msgspec.Struct, frozen=True, rename="camel"):
    """`bytes`: of all replicas; `messages`: by the partitions' offsets, compacted ones counted too."""

    name: str
    internal: bool
    partitions: int
    replication_factor: int
    out_of_sync: int
    offline: int
    messages: int
    bytes: int
    groups: int


class TopicList(msgspec.Struct, frozen=True):
    topics: tuple[TopicLine, ...]
    total: int
    pages: int
    seen: Seen


class PartitionLine(msgspec.Struct, frozen=True, rename="camel"):
    """Offsets are None while they were not read. `preferred`: the leader is the first replica."""

    id: int
    leader: int | None
    preferred: bool
    replicas: tuple[int, ...]
    in_sync: tuple[int, ...]
    earliest: int | None
    latest: int | None


class TopicView(msgspec.Struct, frozen=True):
    topic: TopicLine
    id: str | None
    partitions: tuple[PartitionLine, ...]
    seen: Seen


_Partitions = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
_Replicas = Annotated[int, msgspec.Meta(ge=1, le=2**15 - 1)]


class TopicWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """None: as the broker has it by default."""

    name: str
    partitions: _Partitions | None = None
    replication_factor: _Replicas | None = None
    configs: dict[str, str] = {}


class Growth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    partitions: Annotated[int, msgspec.Meta(le=2**31 - 1)]


async def topics(call: Call[TopicsQuery, None]) -> TopicList:
    snapshot = await call.place.snapshot()
    page = cut(call.query, await _shown(call, snapshot), lambda one: one.name, _COLUMNS)
    return TopicList(tuple(page.items), page.total, page.pages, seen(call, snapshot))


async def all_topics(call: Call[TopicsQuery, None]) -> list[TopicLine]:
    """Of every page, as one look found them."""
    shown = await _shown(call, await call.place.snapshot())
    return ordered(call.query, shown, lambda one: one.name, _COLUMNS)


async def _shown(call: Call[TopicsQuery, None], snapshot: Snapshot) -> list[TopicLine]:
    lines = await call.place.derived("topics", snapshot, lambda: _lines(snapshot))
    allowed = call.who.allowed(call.place.name, "topic", "view", lines)
    return [lines[name] for name in allowed if call.query.show_internal or not lines[name].internal]


async def topic(call: Call[NoQuery, None]) -> TopicView:
    snapshot, name = await call.place.snapshot(), call.path["topic"]
    found = await _found(call.place, name)
    earliest, latest = snapshot.earliest.get(name, {}), snapshot.latest.get(name, {})
    partitions = tuple(
        PartitionLine(
            one.id,
            one.leader,
            one.leader == one.replicas[0],
            one.replicas,
            one.in_sync,
            earliest.get(one.id),
            latest.get(one.id),
        )
        for one in sorted(found.partitions, key=lambda partition: partition.id)
    )
    return TopicView(
        _line(snapshot, found, _bytes(snapshot), _groups(snapshot)), found.id, partitions, seen(call, snapshot)
    )


async def create(call: Call[NoQuery, TopicWish]) -> None:
    wish = call.body
    if not call.may("topic", "create", wish.name):
        raise Problem(403, "Forbidden", f"{call.who.name} may not create topic {wish.name}; a role must permit it")
    new = NewTopic(wish.name, wish.partitions, wish.replication_factor, wish.configs)
    outcome = (await (await call.place.admin()).create_topics([new]))[wish.name]
    if isinstance(outcome, KafkaFailure):
        raise Problem.of_kafka(outcome)


async def delete(call: Call[NoQuery, None]) -> Done:
    name = call.path["topic"]
    resource = managing(call, name)
    if resource is not None and resource.claim.speaks:
        return await resource.delete()
    _raise((await (await call.place.admin()).delete_topics([name]))[name])
    return past(resource)


async def grow(call: Call[NoQuery, Growth]) -> Done:
    name = call.path["topic"]
    if call.body.partitions < 1:
        raise bad_value("partitions", call.body.partitions, "is no number of partitions; write how many it is to have")
    resource = managing(call, name)
    if resource is not None and resource.claim.speaks:
        return await resource.grow(call.body.partitions)
    _raise((await (await call.place.admin()).grow_topics({name: call.body.partitions}))[name])
    return past(resource)


async def config(call: Call[NoQuery, None]) -> ConfigList:
    name = call.path["topic"]
    found = await (await call.place.admin()).topic_configs([name])
    if name not in found:
        raise not_found("topic", name)
    return config_list(found[name])


async def change_config(call: Call[NoQuery, ConfigWish]) -> Done:
    name = call.path["topic"]
    if not call.body.set and not call.body.delete:
        raise bad_value("set", {}, "changes nothing; name at least one key in set or delete")
    change = ConfigChange(call.body.set, frozenset(call.body.delete))
    resource = managing(call, name)
    if resource is not None and resource.claim.speaks:
        return await resource.change_config(change)
    _raise((await (await call.place.admin()).change_topic_configs({name: change}))[name])
    return past(resource)


async def _found(place: Place, name: str) -> Topic:
    """Also one that was made since the last look."""
    known = (await place.snapshot()).topics.get(name)
    if known is None:
        known = (await (await place.admin()).describe_topics([name])).get(name)
    if known is None:
        raise not_found("topic", name)
    return known


def _raise(failure: KafkaFailure | None) -> None:
    if failure is not None:
        raise Problem.of_kafka(failure)


async def _lines(snapshot: Snapshot) -> dict[str, TopicLine]:
    sizes, groups = _bytes(snapshot), _groups(snapshot)
    return {name: _line(snapshot, one, sizes, groups) async for name, one in in_pieces(snapshot.topics.items())}


def _line(snapshot: Snapshot, topic: Topic, sizes: dict[str, int], groups: dict[str, int]) -> TopicLine:
    earliest = snapshot.earliest.get(topic.name, {})
    return TopicLine(
        name=topic.name,
        internal=topic.internal,
        partitions=len(topic.partitions),
        replication_factor=topic.replication_factor,
        out_of_sync=sum(len(one.replicas) - len(one.in_sync) for one in topic.partitions),
        offline=sum(one.leader is None for one in topic.partitions),
        messages=sum(end - earliest.get(one, end) for one, end in snapshot.latest.get(topic.name, {}).items()),
        bytes=sizes.get(topic.name, 0),
        groups=groups.get(topic.name, 0),
    )


def _bytes(snapshot: Snapshot) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for dirs in snapshot.log_dirs.values():
        for one in dirs:
            for topic, size in one.sizes.items():
                sizes[topic] = sizes.get(topic, 0) + size
    return sizes


def _groups(snapshot: Snapshot) -> dict[str, int]:
    """How many groups have committed something in each topic."""
    counted: dict[str, int] = {}
    for offsets in snapshot.committed.values():
        for topic in offsets:
            counted[topic] = counted.get(topic, 0) + 1
    return counted


_COLUMNS: dict[str, Any] = {
    "name": lambda one: one.name,
    "partitions": lambda one: one.partitions,
    "replicationFactor": lambda one: one.replication_factor,
    "outOfSync": lambda one: one.out_of_sync,
    "messages": lambda one: one.messages,
    "bytes": lambda one: one.bytes,
    "groups": lambda one: one.groups,
}

_TOPIC = "/api/clusters/{cluster}/topics/{topic}"
ROUTES = (
    Route(
        "GET", "/api/clusters/{cluster}/topics", topics, "Topics, a page at a time", query=TopicsQuery, answer=TopicList
    ),
    Route("POST", "/api/clusters/{cluster}/topics", create, "Create a topic", _CREATE, body=TopicWish),
    Route("GET", _TOPIC, topic, "A topic and its partitions", _VIEW, answer=TopicView),
    Route("DELETE", _TOPIC, delete, "Delete a topic", _DELETE, answer=Done),
    Route("PATCH", f"{_TOPIC}/partitions", grow, "Give a topic more partitions", _EDIT, body=Growth, answer=Done),
    Route("GET", f"{_TOPIC}/config", config, "A topic's configuration", _VIEW, answer=ConfigList),
    Route(
        "PATCH",
        f"{_TOPIC}/config",
        change_config,
        "Change a topic's configuration",
        _EDIT,
        body=ConfigWish,
        answer=Done,
    ),
)
