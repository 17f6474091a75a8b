"""The collector beside brokers that speak the protocol and misbehave."""

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from random import Random

import pytest
from tests.builders.clocks import MovedClock
from tests.builders.fake_kafka_server import FakeGroup, FakeServers, FakeTopic, fake_servers

from klamm.base.deadlines import until
from klamm.kafka.admin import Admin, Connection
from klamm.kafka.errors import Refused
from klamm.kafka.link import Link
from klamm.observing.collector import Collector, Settings
from klamm.observing.filters import Filters, Names
from klamm.observing.snapshot import Beyond, Lag, PartKey, Snapshot

LIST_OFFSETS, OFFSET_FETCH, METADATA, CONSUMER_GROUPS = 2, 9, 3, 69
DESCRIBE_GROUPS, LIST_GROUPS = 15, 16
LEADER_NOT_AVAILABLE = 5


@pytest.fixture
def servers() -> Iterator[FakeServers]:
    """Two brokers; both lead a partition of "words"; each coordinates a group that reads it."""
    made = FakeServers(
        brokers=[1, 2],
        topics={"words": FakeTopic([100, 200], [1, 2]), "empty": FakeTopic([0], [1])},
        groups={
            "one": FakeGroup({"words": {0: 90, 1: 150}}, coordinator=1, members={"m": {"words": [0, 1]}}),
            "two": FakeGroup({"words": {0: 100}}, coordinator=2, type="consumer", members={"n": {"words": [0]}}),
        },
    )
    with fake_servers(made):
        yield made


class Watched:
    """A collection waits for all answers, unless somebody is meant to be late. Topics are looked at each 30 s."""

    def __init__(self, servers: FakeServers, filters: Filters) -> None:
        self.clock = MovedClock()
        self._limit = 30.0
        self._link = Link(Connection(servers.bootstrap, connect_timeout=2.0), Random(1))
        settings = Settings(
            topology_every=30.0,
            filters=filters,
            together=30.0,
            at_first=30.0,
            limit=lambda part, longest: self._limit,
        )
        self.collector = Collector(self._link, self.clock, settings)

    async def next(self, seconds: float = 10.0) -> Snapshot:
        self.clock.seconds += seconds
        await self.collector.collect()
        assert self.collector.snapshot is not None
        return self.collector.snapshot

    async def whole(self, silent: Collection[int | None] = ()) -> Snapshot:
        """When all brokers were read but the silent ones (None: any). The library connects again in real time."""
        self._limit = 0.3 if silent else 30.0
        seen = await self.next()

        async def reason_not() -> str | None:
            nonlocal seen
            seen = await self.next()
            wrong = [key for key, part in seen.parts.items() if (part.failure is None) is (key.broker in silent)]
            of_ends = [key for key in wrong if key.kind in ("topology", "groups", "latest")]
            return f"not as it should be: {of_ends}" if of_ends else None

        await until(60, f"brokers {silent} to be silent, and no others", reason_not, every=0.1)
        return seen

    async def close(self) -> None:
        self.collector.stop_asking()
        await self._link.close()


@asynccontextmanager
async def watched(servers: FakeServers, filters: Filters | None = None) -> AsyncIterator[Watched]:
    made = Watched(servers, filters or Filters())
    try:
        yield made
    finally:
        await made.close()


def records(snapshot: Snapshot, group: str) -> dict[int, int]:
    return {partition: lag.records for partition, lag in snapshot.lags[group]["words"].items()}


async def test_everything_is_seen(servers: FakeServers) -> None:
    async with watched(servers) as cluster:
        seen = await cluster.next()
    assert seen.latest == {"words": {0: 100, 1: 200}, "empty": {0: 0}}
    assert records(seen, "one") == {0: 10, 1: 50}
    assert seen.lags["two"] == {"words": {0: Lag(0, 0.0)}}
    assert {name: (group.type, group.protocol) for name, group in seen.groups.items()} == {
        "one": ("classic", "range"),
        "two": ("consumer", "uniform"),
    }
    assert [member.assigned for member in seen.groups["two"].members or ()] == [{"words": (0,)}]
    assert {broker: dirs[0].sizes["words"] for broker, dirs in seen.log_dirs.items()} == {1: 1000, 2: 2000}
    assert seen.unread == 0
    assert all(part.failure is None for part in seen.parts.values())


