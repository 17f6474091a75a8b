"""One loop that reads a cluster again and again, and one snapshot that everybody reads.

A collection, in order: brokers and topics when they are due; then of all brokers side by side which groups they
coordinate, who is in them and what they committed; then the ends of all partitions; then the beginnings, and from time
to time the logs' sizes. Commits are read before ends, so that no lag is negative.

Each part is a question of its own that runs on beside the collections (`asking.py`): a collection waits a while for
the answer, and one that comes later is taken by the next. So no broker keeps the others' values waiting. A part that
fails leaves what it gave last, told as old. Nobody waits for a collection: readers take the last snapshot, or wait for
the next.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from klamm.base import logs
from klamm.base.clock import Clock
from klamm.base.deadlines import within
from klamm.base.together import side_by_side
from klamm.kafka.admin import Admin
from klamm.kafka.errors import KafkaFailure
from klamm.kafka.facts import DescribedGroup, ListedGroup, LogDir, Topic, Topology
from klamm.kafka.groups import describe_groups, list_groups
from klamm.kafka.link import Link
from klamm.kafka.log_dirs import log_dirs
from klamm.kafka.offsets import Bundle, Committed, Which, bundles, committed_offsets, partition_offsets
from klamm.kafka.topology import Remembered, topology
from klamm.observing.asking import NO_ANSWER_YET, Asking, Limit
from klamm.observing.filters import Filters
from klamm.observing.history import History
from klamm.observing.joining import Commits, Ends, Joined, join_lags, join_offsets, read_topics
from klamm.observing.patience import FIRST, TOGETHER, limit
from klamm.observing.questions import Answer, NoAnswer
from klamm.observing.snapshot import Group, Kind, Lags, Partitions, PartKey, Snapshot

_log = logs.room("observing")

_CONNECTION, _TOPOLOGY = PartKey("connection"), PartKey("topology")
_OF_GROUPS: tuple[Kind, ...] = ("groups", "members", "committed")
_NO_COMMITS = Commits({}, frozenset())
_FORGET = 600.0
"""Seconds for which groups are remembered of a broker that left the cluster, unless another broker lists them."""
_LONG, _SELDOM = 1.0, 30.0
"""Brokers and topics that take so many seconds to tell are asked for no more often."""
_RECONNECT = 3
"""Failures to read brokers and topics in a row, after which the bootstrap addresses are tried again."""


@dataclass(frozen=True, slots=True)
class Settings:
    interval: float = 10.0
    """Seconds from one collection's begin to the next one's."""
    topology_every: float = 10.0
    """Seldom where brokers and topics are very many; see `_rhythm_of_topology`."""
    logs_every: float = 60.0
    filters: Filters = field(default_factory=Filters)
    together: float = TOGETHER
    """Seconds that a collection waits for late answers; before there is a snapshot, nobody's values grow old."""
    at_first: float = FIRST
    limit: Limit = limit


@dataclass(frozen=True, slots=True)
class _Said:
    """What a coordinator said of its groups. One question, for commits are worth nothing without their list."""

    listed: dict[str, ListedGroup]
    members: Answer[dict[str, DescribedGroup | KafkaFailure]] | NoAnswer
    committed: Answer[dict[str, Committed | KafkaFailure]] | NoAnswer


@dataclass(frozen=True, slots=True)
class _Coordinated:
    """What one broker last said of the groups that it coordinates."""

    at: float
    groups: Mapping[str, Group]
    committed: Mapping[str, Committed]
    read_now: frozenset[str]
    """Groups whose commits were read this time."""


