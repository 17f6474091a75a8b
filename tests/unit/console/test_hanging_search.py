"""The search for transactions that hang: which partitions are asked for their producers, and that none is missed."""

from collections.abc import Iterator

import pytest
from tests.builders.fake_administration import FakeProducer, FakeTransaction
from tests.builders.fake_kafka_server import FakeServers, FakeTopic, fake_servers
from tests.builders.running_console import running_console

from klamm.kafka.admin import Admin, Connection
from klamm.kafka.transactions import perhaps_open

_HANGING = "/api/clusters/kafka/transactions/hanging"


@pytest.fixture
def servers() -> Iterator[FakeServers]:
    topics = {
        "quiet": FakeTopic([10, 0], [1, 2]),
        "hangs": FakeTopic([10, 10], [1, 2], producers={1: [FakeProducer(7, since=4)]}),
        # Its high watermark stands still, and what hangs lies beyond: no reader sees it yet.
        "stuck": FakeTopic([10], [1], unreplicated=5, producers={0: [FakeProducer(8, since=12)]}),
        "busy": FakeTopic([10], [2], unreplicated=1, producers={0: [FakeProducer(9)]}),
        "known": FakeTopic([10], [2], producers={0: [FakeProducer(10, since=3)]}),
    }
    transactions = {"pay": FakeTransaction(10, coordinator=1, partitions={"known": [0]})}
    with fake_servers(FakeServers([1, 2], topics=topics, transactions=transactions, administered=True)) as running:
        yield running


async def test_what_hangs_is_found_also_beyond_a_high_watermark_that_stands_still(servers: FakeServers) -> None:
    async with running_console(servers.bootstrap) as console:
        said = (await console.get(_HANGING)).json
    found = {(one["topic"], one["partition"], one["openSince"]): one["why"] for one in said["producers"]}
    assert found == {
        ("hangs", 1, 4): "no coordinator knows producer 7",
        ("stuck", 0, 12): "no coordinator knows producer 8",
    }
    assert said["unread"] == []


async def test_only_partitions_whose_last_stable_offset_is_before_their_end_are_asked_for_producers(
    servers: FakeServers,
) -> None:
    async with running_console(servers.bootstrap) as console:
        await console.get(_HANGING)
    assert sorted(servers.searched) == [("busy", 0), ("hangs", 1), ("known", 0), ("stuck", 0)]


async def test_what_a_broker_does_not_tell_of_is_suspected(servers: FakeServers) -> None:
    asked = {"quiet": [0, 1], "hangs": [0, 1], "none": [0]}
    async with await Admin.connect(Connection(servers.bootstrap)) as admin:
        assert await perhaps_open(admin, 2, asked) == {"quiet": [0], "hangs": [0, 1], "none": [0]}


async def test_partitions_that_nobody_leads_are_told(servers: FakeServers) -> None:
    servers.topics["orphan"] = FakeTopic([10, 10], [None, 1])
    async with running_console(servers.bootstrap) as console:
        said = (await console.get(_HANGING)).json
    assert said["unread"] == ["1 partitions without a leader were not looked at, orphan-0 among them"]
    assert len(said["producers"]) == 2


async def test_a_broker_that_does_not_know_the_request_is_told(servers: FakeServers) -> None:
    servers.newest = {61: -1}
    async with running_console(servers.bootstrap) as console:
        said = (await console.get(_HANGING)).json
    assert said["producers"] == []
    assert any("DescribeProducers" in why for why in said["unread"])