async def test_commits_are_read_before_ends_and_each_broker_is_asked_once_for_each(servers: FakeServers) -> None:
    async with watched(servers) as cluster:
        await cluster.next()
    keys = [key for _, key in servers.asked]
    assert max(place for place, key in enumerate(keys) if key == OFFSET_FETCH) < keys.index(LIST_OFFSETS)
    assert keys.count(OFFSET_FETCH) == 2
    assert keys.count(LIST_OFFSETS) == 4, "ends and beginnings, of two brokers"


async def test_a_broker_that_hangs_makes_its_values_old_and_no_others(servers: FakeServers) -> None:
    async with watched(servers) as cluster:
        begun = (await cluster.next()).at
        servers.hung.add(2)
        servers.topics["words"].ends[:] = [140, 240]
        servers.groups["one"].committed = {"words": {0: 130, 1: 230}}
        servers.groups["two"].committed = {"words": {0: 140}}
        seen = await cluster.whole(silent={2})
        assert seen.latest["words"] == {0: 140, 1: 200}, "partition 1 as it was, 0 as it is"
        assert records(seen, "one") == {0: 10, 1: 50}, "230 of 200 would be no lag; it stays as it was"
        assert records(seen, "two") == {0: 0}, "the commit is old, so the lag is"
        assert seen.unread == 1
        assert seen.parts[PartKey("latest", 1)].read_at == cluster.clock.seconds
        old = seen.parts[PartKey("latest", 2)]
        assert old.read_at == begun
        servers.hung.clear()
        seen = await cluster.whole()
        assert records(seen, "one") == {0: 10, 1: 10}


async def test_a_coordinator_that_loads_keeps_its_groups(servers: FakeServers) -> None:
    async with watched(servers) as cluster:
        await cluster.next()
        servers.loading.add(2)
        servers.topics["words"].ends[0] = 500
        seen = await cluster.next()
    assert records(seen, "one")[0] == 410
    assert records(seen, "two") == {0: 0}, "as it was: nothing was read of this group"
    assert [member.id for member in seen.groups["two"].members or ()] == ["n"]
    assert "loading" in (seen.parts[PartKey("groups", 2)].failure or "")


async def test_a_group_whose_coordinator_moved_is_the_one_of_the_new(servers: FakeServers) -> None:
    async with watched(servers) as cluster:
        await cluster.next()
        servers.groups["two"].coordinator = 1
        servers.groups["two"].committed = {"words": {0: 60}}
        seen = await cluster.next()
    assert seen.groups["two"].coordinator == 1
    assert records(seen, "two") == {0: 40}


async def test_a_coordinator_that_left_the_cluster_leaves_lags_as_they_were(servers: FakeServers) -> None:
    async with watched(servers) as cluster:
        await cluster.next()
        servers.absent.add(2)
        servers.topics["words"].ends[0] = 500
        servers.topics["words"].leaders[:] = [1, 1]
        seen = await cluster.next(60.0)
        assert records(seen, "one")[0] == 410
        assert records(seen, "two") == {0: 0}, "what it committed since is not known"


async def test_a_group_that_was_deleted_goes(servers: FakeServers) -> None:
    async with watched(servers) as cluster:
        await cluster.next()
        del servers.groups["two"]
        seen = await cluster.next()
    assert set(seen.groups) == set(seen.committed) == set(seen.lags) == {"one"}


async def test_a_group_that_moved_and_was_deleted_does_not_come_back(servers: FakeServers) -> None:
    async with watched(servers) as cluster:
        await cluster.next()
        servers.loading.add(2)
        servers.groups["two"].coordinator = 1
        assert set((await cluster.next()).groups) == {"one", "two"}
        del servers.groups["two"]
        seen = await cluster.next()
    assert set(seen.groups) == set(seen.committed) == set(seen.lags) == {"one"}


