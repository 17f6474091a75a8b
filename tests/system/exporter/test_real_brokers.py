"""The exporter beside real brokers: all types of groups, a broker that hangs, a lost coordinator, topics that go."""

import asyncio
from collections.abc import Callable
from random import Random

import aiohttp
from tests.builders.commits import commit
from tests.builders.fake_kafka_server import FakeGroup, FakeServers, FakeTopic, fake_servers
from tests.builders.new_topics import make_topics
from tests.builders.real_brokers import RealBrokers
from tests.builders.running_exporter import exporter, page, read

from klamm.base.clock import SystemClock
from klamm.base.deadlines import until
from klamm.exporter.probe import ProbeSettings
from klamm.kafka.admin import Admin, Connection
from klamm.kafka.errors import UnknownTopic
from klamm.kafka.facts import NewTopic
from klamm.kafka.link import Link
from klamm.observing.collector import Collector
from klamm.observing.snapshot import PartKey, Snapshot

WITHIN = 180.0
AT_ONCE = 10.0
"""Seconds for an answer from what is known, on a machine that does much else."""


async def produce(brokers: RealBrokers, topic: str, records: int) -> None:
    lines = "".join(f"record {number}\n" for number in range(records))
    await asyncio.to_thread(brokers.tool, "kafka-console-producer.sh", "--topic", topic, input=lines)


async def seen(client: aiohttp.ClientSession, name: str, reason: Callable[[dict[str, float]], str | None]) -> None:
    async def reason_not() -> str | None:
        return reason(await read(client, WITHIN))

    await until(WITHIN, name, reason_not, every=0.2)


def of(name: str, said: dict[str, float]) -> dict[str, float]:
    return {key.partition("{")[2]: value for key, value in said.items() if key.partition("{")[0] == name}


async def snapshot_of(bootstrap: tuple[str, ...]) -> Snapshot:
    """The first in which nothing failed."""
    link = Link(Connection(bootstrap), Random(1))
    collector = Collector(link, SystemClock())

    async def reason_not() -> str | None:
        await collector.collect()
        parts = collector.snapshot.parts if collector.snapshot else {}
        failed = [f"{key}: {part.failure}" for key, part in parts.items() if part.failure]
        return "; ".join(failed) or (None if parts else "nothing was read")

    await until(WITHIN, "a whole snapshot", reason_not, every=0.2)
    await link.close()
    assert collector.snapshot is not None
    return collector.snapshot


async def test_groups_of_each_type_compacted_and_empty_topics(brokers: RealBrokers) -> None:
    compacted = NewTopic("compacted", 1, 1, {"cleanup.policy": "compact"})
    await make_topics(brokers, NewTopic("words", 2, 1), NewTopic("empty", 1, 1), compacted)
    await produce(brokers, "words", 30)
    brokers.start_tool("kafka-console-consumer.sh", "--topic", "words", "--group", "classic", "--from-beginning")
    newer = ("--consumer-property", "group.protocol=consumer")
    brokers.start_tool("kafka-console-consumer.sh", "--topic", "words", "--group", "newer", "--from-beginning", *newer)
    brokers.start_tool("kafka-console-share-consumer.sh", "--topic", "words", "--group", "sharing")
    async with exporter(brokers.bootstrap, limit=lambda: 5.0) as client:

        def reason_not(said: dict[str, float]) -> str | None:
            members = of("kafka_consumergroup_members", said)
            lags = of("kafka_consumergroup_lag_sum", said)
            arrived = {f'consumergroup="{group}",topic="words"}}': 0.0 for group in ("classic", "newer")}
            one_each = {f'consumergroup="{group}"}}': 1.0 for group in ("classic", "newer", "sharing")}
            return None if (members, lags) == (one_each, arrived) else f"members {members}, lags {lags}"

        await seen(client, "a member in each group, and no lag", reason_not)
        said = await read(client)
        types = {key.split('"')[1]: key.split('"')[5] for key in of("kafka_consumergroup_info", said)}
        assert types == {"classic": "classic", "newer": "consumer", "sharing": "share"}
        assert of("kafka_consumergroup_lag_seconds", said) != {}
        assert set(of("kafka_consumergroup_lag_seconds", said).values()) == {0.0}
        assert (
            sum(value for key, value in of("kafka_topic_partition_current_offset", said).items() if "words" in key)
            == 30
        )
        assert of("kafka_topic_partition_current_offset", said)['topic="empty",partition="0"}'] == 0
        assert of("kafka_topic_partition_current_offset", said)['topic="compacted",partition="0"}'] == 0
        assert of("kafka_topic_log_size_bytes", said)['topic="words"}'] > 0
        assert of("kafka_topic_log_size_bytes", said)['topic="empty"}'] == 0
        assert len(of("kafka_broker_info", said)) == 2


