"""What people do to groups: resets of offsets (plan, do, undo), deletion of offsets and of groups."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from klamm.base.together import side_by_side
from klamm.console.access.rights import Right
from klamm.console.groups import resets
from klamm.console.groups.resets import KINDS, Key, Line, Observed, Wish
from klamm.console.groups.undos import Reset
from klamm.console.problems import Problem, bad_value, forbidden, not_found
from klamm.console.routes import Call, NoQuery, Route
from klamm.kafka.admin import Admin
from klamm.kafka.errors import KafkaFailure
from klamm.kafka.facts import DescribedGroup, ListedGroup, Offsets
from klamm.kafka.group_deeds import (
    PATIENCE,
    Outcomes,
    commit_offsets,
    coordinator_of,
    delete_group,
    delete_offsets,
    offsets_at,
)
from klamm.kafka.groups import describe_groups, list_groups
from klamm.kafka.offsets import committed_offsets, partition_offsets

_VIEW = Right("consumer", "view", of="group")
_RESET = Right("consumer", "reset_offsets", of="group")
_DELETE = Right("consumer", "delete", of="group")


class ResetWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`to`: earliest, latest, time (with `millis` since 1970), offset (with `number`), shift (by `number`), group (what
    `from` has committed), undo (of reset `number`). `topics`: partitions by topic, none named: all of them; no topic
    named: every topic of which the group has committed something."""

    to: str
    number: int | None = None
    millis: int | None = None
    from_: str = msgspec.field(default="", name="from")
    topics: dict[str, tuple[int, ...]] = {}


class ResetLine(msgspec.Struct, frozen=True, rename="camel"):
    """`new`: None when nothing shall be committed. `whyNot`: this partition stays as it is. `remark`: what to know."""

    topic: str
    partition: int
    old: int | None
    new: int | None
    earliest: int | None
    latest: int | None
    changes: bool
    why_not: str | None = None
    remark: str | None = None


class ResetPlan(msgspec.Struct, frozen=True):
    """`refused`: why none of it may be done now. `command`: what does the same with Kafka's own tool; `file`: what
    stands in its offsets.csv."""

    lines: tuple[ResetLine, ...]
    refused: str | None
    command: str
    file: str | None


class DeedLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As the plan had it."""

    topic: str
    partition: int
    old: int | None
    new: int | None


class ResetDeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`what`: how the page calls it ("to the beginning"), for the list of resets."""

    lines: tuple[DeedLine, ...]
    what: str = ""


class FailedLine(msgspec.Struct, frozen=True):
    topic: str
    partition: int
    why: str


class ResetDone(msgspec.Struct, frozen=True):
    """`undo`: the number under which the old offsets are kept; None when nothing was changed."""

    changed: int
    failed: tuple[FailedLine, ...]
    undo: int | None


class Undo(msgspec.Struct, frozen=True):
    """`at`: milliseconds since 1970. `lines`: how many partitions it would set back."""

    number: int
    at: int
    by: str
    what: str
    lines: int


class UndoList(msgspec.Struct, frozen=True):
    resets: tuple[Undo, ...]


async def plan(call: Call[NoQuery, ResetWish]) -> ResetPlan:
    place, name, asked = call.place, call.path["group"], call.body
    admin = await place.admin()
    coordinator = await coordinator_of(admin, name)
    wish = await _wish(call, admin)
    committed = await _committed(admin, coordinator, name)
    _permit(call, asked.topics)
    keys = _visible(call, await _scope(admin, asked, wish, committed))
    seen = await _observed(admin, coordinator, name, keys, committed, wish.millis if wish.kind == "time" else None)
    made = resets.plan(wish, seen, ",".join(place.settings.connection().bootstrap))
    return ResetPlan(tuple(map(_shown, made.lines)), made.refused, made.command, made.file)


