"""Role × endpoint × expected: who reaches which path of the table, and who is turned away.

Every route has a line in EXPECTED, written by hand and not taken from the route: a new route without one fails.
Handlers are put aside here (they would need a Kafka for each): what is tested is everything that stands before them.
What handlers look at by themselves, lists and names in bodies, is below.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from tests.builders.fake_administration import FakeProducer
from tests.builders.fake_kafka_server import FakeGroup, FakeServers, FakeTopic, fake_servers
from tests.builders.running_console import cluster_settings, running_console

from klamm.base.clock import SystemClock
from klamm.console.access.rights import ACTIONS, Person, Principal, principal
from klamm.console.audit.trail import Trail
from klamm.console.clusters import Place
from klamm.console.identity.gate import Gate
from klamm.console.identity.reading import access, roles
from klamm.console.identity.settings import Access
from klamm.console.routes import Call, Route, Visit
from klamm.console.scene import Scene
from klamm.console.server import build_app
from klamm.console.settings import ClusterSettings, Settings
from klamm.console.table import ROUTES

# --- who

_GIVEN: dict[str, Any] = {
    "roles": [
        {
            "name": "looker",
            "clusters": ["kafka"],
            "subjects": [{"provider": "login_form", "type": "user", "value": "looker"}],
            "permissions": [
                {"resource": each, "value": ".*", "actions": ["view"]}
                for each in ("topic", "consumer", "schema", "connect", "connector")
            ],
        },
        {
            "name": "orders",
            "clusters": ["kafka"],
            "subjects": [{"provider": "login_form", "type": "user", "value": "orders"}],
            "permissions": [
                {"resource": each, "value": "orders-.*", "actions": ["all"]}
                for each in ("topic", "consumer", "schema", "connect", "connector")
            ],
        },
        {
            "name": "elsewhere",
            "clusters": ["other"],
            "subjects": [{"provider": "login_form", "type": "user", "value": "elsewhere"}],
            "permissions": [{"resource": "topic", "value": ".*", "actions": ["all"]}],
        },
        {
            "name": "all",
            "clusters": ["kafka"],
            "subjects": [{"provider": "login_form", "type": "user", "value": "all"}],
            "permissions": [
                {
                    "resource": each,
                    "actions": ["all"],
                    **({"value": ".*"} if each in ("topic", "consumer", "schema", "connect", "connector") else {}),
                }
                for each in ACTIONS
            ],
        },
    ]
}
_ROLES = roles(_GIVEN, ["kafka", "other"])


def _who(name: str) -> Principal:
    return principal(Person(name, "login_form", {"user": frozenset({name})}), _ROLES)


# --- what

OPEN = "needs no log-in"
LOGGED_IN = "needs no right"
SEEN = "needs to see the cluster"
EXPECTED: dict[tuple[str, str], str] = {
    ("GET", "/actuator/health"): OPEN,
    ("GET", "/api/info"): OPEN,
    ("GET", "/api/openapi.json"): LOGGED_IN,
    ("GET", "/api/config/authentication"): OPEN,
    ("GET", "/api/authorization"): LOGGED_IN,
    ("POST", "/api/login"): OPEN,
    ("POST", "/api/logout"): OPEN,
    ("GET", "/oauth2/authorization/{provider}"): OPEN,
    ("GET", "/login/oauth2/code/{provider}"): OPEN,
    ("GET", "/api/clusters"): LOGGED_IN,
    ("GET", "/api/clusters/{cluster}"): SEEN,
    ("GET", "/api/clusters/{cluster}/audit"): "audit view",
    ("GET", "/api/clusters/{cluster}/brokers"): SEEN,
    ("GET", "/api/clusters/{cluster}/brokers/{broker}/configs"): "clusterconfig view",
    ("PATCH", "/api/clusters/{cluster}/brokers/{broker}/configs"): "clusterconfig edit",
    ("GET", "/api/clusters/{cluster}/topics"): SEEN,
    ("POST", "/api/clusters/{cluster}/topics"): "topic create",
    ("GET", "/api/clusters/{cluster}/topics/{topic}"): "topic view",
    ("DELETE", "/api/clusters/{cluster}/topics/{topic}"): "topic delete",
    ("PATCH", "/api/clusters/{cluster}/topics/{topic}/partitions"): "topic edit",
    ("GET", "/api/clusters/{cluster}/topics/{topic}/config"): "topic view",
    ("PATCH", "/api/clusters/{cluster}/topics/{topic}/config"): "topic edit",
    ("GET", "/api/clusters/{cluster}/consumer-groups"): SEEN,
    ("GET", "/api/clusters/{cluster}/consumer-groups/{group}"): "consumer view",
    ("POST", "/api/clusters/{cluster}/topics/{topic}/replication-factor/plan"): "topic view",
    ("PATCH", "/api/clusters/{cluster}/topics/{topic}/replication-factor"): "topic edit",
    ("GET", "/api/clusters/{cluster}/topics/{topic}/reassignments"): "topic view",
    ("DELETE", "/api/clusters/{cluster}/topics/{topic}/reassignments"): "topic edit",
    ("GET", "/api/clusters/{cluster}/reassignments"): SEEN,
    ("GET", "/api/clusters/{cluster}/topics/{topic}/analysis"): "topic analysis_view",
    ("POST", "/api/clusters/{cluster}/topics/{topic}/analysis"): "topic analysis_run",
    ("DELETE", "/api/clusters/{cluster}/topics/{topic}/analysis"): "topic analysis_run",
    ("GET", "/api/clusters/{cluster}/topics.csv"): SEEN,
    ("GET", "/api/clusters/{cluster}/consumer-groups.csv"): SEEN,
    ("GET", "/api/clusters/{cluster}/brokers.csv"): SEEN,
    ("POST", "/api/clusters/{cluster}/topics/{topic}/clone"): "topic create",
    ("POST", "/api/clusters/{cluster}/topics/{topic}/recreate"): "topic delete",
    ("POST", "/api/clusters/{cluster}/consumer-groups/{group}/offsets/plan"): "consumer view",
    ("POST", "/api/clusters/{cluster}/consumer-groups/{group}/offsets"): "consumer reset_offsets",
    ("GET", "/api/clusters/{cluster}/consumer-groups/{group}/offsets/undos"): "consumer view",
    ("DELETE", "/api/clusters/{cluster}/consumer-groups/{group}/topics/{topic}"): "consumer delete",
    ("DELETE", "/api/clusters/{cluster}/consumer-groups/{group}"): "consumer delete",
    ("GET", "/api/clusters/{cluster}/acls"): "acl view",
    ("POST", "/api/clusters/{cluster}/acls"): "acl edit",
    ("POST", "/api/clusters/{cluster}/acls/deletions"): "acl edit",
    ("POST", "/api/clusters/{cluster}/acls/template"): "acl view",
    ("GET", "/api/clusters/{cluster}/acls/csv"): "acl view",
    ("POST", "/api/clusters/{cluster}/acls/csv"): "acl edit",
    ("GET", "/api/clusters/{cluster}/acls/decision"): "acl view",
    ("GET", "/api/clusters/{cluster}/clientquotas"): "client_quotas view",
    ("POST", "/api/clusters/{cluster}/clientquotas"): "client_quotas edit",
    ("GET", "/api/clusters/{cluster}/scram-users"): "acl view",
    ("PUT", "/api/clusters/{cluster}/scram-users/{user}"): "acl edit",
    ("DELETE", "/api/clusters/{cluster}/scram-users/{user}/{mechanism}"): "acl edit",
    ("GET", "/api/clusters/{cluster}/transactions"): "clusterconfig view",
    ("GET", "/api/clusters/{cluster}/transactions/hanging"): "clusterconfig view",
    ("POST", "/api/clusters/{cluster}/transactions/aborts"): "clusterconfig edit",
    ("GET", "/api/clusters/{cluster}/topics/{topic}/producers"): "topic view",
    ("POST", "/api/clusters/{cluster}/topics/{topic}/elections"): "topic edit",
    ("POST", "/api/clusters/{cluster}/elections"): "clusterconfig edit",
    ("GET", "/api/clusters/{cluster}/quorum"): "clusterconfig view",
    ("GET", "/api/clusters/{cluster}/heat-map"): SEEN,
    ("GET", "/api/clusters/{cluster}/topics/{topic}/messages"): "topic messages_read",
    ("POST", "/api/clusters/{cluster}/topics/{topic}/messages"): "topic messages_produce",
    ("DELETE", "/api/clusters/{cluster}/topics/{topic}/messages"): "topic messages_delete",
    ("GET", "/api/clusters/{cluster}/topics/{topic}/messages/download"): "topic messages_read",
    ("GET", "/api/clusters/{cluster}/topics/{topic}/messages/serdes"): "topic messages_read",
    ("POST", "/api/clusters/{cluster}/topics/{topic}/messages/again"): "topic messages_produce",
    ("POST", "/api/clusters/{cluster}/topics/{topic}/messages/copy"): "topic messages_produce",
    ("POST", "/api/clusters/{cluster}/topics/{topic}/messages/filter-test"): "topic messages_read",
    ("GET", "/api/clusters/{cluster}/schemas"): SEEN,
    ("POST", "/api/clusters/{cluster}/schemas"): "schema create",
    ("GET", "/api/clusters/{cluster}/schemas/{subject}"): "schema view",
    ("DELETE", "/api/clusters/{cluster}/schemas/{subject}"): "schema delete",
    ("GET", "/api/clusters/{cluster}/schemas/{subject}/diff"): "schema view",
    ("POST", "/api/clusters/{cluster}/schemas/{subject}/check"): "schema view",
    ("PUT", "/api/clusters/{cluster}/schemas/{subject}/compatibility"): "schema edit",
    ("PUT", "/api/clusters/{cluster}/schemas-compatibility"): "schema modify_global_compatibility",
    ("GET", "/api/clusters/{cluster}/history"): SEEN,
    ("GET", "/api/clusters/{cluster}/brokers/{broker}/history"): SEEN,
    ("GET", "/api/clusters/{cluster}/topics/{topic}/history"): "topic view",
    ("GET", "/api/clusters/{cluster}/consumer-groups/{group}/history"): "consumer view",
    ("GET", "/api/wrong"): LOGGED_IN,
    ("GET", "/api/clusters/{cluster}/wrong"): SEEN,
    ("GET", "/api/clusters/{cluster}/compare/brokers"): "clusterconfig view",
    ("GET", "/api/clusters/{cluster}/compare/topics"): SEEN,
    ("GET", "/api/clusters/{cluster}/operator"): "clusterconfig view",
    ("GET", "/api/clusters/{cluster}/operator/moving"): "clusterconfig view",
    ("GET", "/api/clusters/{cluster}/topics/{topic}/resource"): "topic view",
}
"""What each path asks for: "resource action", or one of the above."""

_ITSELF = {("POST", "/api/clusters/{cluster}/topics/{topic}/clone")}
"""Whose handlers look at the names, that of the path and the new one; see below."""

_CHANGE_NOTHING = {"view", "messages_read", "analysis_view", "analysis_run"}
_NAMES = {"topic", "group", "subject", "connect", "connector"}
"""Parameters that patterns of roles are about."""


def _expected(route: Route, who: str, named: str) -> int:
    """The status of an answer to this user; 200 stands for everything that a handler says."""
    needed = EXPECTED[route.method, route.path]
    if needed == OPEN:
        return 200
    if who == "anonymous":
        return 401
    if needed == LOGGED_IN:
        return 200
    if who == "elsewhere" and "{cluster}" in route.path:
        return 404
    if needed == SEEN or who == "all":
        return 200
    resource, action = needed.split()
    has_names = resource in {"topic", "consumer", "schema", "connect", "connector"}
    if who == "looker":
        return 200 if has_names and action == "view" else 403
    assert who == "orders"
    is_named = any(f"{{{each}}}" in route.path for each in _NAMES) and (route.method, route.path) not in _ITSELF
    return 200 if has_names and (not is_named or named == "orders-eu") else 403


@asynccontextmanager
async def _before_handlers(
    *, read_only: bool = False, is_open: bool = False
) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """Every route with a handler that only says that it was reached; who asks stands in a header."""

    async def reached(call: Call[Any, Any]) -> None:
        return None

    async def identify(visit: Visit) -> Principal | None:
        if is_open:
            return Principal("anybody")
        name = visit.cookies.get("who")
        return None if name is None or name == "anonymous" else _who(name)

    clusters = tuple(
        replace(cluster_settings(("127.0.0.1:1",)), name=one, read_only=read_only) for one in ("kafka", "other")
    )
    settings, clock = Settings(clusters), SystemClock()
    places = {one.name: Place(one, clock, Random(1)) for one in clusters}
    gate = Gate(Access(), "", clock, lambda: "token")
    scene = Scene(settings, places, clock, gate, Trail({}))
    routes = [replace(one, handler=reached, body=None, query=_Anything) for one in ROUTES]
    runner = web.AppRunner(build_app(scene, routes, identify))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with aiohttp.ClientSession() as session:
            yield session, f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()
        for place in places.values():
            await place.close()


class _Anything(msgspec.Struct):
    pass


def _filled(route: Route, named: str) -> str:
    values = {"cluster": "kafka", **dict.fromkeys(_NAMES, named)}
    return re.sub(r"\{(\w+)(?::[^}]*)?\}", lambda found: values.get(found[1], "1"), route.path)


def test_every_route_has_an_expectation_and_no_expectation_is_left_over() -> None:
    assert {(one.method, one.path) for one in ROUTES} == EXPECTED.keys()


@pytest.mark.parametrize("who", ["anonymous", "looker", "orders", "elsewhere", "all"])
async def test_who_reaches_what(who: str) -> None:
    async with _before_handlers() as (session, url):
        seen, expected = {}, {}
        for route in ROUTES:
            for named in ("orders-eu", "payments", "orders-eu/../payments", "Orders-eu"):
                key = f"{route.method} {route.path} of {named}"
                path = _filled(route, named.replace("/", "%2F"))
                async with session.request(route.method, url + path, cookies={"who": who}) as answer:
                    seen[key] = 200 if answer.status == 204 else answer.status
                expected[key] = _expected(route, who, named)
        # A pattern means a name from its begin to its end, whatever stands in it: "orders-.*" is no folder.
        for key in expected:
            if who == "orders" and key.endswith("of orders-eu/../payments") and expected[key] == 403:
                expected[key] = expected[key.replace("of orders-eu/../payments", "of orders-eu")]
        assert seen == expected


async def test_a_read_only_cluster_refuses_everything_that_changes_and_nothing_else() -> None:
    async with _before_handlers(read_only=True, is_open=True) as (session, url):
        for route in ROUTES:
            needed = EXPECTED[route.method, route.path]
            changes = "{cluster}" in route.path and (
                needed.split()[1] not in _CHANGE_NOTHING
                if needed not in (OPEN, LOGGED_IN, SEEN)
                else route.method != "GET"
            )
            async with session.request(route.method, url + _filled(route, "orders-eu")) as answer:
                assert answer.status == (403 if changes else 204), f"{route.method} {route.path}"
                if changes:
                    assert "read-only" in await answer.text()


# --- what handlers look at by themselves

_FORM = {
    "auth": {
        "type": "LOGIN_FORM",
        "users": [{"name": one, "password": "pw"} for one in ("looker", "orders", "elsewhere", "all")],
    }
}


@pytest.fixture
def servers() -> Iterator[FakeServers]:
    made = FakeServers(
        [1],
        topics={"orders-eu": FakeTopic([5], [1]), "payments": FakeTopic([5], [1])},
        groups={"orders-shop": FakeGroup({"orders-eu": {0: 1}}), "payroll": FakeGroup({"payments": {0: 1}})},
    )
    with fake_servers(made) as running:
        yield running


def _settings(servers: FakeServers) -> Settings:
    clusters: tuple[ClusterSettings, ...] = tuple(
        replace(cluster_settings(servers.bootstrap), name=one) for one in ("kafka", "other")
    )
    return Settings(clusters, access=access({**_FORM, "rbac": _GIVEN}, ["kafka", "other"]))


_SEES: Mapping[str, tuple[list[str], list[str], list[str]]] = {
    "looker": (["kafka"], ["orders-eu", "payments"], ["orders-shop", "payroll"]),
    "orders": (["kafka"], ["orders-eu"], ["orders-shop"]),
}


@pytest.mark.parametrize("who", _SEES)
async def test_lists_show_only_what_one_may_see(servers: FakeServers, who: str) -> None:
    async with running_console(settings=_settings(servers)) as console:
        assert (await console.log_in(who, "pw")).status == 204
        clusters, topics, groups = _SEES[who]
        assert [one["name"] for one in (await console.get("/api/clusters")).json["clusters"]] == clusters
        said = (await console.get("/api/clusters/kafka/topics")).json
        assert ([one["name"] for one in said["topics"]], said["total"]) == (topics, len(topics))
        said = (await console.get("/api/clusters/kafka/consumer-groups")).json
        assert ([one["name"] for one in said["groups"]], said["total"]) == (groups, len(groups))


async def test_a_topic_is_created_only_under_a_name_that_one_may_create(servers: FakeServers) -> None:
    async with running_console(settings=_settings(servers)) as console:
        await console.log_in("orders", "pw")
        said = await console.ask("POST", "/api/clusters/kafka/topics", {"name": "payments-2"})
        assert (said.status, said.json["detail"]) == (
            403,
            "orders may not create topic payments-2; a role must permit it",
        )


async def test_offsets_and_transactions_of_a_topic_are_for_who_may_view_it(servers: FakeServers) -> None:
    given: dict[str, Any] = {"roles": [*_GIVEN["roles"], {**_GIVEN["roles"][1], "name": "more"}]}
    given["roles"][-1]["permissions"] = [{"resource": "clusterconfig", "actions": ["all"]}]
    who = access({**_FORM, "rbac": given}, ["kafka", "other"])
    line = {"topic": "payments", "partition": 0, "old": None, "new": 1}
    group = "/api/clusters/kafka/consumer-groups/orders-shop/offsets"
    transactions = "/api/clusters/kafka/transactions"
    asked: list[tuple[str, str, Any]] = [
        ("POST", f"{group}/plan", {"to": "latest", "topics": {"payments": []}}),
        ("POST", f"{group}/plan", {"to": "latest", "topics": {"not-there": []}}),
        ("POST", group, {"lines": [line]}),
        ("GET", f"{transactions}/hanging?topic=payments", None),
        ("POST", f"{transactions}/aborts", {"topic": "payments", "partition": 0, "producerId": 1, "openSince": 0}),
    ]
    async with running_console(settings=replace(_settings(servers), access=who)) as console:
        await console.log_in("orders", "pw")
        for method, path, body in asked:
            said = await console.ask(method, path, body)
            assert (said.status, "orders may not view topic" in said.text) == (403, True), path
        assert (await console.ask("POST", f"{group}/plan", {"to": "latest"})).status == 200
        servers.groups["orders-shop"].committed["payments"] = {0: 1}
        said = await console.ask("POST", f"{group}/plan", {"to": "latest"})
        assert {one["topic"] for one in said.json["lines"]} == {"orders-eu"}
        servers.groups["orders-pay"] = servers.groups.pop("orders-shop")
        other = "/api/clusters/kafka/consumer-groups/orders-new/offsets/plan"
        said = await console.ask("POST", other, {"to": "group", "from": "orders-pay"})
        assert ({one["topic"] for one in said.json["lines"]}, "payments" in said.text) == ({"orders-eu"}, False)
        del servers.groups["orders-pay"].committed["orders-eu"]
        said = await console.ask("POST", other, {"to": "group", "from": "orders-pay"})
        assert (said.status, "payments" in said.text) == (403, False)


async def test_a_group_names_no_topic_that_one_may_not_view(servers: FakeServers) -> None:
    reading = servers.groups["orders-shop"]
    reading.committed["payments"] = {0: 1}
    reading.members = {"m-1": {"orders-eu": [0], "payments": [0]}}
    group = "/api/clusters/kafka/consumer-groups/orders-shop"
    async with running_console(settings=_settings(servers)) as console:
        await console.log_in("looker", "pw")
        whole = (await console.get(group)).json
        assert ({one["topic"] for one in whole["offsets"]}, whole["hidden"]) == ({"orders-eu", "payments"}, 0)
        await console.log_in("orders", "pw")
        said = await console.get(group)
        assert "payments" not in said.text
        assert ([one["topic"] for one in said.json["offsets"]], said.json["hidden"]) == (["orders-eu"], 1)
        assert [one["assigned"] for one in said.json["members"]] == [{"orders-eu": [0]}]
        listed = (await console.get("/api/clusters/kafka/consumer-groups?topic=payments")).json
        assert listed["groups"] == [], "whether it reads a topic tells of the topic"
        assert "payments" not in (await console.ask("POST", f"{group}/offsets/plan", {"to": "latest"})).text
        assert (await console.ask("DELETE", f"{group}/topics/payments")).status == 403


async def test_a_reset_is_listed_without_topics_that_one_may_not_view(servers: FakeServers) -> None:
    servers.groups["orders-shop"] = FakeGroup({"orders-eu": {0: 1}, "payments": {0: 1}}, state="Empty")
    lines = [{"topic": one, "partition": 0, "old": 1, "new": 0} for one in ("orders-eu", "payments")]
    group = "/api/clusters/kafka/consumer-groups/orders-shop"
    async with running_console(settings=_settings(servers)) as console:
        await console.log_in("all", "pw")
        done = await console.ask("POST", f"{group}/offsets", {"lines": lines, "what": "payments back to 0"})
        assert done.json["changed"] == 2, done.text
        await console.log_in("orders", "pw")
        said = await console.get(f"{group}/offsets/undos")
        assert "payments" not in said.text
        (undo,) = said.json["resets"]
        assert (undo["what"], undo["lines"]) == ("also of topics that you may not view", 1)
        plan = await console.ask("POST", f"{group}/offsets/plan", {"to": "undo", "number": undo["number"]})
        assert [one["topic"] for one in plan.json["lines"]] == ["orders-eu"]
        assert "payments" not in plan.text


@pytest.mark.parametrize(
    ("source", "name"), [("payments", "orders-2"), ("orders-eu", "payments-2"), ("none", "none-2")]
)
async def test_a_topic_is_cloned_only_from_one_that_one_sees_to_one_that_one_may_create(
    servers: FakeServers, source: str, name: str
) -> None:
    async with running_console(settings=_settings(servers)) as console:
        await console.log_in("orders", "pw")
        said = await console.ask("POST", f"/api/clusters/kafka/topics/{source}/clone", {"name": name})
        assert said.status == 403


async def test_the_search_for_hanging_transactions_looks_only_at_what_one_may_view(servers: FakeServers) -> None:
    given: dict[str, Any] = {"roles": [*_GIVEN["roles"], {**_GIVEN["roles"][1], "name": "more"}]}
    given["roles"][-1]["permissions"] = [{"resource": "clusterconfig", "actions": ["all"]}]
    servers.administered = True
    for topic in servers.topics.values():
        topic.producers = {0: [FakeProducer(7, since=0)]}
    who = access({**_FORM, "rbac": given}, ["kafka", "other"])
    async with running_console(settings=replace(_settings(servers), access=who)) as console:
        assert (await console.log_in("orders", "pw")).status == 204
        said = (await console.get("/api/clusters/kafka/transactions/hanging")).json
        assert [one["topic"] for one in said["producers"]] == ["orders-eu"]
