"""Draws the dashboards as SVG for the docs, from their own JSON and a running Prometheus: Grafana is nowhere needed.

    python -m tests.system.monitoring.pictures http://127.0.0.1:31392 docs/pictures 15

`15`: minutes up to now. What is drawn is what Grafana would be told: the same queries, variables filled with the first
cluster there is. It only looks simpler.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from tests.builders.prometheus import Chosen, Line, Prometheus

from klamm.base.clock import SystemClock
from klamm.monitoring.dashboards import boards
from klamm.monitoring.dashboards.board import dashboard

_WIDTH, _COLUMN, _ROW, _GAP = 1248, 52, 30, 6
_COLOURS = ("#3274d9", "#37872d", "#e0752d", "#a352cc", "#c4162a", "#0a8a8a", "#b38600", "#6d6d6d")
_POINTS = 120
_LEGENDS, _TABLE_ROWS = 6, 6
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB")
_DECIMAL = ("", "k", "M", "G")
Panel = Mapping[str, Any]


class Picture:
    def __init__(self, board: Mapping[str, Any], prometheus: Prometheus, end: float, seconds: float) -> None:
        self._board = board
        self._prometheus = prometheus
        self._end, self._seconds = end, seconds
        self._chosen = Chosen.of(board, prometheus)

    def svg(self) -> str:
        panels = self._board["panels"]
        height = 48 + max(one["gridPos"]["y"] + one["gridPos"]["h"] for one in panels) * _ROW + _GAP
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
            f'height="{height}" font-family="Helvetica, Arial, sans-serif">',
            f'<rect width="{_WIDTH}" height="{height}" fill="#f4f5f5"/>',
            _text(12, 30, self._board["title"], 20, "#1f2430", weight="600"),
            _text(_WIDTH - 12, 30, self._choice(), 13, "#555", anchor="end"),
        ]
        for panel in panels:
            parts += self._row(panel) if panel["type"] == "row" else self._panel(panel)
        return "\n".join([*parts, "</svg>", ""])

    def _choice(self) -> str:
        shown = [
            f"{name} {value}" for name, value in self._chosen.values.items() if value not in (".+", ".*", "[0-9]+")
        ]
        return " · ".join([*shown, f"last {self._seconds / 60:g} minutes"])

    def _row(self, panel: Panel) -> Iterator[str]:
        x, y, _, height = _place(panel)
        yield _text(x + 4, y + height / 2 + 6, f"▾ {panel['title']}", 15, "#1f2430", weight="600")

    def _panel(self, panel: Panel) -> Iterator[str]:
        x, y, width, height = _place(panel)
        yield f'<g transform="translate({x} {y})">'
        yield f'<rect width="{width}" height="{height}" rx="3" fill="#fff" stroke="#d8d9dc"/>'
        yield _text(8, 18, panel["title"], _size(panel["title"], width - 16), "#1f2430", weight="600")
        draw = {"stat": self._stat, "table": self._table, "timeseries": self._graph}[panel["type"]]
        yield from draw(panel, width, height)
        yield "</g>"

    def _stat(self, panel: Panel, width: float, height: float) -> Iterator[str]:
        found = self._prometheus.query(self._chosen.filled(panel["targets"][0]["expr"]))
        value = found[0].value if found else None
        colour = "#8e8e8e" if value is None else _COLOUR_OF[_threshold(panel, value)]
        shown = "no data" if value is None else _amount(value, panel["fieldConfig"]["defaults"]["unit"])
        yield _text(width / 2, height / 2 + 24, shown, 34, colour, anchor="middle", weight="600")

    def _table(self, panel: Panel, width: float, height: float) -> Iterator[str]:
        samples = self._prometheus.query(self._chosen.filled(panel["targets"][0]["expr"]))
        names = sorted({name for sample in samples for name in sample.labels})
        rows = [[*(sample.labels.get(name, "") for name in names), f"{sample.value:g}"] for sample in samples]
        column = (width - 16) / (len(names) + 1)
        for number, row in enumerate([[*names, "value"], *sorted(rows)[:_TABLE_ROWS]]):
            y = 44 + number * 26
            yield f'<line x1="8" x2="{width - 8}" y1="{y + 8}" y2="{y + 8}" stroke="#eceded"/>'
            for index, cell in enumerate(row):
                weight = "600" if number == 0 else "400"
                yield _text(8 + index * column, y, cell[: int(column / 7)], 12, "#3a3f47", weight=weight)

    def _graph(self, panel: Panel, width: float, height: float) -> Iterator[str]:
        lines = self._lines(panel)
        left, right, top = 62.0, width - 12, 30.0
        bottom = height - 24 - 17 * ((min(len(lines), _LEGENDS) + 1) // 2 or 1)
        values = [value for _, line in lines for _, value in line.points if value == value]
        high = max([*values, 0.0]) or 1.0
        unit = panel["fieldConfig"]["defaults"]["unit"]
        for share in (0.0, 0.5, 1.0):
            y = bottom - share * (bottom - top)
            yield f'<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#eceded"/>'
            yield _text(left - 6, y + 4, _amount(high * share, unit), 11, "#666", anchor="end")
        if not values:
            yield _text((left + right) / 2, (top + bottom) / 2, "no data", 14, "#8e8e8e", anchor="middle")
        begin = self._end - self._seconds
        for index, (name, line) in enumerate(lines):
            colour = _COLOURS[index % len(_COLOURS)]
            points = " ".join(
                f"{left + (at - begin) / self._seconds * (right - left):.1f},"
                f"{bottom - max(value, 0) / high * (bottom - top):.1f}"
                for at, value in line.points
                if value == value
            )
            yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
            if index < _LEGENDS:
                yield from _legend(
                    name, colour, 12 + (index % 2) * (width / 2 - 8), bottom + 22 + (index // 2) * 17, width
                )

    def _lines(self, panel: Panel) -> Sequence[tuple[str, Line]]:
        step = max(self._seconds / _POINTS, 5)
        return [
            (_named(target["legendFormat"], line.labels), line)
            for target in panel["targets"]
            for line in self._prometheus.lines(
                self._chosen.filled(target["expr"]), self._end - self._seconds, self._end, step
            )
        ]


_COLOUR_OF = {"green": "#37872d", "red": "#c4162a"}


def _legend(name: str, colour: str, x: float, y: float, width: float) -> Iterator[str]:
    yield f'<rect x="{x:.1f}" y="{y - 6:.1f}" width="14" height="3" fill="{colour}"/>'
    yield _text(x + 20, y, name[: int((width / 2 - 40) / 6)], 11, "#3a3f47")


def _named(template: str, labels: Mapping[str, str]) -> str:
    for name, value in labels.items():
        template = template.replace("{{" + name + "}}", value)
    return "value" if template == "__auto" else template


def _threshold(panel: Panel, value: float) -> str:
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    return [str(step["color"]) for step in steps if step["value"] is None or value >= step["value"]][-1]


def _amount(value: float, unit: str) -> str:
    if unit in ("bytes", "Bps"):
        return _scaled(value, 1024, _BINARY) + ("/s" if unit == "Bps" else "")
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "s" and value > 3 * 86400:
        return f"{value / 86400:.0f} days"
    ends = {"ops": "/s", "reqps": "/s", "s": " s", "ms": " ms"}
    return _scaled(value, 1000, _DECIMAL) + ends.get(unit, "")


def _scaled(value: float, base: int, names: Sequence[str]) -> str:
    for name in names:
        if abs(value) < base or name == names[-1]:
            return f"{value:.3g} {name}".strip()
        value /= base
    raise AssertionError("the last name ends the loop")


def _place(panel: Panel) -> tuple[float, float, float, float]:
    place = panel["gridPos"]
    x, y = place["x"] * _COLUMN + _GAP / 2, 48 + place["y"] * _ROW
    return x, y, place["w"] * _COLUMN - _GAP, place["h"] * _ROW - _GAP


def _size(text: str, width: float) -> float:
    """At which a bold text is no wider, by the usual width of its letters; 13 at most."""
    return min(13, round(width / (len(text) * 0.6), 1))


def _text(
    x: float, y: float, text: str, size: float, colour: str, *, anchor: str = "start", weight: str = "400"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{colour}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )


def main(address: str, folder: str, minutes: str) -> None:
    prometheus, end = Prometheus(address), SystemClock().now().timestamp()
    for board in boards():
        try:
            drawn = Picture(dashboard(board), prometheus, end, float(minutes) * 60).svg()
        except AssertionError as error:
            print(f"{board.uid}: not drawn: {error}")
            continue
        path = Path(folder) / f"{board.uid}.svg"
        path.write_text(drawn, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
