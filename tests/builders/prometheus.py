"""A running Prometheus asked over its API, and Grafana's part of a question: variables and the panel's interval."""

import json
import re
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.builders.ports import free_port

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    labels: Labels
    value: float


@dataclass(frozen=True, slots=True)
class Line:
    labels: Labels
    points: Sequence[tuple[float, float]]
    """(seconds since the epoch, value)"""


class Prometheus:
    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, path: str, **parameters: str) -> Any:
        """The answer's data. Raises AssertionError with Prometheus' own words."""
        url = f"{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=60) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error

    def query(self, expression: str) -> list[Sample]:
        found = self.ask("query", query=expression)
        return [Sample(one["metric"], float(one["value"][1])) for one in found["result"]]

    def lines(self, expression: str, start: float, end: float, step: float) -> list[Line]:
        found = self.ask("query_range", query=expression, start=str(start), end=str(end), step=str(step))
        return [
            Line(one["metric"], [(float(at), float(value)) for at, value in one["values"]]) for one in found["result"]
        ]

    def firing(self, **of: str) -> set[str]:
        """The names of alerts, or only of those that have these labels."""
        alerts = [one["labels"] for one in self.ask("alerts")["alerts"] if one["state"] == "firing"]
        return {labels["alertname"] for labels in alerts if of.items() <= labels.items()}

    def values(self, definition: str) -> list[str]:
        """Of a variable's `label_values(series, label)`."""
        found = re.fullmatch(r"label_values\((.*),\s*(\w+)\)", definition)
        assert found, definition
        series = self.ask("series", **{"match[]": found[1]})
        return sorted({one[found[2]] for one in series if found[2] in one})


@dataclass
class Chosen:
    """A dashboard's variables as Grafana fills them: the first value there is, or All."""

    prometheus: Prometheus
    interval: str = "1m"
    values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, board: Mapping[str, Any], prometheus: Prometheus, interval: str = "1m", **fixed: str) -> "Chosen":
        """Raises AssertionError when a variable has no value to choose."""
        chosen = cls(prometheus, interval, dict(fixed))
        for variable in board["templating"]["list"]:
            if variable["type"] == "query" and variable["name"] not in fixed:
                chosen._choose(variable)
        return chosen

    def _choose(self, variable: Mapping[str, Any]) -> None:
        definition = self.filled(variable["definition"])
        found = self.prometheus.values(definition)
        pattern = self.filled(variable["regex"]).strip("/")
        if pattern:
            found = [match[1] for value in found if (match := re.search(pattern, value))]
        assert found, f"${variable['name']}: {definition} has no value"
        self.values[variable["name"]] = variable["allValue"] if variable["includeAll"] else found[0]

    def filled(self, text: str) -> str:
        text = text.replace("$__rate_interval", self.interval)
        for name, value in sorted(self.values.items(), reverse=True):
            text = text.replace(f"${{{name}}}", value).replace(f"${name}", value)
        return text


@contextmanager
def running_prometheus(folder: Path, configuration: Mapping[str, Any]) -> Iterator[Prometheus]:
    """A process of its own on the loopback, for what runs without a cluster."""
    file = folder / "prometheus.json"  # JSON is YAML
    file.write_text(json.dumps(configuration))
    port = free_port()
    argv = ["prometheus", f"--config.file={file}", f"--storage.tsdb.path={folder / 'series'}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([*argv, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()


def empty_queries(board: Mapping[str, Any], prometheus: Prometheus) -> Mapping[str, str]:
    """The queries that return nothing, by their panels' titles."""
    chosen = Chosen.of(board, prometheus)
    return {
        panel["title"]: expression
        for panel in board["panels"]
        for target in panel.get("targets", ())
        if not prometheus.query(expression := chosen.filled(target["expr"]))
    }
