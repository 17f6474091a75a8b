"""What a cluster was like in the last hours, kept in this process: charts without a Prometheus.

Numbers lie in rings of fixed length, four bytes each, so the memory is known beforehand: the cluster and its brokers
for a day, topics and groups, of which there are thousands, for six hours in coarser steps (9 000 topics and 2 200
groups: 32 MB). What was not read has no number: a chart shows a gap there, never a zero. A restart forgets all.

The pace of writing is made of the partitions' ends of two samples. A topic with a partition whose end is an old one, in
either sample, has none: else a broker that hangs would show nothing and then a peak.
"""

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from klamm.base.pieces import in_pieces
from klamm.kafka.facts import Topic
from klamm.observing.snapshot import Lag, Partitions, Snapshot

NONE = math.nan

FINE, FINE_FOR = 15.0, 24 * 3600.0
COARSE, COARSE_FOR = 60.0, 6 * 3600.0
"""Seconds from sample to sample, and for how long they are kept."""

MOST = 20_000
"""Things of one kind that are kept; who comes later has no history until others have gone."""

OF_CLUSTER = ("messagesIn", "bytes", "underReplicated", "offline", "lag")
OF_BROKER = ("messagesIn", "bytes", "leaders", "outOfSync")
OF_TOPIC = ("messagesIn", "bytes")
OF_GROUP = ("lag", "lagSeconds")
OF_DISK = ("free",)


class Ring:
    """Columns of numbers for each of many names, at the same moments for all. Moments are seconds of the epoch."""

    def __init__(self, columns: Sequence[str], slots: int, most: int = MOST) -> None:
        self.columns = tuple(columns)
        self._slots = slots
        self._most = most
        self._empty = array("f", [NONE]) * (slots * len(self.columns))
        self._times = array("d", [NONE]) * slots
        self._rows: dict[str, array[float]] = {}
        self._last: dict[str, int] = {}
        """The count of `add` at which a name was last there."""
        self._added = 0
        self._under_way = False
        """Something is added in pieces."""

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def size(self) -> int:
        """Bytes of numbers."""
        return len(self._rows) * len(self._empty) * self._empty.itemsize

    def add(self, at: float, values: Mapping[str, Sequence[float]]) -> None:
        """A name that is not among the values has a gap; after a whole round of gaps it is forgotten."""
        for _ in self._adding(at, values):
            pass

    async def add_in_pieces(self, at: float, values: Mapping[str, Sequence[float]]) -> None:
        """The same of very many names. Nobody reads of it before it is whole."""
        async for _ in in_pieces(self._adding(at, values)):
            pass

    def _adding(self, at: float, values: Mapping[str, Sequence[float]]) -> Iterator[None]:
        slot, width = self._added % self._slots, len(self.columns)
        gap, added = self._empty[:width], self._added + 1
        self._under_way = True
        for name, row in tuple(self._rows.items()):
            if name not in values:
                row[slot * width : (slot + 1) * width] = gap
                if added - self._last[name] >= self._slots:
                    del self._rows[name], self._last[name]
            yield
        for name, numbers in values.items():
            found = self._rows.get(name)
            if found is None:
                if len(self._rows) >= self._most:
                    continue
                found = self._rows[name] = self._empty[:]
            found[slot * width : (slot + 1) * width] = array("f", numbers)
            self._last[name] = added
            yield
        self._times[slot] = at
        self._added = added
        self._under_way = False

    def times(self) -> list[float]:
        """From old to new."""
        return [self._times[slot] for slot in self._in_order()]

    def of(self, name: str, column: str) -> list[float]:
        """As long as `times`; NaN where nothing is known."""
        row = self._rows.get(name, self._empty)
        at, width = self.columns.index(column), len(self.columns)
        return [row[slot * width + at] for slot in self._in_order()]

    def earlier(self, column: str, now: float, longest: float, shortest: float) -> dict[str, tuple[float, float]]:
        """By name a number of the past and how many seconds ago it was: the oldest that is known and no older than
        `longest`, if it is at least `shortest` old."""
        at, width = self.columns.index(column), len(self.columns)
        slots = [slot for slot in self._in_order() if shortest <= now - self._times[slot] <= longest]
        found: dict[str, tuple[float, float]] = {}
        for name, row in self._rows.items():
            for slot in slots:
                value = row[slot * width + at]
                if not math.isnan(value):
                    found[name] = (value, now - self._times[slot])
                    break
        return found

    def _in_order(self) -> range | list[int]:
        if self._added < self._slots:
            return range(self._added)
        begin = self._added % self._slots
        # The oldest is not what it was while the newest comes in its place.
        return [*range(begin + self._under_way, self._slots), *range(begin)]


