"""How old what a collector shows becomes, in virtual time: whatever one broker does, the others' values stay young."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from tests.builders.fake_kafka_server import FakeGroup, FakeServers, FakeTopic
from tests.builders.virtual_admin import virtual_link
from tests.builders.virtual_time import LoopClock, in_virtual_time

from klamm.kafka.admin import Connection
from klamm.kafka.link import Link
from klamm.observing.asking import Limit
from klamm.observing.collector import Collector, Settings
from klamm.observing.patience import limit
from klamm.observing.snapshot import PartKey, Snapshot

LIST_OFFSETS, METADATA, LOG_DIRS = 2, 3, 35
OLDEST = 15.0
"""Seconds: what the collector promises of brokers that answer."""
TEN_MINUTES = 600.0


def three_brokers() -> FakeServers:
    """Each leads a partition of "words"; each coordinates a group that reads it."""
    groups = {f"g{broker}": FakeGroup({"words": {0: 0, 1: 0, 2: 0}}, broker) for broker in (1, 2, 3)}
    return FakeServers([1, 2, 3], {"words": FakeTopic([100, 100, 100], [1, 2, 3])}, groups)


def failed_parts(collector: Collector) -> list[PartKey]:
    assert collector.snapshot is not None
    return [key for key, part in collector.snapshot.parts.items() if part.failure]


class Ages:
    """The greatest age that each part reached, as its readers saw it: just before a snapshot was replaced."""

    def __init__(self) -> None:
        self.most: dict[PartKey, float] = {}

    def seen(self, snapshot: Snapshot, until: float) -> None:
        for key, part in snapshot.parts.items():
            age = until - part.read_at if part.read_at is not None else until
            self.most[key] = max(self.most.get(key, 0.0), age)

    def begin_anew(self) -> None:
        self.most.clear()

    def of(self, *brokers: int) -> dict[PartKey, float]:
        """Of what changes by itself; where brokers and topics are and sizes of logs have a rhythm of their own."""
        kinds = ("groups", "members", "committed", "latest", "earliest")
        return {key: age for key, age in self.most.items() if key.broker in brokers and key.kind in kinds}


@asynccontextmanager
async def collecting(
    servers: FakeServers,
    takes: Callable[[int, int], float] = lambda broker, key: 0.05,
    link: Link | None = None,
    limit: Limit = limit,
) -> AsyncIterator[tuple[Collector, Ages]]:
    collector = Collector(link or virtual_link(servers, takes), LoopClock(), Settings(limit=limit))
    ages = Ages()

    async def look() -> None:
        number = 0
        while True:
            snapshot = await collector.after(number)
            number = snapshot.number
            await collector.after(number)
            ages.seen(snapshot, LoopClock().monotonic())

    running = [asyncio.create_task(collector.run()), asyncio.create_task(look())]
    try:
        yield collector, ages
    finally:
        for task in running:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@in_virtual_time
async def test_a_broker_that_hangs_for_ten_minutes_makes_no_other_older_than_15_s() -> None:
    servers = three_brokers()
    async with collecting(servers) as (_, ages):
        await asyncio.sleep(60)
        servers.hung.add(2)
        await asyncio.sleep(TEN_MINUTES)
        assert max(ages.of(1, 3).values()) <= OLDEST
        assert min(ages.of(2).values()) > TEN_MINUTES - 60, "and its own are told as old"


@in_virtual_time
async def test_a_broker_that_was_silent_is_read_soon_after_it_goes_on() -> None:
    servers = three_brokers()
    async with collecting(servers) as (collector, ages):
        await asyncio.sleep(60)
        servers.hung.add(2)
        await asyncio.sleep(TEN_MINUTES)
        servers.hung.clear()
        await asyncio.sleep(30)
        ages.begin_anew()
        await asyncio.sleep(60)
        assert max(ages.of(1, 2, 3).values()) <= OLDEST
        assert failed_parts(collector) == []


@in_virtual_time
async def test_all_are_read_soon_after_all_were_silent_though_none_answers_at_once() -> None:
    servers = three_brokers()
    async with collecting(servers, lambda broker, key: 1.0) as (collector, ages):
        await asyncio.sleep(60)
        servers.hung |= {1, 2, 3}
        await asyncio.sleep(TEN_MINUTES)
        servers.hung.clear()
        await asyncio.sleep(60)
        ages.begin_anew()
        await asyncio.sleep(60)
        assert max(ages.most[PartKey("latest", broker)] for broker in (1, 2, 3)) <= 30.0
        assert failed_parts(collector) == []


@in_virtual_time
async def test_a_broker_that_comes_and_goes_makes_no_other_older_than_15_s() -> None:
    servers = three_brokers()
    async with collecting(servers) as (_, ages):
        await asyncio.sleep(60)
        for number in range(40):
            servers.hung.add(2)
            await asyncio.sleep(1 + 0.7 * number)
            servers.hung.clear()
            await asyncio.sleep(30 - 0.7 * number)
        assert max(ages.of(1, 3).values()) <= OLDEST


@in_virtual_time
async def test_two_of_three_that_hang_one_after_the_other_make_the_third_no_older_than_15_s() -> None:
    servers = three_brokers()
    async with collecting(servers) as (_, ages):
        await asyncio.sleep(60)
        servers.hung.add(1)
        await asyncio.sleep(3)
        servers.hung.add(2)
        await asyncio.sleep(TEN_MINUTES)
        assert max(ages.of(3).values()) <= OLDEST


@in_virtual_time
async def test_what_was_asked_over_a_connection_that_was_given_up_keeps_nobody_waiting() -> None:
    servers = three_brokers()
    minutes = 60.0

    def takes(broker: int, key: int) -> float:
        return 0.05 if broker != 2 or LoopClock().monotonic() > minutes else TEN_MINUTES

    link = virtual_link(servers, takes)
    async with collecting(servers, link=link, limit=lambda part, longest: TEN_MINUTES) as (_, ages):
        await asyncio.sleep(minutes + 5)
        await link.renew(Connection(("broker:9092",)))
        await asyncio.sleep(20)
        ages.begin_anew()
        await asyncio.sleep(minutes)
        assert max(ages.of(1, 2, 3).values()) <= OLDEST


def slow(broker: int, key: int) -> float:
    """Broker 2 leads a hundred thousand partitions: what is asked of each of them takes 8 s."""
    return 8.0 if broker == 2 and key in (LIST_OFFSETS, METADATA, LOG_DIRS) else 0.05


@in_virtual_time
async def test_a_slow_broker_is_read_and_makes_no_other_older_than_15_s() -> None:
    servers = three_brokers()
    async with collecting(servers, slow) as (collector, ages):
        await asyncio.sleep(120)
        ages.begin_anew()
        await asyncio.sleep(TEN_MINUTES)
        assert max(ages.of(1, 3).values()) <= OLDEST
        assert ages.most[PartKey("latest", 2)] <= 60.0
        assert max(ages.of(2).values()) <= 120.0, "beginnings are asked for once a minute"
        assert failed_parts(collector) == []


@in_virtual_time
async def test_a_lone_slow_broker_is_read() -> None:
    servers = FakeServers([2], {"words": FakeTopic([100], [2])}, {"g": FakeGroup({"words": {0: 40}}, coordinator=2)})
    async with collecting(servers, slow) as (collector, ages):
        await asyncio.sleep(120)
        servers.topics["words"].ends[0] = 200
        ages.begin_anew()
        await asyncio.sleep(TEN_MINUTES)
        assert collector.snapshot is not None
        assert collector.snapshot.lags["g"]["words"][0].records == 160
        assert ages.most[PartKey("latest", 2)] <= 60.0
        assert max(ages.of(2).values()) <= 120.0
        assert failed_parts(collector) == []


@in_virtual_time
async def test_a_new_topic_is_there_within_15_s() -> None:
    servers = three_brokers()
    async with collecting(servers) as (collector, _):
        await asyncio.sleep(60)
        for number in range(20):
            await asyncio.sleep(17.3)
            made, name = LoopClock().monotonic(), f"new-{number}"
            servers.topics[name] = FakeTopic([number], [1])
            if number == 10:
                servers.hung.add(2)
            while collector.snapshot is None or not collector.snapshot.latest.get(name):
                assert LoopClock().monotonic() - made <= OLDEST
                await asyncio.sleep(0.1)


@in_virtual_time
async def test_what_takes_long_to_tell_is_asked_for_seldom() -> None:
    """Brokers and topics, when there are very many."""
    servers = FakeServers([1], {"words": FakeTopic([100], [1])})
    async with collecting(servers, lambda broker, key: 2.0 if key == METADATA else 0.05):
        await asyncio.sleep(60)
        servers.asked.clear()
        await asyncio.sleep(TEN_MINUTES)
    assert servers.asked.count((1, METADATA)) <= TEN_MINUTES / 30 + 1


@in_virtual_time
async def test_a_lag_is_that_of_one_moment_however_late_and_mixed_the_answers_are() -> None:
    """Consumers that are always exactly 7 records behind ends that run: what is told is 7, and what came in while
    it was read; never less, and never much more."""
    servers = three_brokers()
    words = servers.topics["words"]

    def takes(broker: int, key: int) -> float:
        turn = int(LoopClock().monotonic()) // 7
        return (0.02, 0.9, 3.5, 6.0)[(turn + broker + key) % 4]

    async def go_on() -> None:
        while True:
            words.ends[:] = [end + 1 for end in words.ends]
            for group in servers.groups.values():
                group.committed = {"words": {number: end - 7 for number, end in enumerate(words.ends)}}
            await asyncio.sleep(0.1)

    async with collecting(servers, takes) as (collector, _):
        going = asyncio.create_task(go_on())
        seen: list[int] = []
        number = 0
        while LoopClock().monotonic() < TEN_MINUTES:
            snapshot = await collector.after(number)
            number = snapshot.number
            seen += [lag.records for of in snapshot.lags.values() for lag in of.get("words", {}).values()]
        going.cancel()
    assert len(seen) > 300
    assert min(seen) >= 7
    assert max(seen) <= 7 + 10 * 40


@in_virtual_time
async def test_others_connections_are_given_up_with_the_collectors() -> None:
    servers = three_brokers()
    other = virtual_link(servers, lambda broker, key: 0.05)
    first = await other.admin()
    collector = Collector(virtual_link(servers, lambda broker, key: 0.05), LoopClock(), Settings(), also=(other,))
    running = asyncio.create_task(collector.run())
    await asyncio.sleep(60)
    assert await other.admin() is first
    servers.hung |= {1, 2, 3}
    await asyncio.sleep(TEN_MINUTES)
    running.cancel()
    assert await other.admin() is not first
