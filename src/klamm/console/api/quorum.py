"""The controllers' quorum, features, elections of leaders, and the map of what lies where."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import msgspec

from klamm.base.clock import milliseconds
from klamm.base.pieces import in_pieces
from klamm.base.together import side_by_side
from klamm.console.access.rights import Right
from klamm.console.api.seen import Seen, seen
from klamm.console.problems import bad_value, not_found
from klamm.console.routes import Call, NoQuery, Route
from klamm.kafka.admin import Admin
from klamm.kafka.errors import KafkaFailure, TooOld
from klamm.kafka.facts import Quorum, QuorumMember
from klamm.kafka.quorum import describe_quorum, elect_leaders, features
from klamm.observing.snapshot import Snapshot

_VIEW = Right("clusterconfig", "view")
_EDIT = Right("clusterconfig", "edit")
_EDIT_TOPIC = Right("topic", "edit", of="topic")

MOST_TOPICS = 500


class MemberLine(msgspec.Struct, frozen=True, rename="camel"):
    """`lag`: records of metadata behind the leader; `behind`: seconds since it had all, None when not told."""

    id: int
    role: str
    end: int
    lag: int
    behind: float | None
    addresses: tuple[str, ...]


class FeatureLine(msgspec.Struct, frozen=True):
    """`level`: what the cluster has agreed on, None when it has not; `least` and `most`: what brokers can."""

    name: str
    level: int | None
    least: int | None
    most: int | None


class QuorumView(msgspec.Struct, frozen=True, rename="camel"):
    """`kraft`: False where ZooKeeper is, and then there are no members."""

    kraft: bool
    leader: int | None
    epoch: int | None
    high_watermark: int | None
    members: tuple[MemberLine, ...]
    features: tuple[FeatureLine, ...]


class Election(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`unclean`: also replicas that are not in sync may lead; what only the others had is lost. It needs `sure`."""

    unclean: bool = False
    sure: bool = False
    partitions: tuple[int, ...] | None = None


class FailedElection(msgspec.Struct, frozen=True):
    topic: str
    partition: int
    why: str


class Elected(msgspec.Struct, frozen=True):
    """`elected`: partitions that have another leader now; those where it was not needed are not counted. `failed`:
    of topics that one may view."""

    elected: int
    failed: tuple[FailedElection, ...]


class MapQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`by`: bytes, leaders or replicas."""

    by: str = "bytes"


class MapRow(msgspec.Struct, frozen=True):
    """A topic's numbers, one for each broker."""

    topic: str
    values: tuple[int, ...]


class MapView(msgspec.Struct, frozen=True):
    """The topics with the most, `total` in all. `brokers` are the columns."""

    by: str
    brokers: tuple[int, ...]
    rows: tuple[MapRow, ...]
    total: int
    seen: Seen


async def quorum(call: Call[NoQuery, None]) -> QuorumView:
    admin = await call.place.admin()
    known, found = await side_by_side(features(admin), _quorum_of(admin))
    lines = tuple(
        FeatureLine(name, known.finalized.get(name), *known.supported.get(name, (None, None)))
        for name in sorted({*known.finalized, *known.supported})
    )
    if found is None:
        return QuorumView(False, None, None, None, (), lines)
    now = milliseconds(call.scene.clock)
    end = next((one.end for one in found.voters if one.id == found.leader), found.high_watermark)
    members = (
        *(_member(one, "leader" if one.id == found.leader else "voter", end, now) for one in found.voters),
        *(_member(one, "observer", end, now) for one in found.observers),
    )
    return QuorumView(True, found.leader, found.epoch, found.high_watermark, members, lines)


async def _quorum_of(admin: Admin) -> Quorum | None:
    """None where ZooKeeper is."""
    try:
        return await describe_quorum(admin)
    except TooOld:
        return None


def _member(one: QuorumMember, role: str, end: int, now: int) -> MemberLine:
    behind = None if one.caught_up_ms is None else max(0.0, (now - one.caught_up_ms) / 1000)
    return MemberLine(one.id, role, one.end, max(0, end - one.end), behind, one.addresses)


async def elect_in_topic(call: Call[NoQuery, Election]) -> Elected:
    name = call.path["topic"]
    found = (await (await call.place.admin()).describe_topics([name])).get(name)
    if found is None:
        raise not_found("topic", name)
    there = [one.id for one in found.partitions]
    for one in call.body.partitions or ():
        if one not in there:
            raise bad_value("partitions", one, f"is no partition of {name}")
    return await _elected(call, {name: call.body.partitions or there})


