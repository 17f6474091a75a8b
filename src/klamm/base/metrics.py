"""Numbers that grow or change, in Prometheus' text form. Small: counters, gauges and sums with counts.

metrics = Metrics()
metrics.count("strimzi_reconciliations_total", "Passes begun", kind="Kafka", namespace="kafka")
metrics.observe("strimzi_reconciliations_duration_seconds", "Length of passes", 0.25, kind="Kafka")
metrics.text()
"""

from dataclasses import dataclass, field
from typing import Literal

Type = Literal["counter", "gauge", "summary"]
Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Family:
    type: Type
    help: str
    values: dict[tuple[str, Labels], float] = field(default_factory=dict)
    """By suffix ("", "_sum", "_count") and labels."""


class Metrics:
    def __init__(self) -> None:
        self._families: dict[str, _Family] = {}

    def count(self, name: str, help: str, by: float = 1.0, **labels: str) -> None:
        """Add to a counter."""
        self._add(self._family(name, "counter", help), "", labels, by)

    def set(self, name: str, help: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        self._family(name, "gauge", help).values["", _sorted(labels)] = value

    def observe(self, name: str, help: str, value: float, **labels: str) -> None:
        """Add a value to `<name>_sum` and one to `<name>_count`; remember the largest in `<name>_max`."""
        family = self._family(name, "summary", help)
        self._add(family, "_sum", labels, value)
        self._add(family, "_count", labels, 1.0)
        largest = self._family(f"{name}_max", "gauge", f"{help}, the largest so far")
        key = ("", _sorted(labels))
        largest.values[key] = max(value, largest.values.get(key, value))

    def remove(self, name: str, **labels: str) -> None:
        """Forget the series of a thing that is gone."""
        if family := self._families.get(name):
            for suffix in ("", "_sum", "_count"):
                family.values.pop((suffix, _sorted(labels)), None)

    def text(self) -> str:
        """All of it, in the order of names."""
        lines: list[str] = []
        for name, family in sorted(self._families.items()):
            lines += [f"# HELP {name} {_escaped(family.help)}", f"# TYPE {name} {family.type}"]
            lines += [f"{name}{suffix}{_braced(labels)} {value:g}" for (suffix, labels), value in _ordered(family)]
        return "\n".join(lines) + "\n" if lines else ""

    def _family(self, name: str, type: Type, help: str) -> _Family:
        family = self._families.get(name)
        if family is None:
            family = self._families[name] = _Family(type, help)
        return family

    def _add(self, family: _Family, suffix: str, labels: dict[str, str], by: float) -> None:
        key = (suffix, _sorted(labels))
        family.values[key] = family.values.get(key, 0.0) + by


def _ordered(family: _Family) -> list[tuple[tuple[str, Labels], float]]:
    return sorted(family.values.items(), key=lambda entry: (entry[0][1], entry[0][0]))


def _sorted(labels: dict[str, str]) -> Labels:
    # Prometheus allows dashes in no label name, Strimzi's tags have some ("resource-namespace").
    return tuple(sorted((key.replace("-", "_"), value) for key, value in labels.items()))


def _braced(labels: Labels) -> str:
    if not labels:
        return ""
    pairs = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels)
    return "{" + pairs.replace("\n", "\\n") + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