async def reset(call: Call[NoQuery, ResetDeed]) -> ResetDone:
    name, wanted = call.path["group"], {(one.topic, one.partition): one for one in call.body.lines}
    if not wanted:
        raise bad_value("lines", [], "changes nothing; send the plan's lines that change")
    admin = await call.place.admin()
    coordinator = await coordinator_of(admin, name)
    committed = await _committed(admin, coordinator, name)
    _permit(call, (topic for topic, _ in wanted))
    seen = await _observed(admin, coordinator, name, list(wanted), committed)
    if (why := resets.reason_not_to_reset(seen)) is not None:
        raise Problem(409, "GroupNotEmpty", why)
    for key, line in wanted.items():
        if (why := resets.reason_changed(seen, key, line.old, line.new)) is not None:
            raise Problem(409, "Changed", f"{key[0]}-{key[1]}: {why}", "lines")
    outcomes = await _done(admin, coordinator, name, {key: line.new for key, line in wanted.items()})
    done = [key for key, failure in outcomes.items() if failure is None]
    failed = tuple(FailedLine(*key, str(why)) for key, why in outcomes.items() if why is not None)
    if not done:
        return ResetDone(0, failed, None)
    call.place.trends.forget(name)
    kept = call.place.undos.add(
        name,
        call.scene.clock.now().timestamp(),
        call.who.name,
        call.body.what,
        {key: wanted[key].old for key in done},
        {key: wanted[key].new for key in done},
    )
    return ResetDone(len(done), failed, kept.number)


def _permit(call: Call[Any, Any], topics: Iterable[str]) -> None:
    """Offsets tell of a topic. These were named by who asks, so naming them tells nothing."""
    for topic in sorted({*topics}):
        if not call.may("topic", "view", topic):
            raise forbidden(f"{call.who.name} may not view topic {topic}; a role must permit it")


def _visible(call: Call[Any, Any], keys: Sequence[Key]) -> Sequence[Key]:
    """What of the group's own is of topics that one may view; the rest stays as it is, and is not named."""
    visible = frozenset(call.who.allowed(call.place.name, "topic", "view", {topic for topic, _ in keys}))
    if keys and not visible:
        raise forbidden(f"{call.who.name} may not view any of the topics that this is about; a role must permit it")
    return [key for key in keys if key[0] in visible]


async def undos(call: Call[NoQuery, None]) -> UndoList:
    return UndoList(tuple(_undo(call, one) for one in call.place.undos.of(call.path["group"])))


def _undo(call: Call[Any, Any], one: Reset) -> Undo:
    """What it is called may name a topic."""
    topics = {topic for topic, _ in one.before}
    visible = frozenset(call.who.allowed(call.place.name, "topic", "view", topics))
    what = one.what if visible == topics else "also of topics that you may not view"
    return Undo(one.number, int(one.at * 1000), one.by, what, sum(topic in visible for topic, _ in one.before))


async def forget_topic(call: Call[NoQuery, None]) -> ResetDone:
    """Kept for an undo, like a reset."""
    name, topic = call.path["group"], call.path["topic"]
    _permit(call, [topic])
    admin = await call.place.admin()
    coordinator = await coordinator_of(admin, name)
    offsets = (await _committed(admin, coordinator, name)).get(topic)
    if not offsets:
        raise not_found("a committed offset in topic", topic)
    outcomes = await delete_offsets(admin, coordinator, name, {topic: sorted(offsets)})
    done = {key: offsets[key[1]] for key, failure in outcomes.items() if failure is None}
    failed = tuple(FailedLine(*key, str(why)) for key, why in outcomes.items() if why is not None)
    if not done:
        raise Problem(409, "GroupNotEmpty", failed[0].why if failed else "the coordinator deleted nothing")
    now = call.scene.clock.now().timestamp()
    what = f"offsets of {topic} deleted"
    kept = call.place.undos.add(name, now, call.who.name, what, done, dict.fromkeys(done))
    call.place.trends.forget(name)
    return ResetDone(len(done), failed, kept.number)