async def elect_everywhere(call: Call[NoQuery, Election]) -> Elected:
    if call.body.partitions is not None:
        raise bad_value("partitions", call.body.partitions, "says nothing without a topic; leave it out")
    return await _elected(call, None)


async def _elected(call: Call[NoQuery, Election], partitions: Mapping[str, Sequence[int]] | None) -> Elected:
    if call.body.unclean and not call.body.sure:
        raise bad_value("sure", False, "is needed for an unclean election: records may be lost; say true")
    outcomes = await elect_leaders(await call.place.admin(), partitions, call.body.unclean)
    return _told(outcomes, partial(call.may, "topic", "view"))


def _told(outcomes: Mapping[tuple[str, int], KafkaFailure | None], sees: Callable[[str], bool]) -> Elected:
    failed = [FailedElection(*key, str(why)) for key, why in outcomes.items() if why is not None]
    return Elected(len(outcomes) - len(failed), tuple(one for one in failed if sees(one.topic)))


async def heat_map(call: Call[MapQuery, None]) -> MapView:
    snapshot = await call.place.snapshot()
    counted = _COUNTED.get(call.query.by)
    if counted is None:
        raise bad_value("by", call.query.by, f"is no measure; write one of {', '.join(_COUNTED)}")
    rows = await call.place.derived(f"map of {call.query.by}", snapshot, lambda: _rows(snapshot, counted))
    if call.who.roles is not None:
        allowed = frozenset(call.who.allowed(call.place.name, "topic", "view", snapshot.topics))
        rows = [row for row in rows if row.topic in allowed]
    return MapView(call.query.by, _brokers(snapshot), tuple(rows[:MOST_TOPICS]), len(rows), seen(call, snapshot))


def _brokers(snapshot: Snapshot) -> tuple[int, ...]:
    return tuple(sorted(one.id for one in snapshot.cluster.brokers))


Numbers = dict[str, list[int]]
"""By topic one for each broker, in their order."""

Counted = Callable[[Snapshot, Numbers, Mapping[int, int]], Awaitable[None]]
"""Counts into rows of zeros. The mapping tells the place of each broker."""


async def _rows(snapshot: Snapshot, counted: Counted) -> list[MapRow]:
    """Of all topics, the most first."""
    places = {broker: place for place, broker in enumerate(_brokers(snapshot))}
    numbers = {name: [0] * len(places) for name in snapshot.topics}
    await counted(snapshot, numbers, places)
    rows = [MapRow(name, tuple(values)) async for name, values in in_pieces(numbers.items())]
    rows.sort(key=lambda row: (-sum(row.values), row.topic))
    return rows


async def _bytes(snapshot: Snapshot, numbers: Numbers, places: Mapping[int, int]) -> None:
    for broker, dirs in snapshot.log_dirs.items():
        for one in dirs if broker in places else ():
            async for topic, size in in_pieces(one.sizes.items()):
                if topic in numbers:
                    numbers[topic][places[broker]] += size


async def _leaders(snapshot: Snapshot, numbers: Numbers, places: Mapping[int, int]) -> None:
    async for topic in in_pieces(snapshot.topics.values()):
        for one in topic.partitions:
            if one.leader is not None and one.leader in places:
                numbers[topic.name][places[one.leader]] += 1


async def _replicas(snapshot: Snapshot, numbers: Numbers, places: Mapping[int, int]) -> None:
    async for topic in in_pieces(snapshot.topics.values()):
        for one in topic.partitions:
            for broker in one.replicas:
                if broker in places:
                    numbers[topic.name][places[broker]] += 1


_COUNTED: Mapping[str, Counted] = {"bytes": _bytes, "leaders": _leaders, "replicas": _replicas}

_CLUSTER = "/api/clusters/{cluster}"
ROUTES = (
    Route("GET", f"{_CLUSTER}/quorum", quorum, "The controllers' quorum and features", _VIEW, answer=QuorumView),
    Route(
        "POST",
        f"{_CLUSTER}/topics/{{topic}}/elections",
        elect_in_topic,
        "Elect leaders of a topic's partitions",
        _EDIT_TOPIC,
        body=Election,
        answer=Elected,
    ),
    Route(
        "POST",
        f"{_CLUSTER}/elections",
        elect_everywhere,
        "Elect leaders of all partitions",
        _EDIT,
        body=Election,
        answer=Elected,
    ),
    Route("GET", f"{_CLUSTER}/heat-map", heat_map, "Brokers and topics", query=MapQuery, answer=MapView),
)
