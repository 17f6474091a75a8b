"""What is noted of who did what, and what never is."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from typing import Any

import msgspec
import pytest
from tests.builders.fake_kafka_server import FakeServers, FakeTopic, fake_servers
from tests.builders.running_console import cluster_settings, running_console

from klamm.base import logs
from klamm.console.audit.trail import MOST_REFUSED, AuditSettings, Entry, Trail, parameters
from klamm.console.identity.reading import access
from klamm.console.settings import Settings

_LOG_IN = {
    "auth": {
        "type": "LOGIN_FORM",
        "users": [{"name": one, "password": "pw-of-a-person"} for one in ("ann", "ben")],
    },
    "rbac": {
        "roles": [
            {
                "name": "all",
                "clusters": ["kafka"],
                "subjects": [{"provider": "login_form", "type": "user", "value": "ann"}],
                "permissions": [
                    {"resource": "topic", "value": ".*", "actions": ["all"]},
                    {"resource": "clusterconfig", "actions": ["all"]},
                    {"resource": "audit", "actions": ["view"]},
                ],
            },
            {
                "name": "look",
                "clusters": ["kafka"],
                "subjects": [{"provider": "login_form", "type": "user", "value": "ben"}],
                "permissions": [{"resource": "topic", "value": ".*", "actions": ["view"]}],
            },
        ]
    },
}


@pytest.fixture
def servers() -> Iterator[FakeServers]:
    with fake_servers(FakeServers([1], topics={"orders": FakeTopic([5], [1])})) as running:
        yield running


def _settings(servers: FakeServers, **audit: Any) -> Settings:
    cluster = replace(cluster_settings(servers.bootstrap), audit=AuditSettings(**audit))
    return Settings((cluster,), access=access(_LOG_IN, ["kafka"]))


@pytest.fixture
def log() -> Iterator[StringIO]:
    root, stream = logging.getLogger(), StringIO()
    before, level = root.handlers[:], root.level
    logs.set_up(stream=stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


async def test_changes_refusals_and_log_ins_are_noted(servers: FakeServers) -> None:
    async with running_console(settings=_settings(servers)) as console:
        await console.log_in("ben", "wrong-password")
        await console.log_in("ben", "pw-of-a-person")
        await console.get("/api/clusters/kafka/topics/orders")
        assert (await console.ask("DELETE", "/api/clusters/kafka/topics/orders")).status == 403
        assert (await console.get("/api/clusters/kafka/audit")).status == 403
        await console.ask("POST", "/api/logout")
        await console.log_in("ann", "pw-of-a-person")
        await console.ask("DELETE", "/api/clusters/kafka/topics/orders")
        said = await console.get("/api/clusters/kafka/audit")
        seen = [(one["who"], one["what"], one.get("object"), one["outcome"]) for one in reversed(said.json["entries"])]
        assert seen == [
            ("ben", "Log in", None, "WrongPassword"),
            ("ben", "Log in", None, "ok"),
            ("ben", "Delete a topic", "orders", "Forbidden"),
            ("ben", "Who did what lately", None, "Forbidden"),
            ("ben", "Log out", None, "ok"),
            ("ann", "Log in", None, "ok"),
            ("ann", "Delete a topic", "orders", "ok"),
        ]
        assert "password" not in said.text
        assert "pw-of" not in said.text
        found = (await console.get("/api/clusters/kafka/audit?search=DELETE&limit=1")).json["entries"]
        assert [one["who"] for one in found] == ["ann"]
        assert (await console.get("/api/clusters/kafka/audit?limit=0")).status == 400


async def test_with_level_all_looks_are_noted_too(servers: FakeServers) -> None:
    async with running_console(settings=_settings(servers, level="ALL")) as console:
        await console.log_in("ann", "pw-of-a-person")
        await console.get("/api/clusters/kafka/topics?search=ord&perPage=5")
        entry = (await console.get("/api/clusters/kafka/audit")).json["entries"][0]
        assert (entry["what"], entry["cluster"]) == ("Topics, a page at a time", "kafka")
        assert (entry["parameters"]["search"], entry["parameters"]["perPage"]) == ("ord", 5)


async def test_secrets_of_bodies_stay_out(servers: FakeServers) -> None:
    async with running_console(settings=_settings(servers)) as console:
        await console.log_in("ann", "pw-of-a-person")
        wish = {"ssl.keystore.password": "hidden-1", "sasl.jaas.config": "hidden-2", "log.retention.ms": "5"}
        await console.ask("PATCH", "/api/clusters/kafka/brokers/1/configs", {"set": wish})
        said = await console.get("/api/clusters/kafka/audit")
        assert "hidden-" not in said.text
        assert said.json["entries"][0]["parameters"]["set"]["log.retention.ms"] == "5"


async def test_why_a_message_is_none_of_its_serdes_stays_out(servers: FakeServers) -> None:
    async with running_console(settings=_settings(servers)) as console:
        await console.log_in("ann", "pw-of-a-person")
        wish = {"value": "x", "valueSerde": "Int64"}
        refused = await console.ask("POST", "/api/clusters/kafka/topics/orders/messages", wish)
        assert (refused.status, "is no whole number" in refused.json["detail"]) == (400, True)
        entry = (await console.get("/api/clusters/kafka/audit")).json["entries"][0]
        assert (entry["status"], entry.get("detail")) == (400, None)


class _Body(msgspec.Struct):
    name: str = ""
    value: Any = None
    headers: Any = None
    configs: Any = None


def test_parameters_are_trimmed() -> None:
    found = parameters(None, _Body("n" * 1000, "a message", {"h": "v"}, {f"k{one}": one for one in range(100)}))
    assert len(found["name"]) == 201
    assert (found["value"], found["headers"]) == ("[hidden]", "[hidden]")
    assert len(found["configs"]) == 20
    deep: Any = "x"
    for _ in range(100):
        deep = {"d": deep}
    assert len(json.dumps(parameters(None, _Body(configs=deep)))) < 200
    assert parameters(None, _Body(configs=["x"] * 100))["configs"][-1] == "…"


def _entry(number: int, cluster: str | None = "kafka") -> Entry:
    return Entry(number, "ann", "Delete a topic", "ok", 200, cluster)


def test_the_oldest_entries_go() -> None:
    trail = Trail({}, keep=3)
    for number in range(5):
        trail.note(_entry(number), changes=True)
    assert [one.at for one in trail.newest_first()] == [4, 3, 2]


@pytest.mark.parametrize(("status", "cluster"), [(401, None), (404, None), (403, "kafka"), (429, None)])
def test_what_was_refused_pushes_no_change_off(status: int, cluster: str | None) -> None:
    trail = Trail({}, keep=3)
    for number in range(10):
        trail.note(_entry(number), changes=True)
        for _ in range(MOST_REFUSED):
            trail.note(Entry(number, "somebody", "Log in", "WrongPassword", status, cluster), changes=True)
    found = list(trail.newest_first())
    assert [one.at for one in found if one.what == "Delete a topic"] == [9, 8, 7]
    assert (len(found), found[MOST_REFUSED].what) == (3 + MOST_REFUSED, "Delete a topic"), "in their order"


async def test_who_has_begun_no_log_in_is_not_noted(servers: FakeServers, log: StringIO) -> None:
    client = {"provider": "x", "clientId": "c", "clientSecret": "s", "issuer-uri": "http://127.0.0.1:1"}
    given = {"auth": {"type": "OAUTH2", "oauth2": {"client": {"mine": client}}}}
    settings = Settings((replace(cluster_settings(servers.bootstrap), audit=AuditSettings(to_log=True)),))
    settings = replace(settings, access=access(given, ["kafka"]))
    async with running_console(settings=settings) as console:
        await console.get("/login/oauth2/code/other?code=x", Cookie="klamm-login=x")
        await console.get("/login/oauth2/code/mine?code=x")
        assert "NotLoggedIn" not in log.getvalue()
        await console.get("/login/oauth2/code/mine?code=x", Cookie="klamm-login=x")
        assert log.getvalue().count("NotLoggedIn") == 1


async def test_entries_for_a_topic_wait_in_order_and_the_oldest_go() -> None:
    trail = Trail({"kafka": AuditSettings(to_topic=True), "other": AuditSettings()}, keep=3)
    assert trail.with_topics == ("kafka",)
    for number in range(5):
        trail.note(_entry(number), changes=True)
        trail.note(_entry(number, "other"), changes=True)
    first = await trail.next_for_topic("kafka")
    trail.again("kafka", first)
    assert [(await trail.next_for_topic("kafka")).at for _ in range(3)] == [2, 3, 4]


def test_an_entry_is_one_line_of_the_log_whatever_stands_in_it(log: StringIO) -> None:
    trail = Trail({"kafka": AuditSettings(to_log=True)})
    evil = 'x\n2026-01-01T00:00:00.000Z INFO  console.audit  Log in  who=root "\r\x1b[2J\u2028\u202e'
    entry = Entry(1, evil, "Delete a topic", "ok", 200, "kafka", object=evil, parameters={"search": evil})
    trail.note(entry, changes=True)
    (line,) = log.getvalue().splitlines()
    assert "console.audit  Delete a topic" in line
    assert line.count(" who=root ") == 3, "within quotes"
    assert "\x1b" not in line
    assert "\u202e" not in line


def test_log_ins_are_in_the_log_when_a_cluster_wants_it(log: StringIO) -> None:
    Trail({"kafka": AuditSettings()}).note(_entry(1, None), changes=True)
    assert log.getvalue() == ""
    Trail({"kafka": AuditSettings(to_log=True)}).note(_entry(1, None), changes=True)
    assert "Delete a topic" in log.getvalue()
