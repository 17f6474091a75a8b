"""What Strimzi's own dashboards and rules ask Prometheus for: names of metrics and the labels that they pick by.

The table is a list of facts about versions 0.38.0 (the last with ZooKeeper in its tutorial) and 1.2.0; dashboards stand
in it by their name, rules by that of their alert.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_TABLE = Path(__file__).parents[1] / "system" / "monitoring" / "strimzi-names.tsv"
_DASHBOARDS = frozenset({"kafka", "kafka-exporter", "kraft", "operators", "zookeeper"})


@dataclass(frozen=True, slots=True)
class Asked:
    name: str
    labels: frozenset[str]
    generations: frozenset[str]
    by: frozenset[str]

    @property
    def only_in_kraft_mode(self) -> bool:
        return self.by == {"kraft"}

    @property
    def dashboards(self) -> frozenset[str]:
        return self.by & _DASHBOARDS


def asked() -> Sequence[Asked]:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return [
            Asked(row["name"], _set(row["labels"]), _set(row["generations"]), _set(row["asked by"]))
            for row in csv.DictReader(file, delimiter="\t")
        ]


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split(",")) - {""}
