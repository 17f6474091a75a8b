"""Lists as files: what a list shows, whole, and nothing that a sheet would run."""

import csv
from collections.abc import Iterator

import pytest
from tests.builders.fake_kafka_server import FakeGroup, FakeServers, FakeTopic, fake_servers
from tests.builders.running_console import running_console


@pytest.fixture
def servers() -> Iterator[FakeServers]:
    topics = {f"t{number:03}": FakeTopic([number], [1]) for number in range(501)} | {"-1+1": FakeTopic([1], [1])}
    made = FakeServers([1], topics=topics, groups={'=cmd|"/c"': FakeGroup({"t001": {0: 1}})})
    with fake_servers(made) as running:
        yield running


async def test_lists_are_files_for_sheets(servers: FakeServers) -> None:
    async with running_console(servers.bootstrap) as console:
        said = await console.get("/api/clusters/kafka/topics.csv?sort=messages&order=DESC")
        assert said.headers["Content-Disposition"] == 'attachment; filename="topics.csv"'
        rows = list(csv.DictReader(said.text.splitlines()))
        assert len(rows) == 502
        assert (rows[0]["name"], rows[0]["messages"]) == ("t500", "500")
        assert "'-1+1" in {row["name"] for row in rows}
        few = await console.get("/api/clusters/kafka/topics.csv?search=t00")
        assert len(few.text.splitlines()) == 11
        groups = list(csv.DictReader((await console.get("/api/clusters/kafka/consumer-groups.csv")).text.splitlines()))
        assert [row["name"] for row in groups] == ['\'=cmd|"/c"']
        brokers = list(csv.DictReader((await console.get("/api/clusters/kafka/brokers.csv")).text.splitlines()))
        assert [row["id"] for row in brokers] == ["1"]
        wrong = await console.get("/api/clusters/kafka/topics.csv?sort=colour")
        assert (wrong.status, wrong.headers["Content-Type"]) == (400, "application/problem+json")
