"""What the conditions of resources say, as metrics: `strimzi_…_resource_info`, which alerts are written for.

They have the names and labels that kube-state-metrics gives Strimzi's users by a configuration of its own, so that
nobody needs to install it for them. An operator shows its own resources only. The value is always 1, the labels tell;
one that is empty counts as absent in Prometheus.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from klamm.base.metrics import Family, Metrics, Values, gauge
from klamm.resources.custom.status import Condition, Status

_OF_ALL = ("name", "exported_namespace", "ready", "warnings", "deprecated", "generation")

STATE = gauge(
    "strimzi_resource_state",
    "Whether a resource is ready (1) or not (0), and why it is not",
    *("kind", "name", "resource_namespace", "reason"),
)


def info(kind: str, *labels: str) -> Family:
    """The family of a kind; `kind` as its name has it: kafka_topic. `labels`: what only this kind tells."""
    return gauge(f"strimzi_{kind}_resource_info", "What the status of a resource says; always 1", *_OF_ALL, *labels)


def told(resource: Any, status: Status | None, *labels: object) -> Values:
    """The values of `info`'s labels."""
    conditions = status.conditions if status else []
    metadata = resource.metadata
    generation = status.observed_generation if status else None
    return (
        metadata.name or "",
        metadata.namespace or "",
        *(_ready(conditions), _has(conditions, "Warning")),
        "Warning" if any(one.reason == "DeprecatedFields" for one in conditions) else "",
        *(_text(one) for one in (generation, *labels)),
    )


def watch_states(metrics: Metrics, kind: str, resources: Callable[[], Iterable[Any]]) -> None:
    """Show `strimzi_resource_state` of resources that have conditions."""
    metrics.ask(STATE, lambda: [state(kind, one, one.status) for one in resources() if one.status is not None])


def state(kind: str, resource: Any, status: Status) -> tuple[Values, float]:
    metadata, conditions = resource.metadata, status.conditions
    wrong = next((one for one in conditions if _is_wrong(one)), None)
    reason = (wrong.reason or "") if wrong else ""
    return (kind, metadata.name or "", metadata.namespace or "", reason), 0.0 if wrong else 1.0


def _is_wrong(condition: Condition) -> bool:
    """There are two ways of saying it (control/status.py, operators/topic/report.py)."""
    return condition.type == "NotReady" or (condition.type == "Ready" and condition.status == "False")


def _ready(conditions: Sequence[Condition]) -> str:
    """False also where a condition NotReady says it, which alerts for `ready="False"` would not see."""
    if any(_is_wrong(one) for one in conditions):
        return "False"
    return "True" if any(one.type == "Ready" for one in conditions) else ""


def _has(conditions: Sequence[Condition], type_: str) -> str:
    return "True" if any(one.type == type_ for one in conditions) else ""


def _text(value: object) -> str:
    return "" if value is None else str(value)