async def test_a_broker_hangs_goes_on_and_is_killed(brokers: RealBrokers) -> None:
    await make_topics(brokers, NewTopic("words", 4, 1))
    async with await Admin.connect(Connection(brokers.bootstrap)) as admin:
        groups = [f"group-{number}" for number in range(8)]
        coordinators = {group: await commit(admin, group, {"words": {0: 0, 1: 0, 2: 0, 3: 0}}) for group in groups}
        led = {one.id: one.leader for one in (await admin.describe_topics(["words"]))["words"].partitions}
    assert set(coordinators.values()) == set(led.values()) == {1, 2}, "each coordinates and leads something"
    await produce(brokers, "words", 100)
    second = brokers.brokers[1]
    async with exporter(brokers.bootstrap, limit=lambda: 1.0) as client:
        await seen(client, "all lags", lambda said: _reason_not_100(said, groups))
        before = await read(client)
        second.hang()
        await seen(client, "broker 2 to be told as silent", lambda said: _reason_up(said, 2))
        await _answers_at_once(client, before)
        second.go_on()
        await seen(client, "broker 2 to be read again", lambda said: _reason_down(said))
        await seen(client, "all lags again", lambda said: _reason_not_100(said, groups))
        before = await read(client)
        second.kill()
        await seen(client, "broker 2's groups to be told as old", lambda said: _reason_young(said, 2))
        await _answers_at_once(client, before)


async def _answers_at_once(client: aiohttp.ClientSession, before: dict[str, float]) -> None:
    """What cannot be read is as it was before."""
    begun = asyncio.get_running_loop().time()
    now = await read(client)
    assert asyncio.get_running_loop().time() - begun < AT_ONCE
    assert (await page(client, "/healthz"))[0] == 200
    for name in ("kafka_consumergroup_lag_sum", "kafka_topic_partition_current_offset", "kafka_consumergroup_lag"):
        assert of(name, now) == of(name, before), name


def _reason_not_100(said: dict[str, float], groups: list[str]) -> str | None:
    lags = of("kafka_consumergroup_lag_sum", said)
    wanted = {f'consumergroup="{group}",topic="words"}}': 100.0 for group in groups}
    return None if lags == wanted else f"lags are {lags}"


def _reason_up(said: dict[str, float], broker: int) -> str | None:
    return "it is up" if said[f'kafka_exporter_part_up{{part="latest",broker="{broker}"}}'] else None


def _reason_down(said: dict[str, float]) -> str | None:
    silent = [key for key, value in of("kafka_exporter_part_up", said).items() if not value]
    return f"{silent} are down" if silent else None


def _reason_young(said: dict[str, float], broker: int) -> str | None:
    age = said[f'kafka_exporter_part_age_seconds{{part="groups",broker="{broker}"}}']
    return None if age > 12 else f"read {age} s ago"


async def test_the_probe_makes_its_topic_and_records_come_back(brokers: RealBrokers) -> None:
    async with exporter(brokers.bootstrap, limit=lambda: 5.0, probe=ProbeSettings(interval=0.2)) as client:

        def reason_not(said: dict[str, float]) -> str | None:
            received = of("kminion_end_to_end_messages_received_total", said)
            wanted = {'partition_id="0"}', 'partition_id="1"}'}
            return None if received.keys() == wanted and min(received.values()) > 5 else f"received {received}"

        await seen(client, "records of both partitions to come back", reason_not)
        said = await read(client)
        assert all(value >= 0 for value in of("kminion_end_to_end_roundtrip_latency_seconds_sum", said).values())
        assert set(of("kminion_end_to_end_produce_latency_seconds_count", said)) == {
            'partition_id="0"}',
            'partition_id="1"}',
        }


