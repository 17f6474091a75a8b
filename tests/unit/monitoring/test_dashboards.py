"""Dashboards as Grafana reads them, and what they ask for."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.builders.strimzi_names import asked

from klamm.monitoring.alerts import rule_group
from klamm.monitoring.dashboards import boards
from klamm.monitoring.dashboards.board import dashboard
from klamm.monitoring.rules import groups

BOARDS = {board.uid: dashboard(board) for board in boards()}
NOT_ASKED_BY_US = {
    "kafka_exporter_build_info": "told which namespaces there are; kafka_broker_info does, too",
    "jvm_gc_pause_seconds_count": "of operators in Java",
    "jvm_gc_pause_seconds_sum": "of operators in Java",
}


def panels(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (panel for panel in board["panels"] if panel["type"] != "row")


def expressions() -> Iterator[str]:
    for board in BOARDS.values():
        yield from (variable["definition"] for variable in board["templating"]["list"] if "definition" in variable)
        yield from (target["expr"] for panel in panels(board) for target in panel["targets"])
    for group in groups():
        yield from (rule["expr"] for rule in rule_group(group)["rules"])


def test_dashboards_have_the_names_that_people_know() -> None:
    titles = {uid: board["title"] for uid, board in BOARDS.items()}
    assert titles == {
        "strimzi-kafka": "Strimzi Kafka",
        "strimzi-zookeeper": "Strimzi ZooKeeper",
        "strimzi-kraft": "Strimzi KRaft",
        "strimzi-kafka-exporter": "Strimzi Kafka Exporter",
        "strimzi-operators": "Strimzi Operators",
    }
    variables = [variable["name"] for variable in BOARDS["strimzi-kafka"]["templating"]["list"]]
    assert variables == ["datasource", "namespace", "cluster", "pool", "broker", "topic", "partition"]


@pytest.mark.parametrize("uid", BOARDS)
def test_panels_have_places_and_numbers_of_their_own(uid: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARDS[uid]["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells
    numbers = [panel["id"] for panel in BOARDS[uid]["panels"]]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("uid", BOARDS)
def test_every_panel_says_what_it_means(uid: str) -> None:
    for panel in panels(BOARDS[uid]):
        assert panel["description"].endswith("."), panel["title"]
        assert panel["targets"], panel["title"]
    titles = [panel["title"] for panel in panels(BOARDS[uid])]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("uid", BOARDS)
def test_every_variable_that_is_used_is_there(uid: str) -> None:
    text = json.dumps(BOARDS[uid])
    known = {variable["name"] for variable in BOARDS[uid]["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", text.replace("$__", "")))
    assert used <= known
    assert known == used


def test_no_controller_is_as_wrong_as_two() -> None:
    (panel,) = (panel for panel in panels(BOARDS["strimzi-kafka"]) if panel["title"] == "Controllers")
    assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"] == [
        {"color": "red", "value": None},
        {"color": "green", "value": 1},
        {"color": "red", "value": 2},
    ]


def test_what_strimzis_dashboards_and_rules_show_ours_show_too() -> None:
    ours = " ".join(expressions())
    missing = {one.name for one in asked() if not re.search(rf"\b{one.name}\b", ours)}
    assert missing == set(NOT_ASKED_BY_US)
