"""Who did what, when, and how it ended: the last entries in memory, lines in the log, records in a topic.

kafka-ui's settings of a cluster decide where entries go (`audit.topicAuditEnabled`, `consoleAuditEnabled`, `level`,
`topic`). The entries in memory are kept without any of them, and the page shows those. What was asked is noted with its
names and numbers, trimmed; never a body's values that may be secrets or messages.
"""

import asyncio
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from itertools import count
from operator import itemgetter
from typing import Any, Literal

import msgspec

from klamm.base import logs
from klamm.console.identity.reading import BadSetting, Section

_log = logs.room("console.audit")

MOST = 2000
MOST_REFUSED = 500
"""Refusals have a place of their own: whoever may nothing must not push off who changed what."""

_REFUSED = frozenset({401, 403, 429})
_LONGEST = 200
_MOST_FIELDS = 20
_SECRET = re.compile(r"pass|secret|token|credential|jaas|private|\.key$|^key$|^value$|^headers?$", re.IGNORECASE)
TOPIC = "__kui-audit-log"
"""kafka-ui's name."""

Level = Literal["ALL", "ALTER_ONLY"]


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """`level`: ALTER_ONLY notes what changes something, and what was refused; ALL also what was looked at."""

    to_topic: bool = False
    to_log: bool = False
    level: Level = "ALTER_ONLY"
    topic: str = TOPIC
    partitions: int = 1
    properties: Mapping[str, str] | None = None


class Entry(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """`at`: milliseconds since 1970. `object`: what it was done to. `outcome`: "ok", or the Problem's title."""

    at: int
    who: str
    what: str
    outcome: str
    status: int
    cluster: str | None = None
    resource: str | None = None
    action: str | None = None
    object: str | None = None
    remote: str | None = None
    parameters: dict[str, Any] = {}
    detail: str | None = None


class _Queue:
    """The oldest go when there are too many."""

    def __init__(self, keep: int) -> None:
        self._entries: deque[Entry] = deque(maxlen=keep)
        self._keep = keep
        self._some = asyncio.Event()

    def put(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._some.set()

    def put_back(self, entry: Entry) -> None:
        if len(self._entries) < self._keep:
            self._entries.appendleft(entry)
            self._some.set()

    async def next(self) -> Entry:
        while not self._entries:
            self._some.clear()
            await self._some.wait()
        return self._entries.popleft()


class Trail:
    """`settings`: by cluster. `keep`: how many entries are remembered, and how many wait for their topics."""

    def __init__(self, settings: Mapping[str, AuditSettings], keep: int = MOST) -> None:
        self._settings = settings
        # What belongs to no cluster is in the log when anything is.
        self._of_none = AuditSettings(to_log=any(one.to_log for one in settings.values()))
        self._last: deque[tuple[int, Entry]] = deque(maxlen=keep)
        self._refused: deque[tuple[int, Entry]] = deque(maxlen=MOST_REFUSED)
        self._number = count()
        self._waiting = {name: _Queue(keep) for name, one in settings.items() if one.to_topic}

    @property
    def with_topics(self) -> tuple[str, ...]:
        """The clusters whose entries go into topics, too."""
        return tuple(self._waiting)

    def wants(self, cluster: str | None, changes: bool, status: int) -> bool:
        return changes or status in (401, 403) or self._of(cluster).level == "ALL"

    def note(self, entry: Entry, changes: bool) -> None:
        if not self.wants(entry.cluster, changes, entry.status):
            return
        settings = self._of(entry.cluster)
        is_refused = entry.status in _REFUSED or (entry.cluster is None and entry.status >= 400)
        (self._refused if is_refused else self._last).append((next(self._number), entry))
        if settings.to_log:
            _log.info(
                entry.what,
                who=entry.who,
                cluster=entry.cluster,
                resource=entry.resource,
                action=entry.action,
                object=entry.object,
                outcome=entry.outcome,
                remote=entry.remote,
                parameters=msgspec.json.encode(entry.parameters).decode() if entry.parameters else None,
            )
        if entry.cluster in self._waiting:
            self._waiting[entry.cluster].put(entry)

    def _of(self, cluster: str | None) -> AuditSettings:
        return self._of_none if cluster is None else self._settings.get(cluster, self._of_none)

    async def next_for_topic(self, cluster: str) -> Entry:
        """The oldest entry that the cluster's topic does not have."""
        return await self._waiting[cluster].next()

    def again(self, cluster: str, entry: Entry) -> None:
        """It could not be written; it is next, unless so many came since that it is too old."""
        self._waiting[cluster].put_back(entry)

    def newest_first(self) -> Iterator[Entry]:
        found = merge(reversed(self._last), reversed(self._refused), key=itemgetter(0), reverse=True)
        return (entry for _, entry in found)


def parameters(query: Any, body: Any) -> dict[str, Any]:
    """What was asked, without what may be secret or a message, and not at length."""
    found: dict[str, Any] = {}
    for one in (query, body):
        if one is not None:
            found.update(_trimmed(msgspec.to_builtins(one)))
    return found


def _trimmed(given: Any, depth: int = 0) -> Any:
    if isinstance(given, Mapping):
        if depth > 3:
            return "…"
        return {
            str(key)[:_LONGEST]: "[hidden]" if _SECRET.search(str(key)) and value else _trimmed(value, depth + 1)
            for key, value in list(given.items())[:_MOST_FIELDS]
        }
    if isinstance(given, list | tuple):
        return [_trimmed(one, depth + 1) for one in given[:_MOST_FIELDS]] + (["…"] if len(given) > _MOST_FIELDS else [])
    if isinstance(given, str):
        return logs.hide_secrets(given if len(given) <= _LONGEST else f"{given[:_LONGEST]}…")
    return given


def read(given: Any, field: str) -> AuditSettings:
    """Of a cluster's `audit`; `field`: its path. Raises BadSetting."""
    section = Section(given, field)
    level = section.text("level", "ALTER_ONLY").upper()
    if level not in ("ALL", "ALTER_ONLY"):
        raise BadSetting(section.at("level"), level, "is no level; write ALL or ALTER_ONLY")
    partitions = section.text("auditTopicsPartitions", "1")
    if not partitions.isdecimal() or not 0 < int(partitions) <= 1000:
        raise BadSetting(section.at("auditTopicsPartitions"), partitions, "is no number of partitions; write 1 or more")
    properties = section.raw("auditTopicProperties")
    if properties is not None and not isinstance(properties, Mapping):
        raise BadSetting(section.at("auditTopicProperties"), properties, "is no mapping; write keys and values")
    return AuditSettings(
        section.flag("topicAuditEnabled"),
        section.flag("consoleAuditEnabled"),
        level,  # type: ignore[arg-type]
        section.text("topic", TOPIC),
        int(partitions),
        None if properties is None else {str(key): str(value) for key, value in properties.items()},
    )