class Collector:
    def __init__(self, link: Link, clock: Clock, settings: Settings | None = None, also: Sequence[Link] = ()) -> None:
        """`also`: others to the same cluster, which are given up with this one."""
        self.snapshot: Snapshot | None = None
        self._link = link
        self._also = also
        self._clock = clock
        self._settings = settings or Settings()
        self._filters = self._settings.filters
        self._topology: Topology | None = None
        self._remembered = Remembered()
        self._topics: Mapping[str, Topic] = {}
        self._led: Mapping[int, Bundle] = {}
        self._led_of: Mapping[str, Topic] | None = None
        """The topics that it was made of."""
        self._stale = True
        """Leaders moved or topics went: brokers and topics are to be read anew."""
        self._coordinated: dict[int, _Coordinated] = {}
        self._log_dirs: dict[int, tuple[LogDir, ...]] = {}
        self._earliest: Partitions = {}
        self._latest: Joined = Joined({}, {})
        self._lags: Lags = {}
        self._history = History()
        self._asking = Asking(clock, self._settings.limit)
        self._asked: Admin | None = None
        """The connection over which questions are under way."""
        self._changed = asyncio.Event()

    @property
    def reason_none(self) -> str | None:
        """Why there is no snapshot, as far as it is known by now; None once there is one."""
        if self.snapshot is not None:
            return None
        failures = [self._asking.so_far(key).failure for key in (_CONNECTION, _TOPOLOGY)]
        told = [why for why in failures if why and why != NO_ANSWER_YET]
        return next(iter(told), None) or self._link.reason_lost or "the cluster was not read yet"

    async def run(self) -> None:
        """Collect, for ever."""
        try:
            while True:
                begun = self._clock.monotonic()
                await self.collect()
                await asyncio.sleep(max(0.0, self._settings.interval - (self._clock.monotonic() - begun)))
        finally:
            self.stop_asking()

    async def after(self, number: int) -> Snapshot:
        """The newest snapshot, once there is one that is newer than this number."""
        while self.snapshot is None or self.snapshot.number <= number:
            await self._changed.wait()
        return self.snapshot

    async def collect(self) -> None:
        """Once: in the end there is a new snapshot, if the cluster was ever seen."""
        begun = self._clock.monotonic()
        self._latest = Joined(self._latest.all, {})
        self._asking.begin(self._settings.at_first if self.snapshot is None else self._settings.together)
        connected = await self._asking.part(_CONNECTION, self._admin)
        if connected is None:
            self._stale = True
        else:
            self._ask_over(connected.value)
            await self._read_topology(connected.value)
        if self._topology is None:
            return
        if connected is not None and self._asking.so_far(_TOPOLOGY).row < _RECONNECT:
            await self._read_brokers(connected.value, self._topology)
        self._publish(self._topology, begun)

    def stop_asking(self) -> None:
        """Nothing is under way any more; for whoever collected by hand."""
        self._asking.forget_answers()

    async def _admin(self, seconds: float) -> Admin:
        # One try of the link's takes some ten seconds, and then tells why it failed.
        return await within(seconds + FIRST, "Kafka", self._link.admin(), lambda: self._link.reason_lost or "")

    def _ask_over(self, admin: Admin) -> None:
        if admin is not self._asked:
            self._asking.forget_answers()  # nobody answers over a connection that was given up
            self._asked = admin

    async def _read_topology(self, admin: Admin) -> None:
        broker, failed_before = self._one_that_answers(), self._asking.so_far(_TOPOLOGY).row
        answer = await self._asking.part(
            _TOPOLOGY,
            lambda seconds: topology(admin, seconds, broker, self._remembered),
            self._rhythm_of_topology,
        )
        if answer is not None:
            read = answer.value
            if self._topology is None or read.cluster.brokers != self._topology.cluster.brokers:
                admin.look_for_brokers()
            self._topology, self._stale = read, False
            # Topics that exist and cannot be told of now are as they were.
            told = {**{name: self._topics[name] for name in read.failed if name in self._topics}, **read.topics}
            topics = {name: topic for name, topic in told.items() if self._filters.topics.has(name)}
            if topics != self._topics:  # else the same object says that nothing changed
                self._topics = topics
            self._forget_brokers({broker.id for broker in read.cluster.brokers})
            return
        so_far = self._asking.so_far(_TOPOLOGY)
        if so_far.row >= _RECONNECT and so_far.row > failed_before:  # not while the answer is still on its way
            failure = KafkaFailure("read brokers and topics", so_far.failure or "")
            await side_by_side(*(link.lost(failure) for link in (self._link, *self._also)))

    def _rhythm_of_topology(self) -> float:
        """In each collection, so that a new topic is there within 15 s.

        That costs little where it is not very long: 47 ms of CPU for 10 000 partitions, 0.3 s a minute, a third of what
        the rest costs. Whether anything changed cannot be asked for less.
        """
        every = self._settings.topology_every
        if self._asking.so_far(_TOPOLOGY).seconds > _LONG:
            every = max(every, _SELDOM)
        # What is due with each collection is not to miss one by a millisecond.
        return 0.0 if self._stale or every <= self._settings.interval else every

    def _one_that_answers(self) -> int | None:
        """Another one each time, for one alone may be wrong; never one that hangs. None: any."""
        brokers = self._topology.cluster.brokers if self._topology else ()
        parts = {one.id: self._asking.so_far(PartKey("groups", one.id)) for one in brokers}
        well = [one for one, part in parts.items() if part.failure is None and not self._asking.hangs(one)]
        so_far = self._asking.so_far(_TOPOLOGY)
        # After as many failures the cluster may be another one under the same addresses.
        return well[so_far.tries % len(well)] if well and so_far.row < _RECONNECT else None

    async def _read_brokers(self, admin: Admin, known: Topology) -> None:
        ids = [broker.id for broker in known.cluster.brokers]
        await side_by_side(*(self._read_groups(admin, broker) for broker in ids))
        self._settle()
        await self._read_ends(admin)
        await side_by_side(self._read_beginnings(admin), *(self._read_log_dirs(admin, broker) for broker in ids))

    async def _read_groups(self, admin: Admin, broker: int) -> None:
        before = self._coordinated.get(broker)
        answer = await self._asking.part(PartKey("groups", broker), lambda _: self._ask_groups(admin, broker))
        if answer is None:
            if before is not None:
                self._coordinated[broker] = replace(before, read_now=frozenset())
            return
        wanted = answer.value.listed.values()
        members = self._asking.note(PartKey("members", broker), answer.value.members)
        committed = self._asking.note(PartKey("committed", broker), answer.value.committed)
        described = members.value if members else {}
        old_groups = before.groups if before else {}
        groups = {one.name: _group(one, broker, described.get(one.name), old_groups) for one in wanted}
        told = committed.value if committed else {}
        read = {name: offsets for name, offsets in told.items() if not isinstance(offsets, KafkaFailure)}
        old = before.committed if before else {}
        commits = {name: offsets for name in groups if (offsets := read.get(name, old.get(name))) is not None}
        self._coordinated[broker] = _Coordinated(answer.came_at, groups, commits, frozenset(read))

    async def _ask_groups(self, admin: Admin, broker: int) -> _Said:
        """The list, then members and commits side by side."""
        listed = await list_groups(admin, broker, self._asking.limit(PartKey("groups", broker)))
        wanted = {name: group for name, group in listed.items() if self._filters.groups.has(name)}
        of_members = self._asking.limit(PartKey("members", broker))
        of_commits = self._asking.limit(PartKey("committed", broker))
        members, committed = await side_by_side(
            self._asking.here(lambda: describe_groups(admin, broker, wanted.values(), of_members)),
            self._asking.here(lambda: committed_offsets(admin, broker, wanted, of_commits)),
        )
        return _Said(wanted, members, committed)

    async def _read_ends(self, admin: Admin) -> None:
        commits = self._committed()
        answers = await self._read_offsets(admin, "latest", commits)
        now = self._clock.monotonic()
        read = [answer.value for answer in answers]
        self._latest = await join_offsets(self._topics, self._latest.all, [ends.offsets for ends in read])
        self._history.add(now, read_topics(commits.of_groups, self._latest.fresh))
        self._lags = await join_lags(self._lags, commits.of_groups, read, self._topics, self._history, now)

    async def _read_beginnings(self, admin: Admin) -> None:
        answers = await self._read_offsets(admin, "earliest", _NO_COMMITS)
        read = [one.value.offsets for one in answers]
        self._earliest = (await join_offsets(self._topics, self._earliest, read)).all

    async def _read_offsets(self, admin: Admin, which: Which, commits: Commits) -> list[Answer[Ends]]:
        """Of all brokers that lead anything, as they were asked; `commits` were read before."""
        led = await self._by_leader()
        kind: Kind = which
        # Who leads nothing any more is asked nothing: what it told does not grow old.
        self._asking.forget([key for key in self._asking.parts if key.kind == kind and key.broker not in led])

        async def of(broker: int) -> Answer[Ends] | None:
            key, ask = PartKey(kind, broker), _asking_ends(admin, broker, led[broker], which, commits)
            return await self._asking.part(key, ask, lambda: self._rhythm(key))

        answers = await side_by_side(*map(of, led))
        read = [answer for answer in answers if answer is not None]
        said = [answer.value.offsets for answer in read]
        if (which == "latest" and len(read) < len(led)) or any(one.moved or one.gone for one in said):
            self._stale = True
        return sorted(read, key=lambda answer: answer.at)

    async def _by_leader(self) -> Mapping[int, Bundle]:
        """Made anew when brokers or topics are others."""
        if self._led_of is not self._topics:
            topics = self._topics
            self._led, self._led_of = await bundles(topics), topics
        return self._led

    def _rhythm(self, key: PartKey) -> float:
        """Beginnings move seldom, and stand in the same line as the ends and the groups of a slow broker."""
        slow = key.broker in self._asking.late or self._asking.so_far(PartKey("latest", key.broker)).seconds > TOGETHER
        return self._settings.logs_every if key.kind == "earliest" and slow else 0.0

    async def _read_log_dirs(self, admin: Admin, broker: int) -> None:
        answer = await self._asking.part(
            PartKey("logs", broker),
            lambda seconds: log_dirs(admin, broker, seconds),
            lambda: self._settings.logs_every,
        )
        if answer is not None:
            self._log_dirs[broker] = answer.value

    def _committed(self) -> Commits:
        """Of all brokers, as it is known now."""
        committed: dict[str, Partitions] = {}
        read: set[str] = set()
        for one in self._in_order():
            for group, offsets in one.committed.items():
                committed[group] = {topic: at for topic, at in offsets.items() if topic in self._topics}
                (read.add if group in one.read_now else read.discard)(group)
        return Commits(committed, frozenset(read))

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
            if broker in present:
                continue
            self._coordinated[broker] = replace(one, read_now=frozenset())
            if not one.groups or now - one.at > _FORGET:
                del self._coordinated[broker]
        left = {key for key in self._asking.parts if key.broker is not None and key.broker not in present}
        told = {key for key in left if key.kind in _OF_GROUPS and key.broker in self._coordinated}
        self._asking.forget_answers(left)
        self._asking.forget(left - told)
        for broker in self._log_dirs.keys() - present:
            del self._log_dirs[broker]

    def _publish(self, known: Topology, begun: float) -> None:
        groups = {name: group for one in self._in_order() for name, group in one.groups.items()}
        partitions = sum(len(topic.partitions) for topic in self._topics.values())
        read = sum(len(self._latest.fresh.get(name, ())) for name in self._topics)
        self.snapshot = Snapshot(
            number=self.snapshot.number + 1 if self.snapshot else 1,
            at=begun,
            seconds=self._clock.monotonic() - begun,
            cluster=known.cluster,
            topics=self._topics,
            led=self._led if self._led_of is self._topics else None,
            earliest=self._earliest,
            latest=self._latest.all,
            groups=groups,
            committed=self._committed().of_groups,
            lags=self._lags,
            log_dirs=dict(self._log_dirs),
            unread=partitions - read,
            parts=dict(self._asking.parts),
        )
        self._changed.set()
        self._changed.clear()


def _asking_ends(
    admin: Admin, broker: int, led: Bundle, which: Which, commits: Commits
) -> Callable[[float], Awaitable[Ends]]:
    async def ask(seconds: float) -> Ends:
        return Ends(await partition_offsets(admin, broker, led, which, seconds), commits)

    return ask


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