@dataclass(frozen=True, slots=True)
class _Ends:
    at: float
    latest: Partitions
    stale: frozenset[int]
    """Brokers whose ends are old ones."""


class Past:
    """Of one cluster. `add` takes each snapshot and keeps what is due."""

    def __init__(self, fine: float = FINE, coarse: float = COARSE) -> None:
        self.cluster = Ring(OF_CLUSTER, int(FINE_FOR / FINE))
        self.brokers = Ring(OF_BROKER, int(FINE_FOR / FINE))
        self.disks = Ring(OF_DISK, int(FINE_FOR / COARSE))
        self.topics = Ring(OF_TOPIC, int(COARSE_FOR / COARSE))
        self.groups = Ring(OF_GROUP, int(COARSE_FOR / COARSE))
        self._fine, self._coarse = fine, coarse
        self._before_fine: _Ends | None = None
        self._before_coarse: _Ends | None = None

    async def add(self, now: float, snapshot: Snapshot) -> None:
        """`now`: the wall clock's seconds. Made in pieces: answers do not wait for it."""
        ends = _Ends(snapshot.at, snapshot.latest, _stale(snapshot))
        if self._before_fine is None or ends.at - self._before_fine.at >= self._fine:
            before, self._before_fine = self._before_fine, ends
            await self._add_fine(now, snapshot, _Between(before, ends))
        if self._before_coarse is None or ends.at - self._before_coarse.at >= self._coarse:
            before, self._before_coarse = self._before_coarse, ends
            await self._add_coarse(now, snapshot, _Between(before, ends))

    async def _add_fine(self, now: float, snapshot: Snapshot, between: "_Between") -> None:
        ids = [one.id for one in snapshot.cluster.brokers]
        of = {one: _OfBroker() for one in ids}
        under = offline = written = 0
        async for name, topic in in_pieces(snapshot.topics.items()):
            for one in topic.partitions:
                leader = of.get(one.leader) if one.leader is not None else None
                if one.leader is None:
                    offline += 1
                elif leader is not None:
                    leader.leaders += 1
                if len(one.in_sync) < len(one.replicas):
                    under += 1
                    for broker in one.replicas:
                        if broker not in one.in_sync and broker in of:
                            of[broker].behind += 1
            for broker, records in between.written(name, topic):
                written += records
                if broker in of:
                    of[broker].written += records
        stored = {broker: float(sum(sum(one.sizes.values()) for one in of)) for broker, of in snapshot.log_dirs.items()}
        lag, known = 0.0, False
        async for group in in_pieces(snapshot.groups):
            behind, _ = _lag(snapshot, group)
            if not math.isnan(behind):
                lag, known = lag + behind, True
        self.cluster.add(
            now,
            {
                "": (
                    NONE if between.stale else between.pace(written),
                    sum(stored.values()) if stored else NONE,
                    under,
                    offline,
                    lag if known else NONE,
                )
            },
        )
        self.brokers.add(
            now,
            {
                str(one): (
                    NONE if one in between.stale else between.pace(of[one].written),
                    stored.get(one, NONE),
                    of[one].leaders,
                    of[one].behind,
                )
                for one in ids
            },
        )

    async def _add_coarse(self, now: float, snapshot: Snapshot, between: "_Between") -> None:
        sizes: dict[str, float] = {}
        for dirs in snapshot.log_dirs.values():
            for one in dirs:
                for name, size in one.sizes.items():
                    sizes[name] = sizes.get(name, 0.0) + size
        unread = NONE if not snapshot.log_dirs else 0.0
        topics, groups = {}, {}
        async for name, topic in in_pieces(snapshot.topics.items()):
            known, written = not between.is_unknown(name, topic), 0
            for _, records in between.written(name, topic):
                written += records
            topics[name] = (between.pace(written) if known else NONE, sizes.get(name, unread))
        async for name in in_pieces(snapshot.groups):
            groups[name] = _lag(snapshot, name)
        await self.topics.add_in_pieces(now, topics)
        await self.groups.add_in_pieces(now, groups)
        self.disks.add(
            now,
            {
                disk_name(broker, one.path): (float(one.usable),)
                for broker, dirs in snapshot.log_dirs.items()
                for one in dirs
                if one.usable is not None
            },
        )


