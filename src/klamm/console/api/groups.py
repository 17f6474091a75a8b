"""Groups of every kind: the list, one group with its lag."""

from collections.abc import Container
from typing import Any

import msgspec

from klamm.base.pieces import in_pieces
from klamm.console.access.rights import Right
from klamm.console.api.seen import Seen, seen
from klamm.console.health.trends import Trends
from klamm.console.paging import PageQuery, cut, ordered
from klamm.console.problems import not_found
from klamm.console.routes import Call, NoQuery, Route
from klamm.observing.snapshot import Beyond, Group, Snapshot

_VIEW = Right("consumer", "view", of="group")


class GroupsQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`topic`: only those that have committed something in it. `state`: only those in this state."""

    topic: str = ""
    state: str = ""


class GroupLine(msgspec.Struct, frozen=True, rename="camel"):
    """`type`: classic, consumer, share or streams. `lag`: records, None where nothing is committed.
    `lagSeconds`: how old the oldest record is that was not read; None when that is not known. `members`: None when
    they were never read. `goneIn`: seconds until there is no lag, if it goes on as in the last minutes; None when it
    does not shrink."""

    name: str
    type: str
    state: str
    protocol: str
    coordinator: int
    members: int | None
    topics: int
    lag: int | None
    lag_seconds: float | None
    gone_in: float | None = None


class GroupList(msgspec.Struct, frozen=True):
    groups: tuple[GroupLine, ...]
    total: int
    pages: int
    seen: Seen


class MemberLine(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    client_id: str
    host: str
    assigned: dict[str, tuple[int, ...]]


class OffsetLine(msgspec.Struct, frozen=True, rename="camel"):
    """`beyond`: so many records beyond the end is what was committed; then the lag is not known."""

    topic: str
    partition: int
    committed: int
    earliest: int | None
    latest: int | None
    lag: int | None
    lag_seconds: float | None
    beyond: int | None
    member: str | None


class GroupView(msgspec.Struct, frozen=True):
    """`hidden`: topics that who asks may not view, and that are left out of offsets and of what members have."""

    group: GroupLine
    members: tuple[MemberLine, ...]
    offsets: tuple[OffsetLine, ...]
    seen: Seen
    hidden: int = 0


async def groups(call: Call[GroupsQuery, None]) -> GroupList:
    snapshot = await call.place.snapshot()
    page = cut(call.query, await _shown(call, snapshot), lambda one: one.name, _COLUMNS)
    return GroupList(tuple(page.items), page.total, page.pages, seen(call, snapshot))


async def all_groups(call: Call[GroupsQuery, None]) -> list[GroupLine]:
    """Of every page, as one look found them."""
    shown = await _shown(call, await call.place.snapshot())
    return ordered(call.query, shown, lambda one: one.name, _COLUMNS)


async def _shown(call: Call[GroupsQuery, None], snapshot: Snapshot) -> list[GroupLine]:
    query = call.query
    allowed = call.who.allowed(call.place.name, "consumer", "view", snapshot.groups)
    may_view = not query.topic or call.may("topic", "view", query.topic)
    lines = await call.place.derived("groups", snapshot, lambda: _lines(snapshot, call.place.trends))
    return [
        lines[name]
        for name in allowed
        if (not query.topic or (query.topic in snapshot.committed.get(name, {}) and may_view))
        and (not query.state or snapshot.groups[name].state.lower() == query.state.lower())
    ]


async def group(call: Call[NoQuery, None]) -> GroupView:
    snapshot, name = await call.place.snapshot(), call.path["group"]
    found = snapshot.groups.get(name)
    if found is None:
        raise not_found("group", name)
    named = {*snapshot.committed.get(name, {}), *(topic for one in found.members or () for topic in one.assigned)}
    visible = frozenset(call.who.allowed(call.place.name, "topic", "view", named))
    members = tuple(
        MemberLine(one.id, one.client_id, one.host, {of: ids for of, ids in one.assigned.items() if of in visible})
        for one in sorted(found.members or (), key=lambda member: member.id)
    )
    line, offsets = _line(snapshot, found, call.place.trends), _offsets(snapshot, found, visible)
    return GroupView(line, members, offsets, seen(call, snapshot), len(named - visible))


def _offsets(snapshot: Snapshot, group: Group, visible: Container[str]) -> tuple[OffsetLine, ...]:
    holders = {
        (topic, partition): member.id
        for member in group.members or ()
        for topic, partitions in member.assigned.items()
        for partition in partitions
    }
    lines = []
    for topic, offsets in sorted(snapshot.committed.get(group.name, {}).items()):
        if topic not in visible:
            continue
        for partition, committed in sorted(offsets.items()):
            lag = snapshot.lags.get(group.name, {}).get(topic, {}).get(partition)
            is_beyond = isinstance(lag, Beyond)
            lines.append(
                OffsetLine(
                    topic,
                    partition,
                    committed,
                    snapshot.earliest.get(topic, {}).get(partition),
                    snapshot.latest.get(topic, {}).get(partition),
                    None if lag is None or is_beyond else lag.records,
                    None if lag is None or isinstance(lag, Beyond) else lag.seconds,
                    lag.records if isinstance(lag, Beyond) else None,
                    holders.get((topic, partition)),
                )
            )
    return tuple(lines)


async def _lines(snapshot: Snapshot, trends: Trends) -> dict[str, GroupLine]:
    return {name: _line(snapshot, group, trends) async for name, group in in_pieces(snapshot.groups.items())}


def _line(snapshot: Snapshot, group: Group, trends: Trends) -> GroupLine:
    lags = [
        lag
        for partitions in snapshot.lags.get(group.name, {}).values()
        for lag in partitions.values()
        if not isinstance(lag, Beyond)
    ]
    seconds = [lag.seconds for lag in lags if lag.seconds is not None]
    return GroupLine(
        name=group.name,
        type=group.type,
        state=group.state,
        protocol=group.protocol,
        coordinator=group.coordinator,
        members=None if group.members is None else len(group.members),
        topics=len(snapshot.committed.get(group.name, {})),
        lag=sum(lag.records for lag in lags) if lags else None,
        lag_seconds=max(seconds) if seconds else None,
        gone_in=trends.gone_in(group.name) if lags else None,
    )


_COLUMNS: dict[str, Any] = {
    "name": lambda one: one.name,
    "state": lambda one: one.state,
    "type": lambda one: one.type,
    "members": lambda one: -1 if one.members is None else one.members,
    "topics": lambda one: one.topics,
    "lag": lambda one: -1 if one.lag is None else one.lag,
    "lagSeconds": lambda one: -1.0 if one.lag_seconds is None else one.lag_seconds,
    "goneIn": lambda one: -1.0 if one.gone_in is None else one.gone_in,
}

ROUTES = (
    Route(
        "GET",
        "/api/clusters/{cluster}/consumer-groups",
        groups,
        "Groups, a page at a time",
        query=GroupsQuery,
        answer=GroupList,
    ),
    Route(
        "GET",
        "/api/clusters/{cluster}/consumer-groups/{group}",
        group,
        "A group, its members and its lag",
        _VIEW,
        answer=GroupView,
    ),
)