async def test_a_broker_that_knows_of_no_brokers_yet_ends_no_series(servers: FakeServers) -> None:
    async with watched(servers) as cluster:
        before = await cluster.next()
        servers.absent |= {1, 2}
        seen = await cluster.next(60.0)
        assert (seen.cluster, seen.topics) == (before.cluster, before.topics)
        assert "knows of no brokers" in (seen.parts[PartKey("topology")].failure or "")


async def test_a_topic_that_cannot_be_told_of_now_stays(servers: FakeServers) -> None:
    async with watched(servers) as cluster:
        before = await cluster.next()
        servers.topics["words"].error = LEADER_NOT_AVAILABLE
        seen = await cluster.next(60.0)
        assert PartKey("topology") in seen.parts
        assert seen.parts[PartKey("topology")].read_at == seen.at
        assert seen.topics["words"] == before.topics["words"]
        del servers.topics["words"]
        assert set((await cluster.next(60.0)).topics) == {"empty"}


async def test_who_leads_nothing_any_more_is_not_told_as_old(servers: FakeServers) -> None:
    async with watched(servers) as cluster:
        assert PartKey("latest", 2) in (await cluster.next()).parts
        servers.topics["words"].leaders[:] = [1, 1]
        await cluster.next(1.0)
        seen = await cluster.next(1.0)
    assert not {PartKey("latest", 2), PartKey("earliest", 2)} & seen.parts.keys()
    assert PartKey("groups", 2) in seen.parts


async def test_a_group_of_a_newer_type_on_brokers_that_do_not_say_so_has_no_zero_members(
    servers: FakeServers,
) -> None:
    servers.newest = {LIST_GROUPS: 4, DESCRIBE_GROUPS: 5}
    async with watched(servers) as cluster:
        seen = await cluster.next()
    assert seen.groups["two"].members is None
    assert len(seen.groups["one"].members or ()) == 1


@pytest.mark.parametrize(
    "written",
    [
        b"\0\1\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\0\1\0\0\0\1\0\1a\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\0\1\0\0",
        b"\0\1\0\0\0\1\0\1\xff\0\0\0\0\xff\xff\xff\xff",
        b"anything else",
    ],
)
async def test_an_assignment_that_is_none_costs_nobody_anything(servers: FakeServers, written: bytes) -> None:
    servers.groups["one"].written = written
    async with watched(servers) as cluster:
        seen = await cluster.next()
    assert [tuple(member.assigned.values()) for member in seen.groups["one"].members or ()] in ([()], [((),)])
    assert records(seen, "one") == {0: 10, 1: 50}


async def test_what_nobody_thought_of_costs_its_part_and_is_said() -> None:
    async def open_admin(connection: Connection) -> Admin:
        raise TypeError("odd")

    async def listens(address: str) -> None:
        return None

    link = Link(Connection(("broker:9092",)), Random(1), open_admin=open_admin, reason_silent=listens)
    collector = Collector(link, MovedClock())
    await collector.collect()
    assert (collector.snapshot, collector.reason_none) == (None, "TypeError: odd")


async def test_why_nothing_can_be_read_is_known_while_it_is_tried() -> None:
    async def open_admin(connection: Connection) -> Admin:
        raise Refused("connect to broker:9092", "authentication failed")

    async def listens(address: str) -> None:
        return None

    link = Link(Connection(("broker:9092",)), Random(1), open_admin=open_admin, reason_silent=listens)
    collector = Collector(link, MovedClock())
    collecting = asyncio.create_task(collector.collect())
    await until(60, "the reason", lambda: None if "authentication" in str(collector.reason_none) else "", every=0.01)
    assert not collecting.done()
    collecting.cancel()
    collector.stop_asking()