def disk_name(broker: int, path: str) -> str:
    return f"{broker} {path}"


@dataclass(slots=True)
class _OfBroker:
    leaders: int = 0
    behind: int = 0
    written: int = 0


class _Between:
    """What was written between two samples."""

    def __init__(self, before: _Ends | None, now: _Ends) -> None:
        self._before = before.latest if before else {}
        self._now = now.latest
        self._seconds = now.at - before.at if before else 0.0
        self.stale = now.stale | (before.stale if before else frozenset())

    def pace(self, records: int) -> float:
        return records / self._seconds if self._seconds > 0 else NONE

    def written(self, name: str, topic: Topic) -> list[tuple[int, int]]:
        """Leaders and records of the partitions of which it is known and not nothing."""
        ends, earlier = self._now.get(name), self._before.get(name)
        if not ends or not earlier or ends == earlier:
            return []
        if self._cut_back(ends, earlier):
            return []
        found = []
        for one in topic.partitions:
            if one.leader is None or one.leader in self.stale or one.id not in earlier:
                continue
            grown = ends.get(one.id, earlier[one.id]) - earlier[one.id]
            if grown:
                found.append((one.leader, grown))
        return found

    def is_unknown(self, name: str, topic: Topic) -> bool:
        """A partition's end is an old one, or the topic was made anew."""
        ends, earlier = self._now.get(name, {}), self._before.get(name, {})
        if not earlier or self._cut_back(ends, earlier):
            return True
        return bool(self.stale) and any(one.leader in self.stale for one in topic.partitions)

    @staticmethod
    def _cut_back(ends: Mapping[int, int], earlier: Mapping[int, int]) -> bool:
        return any(ends.get(partition, before) < before for partition, before in earlier.items())


def _stale(snapshot: Snapshot) -> frozenset[int]:
    return frozenset(
        key.broker
        for key, part in snapshot.parts.items()
        if key.kind == "latest" and key.broker is not None and part.failure is not None
    )


def _lag(snapshot: Snapshot, group: str) -> tuple[float, float]:
    """Records, and seconds of the one that is furthest behind."""
    records, seconds, known = 0, NONE, False
    for of_topic in snapshot.lags.get(group, {}).values():
        for lag in of_topic.values():
            if isinstance(lag, Lag):
                known = True
                records += lag.records
                if lag.seconds is not None and not seconds >= lag.seconds:
                    seconds = lag.seconds
    return (float(records) if known else NONE), seconds


@dataclass(frozen=True, slots=True)
class Line:
    """A series as it is drawn; None: a gap."""

    name: str
    values: tuple[float | None, ...]


def drawn(ring: Ring, name: str, since: float, until: float, points: int) -> tuple[tuple[float, ...], tuple[Line, ...]]:
    """At most so many points, evenly in time, each the mean of what is known around it; of counts of partitions the
    greatest, for a short trouble should be seen."""
    times = ring.times()
    begin = bisect_left(times, since)
    kept = times[begin:]
    if not kept or until <= since:
        return (), tuple(Line(column, ()) for column in ring.columns)
    step = max((until - since) / points, 1.0)
    places = [min(int((at - since) / step), points - 1) for at in kept]
    used = sorted(set(places))
    lines = []
    for column in ring.columns:
        gathered: dict[int, list[float]] = {}
        for place, value in zip(places, ring.of(name, column)[begin:], strict=True):
            if not math.isnan(value):
                gathered.setdefault(place, []).append(value)
        together = max if column in ("underReplicated", "offline", "outOfSync") else _mean
        lines.append(Line(column, tuple(together(gathered[place]) if place in gathered else None for place in used)))
    return tuple(round(since + (place + 0.5) * step, 1) for place in used), tuple(lines)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