async def delete(call: Call[NoQuery, None]) -> None:
    admin, name = await call.place.admin(), call.path["group"]
    await delete_group(admin, await coordinator_of(admin, name), name)
    call.place.undos.forget(name)  # a group of this name that comes later is another one
    call.place.trends.forget(name)


async def _wish(call: Call[NoQuery, ResetWish], admin: Admin) -> Wish:
    asked, place, group = call.body, call.place, call.path["group"]
    kind = next((one for one in KINDS if one == asked.to), None)
    if kind is None:
        raise bad_value("to", asked.to, f"is no place to reset to; write one of {', '.join(KINDS)}")
    if kind in ("offset", "shift", "undo") and asked.number is None:
        raise bad_value("number", None, f"is missing, and a reset to {kind} needs it")
    if kind == "offset" and (asked.number or 0) < 0:
        raise bad_value("number", asked.number, "is no offset; the least is 0")
    if kind == "time":
        if asked.millis is None or not 0 <= asked.millis < _YEAR_9999:
            raise bad_value("millis", asked.millis, "is no time; write milliseconds since 1970")
        return Wish(kind, millis=asked.millis)
    if kind == "group":
        return Wish(kind, offsets=await _of_other(call, admin), other=asked.from_)
    if kind == "undo":
        found = place.undos.find(group, asked.number or 0)
        if found is None:
            raise not_found("a reset to undo, number", str(asked.number))
        return Wish(kind, offsets=found.before)
    return Wish(kind, asked.number or 0)


_YEAR_9999 = 253_402_300_800_000


async def _of_other(call: Call[NoQuery, ResetWish], admin: Admin) -> Mapping[Key, int]:
    other = call.body.from_
    if not other:
        raise bad_value("from", other, "names no group; name the one whose offsets are wanted")
    if not call.may("consumer", "view", other):
        raise Problem(403, "Forbidden", f"{call.who.name} may not view consumer {other}; a role must permit it")
    found = _flat(await _committed(admin, await coordinator_of(admin, other), other))
    if not found:
        raise bad_value("from", other, "has committed nothing; name a group that has")
    return found


async def _scope(
    admin: Admin, asked: ResetWish, wish: Wish, committed: Mapping[str, Mapping[int, int]]
) -> Sequence[Key]:
    """The partitions that are meant."""
    if wish.kind == "undo":
        return list(wish.offsets)
    if not asked.topics:
        of_other = wish.offsets if wish.kind == "group" else {}
        return sorted({*_flat(committed), *of_other})
    known = await admin.describe_topics(list(asked.topics))
    keys: list[Key] = []
    for name, ids in asked.topics.items():
        if name not in known:
            raise bad_value("topics", name, "is no topic of this cluster; name one that is there")
        there = {one.id for one in known[name].partitions}
        for one in ids or sorted(there):
            if one not in there:
                raise bad_value(f"topics.{name}", one, f"is no partition of it; it has 0 to {len(there) - 1}")
            keys.append((name, one))
    return keys


async def _observed(
    admin: Admin,
    coordinator: int,
    name: str,
    keys: Sequence[Key],
    committed: Mapping[str, Mapping[int, int]],
    millis: int | None = None,
) -> Observed:
    listed, described = await _group(admin, coordinator, name)
    leaders = await _leaders(admin, keys)
    earliest, latest, at_time = await side_by_side(
        _ends(leaders, lambda broker, led: partition_offsets(admin, broker, led, "earliest", PATIENCE)),
        _ends(leaders, lambda broker, led: partition_offsets(admin, broker, led, "latest", PATIENCE)),
        _ends({} if millis is None else leaders, lambda broker, led: offsets_at(admin, broker, led, millis or 0)),
    )
    return Observed(
        group=name,
        type=listed.type if listed else "classic",
        state=described.state if described else listed.state if listed else "Dead",
        members=len(described.members) if described else None,
        partitions=keys,
        committed=_flat(committed),
        earliest=earliest,
        latest=latest,
        at_time=at_time,
    )


