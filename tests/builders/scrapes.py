"""What a page of metrics says, asked as Prometheus asks it.

with forwarded(cluster, "deploy/my-cluster-kafka-exporter", 9404) as port:
    page = scraped(port)
    assert page.value("kafka_brokers") == 3
    assert page.value("kafka_topic_partitions", topic="orders") == 1
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.request import urlopen

from tests.builders.cluster import Cluster

_SERIES = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+) ")


@dataclass(frozen=True)
class Page:
    series: tuple[tuple[str, dict[str, str], float], ...]

    def names(self) -> set[str]:
        return {name for name, _, _ in self.series}

    def values(self, name: str, **labels: str) -> list[float]:
        """Of all series of this name that have these labels, and maybe more."""
        return [value for one, has, value in self.series if one == name and labels.items() <= has.items()]

    def value(self, name: str, **labels: str) -> float | None:
        """Of the only such series; None when there is none."""
        found = self.values(name, **labels)
        assert len(found) < 2, f"{len(found)} series {name} {labels}"
        return found[0] if found else None


def read(text: str) -> Page:
    """Lines that are no series and no comment are refused."""
    found = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            match = _SERIES.fullmatch(line)
            assert match is not None, line
            name, labels, value = match.groups()
            found.append((name, dict(_LABEL.findall(labels or "")), float(value)))
    return Page(tuple(found))


def scraped(port: int, path: str = "/metrics") -> Page:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return read(answer.read().decode())


@contextmanager
def forwarded(cluster: Cluster, what: str, port: int, namespace: str = "kafka") -> Iterator[int]:
    """A port of this machine that leads to one pod of `what` (pod/…, deploy/…)."""
    process = cluster.started("kubectl", "port-forward", "-n", namespace, what, f":{port}")
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        match = _FORWARDING.match(said)
        assert match is not None, said + process.stdout.read()
        yield int(match.group(1))
    finally:
        process.terminate()
        process.communicate(timeout=30)
