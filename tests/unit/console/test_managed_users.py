"""Users that a KafkaUser manages: limits go through it, what else would be set back is done only on a second word."""

from pathlib import Path
from typing import Any

import pytest
from tests.builders.entity_api import EntityApi, soon
from tests.builders.fake_kafka_server import FakeServers, FakeTopic, fake_servers
from tests.builders.running_console import RunningConsole, SaidBack
from tests.unit.console.test_managed_topics import operated

HERE = "/api/clusters/kafka"
PAUSED = {"strimzi.io/pause-reconciliation": "true"}


@pytest.fixture
def servers() -> Any:
    with fake_servers(FakeServers([1], topics={"orders": FakeTopic([5], [1])})) as running:
        yield running


async def made(api: EntityApi, console: RunningConsole, name: str, spec: dict[str, Any], **metadata: Any) -> None:
    """A KafkaUser that the console has seen."""
    await api.create("KafkaUser", name, spec, **metadata)

    async def is_seen() -> str | None:
        users = (await console.get(f"{HERE}/operator")).json["users"]
        return None if name in [one["name"] for one in users] else str(users)

    await soon(f"KafkaUser {name} is seen", is_seen)


async def limited(console: RunningConsole, user: str, **more: Any) -> SaidBack:
    wish = {"user": user, "limits": {"producer_byte_rate": 1024, "consumer_byte_rate": None}, **more}
    return await console.ask("POST", f"{HERE}/clientquotas", wish)


@pytest.mark.parametrize(("authentication", "user"), [("tls", "CN=anna"), ("scram-sha-512", "anna")])
async def test_limits_go_through_the_resource(
    tmp_path: Path, servers: FakeServers, authentication: str, user: str
) -> None:
    async with operated(tmp_path, servers) as (api, console):
        given = {"producerByteRate": 1, "consumerByteRate": 2, "requestPercentage": 3}
        await made(api, console, "anna", {"authentication": {"type": authentication}, "quotas": given})
        said = await limited(console, user)
        assert (said.status, said.json["through"]) == (200, "KafkaUser kafka/anna"), said.text
        quotas = (await api.get("KafkaUser", "anna"))["spec"]["quotas"]
        assert quotas == {"producerByteRate": 1024, "requestPercentage": 3}
        past = await limited(console, user, anyway=True, limits={"producer_byte_rate": 2048})
        assert past.status not in (200, 409), "Kafka itself is asked, and this one keeps no quotas"
        assert (await api.get("KafkaUser", "anna"))["spec"]["quotas"] == quotas


async def test_limits_under_the_other_name_would_be_taken_away(tmp_path: Path, servers: FakeServers) -> None:
    async with operated(tmp_path, servers) as (api, console):
        await made(api, console, "anna", {"authentication": {"type": "tls"}})
        said = await limited(console, "anna")
        assert (said.status, said.json["title"]) == (409, "Managed")
        assert "KafkaUser kafka/anna manages anna" in said.json["detail"]
        assert "spec.quotas" in said.json["detail"]


@pytest.mark.parametrize("principal", ["User:anna", "User:CN=anna"])
@pytest.mark.parametrize("path", ["acls", "acls/deletions"])
async def test_rules_of_a_managed_user_want_a_second_word(
    tmp_path: Path, servers: FakeServers, path: str, principal: str
) -> None:
    async with operated(tmp_path, servers) as (api, console):
        await made(api, console, "anna", {"authentication": {"type": "tls"}})
        rule = {"principal": principal, "resourceType": "TOPIC", "resourceName": "orders", "operation": "READ"}
        said = await console.ask("POST", f"{HERE}/{path}", {"acls": [rule]})
        assert (said.status, said.json["title"]) == (409, "Managed"), said.text
        assert f"KafkaUser kafka/anna manages {principal}" in said.json["detail"]
        assert "spec.authorization.acls" in said.json["detail"]
        for free in ({"principal": "User:bert"}, {"principal": "Group:anna"}):
            assert (await console.ask("POST", f"{HERE}/{path}", {"acls": [{**rule, **free}]})).status != 409
        assert (await console.ask("POST", f"{HERE}/{path}", {"acls": [rule], "anyway": True})).status != 409


async def test_a_password_of_a_managed_user_wants_a_second_word(tmp_path: Path, servers: FakeServers) -> None:
    async with operated(tmp_path, servers) as (api, console):
        await made(api, console, "anna", {"authentication": {"type": "scram-sha-512"}})
        secret = {"password": "a-secret-of-anna"}
        for method, path, body in (
            ("PUT", "scram-users/anna", secret),
            ("DELETE", "scram-users/anna/SCRAM-SHA-512", None),
        ):
            said = await console.ask(method, f"{HERE}/{path}", body)
            assert (said.status, said.json["title"]) == (409, "Managed"), said.text
            assert "KafkaUser kafka/anna manages anna" in said.json["detail"]
            assert "secret-of" not in said.text
        assert (await console.ask("PUT", f"{HERE}/scram-users/anna", {**secret, "anyway": True})).status != 409
        weaker = await console.ask("PUT", f"{HERE}/scram-users/anna", {**secret, "mechanism": "SCRAM-SHA-256"})
        assert weaker.status != 409, "the operator does not know that mechanism"
        assert (await console.ask("DELETE", f"{HERE}/scram-users/anna/SCRAM-SHA-512?anyway=true")).status != 409


async def test_a_paused_resource_sets_nothing_back_yet(tmp_path: Path, servers: FakeServers) -> None:
    async with operated(tmp_path, servers) as (api, console):
        await made(api, console, "anna", {"authentication": {"type": "tls"}}, annotations=PAUSED)
        assert (await limited(console, "CN=anna")).status != 409
        assert "quotas" not in (await api.get("KafkaUser", "anna"))["spec"]


async def test_a_resource_of_another_cluster_manages_nobody_here(tmp_path: Path, servers: FakeServers) -> None:
    async with operated(tmp_path, servers) as (api, console):
        labels = {"strimzi.io/cluster": "another"}
        await api.create("KafkaUser", "bert", {"authentication": {"type": "tls"}}, labels=labels)
        await made(api, console, "anna", {"authentication": {"type": "tls"}})
        rule = {"principal": "User:CN=bert", "resourceType": "TOPIC", "resourceName": "orders"}
        assert (await console.ask("POST", f"{HERE}/acls", {"acls": [rule]})).status != 409
