"""What an alert is, and how long things last before one fires."""

from dataclasses import dataclass
from typing import Any, Literal

Object = dict[str, Any]
Severity = Literal["warning", "major"]


@dataclass(frozen=True, slots=True)
class Pace:
    """Durations as Prometheus writes them. Tests that make real faults use shorter ones, over the same expressions."""

    moment: str = "10s"
    """What is wrong at once, but may be the last scrape before a change."""
    while_: str = "3m"
    """What a rolling restart does, too: only its staying is worth an alert."""
    settled: str = "15m"
    """What a creation or the roll of a whole cluster does, too."""
    window: str = "5m"
    """How far back counts are looked at."""
    silence: str = "10m"
    traffic: str = "1h"
    """`silence` after records in `traffic`: a topic that went quiet."""
    memory: str = "1d"
    """How long it is remembered that there was something which is gone now."""
    seen: str = "90"
    """Seconds after which a container that the kubelet last saw is gone."""


DEFAULT = Pace()


@dataclass(frozen=True, slots=True)
class Alert:
    """`summary` and `description` are templates of Prometheus; `mend` is what whoever gets it does first."""

    name: str
    expression: str
    lasts: str
    severity: Severity
    summary: str
    description: str
    mend: str


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    alerts: tuple[Alert, ...]


def rule_group(group: Group) -> Object:
    """As in a rule file and in a PrometheusRule, which have the same form."""
    return {"name": group.name, "rules": [_rule(alert) for alert in group.alerts]}


def _rule(alert: Alert) -> Object:
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.lasts,
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary, "description": f"{alert.description} {alert.mend}"},
    }