async def test_a_topic_deleted_in_mid_collection_is_no_zero_and_goes_with_the_next(servers: FakeServers) -> None:
    async with watched(servers) as cluster:
        await cluster.next()
        servers.gone_for_offsets.add("words")
        seen = await cluster.next(1.0)
        assert seen.latest["words"] == {}
        assert seen.lags["one"]["words"] == {0: Lag(10, None), 1: Lag(50, None)}
        del servers.topics["words"]
        seen = await cluster.next(1.0)
    assert set(seen.topics) == {"empty"}
    assert seen.lags["one"] == {}


async def test_a_topic_made_anew_leaves_groups_beyond_its_end_until_they_commit(servers: FakeServers) -> None:
    async with watched(servers) as cluster:
        await cluster.next()
        servers.topics["words"].ends[:] = [30, 200]
        seen = await cluster.next()
        assert seen.lags["one"]["words"] == {0: Beyond(60), 1: Lag(50, None)}
        servers.groups["one"].committed["words"][0] = 20
        seen = await cluster.next()
        assert records(seen, "one") == {0: 10, 1: 50}


async def test_leaders_that_moved_are_found_at_once(servers: FakeServers) -> None:
    async with watched(servers) as cluster:
        await cluster.next()
        servers.topics["words"].leaders[:] = [1, 1]
        servers.topics["words"].ends[1] = 250
        stale = await cluster.next(1.0)
        assert (stale.latest["words"][1], stale.unread) == (200, 1)
        seen = await cluster.next(1.0)
    assert (seen.latest["words"][1], seen.unread) == (250, 0)


async def test_a_broker_that_joins_is_asked(servers: FakeServers) -> None:
    servers.absent.add(2)
    servers.topics["words"].leaders[:] = [1, 1]
    async with watched(servers) as cluster:
        seen = await cluster.next()
        assert (seen.unread, set(seen.groups)) == (0, {"one"})
        servers.absent.clear()
        servers.topics["words"].leaders[:] = [1, 2]
        seen = await cluster.whole()
    assert (seen.unread, set(seen.groups)) == (0, {"one", "two"})


async def test_a_partition_without_a_leader_keeps_its_last_end(servers: FakeServers) -> None:
    async with watched(servers) as cluster:
        await cluster.next()
        servers.topics["words"].leaders[1] = None
        seen = await cluster.next(60.0)
    assert seen.latest["words"] == {0: 100, 1: 200}
    assert seen.unread == 1


async def test_nobody_answers_and_the_last_snapshot_grows_old(servers: FakeServers) -> None:
    async with watched(servers) as cluster:
        before = await cluster.next()
        servers.hung |= {1, 2}
        cluster.clock.seconds += 60.0
        seen = await cluster.whole(silent={None, 1, 2})
        assert (seen.latest, seen.lags) == (before.latest, before.lags)
        assert seen.unread == 3
        assert seen.parts[PartKey("topology")].failure is not None
        read = {part.read_at for key, part in seen.parts.items() if key.kind != "connection"}
        assert read == {before.at}
        servers.hung.clear()
        seen = await cluster.whole()
        assert seen.unread == 0


async def test_brokers_before_many_groups_at_once_are_asked_group_by_group(servers: FakeServers) -> None:
    servers.newest = {OFFSET_FETCH: 7, CONSUMER_GROUPS: -1}
    async with watched(servers) as cluster:
        seen = await cluster.next()
    assert records(seen, "one") == {0: 10, 1: 50}
    assert seen.groups["two"].members is None, "no way to ask: not known, which is not zero"


@pytest.mark.parametrize(
    ("filters", "topics", "groups"),
    [
        (Filters(), {"words", "empty"}, {"one", "two"}),
        (Filters(topics=Names(exclude=re.compile("^em"))), {"words"}, {"one", "two"}),
        (Filters(groups=Names(include=re.compile("w"))), {"words", "empty"}, {"two"}),
    ],
)
async def test_filters(servers: FakeServers, filters: Filters, topics: set[str], groups: set[str]) -> None:
    async with watched(servers, filters) as cluster:
        seen = await cluster.next()
    assert (set(seen.topics), set(seen.latest)) == (topics, topics)
    assert set(seen.groups) == groups
