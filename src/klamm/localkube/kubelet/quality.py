"""A pod's class of service: Guaranteed, Burstable or BestEffort (Kubernetes, "Pod Quality of Service Classes")."""

from collections.abc import Mapping
from typing import Any

from klamm.base.quantities import quantity
from klamm.localkube.kubelet.facts import containers_of
from klamm.localkube.objects import Object

_COUNTED = ("cpu", "memory")


def quality_of_service(pod: Object) -> str:
    resources = [container.get("resources") or {} for _, container in containers_of(pod)]
    if not any(_counted(r, "requests") or _counted(r, "limits") for r in resources):
        return "BestEffort"
    return "Guaranteed" if all(_is_guaranteed(r) for r in resources) else "Burstable"


def _counted(resources: Mapping[str, Any], which: str) -> dict[str, Any]:
    amounts: Mapping[str, Any] = resources.get(which) or {}
    return {name: quantity(amounts[name]) for name in _COUNTED if name in amounts}


def _is_guaranteed(resources: Mapping[str, Any]) -> bool:
    limits = _counted(resources, "limits")
    # Requests that are not given are the limits.
    return len(limits) == len(_COUNTED) and {**limits, **_counted(resources, "requests")} == limits
