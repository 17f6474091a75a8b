"""Resets, their undo and deletions through HTTP, of brokers that only speak the protocol."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.builders.fake_kafka_server import FakeGroup, FakeServers, FakeTopic, fake_servers
from tests.builders.running_console import RunningConsole, cluster_settings, running_console

from klamm.console.settings import Settings

_SHOP = "/api/clusters/kafka/consumer-groups/shop"


@pytest.fixture
def servers() -> Iterator[FakeServers]:
    made = FakeServers(
        [1, 2],
        topics={"orders": FakeTopic([100, 50], [1, 2], start=10), "payments": FakeTopic([5], [1])},
        groups={
            "shop": FakeGroup({"orders": {0: 70}}, coordinator=2, state="Empty"),
            "busy": FakeGroup({"orders": {0: 20, 1: 20}}, members={"m-1": {"orders": [0, 1]}}),
            "shared": FakeGroup({}, type="share", state="Empty"),
        },
    )
    with fake_servers(made) as running:
        yield running


async def _plan(console: RunningConsole, group: str = "shop", **wish: Any) -> Any:
    said = await console.ask("POST", f"/api/clusters/kafka/consumer-groups/{group}/offsets/plan", wish)
    assert said.status == 200, said.text
    return said.json


def _lines(plan: Any) -> dict[str, Any]:
    keys = ("topic", "partition", "old", "new")
    return {"what": "a test", "lines": [{key: one[key] for key in keys} for one in plan["lines"] if one["changes"]]}


async def test_plan_do_and_undo(servers: FakeServers) -> None:
    async with running_console(servers.bootstrap) as console:
        plan = await _plan(console, to="earliest", topics={"orders": []})
        assert [(one["partition"], one["old"], one["new"]) for one in plan["lines"]] == [(0, 70, 10), (1, None, 10)]
        assert servers.groups["shop"].committed == {"orders": {0: 70}}  # a plan does nothing

        done = (await console.ask("POST", f"{_SHOP}/offsets", _lines(plan))).json
        assert (done["changed"], done["failed"]) == (2, [])
        assert servers.groups["shop"].committed == {"orders": {0: 10, 1: 10}}

        (kept,) = (await console.get(f"{_SHOP}/offsets/undos")).json["resets"]
        assert (kept["number"], kept["lines"], kept["what"], kept["by"]) == (done["undo"], 2, "a test", "anybody")
        back = await _plan(console, to="undo", number=kept["number"])
        assert [(one["partition"], one["new"]) for one in back["lines"]] == [(0, 70), (1, None)]
        assert (await console.ask("POST", f"{_SHOP}/offsets", _lines(back))).json["changed"] == 2
        assert servers.groups["shop"].committed == {"orders": {0: 70}}  # exactly as before: 1 has none again


async def test_what_was_set_is_kept_for_an_undo_though_deleting_the_rest_failed(servers: FakeServers) -> None:
    servers.newest = {47: -1}  # brokers that do not know how to delete offsets
    servers.groups["shop"].committed = {"orders": {0: 70, 1: 20}}
    async with running_console(servers.bootstrap) as console:
        lines = [
            {"topic": "orders", "partition": 0, "old": 70, "new": 10},
            {"topic": "orders", "partition": 1, "old": 20, "new": None},
        ]
        done = (await console.ask("POST", f"{_SHOP}/offsets", {"what": "a test", "lines": lines})).json
        assert (done["changed"], [one["partition"] for one in done["failed"]]) == (1, [1])
        assert servers.groups["shop"].committed == {"orders": {0: 10, 1: 20}}
        back = await _plan(console, to="undo", number=done["undo"])
        assert [(one["partition"], one["new"]) for one in back["lines"]] == [(0, 70)]


async def test_what_another_group_has(servers: FakeServers) -> None:
    async with running_console(servers.bootstrap) as console:
        plan = await _plan(console, to="group", **{"from": "busy"})
        assert [(one["partition"], one["new"]) for one in plan["lines"]] == [(0, 20), (1, 20)]
        assert plan["file"] == "orders,0,20\norders,1,20\n"


async def test_an_active_group_is_planned_and_not_reset(servers: FakeServers) -> None:
    async with running_console(servers.bootstrap) as console:
        plan = await _plan(console, "busy", to="latest")
        assert "members in it: 1" in plan["refused"]
        said = await console.ask("POST", "/api/clusters/kafka/consumer-groups/busy/offsets", _lines(plan))
        assert (said.status, said.json["title"]) == (409, "GroupNotEmpty")
        assert servers.groups["busy"].committed == {"orders": {0: 20, 1: 20}}
        assert "share group" in (await _plan(console, "shared", to="latest", topics={"orders": []}))["refused"]


async def test_what_moved_since_the_plan_is_planned_again(servers: FakeServers) -> None:
    async with running_console(servers.bootstrap) as console:
        plan = await _plan(console, to="latest")
        servers.groups["shop"].committed["orders"][0] = 71
        said = await console.ask("POST", f"{_SHOP}/offsets", _lines(plan))
        assert (said.status, said.json["title"]) == (409, "Changed")
        assert "had committed 70 when it was planned and has now 71" in said.json["detail"]


async def test_offsets_of_a_topic_are_deleted_and_come_back(servers: FakeServers) -> None:
    async with running_console(servers.bootstrap) as console:
        done = (await console.ask("DELETE", f"{_SHOP}/topics/orders")).json
        assert (done["changed"], servers.groups["shop"].committed["orders"]) == (1, {})
        back = await _plan(console, to="undo", number=done["undo"])
        await console.ask("POST", f"{_SHOP}/offsets", _lines(back))
        assert servers.groups["shop"].committed == {"orders": {0: 70}}
        assert (await console.ask("DELETE", f"{_SHOP}/topics/payments")).status == 404
        busy = await console.ask("DELETE", "/api/clusters/kafka/consumer-groups/busy/topics/orders")
        assert busy.status == 409
        assert "stop its consumers" in busy.json["detail"]


async def test_a_group_is_deleted_unless_somebody_is_in_it(servers: FakeServers) -> None:
    async with running_console(servers.bootstrap) as console:
        assert (await console.ask("DELETE", _SHOP)).status == 204
        assert "shop" not in servers.groups
        said = await console.ask("DELETE", "/api/clusters/kafka/consumer-groups/busy")
        assert said.status == 422
        assert "Somebody is in the group" in said.json["detail"]


@pytest.mark.parametrize(
    ("wish", "status", "detail"),
    [
        ({"to": "nowhere"}, 400, "to: 'nowhere' is no place to reset to; write one of earliest, latest"),
        ({"to": "offset"}, 400, "number: None is missing"),
        ({"to": "offset", "number": -1}, 400, "number: -1 is no offset"),
        ({"to": "time"}, 400, "millis: None is no time"),
        ({"to": "group"}, 400, "from: '' names no group"),
        ({"to": "group", "from": "shared"}, 400, "from: 'shared' has committed nothing"),
        ({"to": "undo", "number": 7}, 404, "a reset to undo, number '7' is not there"),
        ({"to": "latest", "topics": {"none": []}}, 400, "topics: 'none' is no topic"),
        ({"to": "latest", "topics": {"orders": [2]}}, 400, "topics.orders: 2 is no partition of it; it has 0 to 1"),
    ],
)
async def test_wrong_wishes_are_told(servers: FakeServers, wish: dict[str, Any], status: int, detail: str) -> None:
    async with running_console(servers.bootstrap) as console:
        said = await console.ask("POST", f"{_SHOP}/offsets/plan", wish)
        assert said.status == status
        assert detail in said.json["detail"]


async def test_a_read_only_cluster_lets_one_plan_and_nothing_more(servers: FakeServers) -> None:
    settings = Settings((cluster_settings(servers.bootstrap, read_only=True),))
    async with running_console(settings=settings) as console:
        plan = await _plan(console, to="latest")
        assert (await console.ask("POST", f"{_SHOP}/offsets", _lines(plan))).status == 403
        assert (await console.ask("DELETE", _SHOP)).status == 403


async def test_a_lag_that_does_not_shrink_has_no_end(servers: FakeServers) -> None:
    servers.groups["done"] = FakeGroup({"payments": {0: 5}}, state="Empty")
    async with running_console(servers.bootstrap) as console:
        groups = (await console.get("/api/clusters/kafka/consumer-groups")).json["groups"]
        assert {one["name"]: one["goneIn"] for one in groups if one["lag"] is not None} == {
            "shop": None,
            "busy": None,
            "done": 0.0,
        }
