"""The pages "what is wrong", history and comparison, through HTTP."""

from collections.abc import Iterator

import pytest
from tests.builders.fake_kafka_server import FakeGroup, FakeServers, FakeTopic, fake_servers
from tests.builders.running_console import cluster_settings, running_console

from klamm.console.settings import Settings


@pytest.fixture
def servers() -> Iterator[FakeServers]:
    made = FakeServers(
        [1, 2],
        topics={"orders": FakeTopic([100, 50], [1, 2], start=10), "lost": FakeTopic([1, 1], [1, None])},
        groups={"ahead": FakeGroup({"orders": {0: 700, 1: 50}}, members={"m-1": {"orders": [0, 1]}})},
    )
    with fake_servers(made) as running:
        yield running


async def test_what_is_wrong_in_one_cluster_and_in_all(servers: FakeServers) -> None:
    async with running_console(servers.bootstrap) as console:
        await console.get("/api/clusters/kafka")
        said = (await console.get("/api/clusters/kafka/wrong")).json
        found = {one["kind"]: one for one in said["findings"]}
        assert found["OfflinePartitions"]["severity"] == "critical"
        assert found["OfflinePartitions"]["link"] == ["topics", "lost"]
        assert found["GroupBeyondEnd"]["link"] == ["groups", "ahead"]
        (whole,) = (await console.get("/api/wrong")).json["clusters"]
        assert {one["kind"] for one in whole["findings"]} == found.keys()


async def test_a_cluster_that_was_never_seen_is_wrong() -> None:
    async with running_console(("127.0.0.1:1",)) as console:
        (said,) = (await console.get("/api/wrong")).json["clusters"]
        assert [one["kind"] for one in said["findings"]] == ["ClusterNotRead"]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/history", ["messagesIn", "bytes", "underReplicated", "offline", "lag"]),
        ("/brokers/1/history?hours=24", ["messagesIn", "bytes", "leaders", "outOfSync"]),
        ("/topics/orders/history", ["messagesIn", "bytes"]),
        ("/consumer-groups/ahead/history", ["lag", "lagSeconds"]),
    ],
)
async def test_history_begins_with_the_first_look(servers: FakeServers, path: str, names: list[str]) -> None:
    async with running_console(servers.bootstrap) as console:
        await console.get("/api/clusters/kafka")
        said = (await console.get(f"/api/clusters/kafka{path}")).json
        assert [one["name"] for one in said["series"]] == names
        assert {len(one["values"]) for one in said["series"]} == {len(said["times"])} == {1}


async def test_what_is_no_stretch_of_the_history_is_refused(servers: FakeServers) -> None:
    async with running_console(servers.bootstrap) as console:
        said = await console.get("/api/clusters/kafka/history?hours=25")
        assert (said.status, said.json["field"]) == (400, "hours")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/clusters/kafka/compare/topics?other=none", 404),
        ("/api/clusters/kafka/compare/topics?other=kafka", 400),
        ("/api/clusters/kafka/compare/brokers?one=1&other=9", 404),
        ("/api/clusters/kafka/compare/brokers?one=1", 400),
    ],
)
async def test_what_cannot_be_compared_is_refused(servers: FakeServers, path: str, status: int) -> None:
    async with running_console(servers.bootstrap) as console:
        assert (await console.get(path)).status == status


async def test_two_clusters_topics_are_compared(servers: FakeServers) -> None:
    with fake_servers(FakeServers([1], topics={"orders": FakeTopic([5], [1]), "new": FakeTopic([1], [1])})) as others:
        settings = Settings((cluster_settings(servers.bootstrap), cluster_settings(others.bootstrap, name="other")))
        async with running_console(settings=settings) as console:
            said = (await console.get("/api/clusters/kafka/compare/topics?other=other")).json
            assert (said["onlyOne"], said["onlyOther"], said["both"]) == (["lost"], ["new"], 1)
            assert said["configsCompared"] == 0
            assert "DescribeConfigs" in said["whyNotMore"]
            (orders,) = said["topics"]
            assert {"name": "partitions", "one": "2", "other": "1", "own": False} in orders["differences"]