async def test_a_topic_is_deleted_while_it_is_read(brokers: RealBrokers) -> None:
    await make_topics(brokers, NewTopic("words", 2, 1), NewTopic("other", 1, 1))
    await produce(brokers, "words", 50)
    async with await Admin.connect(Connection(brokers.bootstrap)) as admin:
        await commit(admin, "g", {"words": {0: 0, 1: 0}, "other": {0: 0}})
        link = Link(Connection(brokers.bootstrap), Random(1))
        collector = Collector(link, SystemClock())

        async def lag() -> int | None:
            await collector.collect()
            assert collector.snapshot is not None
            lags = collector.snapshot.lags["g"].get("words")
            assert collector.snapshot.lags["g"]["other"][0].records == 0
            return None if lags is None else sum(one.records for one in lags.values())

        async def reason_not_50() -> str | None:
            await collector.collect()
            known = collector.snapshot.lags.get("g", {}) if collector.snapshot else {}
            return None if known.keys() == {"words", "other"} and await lag() == 50 else f"lags are {known}"

        await until(WITHIN, "the group's lag", reason_not_50, every=0.2)
        await admin.delete_topics(["words"])
        said = [await lag() for _ in range(3)]

        async def reason_not() -> str | None:
            said.append(await lag())
            return None if said[-1] is None else f"its lag is {said[-1]}"

        await until(WITHIN, "the topic to be gone", reason_not, every=0.2)
        assert set(said) <= {50, None}, "as it was, or gone: never another number"
        await link.close()


async def test_a_topic_made_anew_is_not_deleted_with_the_former_one(brokers: RealBrokers) -> None:
    await make_topics(brokers, NewTopic("words", 1, 1))
    async with await Admin.connect(Connection(brokers.bootstrap)) as admin:
        former = (await admin.describe_topics(["words"]))["words"].id
        assert former is not None
        assert await admin.delete_topics_by_id([former]) == {former: None}

        async def reason_there() -> str | None:
            known = [one.id for one in brokers.brokers if await admin.describe_topics(["words"], node=one.id)]
            return f"brokers {known} know it" if known else None

        await until(WITHIN, "the topic to be gone", reason_there, every=0.2)
        await make_topics(brokers, NewTopic("words", 1, 1))
        outcomes = await admin.delete_topics_by_id([former])
        assert isinstance(outcomes[former], UnknownTopic)
        assert (await admin.describe_topics(["words"]))["words"].id not in (former, None)


async def test_the_brokers_of_unit_tests_say_what_real_ones_say(brokers: RealBrokers) -> None:
    await make_topics(brokers, NewTopic("words", 2, 1), NewTopic("empty", 1, 1))
    await produce(brokers, "words", 20)
    async with await Admin.connect(Connection(brokers.bootstrap)) as admin:
        coordinator = await commit(admin, "g", {"words": {0: 3, 1: 0}})
    real = await snapshot_of(brokers.bootstrap)
    topics = {name: topic for name, topic in real.topics.items() if not topic.internal}
    described = FakeServers(
        brokers=[1, 2],
        topics={
            name: FakeTopic(
                [real.latest[name][one.id] for one in topic.partitions], [one.leader for one in topic.partitions]
            )
            for name, topic in topics.items()
        },
        groups={"g": FakeGroup({"words": {0: 3, 1: 0}}, coordinator, state="Empty")},
    )
    with fake_servers(described):
        fake = await snapshot_of(described.bootstrap)

    def told(snapshot: Snapshot) -> object:
        return (
            {
                name: [(one.id, one.leader, one.replicas, one.in_sync) for one in snapshot.topics[name].partitions]
                for name in topics
            },
            {name: (snapshot.latest[name], snapshot.earliest[name]) for name in topics},
            {
                name: (group.type, group.state, group.coordinator, group.members)
                for name, group in snapshot.groups.items()
            },
            (
                snapshot.committed,
                {topic: [lag.records for lag in of.values()] for topic, of in snapshot.lags["g"].items()},
            ),
            sorted((key.kind, key.broker or 0) for key in snapshot.parts),
            [part.failure for part in snapshot.parts.values()],
        )

    assert told(fake) == told(real)
    assert PartKey("committed", 2) in real.parts
