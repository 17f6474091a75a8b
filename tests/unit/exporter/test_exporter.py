"""The pages, from a collector beside brokers that speak the protocol."""

import gzip

import pytest
from tests.builders.fake_kafka_server import FakeGroup, FakeServers, FakeTopic, fake_servers
from tests.builders.running_exporter import exporter, page, read

from klamm.base.deadlines import until


async def test_before_anything_was_read_there_is_a_reason_and_no_series() -> None:
    servers = FakeServers([1])
    with fake_servers(servers):
        servers.hung.add(1)
        async with exporter(servers.bootstrap, limit=lambda: 0.3 if servers.hung else 30.0) as client:
            status, said = await page(client, "/metrics")
            assert status == 503
            assert said.startswith("nothing was read of the cluster yet: ")
            assert (await page(client, "/ready"))[0] == 503
            assert await page(client, "/healthz") == (200, "ok\n")
            servers.hung.clear()
            assert (await read(client))["kafka_brokers"] == 1


async def test_it_says_how_old_what_it_shows_is() -> None:
    servers = FakeServers([1], {"t": FakeTopic([7], [1])}, {"g": FakeGroup({"t": {0: 3}})})
    up, age = (f'kafka_exporter_part_{name}{{part="latest",broker="1"}}' for name in ("up", "age_seconds"))
    lag = 'kafka_consumergroup_lag{consumergroup="g",topic="t",partition="0"}'
    said: dict[str, float] = {}

    async def reason_not(wanted: int) -> str | None:
        said.update(await read(client))
        return None if (said.get(up), said.get(lag)) == (wanted, 4) else f"up {said.get(up)}, lag {said.get(lag)}"

    with fake_servers(servers):
        async with exporter(servers.bootstrap, limit=lambda: 0.3 if servers.hung else 5.0) as client:
            await until(60, "the broker to be read", lambda: reason_not(1), every=0.1)
            assert 0 <= said["kafka_exporter_snapshot_age_seconds"] < 60
            begun = said[age]
            servers.hung.add(1)
            await until(60, "the broker's offsets to be told as old", lambda: reason_not(0), every=0.1)
            assert said[age] > begun
            assert said['kafka_topic_partition_current_offset{topic="t",partition="0"}'] == 7
            assert said["kafka_exporter_unread_partitions"] == 1


async def test_gzip_is_one_member_with_the_same_series() -> None:
    servers = FakeServers([1], {"t": FakeTopic([7], [1])})
    with fake_servers(servers):
        async with exporter(servers.bootstrap, interval=60) as client:
            await read(client)
            _, plain = await page(client, "/metrics")
            async with client.get("/metrics", headers={"Accept-Encoding": "gzip"}) as answer:
                assert answer.headers["Content-Encoding"] == "gzip"
                zipped = gzip.decompress(await answer.read()).decode()

    def names(text: str) -> list[str]:
        return [line.rsplit(" ", 1)[0] for line in text.splitlines()]

    assert names(zipped) == names(plain)


@pytest.mark.parametrize("path", ["/", "/metrics/", "/healthy"])
async def test_other_pages_name_those_that_there_are(path: str) -> None:
    servers = FakeServers([1])
    with fake_servers(servers):
        async with exporter(servers.bootstrap) as client:
            assert await page(client, path) == (404, "there are /metrics, /healthz and /ready\n")
