"""A hundred thousand partitions, from brokers that only speak the protocol."""

import asyncio

from tests.builders.fake_kafka_server import FakeGroup, FakeServers, FakeTopic, fake_servers
from tests.builders.running_exporter import exporter, page, read

from klamm.base.deadlines import until

PARTITIONS = 100_000
WITHIN = 240.0
SILENT = 200.0
AT_ONCE = 60.0
"""Seconds for 50 MB of text in one process with the brokers, on a machine that does much else. Who waited for a broker
that hangs would wait for `SILENT`."""


async def test_a_hundred_thousand_partitions() -> None:
    topics = {f"topic-{number}": FakeTopic([number] * 100, [1] * 100) for number in range(1, PARTITIONS // 100 + 1)}
    groups = {f"group-{number}": FakeGroup({f"topic-{number}": {0: 0}}) for number in range(1, 101)}
    servers = FakeServers([1], topics, groups, remember=True)
    with fake_servers(servers):
        async with exporter(servers.bootstrap, limit=lambda: SILENT) as client:
            said = await read(client, WITHIN)
            assert said["kafka_exporter_series"] > 7 * PARTITIONS
            assert said['kafka_consumergroup_lag_sum{consumergroup="group-7",topic="topic-7"}'] == 7

            async def reason_not() -> str | None:
                begun = asyncio.get_running_loop().time()
                assert (await page(client, "/healthz"))[0] == 200
                assert asyncio.get_running_loop().time() - begun < AT_ONCE
                count = (await read(client))['kafka_exporter_part_reads_total{part="latest",broker="1"}']
                return None if count >= 3 else f"ends were read {count} times"

            await until(WITHIN, "ends to be read again while the page is", reason_not)
            servers.hung.add(1)
            before = await read(client)
            await asyncio.sleep(1.0)
            begun = asyncio.get_running_loop().time()
            now = await read(client)
            assert asyncio.get_running_loop().time() - begun < AT_ONCE
            assert now["kafka_exporter_snapshot_age_seconds"] != before["kafka_exporter_snapshot_age_seconds"]
            assert now['kafka_topic_partition_current_offset{topic="topic-7",partition="0"}'] == 7