async def _group(admin: Admin, coordinator: int, name: str) -> tuple[ListedGroup | None, DescribedGroup | None]:
    """As its coordinator has it now. None, None: there is no such group, and a reset would make one."""
    listed = (await list_groups(admin, coordinator, PATIENCE)).get(name)
    if listed is None:
        return None, None
    described = (await describe_groups(admin, coordinator, [listed], PATIENCE)).get(name)
    return listed, described if isinstance(described, DescribedGroup) else None


async def _committed(admin: Admin, coordinator: int, name: str) -> Mapping[str, Mapping[int, int]]:
    outcome = (await committed_offsets(admin, coordinator, [name], PATIENCE)).get(name, {})
    if isinstance(outcome, KafkaFailure):
        if outcome.code == "GROUP_ID_NOT_FOUND":  # a share group, say
            return {}
        raise outcome
    return outcome


async def _leaders(admin: Admin, keys: Iterable[Key]) -> dict[int, dict[str, list[int]]]:
    wanted = set(keys)
    leaders: dict[int, dict[str, list[int]]] = {}
    for name, topic in (await admin.describe_topics(sorted({topic for topic, _ in wanted}))).items():
        for one in topic.partitions:
            if one.leader is not None and (name, one.id) in wanted:
                leaders.setdefault(one.leader, {}).setdefault(name, []).append(one.id)
    return leaders


async def _ends(
    leaders: Mapping[int, Mapping[str, Sequence[int]]],
    ask: Callable[[int, Mapping[str, Sequence[int]]], Awaitable[Offsets]],
) -> dict[Key, int]:
    answers = await side_by_side(*(ask(broker, led) for broker, led in leaders.items()))
    return {key: at for answer in answers for key, at in _flat(answer.by_topic).items()}


async def _done(admin: Admin, coordinator: int, name: str, wanted: Mapping[Key, int | None]) -> Outcomes:
    """Offsets are set first: a group that fails there loses none."""
    to_set: dict[str, dict[int, int]] = {}
    to_delete: dict[str, list[int]] = {}
    for (topic, partition), at in wanted.items():
        if at is None:
            to_delete.setdefault(topic, []).append(partition)
        else:
            to_set.setdefault(topic, {})[partition] = at
    outcomes = await commit_offsets(admin, coordinator, name, to_set) if to_set else {}
    if to_delete:
        try:
            outcomes |= await delete_offsets(admin, coordinator, name, to_delete)
        except KafkaFailure as failure:
            if not outcomes:
                raise
            # What was set is told, and kept for an undo.
            outcomes |= {key: failure for key, at in wanted.items() if at is None}
    return outcomes


def _flat(by_topic: Mapping[str, Mapping[int, int]]) -> dict[Key, int]:
    return {(topic, partition): at for topic, of_topic in by_topic.items() for partition, at in of_topic.items()}


def _shown(line: Line) -> ResetLine:
    return ResetLine(
        line.topic,
        line.partition,
        line.old,
        line.new,
        line.earliest,
        line.latest,
        line.changes,
        line.why_not,
        line.remark,
    )


_GROUP = "/api/clusters/{cluster}/consumer-groups/{group}"
ROUTES = (
    Route(
        "POST",
        f"{_GROUP}/offsets/plan",
        plan,
        "What a reset of a group's offsets would do",
        _VIEW,
        body=ResetWish,
        answer=ResetPlan,
    ),
    Route("POST", f"{_GROUP}/offsets", reset, "Set a group's offsets", _RESET, body=ResetDeed, answer=ResetDone),
    Route("GET", f"{_GROUP}/offsets/undos", undos, "Resets that can be undone", _VIEW, answer=UndoList),
    Route(
        "DELETE",
        f"{_GROUP}/topics/{{topic}}",
        forget_topic,
        "Delete a group's offsets of a topic",
        _DELETE,
        answer=ResetDone,
    ),
    Route("DELETE", _GROUP, delete, "Delete a group", _DELETE),
)
