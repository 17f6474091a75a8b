"""Grafana's dashboards from little: panels flow from left to right below their row's title.

The data source is a variable, so that the same file works imported by hand and provisioned.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from klamm.monitoring.alerts import Object

Look = Literal["timeseries", "stat", "table"]

_COLUMNS = 24
_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
_SCHEMA = 38
"""Of Grafana 10: newer ones migrate it, and 9 reads it."""


@dataclass(frozen=True, slots=True)
class Query:
    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    queries: tuple[Query, ...]
    about: str
    """What it means, and what is good: shown behind the panel's (i)."""
    unit: str = "short"
    look: Look = "timeseries"
    width: int = 8
    alarm_above: float | None = None
    """From this value on a number is shown in red."""
    alarm_below: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """What people choose at the top. `all_matches` is the regular expression of All; None: one must be chosen."""

    name: str
    label: str
    query: str
    regex: str = ""
    all_matches: str | None = None


@dataclass(frozen=True, slots=True)
class Board:
    uid: str
    title: str
    about: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]

    @property
    def panels(self) -> Sequence[Panel]:
        return [panel for row in self.rows for panel in row.panels]


def graph(title: str, expression: str, legend: str, about: str, unit: str = "short", width: int = 8) -> Panel:
    return Panel(title, (Query(expression, legend),), about, unit, width=width)


def number(
    title: str,
    expression: str,
    about: str,
    *,
    unit: str = "short",
    above: float | None = None,
    below: float | None = None,
) -> Panel:
    return Panel(title, (Query(expression),), about, unit, "stat", 4, above, below)


def dashboard(board: Board) -> Object:
    """The dashboard's JSON model."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.about,
        "tags": ["strimzi", "kafka", "klamm"],
        "schemaVersion": _SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "",
        "templating": {"list": [_datasource(), *map(_variable, board.variables)]},
        "annotations": {"list": []},
        "links": [],
        "panels": list(_panels(board)),
    }


def _datasource() -> Object:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1}


def _variable(variable: Variable) -> Object:
    several = variable.all_matches is not None
    chosen = {"current": {"text": "All", "value": "$__all"}, "allValue": variable.all_matches} if several else {}
    return {
        "name": variable.name,
        "label": variable.label,
        "type": "query",
        "datasource": _DATASOURCE,
        "definition": variable.query,
        "query": {"query": variable.query, "refId": variable.name},
        "regex": variable.regex,
        "refresh": 2,
        "sort": 1,
        "includeAll": several,
        "multi": False,
        **chosen,
    }


def _panels(board: Board) -> Iterator[Object]:
    number, y = 0, 0
    for row in board.rows:
        number += 1
        place = {"h": 1, "w": _COLUMNS, "x": 0, "y": y}
        yield {"id": number, "type": "row", "title": row.title, "collapsed": False, "gridPos": place, "panels": []}
        x, y, height = 0, y + 1, 0
        for panel in row.panels:
            if x + panel.width > _COLUMNS:
                x, y, height = 0, y + height, 0
            number += 1
            tall = 4 if panel.look == "stat" else 8
            yield _panel(panel, number, {"h": tall, "w": panel.width, "x": x, "y": y})
            x, height = x + panel.width, max(height, tall)
        y += height


def _panel(panel: Panel, number: int, place: Object) -> Object:
    return {
        "id": number,
        "type": panel.look,
        "title": panel.title,
        "description": panel.about,
        "datasource": _DATASOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": _field(panel), "overrides": []},
        "options": _OPTIONS[panel.look],
        "targets": [_target(panel, query, index) for index, query in enumerate(panel.queries)],
        **({"transformations": _AS_TABLE} if panel.look == "table" else {}),
    }


def _field(panel: Panel) -> Object:
    field: Object = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": _steps(panel)}}
    if panel.look == "timeseries":
        field["custom"] = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never"}
        field["min"] = 0
    else:
        field["color"] = {"mode": "thresholds"}
    return field


def _steps(panel: Panel) -> list[Object]:
    below, above = panel.alarm_below, panel.alarm_above
    good = [{"color": "red", "value": None}] if below is not None else []
    return [
        *good,
        {"color": "green", "value": below},
        *([] if above is None else [{"color": "red", "value": above}]),
    ]


def _target(panel: Panel, query: Query, index: int) -> Object:
    at_once = panel.look != "timeseries"
    return {
        "refId": chr(ord("A") + index),
        "datasource": _DATASOURCE,
        "expr": query.expression,
        "legendFormat": query.legend or "__auto",
        "instant": at_once,
        "range": not at_once,
        **({"format": "table"} if panel.look == "table" else {}),
    }


_OPTIONS: dict[Look, Object] = {
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "none",
        "textMode": "auto",
    },
    "table": {"showHeader": True},
}
_AS_TABLE = [{"id": "organize", "options": {"excludeByName": {"Time": True}}}]
