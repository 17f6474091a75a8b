"""How many replicas a topic has: the plan, its beginning, what is under way, its end before the end."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from klamm.console.access.rights import Right
from klamm.console.api.managing import Done, managing, past
from klamm.console.problems import Problem, bad_value, not_found
from klamm.console.routes import Call, NoQuery, Route
from klamm.console.topics.replicas import Move, TooFew, plan
from klamm.kafka.admin import Admin
from klamm.kafka.errors import KafkaFailure
from klamm.kafka.facts import Topic
from klamm.kafka.reassignments import Reassignment, reassign, under_way
from klamm.observing.snapshot import Snapshot

_VIEW = Right("topic", "view", of="topic")
_EDIT = Right("topic", "edit", of="topic")
_MIN_IN_SYNC = "min.insync.replicas"


class FactorWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    replication_factor: int


class MoveLine(msgspec.Struct, frozen=True):
    """Brokers, the preferred leader first."""

    partition: int
    before: tuple[int, ...]
    after: tuple[int, ...]


class MovePlan(msgspec.Struct, frozen=True, rename="camel"):
    """`bytes`: about what will be copied, by what a replica takes now. `warning`: what it leads to."""

    moves: tuple[MoveLine, ...]
    replication_factor: int
    bytes: int
    warning: str | None


class ReassignmentLine(msgspec.Struct, frozen=True):
    """`replicas`: all that hold it now, those that come (`adding`) and go (`removing`) among them."""

    topic: str
    partition: int
    replicas: tuple[int, ...]
    adding: tuple[int, ...]
    removing: tuple[int, ...]


class ReassignmentList(msgspec.Struct, frozen=True):
    reassignments: tuple[ReassignmentLine, ...]


async def planned(call: Call[NoQuery, FactorWish]) -> MovePlan:
    snapshot, admin, factor = await call.place.snapshot(), await call.place.admin(), call.body.replication_factor
    topic = await _topic(call, admin)
    moves = _moves(snapshot, topic, factor)
    warning = await _warning(admin, topic.name, factor)
    lines = tuple(MoveLine(one.partition, one.before, one.after) for one in moves)
    return MovePlan(lines, factor, _bytes(snapshot, topic, moves), warning)


async def change(call: Call[NoQuery, FactorWish]) -> Done:
    """By a plan of this moment, which is what `planned` showed unless something moved since. A resource that manages
    the topic is told."""
    snapshot, admin, factor = await call.place.snapshot(), await call.place.admin(), call.body.replication_factor
    topic = await _topic(call, admin)
    if found := await under_way(admin, {topic.name: [one.id for one in topic.partitions]}):
        moving = ", ".join(str(one.partition) for one in found[:10])
        raise Problem(409, "UnderWay", f"partitions {moving} of {topic.name} are being moved; wait, or cancel that")
    moves = _moves(snapshot, topic, factor)
    if (warning := await _warning(admin, topic.name, factor)) is not None:
        raise Problem(422, "BelowMinimum", warning, "replicationFactor")
    if moves:
        _raise(await reassign(admin, {(topic.name, one.partition): one.after for one in moves}))
    resource = managing(call, topic.name)
    if resource is not None and resource.claim.speaks:
        return await resource.set_replicas(factor)
    return past(resource)


async def reassignments(call: Call[NoQuery, None]) -> ReassignmentList:
    """Of all topics that may be seen."""
    found = await under_way(await call.place.admin())
    allowed = set(call.who.allowed(call.place.name, "topic", "view", {one.topic: None for one in found}))
    return ReassignmentList(tuple(_line(one) for one in found if one.topic in allowed))


async def reassignments_of_topic(call: Call[NoQuery, None]) -> ReassignmentList:
    admin = await call.place.admin()
    topic = await _topic(call, admin)
    found = await under_way(admin, {topic.name: [one.id for one in topic.partitions]})
    return ReassignmentList(tuple(_line(one) for one in found))


async def cancel(call: Call[NoQuery, None]) -> None:
    """All of a topic: replicas that were to come go again, those that were to go stay."""
    admin = await call.place.admin()
    topic = await _topic(call, admin)
    found = await under_way(admin, {topic.name: [one.id for one in topic.partitions]})
    if not found:
        raise Problem(409, "NothingUnderWay", f"no partition of topic {topic.name} is being moved")
    _raise(await reassign(admin, {(one.topic, one.partition): None for one in found}))


async def _topic(call: Call[Any, Any], admin: Admin) -> Topic:
    """As it is now: a plan upon what was would undo what others did since."""
    name = call.path["topic"]
    found = (await admin.describe_topics([name])).get(name)
    if found is None:
        raise not_found("topic", name)
    return found


def _moves(snapshot: Snapshot, topic: Topic, factor: int) -> tuple[Move, ...]:
    if factor < 1:
        raise bad_value("replicationFactor", factor, "is no number of replicas; write 1 or more")
    found = plan(topic.partitions, snapshot.cluster.brokers, factor, _load(snapshot))
    if isinstance(found, TooFew):
        raise bad_value("replicationFactor", factor, f"is more than the {found.brokers} brokers that are there")
    return found


def _load(snapshot: Snapshot) -> Mapping[int, int]:
    return Counter(broker for topic in snapshot.topics.values() for one in topic.partitions for broker in one.replicas)


def _bytes(snapshot: Snapshot, topic: Topic, moves: Iterable[Move]) -> int:
    taken = sum(each.sizes.get(topic.name, 0) for dirs in snapshot.log_dirs.values() for each in dirs)
    replicas = sum(len(one.replicas) for one in topic.partitions)
    added = sum(len(set(one.after) - set(one.before)) for one in moves)
    return taken * added // replicas if replicas else 0


async def _warning(admin: Admin, name: str, factor: int) -> str | None:
    found = (await admin.topic_configs([name], [_MIN_IN_SYNC])).get(name, {}).get(_MIN_IN_SYNC)
    minimum = int(found.value) if found and found.value and found.value.isdigit() else 1
    if factor >= minimum:
        return None
    return (
        f"replicationFactor: {factor} is below {_MIN_IN_SYNC}, which is {minimum}: nobody could write with acks=all "
        f"any more; lower {_MIN_IN_SYNC} first"
    )


def _line(one: Reassignment) -> ReassignmentLine:
    return ReassignmentLine(one.topic, one.partition, one.replicas, one.adding, one.removing)


def _raise(outcomes: Mapping[tuple[str, int], KafkaFailure | None]) -> None:
    failures = [failure for failure in outcomes.values() if failure is not None]
    if failures:
        problem = Problem.of_kafka(failures[0])
        if len(outcomes) > len(failures):
            said = f"{problem.said.detail} ({len(failures)} of {len(outcomes)} partitions failed, the others are moved)"
            raise Problem(problem.said.status, problem.said.title, said)
        raise problem


_TOPIC = "/api/clusters/{cluster}/topics/{topic}"
_MOVING = "Partitions that are being moved"
ROUTES = (
    Route(
        "POST",
        f"{_TOPIC}/replication-factor/plan",
        planned,
        "What another number of replicas would move",
        _VIEW,
        body=FactorWish,
        answer=MovePlan,
    ),
    Route(
        "PATCH",
        f"{_TOPIC}/replication-factor",
        change,
        "Give a topic more or fewer replicas",
        _EDIT,
        body=FactorWish,
        answer=Done,
    ),
    Route(
        "GET",
        f"{_TOPIC}/reassignments",
        reassignments_of_topic,
        f"{_MOVING}, of a topic",
        _VIEW,
        answer=ReassignmentList,
    ),
    Route("DELETE", f"{_TOPIC}/reassignments", cancel, "End what is being moved, and go back", _EDIT),
    Route("GET", "/api/clusters/{cluster}/reassignments", reassignments, _MOVING, answer=ReassignmentList),
)
