"""One loop that reads a cluster again and again, and one snapshot that everybody reads.

A collection, in order: brokers and topics when they are due; then of all brokers side by side which groups they
coordinate, who is in them and what they committed; then the ends of all partitions; from time to time the logs' sizes.
Commits are read before ends, so that no lag is negative.

Each part has a deadline of its own (`patience.py`), and a part that fails leaves what it gave last, told as old. Nobody
waits for a collection: readers take the last snapshot, or wait for the next.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from klamm.base import logs
from klamm.base.clock import Clock
from klamm.base.deadlines import DeadlineExceeded, within
from klamm.kafka.admin import Admin
from klamm.kafka.errors import KafkaFailure, Unreachable
from klamm.kafka.facts import DescribedGroup, ListedGroup, LogDir, Offsets, Topic, Topology
from klamm.kafka.groups import describe_groups, list_groups
from klamm.kafka.link import Link
from klamm.kafka.log_dirs import log_dirs
from klamm.kafka.offsets import Committed, Which, committed_offsets, partition_offsets
from klamm.kafka.topology import topology
from klamm.observing.filters import Filters
from klamm.observing.history import History
from klamm.observing.joining import Joined, join_lags, join_offsets, read_topics
from klamm.observing.patience import patience
from klamm.observing.snapshot import Group, Kind, Lags, Part, Partitions, PartKey, Snapshot

T = TypeVar("T")

_log = logs.room("observing")

_CONNECTION, _TOPOLOGY = PartKey("connection"), PartKey("topology")
_FORGET = 600.0
"""Seconds for which groups are remembered of a broker that left the cluster, unless another broker lists them."""
_RECONNECT = 3
"""Failures to read brokers and topics in a row, after which the bootstrap addresses are tried again."""


@dataclass(frozen=True, slots=True)
class Settings:
    interval: float = 10.0
    """Seconds from one collection's begin to the next one's."""
    topology_every: float = 30.0
    logs_every: float = 60.0
    filters: Filters = field(default_factory=Filters)
    patience: Callable[[Part | None, bool], float] = patience


@dataclass(frozen=True, slots=True)
class _Coordinated:
    """What one broker last said of the groups that it coordinates."""

    at: float
    groups: Mapping[str, Group]
    committed: Mapping[str, Committed]
    read_now: frozenset[str]
    """Groups whose commits were read this time."""


class Collector:
    def __init__(self, link: Link, clock: Clock, settings: Settings | None = None) -> None:
        self.snapshot: Snapshot | None = None
        self.reason_none: str | None = "the cluster was not read yet"
        """Why there is no snapshot; None once there is one."""
        self._link = link
        self._clock = clock
        self._settings = settings or Settings()
        self._filters = self._settings.filters
        self._parts: dict[PartKey, Part] = {}
        self._topology: Topology | None = None
        self._topics: Mapping[str, Topic] = {}
        self._stale = True
        """Leaders moved or topics went: brokers and topics are to be read anew."""
        self._coordinated: dict[int, _Coordinated] = {}
        self._log_dirs: dict[int, tuple[LogDir, ...]] = {}
        self._earliest: Partitions = {}
        self._latest: Joined = Joined({}, {})
        self._lags: Lags = {}
        self._history = History()
        self._silent: set[int] = set()
        """Brokers that let something of this collection run out of time."""
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Collect, for ever."""
        while True:
            begun = self._clock.monotonic()
            await self.collect()
            await asyncio.sleep(max(0.0, self._settings.interval - (self._clock.monotonic() - begun)))

    async def after(self, number: int) -> Snapshot:
        """The newest snapshot, once there is one that is newer than this number."""
        while self.snapshot is None or self.snapshot.number <= number:
            await self._changed.wait()
        return self.snapshot

    async def collect(self) -> None:
        """Once: in the end there is a new snapshot, if the cluster was ever seen."""
        begun = self._clock.monotonic()
        self._latest, self._silent = Joined(self._latest.all, {}), set()
        admin = await self._part(_CONNECTION, self._admin)
        if admin is None:
            self._stale = True
        elif self._stale or self._due(_TOPOLOGY, self._settings.topology_every):
            await self._read_topology(admin)
        if self._topology is None:
            failures = [self._parts[key].failure for key in (_CONNECTION, _TOPOLOGY) if key in self._parts]
            self.reason_none = next((why for why in failures if why), None)
            return
        if admin is not None and self._parts.get(_TOPOLOGY, Part()).row < _RECONNECT:
            await self._read_brokers(admin, self._topology)
        self._publish(self._topology, begun)

    async def _admin(self, seconds: float) -> Admin:
        return await within(seconds, "Kafka", self._link.admin(), lambda: self._link.reason_lost or "")

    async def _read_topology(self, admin: Admin) -> None:
        read = await self._part(_TOPOLOGY, lambda seconds: topology(admin, seconds))
        if read is not None:
            if self._topology is None or read.cluster.brokers != self._topology.cluster.brokers:
                admin.look_for_brokers()
            self._topology, self._stale = read, False
            # Topics that exist and cannot be told of now are as they were.
            told = {**{name: self._topics[name] for name in read.failed if name in self._topics}, **read.topics}
            topics = {name: topic for name, topic in told.items() if self._filters.topics.has(name)}
            if topics != self._topics:  # else the same object says that nothing changed
                self._topics = topics
            self._forget_brokers({broker.id for broker in read.cluster.brokers})
        elif self._parts[_TOPOLOGY].row >= _RECONNECT:
            await self._link.lost(KafkaFailure("read brokers and topics", self._parts[_TOPOLOGY].failure or ""))

    async def _read_brokers(self, admin: Admin, known: Topology) -> None:
        ids = [broker.id for broker in known.cluster.brokers]
        await asyncio.gather(*(self._read_groups(admin, broker) for broker in ids))
        self._settle()
        committed, read_now = self._committed()
        latest = await self._read_offsets(admin, "latest")
        now = self._clock.monotonic()
        self._latest = join_offsets(self._topics, self._latest.all, latest)
        self._history.add(now, read_topics(committed, self._latest.fresh))
        self._lags = join_lags(self._lags, committed, read_now, self._latest, self._history, now)
        earliest = await self._read_offsets(admin, "earliest")
        self._earliest = join_offsets(self._topics, self._earliest, earliest).all
        due = [broker for broker in ids if self._due(PartKey("logs", broker), self._settings.logs_every)]
        await asyncio.gather(*(self._read_log_dirs(admin, broker) for broker in due))

    async def _read_groups(self, admin: Admin, broker: int) -> None:
        """One broker's groups: the list, then members and commits side by side."""
        before = self._coordinated.get(broker)
        listed = await self._part(PartKey("groups", broker), lambda seconds: list_groups(admin, broker, seconds))
        if listed is None:
            if before is not None:
                self._coordinated[broker] = replace(before, read_now=frozenset())
            return
        at = self._clock.monotonic()
        wanted = [group for name, group in listed.items() if self._filters.groups.has(name)]
        names = [group.name for group in wanted]
        described, committed = await asyncio.gather(
            self._part(PartKey("members", broker), lambda seconds: describe_groups(admin, broker, wanted, seconds)),
            self._part(PartKey("committed", broker), lambda seconds: committed_offsets(admin, broker, names, seconds)),
        )
        old_groups = before.groups if before else {}
        groups = {one.name: _group(one, broker, (described or {}).get(one.name), old_groups) for one in wanted}
        read = {name: offsets for name, offsets in (committed or {}).items() if not isinstance(offsets, KafkaFailure)}
        old = before.committed if before else {}
        commits = {name: offsets for name in names if (offsets := read.get(name, old.get(name))) is not None}
        self._coordinated[broker] = _Coordinated(at, groups, commits, frozenset(read))

    async def _read_offsets(self, admin: Admin, which: Which) -> list[Offsets]:
        asked = [(broker, led) for broker, led in _led(self._topics).items() if led]
        kind: Kind = which
        for gone in self._of_kind(kind) - {broker for broker, _ in asked}:
            del self._parts[PartKey(kind, gone)]  # it leads nothing now: what is not asked does not grow old
        answers = await asyncio.gather(
            *(self._part(PartKey(kind, broker), _asking_offsets(admin, broker, led, which)) for broker, led in asked)
        )
        read = [answer for answer in answers if answer is not None]
        if len(read) < len(asked) or any(answer.moved or answer.gone for answer in read):
            self._stale = True
        return read

    async def _read_log_dirs(self, admin: Admin, broker: int) -> None:
        read = await self._part(PartKey("logs", broker), lambda seconds: log_dirs(admin, broker, seconds))
        if read is not None:
            self._log_dirs[broker] = read

    async def _part(self, key: PartKey, ask: Callable[[float], Awaitable[T]]) -> T | None:
        """The answer, or None; how it went is written down."""
        before = self._parts.get(key)
        begun = self._clock.monotonic()
        try:
            answer = await ask(self._settings.patience(before, key.broker in self._silent))
        except (KafkaFailure, DeadlineExceeded) as failure:
            if key.broker is not None and isinstance(failure, Unreachable):
                self._silent.add(key.broker)
            self._parts[key] = (before or Part()).failed(str(failure))
            if before is None or before.failure is None:
                _log.warning("could not be read", part=key.kind, broker=key.broker, because=str(failure))
            return None
        except Exception as error:
            # Something that a broker or a group's leader wrote and nobody thought of: it costs this part and no other.
            self._parts[key] = (before or Part()).failed(f"{type(error).__name__}: {error}")
            if before is None or before.failure is None:
                _log.error("could not be understood", error, part=key.kind, broker=key.broker)
            return None
        self._parts[key] = (before or Part()).succeeded(begun, self._clock.monotonic() - begun)
        if before is not None and before.failure is not None:
            _log.info("is read again", part=key.kind, broker=key.broker)
        return answer

    def _of_kind(self, kind: Kind) -> set[int]:
        return {key.broker for key in self._parts if key.kind == kind and key.broker is not None}

    def _due(self, key: PartKey, every: float) -> bool:
        part = self._parts.get(key)
        return part is None or part.read_at is None or self._clock.monotonic() - part.read_at >= every

    def _committed(self) -> tuple[dict[str, Partitions], set[str]]:
        """Of all brokers."""
        committed: dict[str, Partitions] = {}
        read_now: set[str] = set()
        for one in self._in_order():
            for group, offsets in one.committed.items():
                committed[group] = {topic: at for topic, at in offsets.items() if topic in self._topics}
                (read_now.add if group in one.read_now else read_now.discard)(group)
        return committed, read_now

    def _settle(self) -> None:
        """Where two brokers know a group (its coordinator moved), who spoke last is right, and the other forgets it:
        else it would come back when the new coordinator says that it was deleted."""
        told: set[str] = set()
        for broker, one in sorted(self._coordinated.items(), key=lambda item: item[1].at)[::-1]:
            groups = {name: group for name, group in one.groups.items() if name not in told}
            if len(groups) < len(one.groups):
                commits = {name: offsets for name, offsets in one.committed.items() if name in groups}
                self._coordinated[broker] = replace(one, groups=groups, committed=commits)
            told |= groups.keys()

    def _in_order(self) -> list[_Coordinated]:
        return sorted(self._coordinated.values(), key=lambda one: one.at)

    def _forget_brokers(self, present: set[int]) -> None:
        """A broker that left takes its parts with it; its groups are remembered for a while, and told as old."""
        now = self._clock.monotonic()
        for broker, one in tuple(self._coordinated.items()):
            if broker not in present and (not one.groups or now - one.at > _FORGET):
                del self._coordinated[broker]
        remembered = present | self._coordinated.keys()
        for key in tuple(self._parts):
            of_groups = key.kind in ("groups", "members", "committed")
            if key.broker is not None and key.broker not in (remembered if of_groups else present):
                del self._parts[key]
        for broker in self._log_dirs.keys() - present:
            del self._log_dirs[broker]

    def _publish(self, known: Topology, begun: float) -> None:
        groups = {name: group for one in self._in_order() for name, group in one.groups.items()}
        committed, _ = self._committed()
        partitions = sum(len(topic.partitions) for topic in self._topics.values())
        read = sum(len(self._latest.fresh.get(name, ())) for name in self._topics)
        self.snapshot = Snapshot(
            number=self.snapshot.number + 1 if self.snapshot else 1,
            at=begun,
            seconds=self._clock.monotonic() - begun,
            cluster=known.cluster,
            topics=self._topics,
            earliest=self._earliest,
            latest=self._latest.all,
            groups=groups,
            committed=committed,
            lags=self._lags,
            log_dirs=dict(self._log_dirs),
            unread=partitions - read,
            parts=dict(self._parts),
        )
        self.reason_none = None
        self._changed.set()
        self._changed.clear()


def _asking_offsets(
    admin: Admin, broker: int, led: Mapping[str, list[int]], which: Which
) -> Callable[[float], Awaitable[Offsets]]:
    return lambda seconds: partition_offsets(admin, broker, led, which, seconds)


def _led(topics: Mapping[str, Topic]) -> dict[int, dict[str, list[int]]]:
    """By broker the partitions that it leads."""
    led: dict[int, dict[str, list[int]]] = {}
    for name, topic in topics.items():
        for partition in topic.partitions:
            if partition.leader is not None:
                led.setdefault(partition.leader, {}).setdefault(name, []).append(partition.id)
    return led


def _group(
    listed: ListedGroup, broker: int, described: DescribedGroup | KafkaFailure | None, before: Mapping[str, Group]
) -> Group:
    """What the description adds to the list; members as they were when it could not be read."""
    if isinstance(described, DescribedGroup):
        state, protocol = described.state, described.protocol
        return Group(listed.name, listed.type, state, listed.protocol_type, protocol, broker, described.members)
    old = before.get(listed.name)
    if old is not None:
        return replace(old, state=listed.state or old.state, coordinator=broker)
    return Group(listed.name, listed.type, listed.state, listed.protocol_type, "", broker, None)
