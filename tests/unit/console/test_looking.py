"""What the console shows of a cluster, through HTTP, from brokers that only speak the protocol."""

from collections.abc import Iterator

import pytest
from tests.builders.fake_kafka_server import FakeGroup, FakeServers, FakeTopic, fake_servers
from tests.builders.running_console import cluster_settings, running_console

from klamm.base.deadlines import until
from klamm.console.settings import Settings


@pytest.fixture
def servers() -> Iterator[FakeServers]:
    made = FakeServers(
        [1, 2],
        topics={
            "orders": FakeTopic([100, 50], [1, 2], start=10),
            "Payments": FakeTopic([5], [1]),
            "lost": FakeTopic([1, 1], [1, None]),
        },
        groups={
            "shop": FakeGroup({"orders": {0: 70, 1: 50}}, members={"m-1": {"orders": [0, 1]}}),
            "idle": FakeGroup({"Payments": {0: 5}}, coordinator=2, state="Empty"),
        },
    )
    with fake_servers(made) as running:
        yield running


async def test_clusters_and_their_numbers(servers: FakeServers) -> None:
    async with running_console(servers.bootstrap) as console:
        one = (await console.get("/api/clusters/kafka")).json
        assert (one["brokerCount"], one["topicCount"], one["partitionCount"], one["groupCount"]) == (2, 3, 5, 2)
        assert (one["offline"], one["readOnly"]) == (1, False)
        (line,) = (await console.get("/api/clusters")).json["clusters"]
        assert (line["name"], line["status"], line["topicCount"]) == ("kafka", "online", 3)


async def test_a_cluster_that_nobody_answers_for_says_why() -> None:
    async with running_console(settings=Settings((cluster_settings(("127.0.0.1:1",), patience=0.2),))) as console:

        async def why_not() -> str | None:
            said = await console.get("/api/clusters/kafka/topics")
            assert said.status == 503
            assert said.json["title"] == "NotSeenYet"
            return None if "127.0.0.1:1" in said.json["detail"] else said.json["detail"]

        await until(20, "the answer to name who was asked in vain", why_not)
        (line,) = (await console.get("/api/clusters")).json["clusters"]
        assert line["status"] == "offline"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["lost", "orders", "Payments"]),
        ("?search=pay", ["Payments"]),
        ("?sort=messages&order=DESC", ["orders", "Payments", "lost"]),
        ("?perPage=1&page=2&sort=groups", ["Payments"]),
        ("?search=nothing", []),
    ],
)
async def test_topics_are_searched_sorted_and_cut(servers: FakeServers, query: str, names: list[str]) -> None:
    async with running_console(servers.bootstrap) as console:
        said = await console.get(f"/api/clusters/kafka/topics{query}")
        assert sorted(one["name"] for one in said.json["topics"]) == sorted(names)
        if "sort" in query:
            assert [one["name"] for one in said.json["topics"]] == names


async def test_a_topic_and_its_partitions(servers: FakeServers) -> None:
    async with running_console(servers.bootstrap) as console:
        said = (await console.get("/api/clusters/kafka/topics/orders")).json
        assert (said["topic"]["messages"], said["topic"]["groups"]) == (130, 1)
        assert [(one["leader"], one["earliest"], one["latest"]) for one in said["partitions"]] == [
            (1, 10, 100),
            (2, 10, 50),
        ]


async def test_a_group_its_lag_and_its_members(servers: FakeServers) -> None:
    async with running_console(servers.bootstrap) as console:
        said = (await console.get("/api/clusters/kafka/consumer-groups/shop")).json
        assert said["group"]["lag"] == 30
        assert [(one["partition"], one["committed"], one["lag"], one["member"]) for one in said["offsets"]] == [
            (0, 70, 30, "m-1"),
            (1, 50, 0, "m-1"),
        ]
        listed = (await console.get("/api/clusters/kafka/consumer-groups?topic=Payments")).json
        assert [one["name"] for one in listed["groups"]] == ["idle"]


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/api/clusters/other", 404, "cluster 'other' is not there"),
        ("/api/clusters/kafka/topics/none", 404, "topic 'none' is not there"),
        ("/api/clusters/kafka/consumer-groups/none", 404, "group 'none' is not there"),
        ("/api/clusters/kafka/topics?page=0", 400, "page: 0 is no page; write 1 or more"),
        ("/api/clusters/kafka/topics?perPage=9999", 400, "perPage: 9999 is no size of a page; write 1 to 500"),
        ("/api/clusters/kafka/topics?sort=colour", 400, "sort: 'colour' is no column; write one of name"),
        ("/api/clusters/kafka/topics?page=x", 400, "query.page: Expected `int`, got `str`"),
        ("/api/clusters/kafka/topics?colour=red", 400, "unknown field `colour`"),
        ("/api/nothing", 404, "path '/api/nothing' is not there"),
    ],
)
async def test_what_is_wrong_is_told(servers: FakeServers, path: str, status: int, detail: str) -> None:
    async with running_console(servers.bootstrap) as console:
        said = await console.get(path)
        assert (said.status, said.headers["Content-Type"]) == (status, "application/problem+json")
        assert detail in said.json["detail"]


async def test_a_read_only_cluster_refuses_every_change(servers: FakeServers) -> None:
    settings = Settings((cluster_settings(servers.bootstrap, read_only=True),))
    async with running_console(settings=settings) as console:
        said = await console.ask("DELETE", "/api/clusters/kafka/topics/orders")
        assert said.status == 403
        assert "read-only" in said.json["detail"]


async def test_a_page_of_another_site_changes_nothing(servers: FakeServers) -> None:
    async with running_console(servers.bootstrap) as console:
        path = "/api/clusters/kafka/topics/orders"
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": ""},
            {"Sec-Fetch-Site": "cross-site"},
        ):
            assert (await console.ask("DELETE", path, **headers)).status == 403, headers


async def test_pages_come_from_below_the_base_and_load_nothing_from_elsewhere(servers: FakeServers) -> None:
    settings = Settings((cluster_settings(servers.bootstrap),), base="/kafka-ui")
    async with running_console(settings=settings) as console:
        page = await console.get("/clusters/kafka/topics")
        assert page.status == 200
        assert '<base href="/kafka-ui/">' in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        script = await console.get("/console.js")
        assert script.headers["Content-Type"].startswith("text/javascript")
        assert (await console.get("/actuator/health")).json == {"status": "UP"}
