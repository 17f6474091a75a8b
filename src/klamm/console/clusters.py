"""A Kafka cluster as the console has it: a connection for administration, the collector's snapshots, readers' lines."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from random import Random
from typing import Any, TypeVar

from klamm.base.clock import Clock
from klamm.base.deadlines import DeadlineExceeded, within
from klamm.base.together import ended
from klamm.console.groups.undos import Undos
from klamm.console.health.past import Past
from klamm.console.health.trends import Trends
from klamm.console.problems import Problem
from klamm.console.renewing import follow_files
from klamm.console.schemas.registry import Registry
from klamm.console.serdes import Serdes
from klamm.console.serdes.of_cluster import ClusterSerdes
from klamm.console.settings import ClusterSettings
from klamm.console.topics.analyses import Analyses
from klamm.kafka.admin import Admin
from klamm.kafka.link import Link
from klamm.observing.collector import Collector
from klamm.observing.snapshot import Beyond, PartKey, Snapshot

T = TypeVar("T")

READERS = 16
"""Streams of records that are open at a time, each with a connection of its own."""

JUDGES = 8
"""Filters of records at a time, each with a process of its own."""


class Place:
    """Requests share one connection; the collector has its own, for it keeps brokers busy; so has each stream."""

    def __init__(self, settings: ClusterSettings, clock: Clock, random: Random) -> None:
        self.settings = settings
        self._clock = clock
        self.registry = None if settings.registry is None else Registry(settings.registry, clock)
        self.serdes: Serdes = ClusterSerdes(settings.serdes, settings.masking, self.registry)
        self._asking = Link(settings.connection(), random)
        self._collecting = Link(settings.connection(), random)
        self._readers = asyncio.Semaphore(READERS)
        self._judges = asyncio.Semaphore(JUDGES)
        self.analyses = Analyses(self.reader, clock)
        self.collector = Collector(self._collecting, clock, settings.collecting, also=(self._asking,))
        self.past = Past()
        self.bootstrap = settings.connection().bootstrap
        self._derived: dict[str, tuple[Snapshot, asyncio.Future[Any]]] = {}
        self.undos = Undos()
        self.trends = Trends()

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def reason_offline(self) -> str | None:
        """Why the last look failed altogether; None while brokers answer."""
        if self.collector.snapshot is None:
            return self.collector.reason_none
        failures = [self.collector.snapshot.parts.get(PartKey(kind)) for kind in ("connection", "topology")]
        return next((one.failure for one in failures if one is not None and one.failure is not None), None)

    async def snapshot(self) -> Snapshot:
        """The newest; a Problem (503) when the cluster was not seen yet."""
        if self.collector.snapshot is None:
            try:
                await within(self.settings.patience, f"a first look at cluster {self.name}", self.collector.after(0))
            except DeadlineExceeded:
                why = self.collector.reason_none or "it was not read yet"
                raise Problem(503, "NotSeenYet", f"cluster {self.name}: {why}. It is tried again.") from None
        assert self.collector.snapshot is not None
        return self.collector.snapshot

    async def derived(self, what: str, snapshot: Snapshot, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What `make` makes of the snapshot, made once for all who ask for it: it must not be changed.

        It is to be made in pieces, and to its end, though who asked first may have gone meanwhile.
        """
        known = self._derived.get(what)
        if known is None or known[0] is not snapshot:
            known = self._derived[what] = (snapshot, asyncio.ensure_future(make()))
        made: T = await asyncio.shield(known[1])
        return made

    async def admin(self) -> Admin:
        try:
            return await within(self.settings.patience, f"cluster {self.name}", self._asking.admin())
        except DeadlineExceeded:
            raise Problem(503, "Unreachable", f"cluster {self.name}: {self._asking.reason_lost}") from None

    async def changed(self) -> Snapshot:
        """A snapshot that was begun after now: for who changed something and shows it."""
        number = self.collector.snapshot.number if self.collector.snapshot else 0
        return await within(self.settings.patience, "a new look at the cluster", self.collector.after(number + 1))

    async def follow_trends(self) -> None:
        """For ever: notes the groups' lags of each look."""
        number = 0
        while True:
            snapshot = await self.collector.after(number)
            number = snapshot.number
            self.trends.add(snapshot.at, _lags(snapshot))

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[Admin]:
        """A connection of its own: brokers answer one connection's requests one after the other, and a reader waits
        for records."""
        if self._readers.locked():
            raise Problem(429, "TooManyReaders", f"{READERS} streams of records are open; close one and try again")
        async with self._readers:
            admin = await Admin.connect(self.settings.connection())
            try:
                yield admin
            finally:
                await admin.close()

    async def follow_files(self) -> None:
        await follow_files(self.settings, (self._asking, self._collecting))

    async def remember(self) -> None:
        """Keep what snapshots say in the history, for ever."""
        number = 0
        while True:
            snapshot = await self.collector.after(number)
            number = snapshot.number
            await self.past.add(self._clock.now().timestamp(), snapshot)

    @asynccontextmanager
    async def judge(self) -> AsyncIterator[None]:
        """Leave to run a filter."""
        if self._judges.locked():
            raise Problem(429, "TooManyFilters", f"{JUDGES} filters are at work; close one and try again")
        async with self._judges:
            yield

    async def close(self) -> None:
        await ended(*(made for _, made in self._derived.values()))
        await self.analyses.close()
        await self._asking.close()
        await self._collecting.close()
        if self.registry is not None:
            await self.registry.close()


def _lags(snapshot: Snapshot) -> dict[str, int]:
    """All records that each group is behind, of groups of which that is known."""
    lags: dict[str, int] = {}
    for group, topics in snapshot.lags.items():
        known = [lag.records for one in topics.values() for lag in one.values() if not isinstance(lag, Beyond)]
        if known:
            lags[group] = sum(known)
    return lags
