"""Quorum, features and the map of what lies where, of brokers that know no quorum."""

from collections.abc import Iterator

import pytest
from tests.builders.fake_kafka_server import FakeServers, FakeTopic, fake_servers
from tests.builders.running_console import running_console

from klamm.console.api.quorum import _told
from klamm.kafka.errors import KafkaFailure


@pytest.fixture
def servers() -> Iterator[FakeServers]:
    topics = {"small": FakeTopic([1], [1]), "large": FakeTopic([100, 50, 7], [1, 2, 2], replicas=(1, 2))}
    with fake_servers(FakeServers([1, 2], topics=topics)) as running:
        yield running


async def test_without_a_quorum_the_page_says_so(servers: FakeServers) -> None:
    async with running_console(servers.bootstrap) as console:
        said = (await console.get("/api/clusters/kafka/quorum")).json
        assert (said["kraft"], said["leader"], said["members"], said["features"]) == (False, None, [], [])


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        ("bytes", {"large": [1000, 570], "small": [10, 0]}),
        ("leaders", {"large": [1, 2], "small": [1, 0]}),
        ("replicas", {"large": [3, 3], "small": [1, 0]}),
    ],
)
async def test_what_lies_where(servers: FakeServers, by: str, rows: dict[str, list[int]]) -> None:
    async with running_console(servers.bootstrap) as console:
        said = (await console.get(f"/api/clusters/kafka/heat-map?by={by}")).json
        assert said["brokers"] == [1, 2]
        assert [one["topic"] for one in said["rows"]] == ["large", "small"]  # the most first
        assert {one["topic"]: one["values"] for one in said["rows"]} == rows
        wrong = await console.get("/api/clusters/kafka/heat-map?by=colour")
        assert (wrong.status, wrong.json["field"]) == (400, "by")


def test_what_failed_is_told_of_topics_that_one_may_view() -> None:
    failure = KafkaFailure("elect leaders", "nobody is in sync")
    told = _told(
        {("orders", 0): None, ("orders", 1): failure, ("payroll", 0): failure}, lambda topic: topic == "orders"
    )
    assert (told.elected, [(one.topic, one.partition) for one in told.failed]) == (1, [("orders", 1)])


async def test_an_unclean_election_needs_a_second_word(servers: FakeServers) -> None:
    async with running_console(servers.bootstrap) as console:
        said = await console.ask("POST", "/api/clusters/kafka/topics/large/elections", {"unclean": True})
        assert (said.status, said.json["field"]) == (400, "sure")
        wrong = await console.ask("POST", "/api/clusters/kafka/topics/large/elections", {"partitions": [3]})
        assert wrong.json["detail"] == "partitions: 3 is no partition of large"
        assert (await console.ask("POST", "/api/clusters/kafka/topics/none/elections", {})).status == 404


async def test_wrong_wishes_for_rules_and_quotas_are_told(servers: FakeServers) -> None:
    acl = {"principal": "User:a", "resourceType": "TOPIC", "resourceName": "x"}
    async with running_console(servers.bootstrap) as console:
        for path, body, detail in (
            ("acls", {"acls": [{**acl, "operation": "FLY"}]}, "operation: 'FLY' is not known"),
            ("acls", {"acls": [{**acl, "principal": "anna"}]}, "write User:NAME"),
            ("acls/csv", {"csv": "a,b"}, "csv: line 1: it has 2 columns"),
            ("acls/template", {"kind": "x", "principal": "User:a"}, "write consumer, producer or streams"),
            ("acls/template", {"kind": "producer", "principal": "User:a"}, "name at least one topic"),
            ("clientquotas", {"limits": {"producer_byte_rate": 1}}, "name a user, a clientId or an ip"),
            ("clientquotas", {"user": "a"}, "changes nothing; name at least one of producer_byte_rate"),
            ("clientquotas", {"user": "a", "limits": {"speed": 1}}, "'speed' is no limit of such a one"),
            ("clientquotas", {"user": "a", "limits": {"producer_byte_rate": -1}}, "write more than 0"),
            ("clientquotas", {"user": "a", "ip": "::1", "limits": {"connection_creation_rate": 1}}, "stands alone"),
            ("topics/large/elections", {"unclean": True}, "say true"),
        ):
            said = await console.ask("POST", f"/api/clusters/kafka/{path}", body)
            assert said.status == 400, said.text
            assert detail in said.json["detail"]
        why = await console.get(
            "/api/clusters/kafka/acls/decision?principal=User:a&operation=x&resourceType=TOPIC&resourceName=x"
        )
        assert "operation: 'x' is not known" in why.json["detail"]


@pytest.mark.parametrize(
    "body", [{"password": "tiny"}, {"password": "long-enough", "mechanism": "PLAIN"}, {"pass": "tiny"}]
)
async def test_no_answer_repeats_a_password(servers: FakeServers, body: dict[str, str]) -> None:
    async with running_console(servers.bootstrap) as console:
        said = await console.ask("PUT", "/api/clusters/kafka/scram-users/anna", body)
        assert said.status == 400
        assert "tiny" not in said.text
        assert "long-enough" not in said.text
