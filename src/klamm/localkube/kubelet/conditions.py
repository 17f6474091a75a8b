"""A pod's conditions: pure. The moment of a condition changes only when its status does."""

from collections.abc import Iterable, Mapping
from typing import Any

from klamm.localkube.kubelet.facts import Observed, Role
from klamm.localkube.kubelet.plan import has_succeeded
from klamm.localkube.objects import Object
from klamm.localkube.times import rfc3339

_OURS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady")


def conditions(pod: Object, observed: Observed, phase: str, initialized: bool) -> list[dict[str, Any]]:
    old = {entry["type"]: entry for entry in (pod.get("status") or {}).get("conditions") or ()}
    containers_ready = _containers_ready(observed, phase)
    wanted = {
        "PodReadyToStartContainers": _verdict(observed.sandbox is not None, "", ""),
        "Initialized": _initialized(observed, phase, initialized),
        "Ready": _ready(pod, old, containers_ready),
        "ContainersReady": containers_ready,
    }
    generation = pod["metadata"].get("generation")
    ours = [_dated(kind, wanted[kind], old.get(kind), observed.now, generation) for kind in _OURS]
    return ours + [entry for kind, entry in old.items() if kind not in _OURS]


def _verdict(true: bool, reason: str, message: str) -> dict[str, Any]:
    verdict: dict[str, Any] = {"status": "True" if true else "False"}
    if reason:
        verdict["reason"] = reason
    if message:
        verdict["message"] = message
    return verdict


def _initialized(observed: Observed, phase: str, initialized: bool) -> dict[str, Any]:
    if phase == "Succeeded":
        return _verdict(True, "PodCompleted", "")
    missing = [
        facts.name
        for facts in observed.of(Role.INIT, Role.SIDECAR)
        if not (has_succeeded(facts) if facts.role is Role.INIT else facts.started)
    ]
    if initialized or not missing:
        return _verdict(True, "", "")
    return _verdict(False, "ContainersNotInitialized", f"containers with incomplete status: [{' '.join(missing)}]")


def _containers_ready(observed: Observed, phase: str) -> dict[str, Any]:
    if phase == "Succeeded":
        return _verdict(False, "PodCompleted", "")
    if phase == "Failed":
        return _verdict(False, "PodFailed", "")
    unready = [
        facts.name
        for facts in observed.of(Role.MAIN, Role.SIDECAR)
        if not (facts.runs and facts.started and facts.ready)
    ]
    if not unready:
        return _verdict(True, "", "")
    return _verdict(False, "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")


def _ready(pod: Object, old: Mapping[str, Any], containers_ready: dict[str, Any]) -> dict[str, Any]:
    if containers_ready["status"] != "True":
        return containers_ready
    gates: Iterable[Mapping[str, Any]] = pod["spec"].get("readinessGates") or ()
    missing = [gate["conditionType"] for gate in gates if _is_false(old.get(gate["conditionType"]))]
    if not missing:
        return containers_ready
    named = ", ".join(f'the status of pod readiness gate "{kind}" is not "True"' for kind in missing)
    return _verdict(False, "ReadinessGatesNotReady", named)


def _is_false(condition: Mapping[str, Any] | None) -> bool:
    return condition is None or condition.get("status") != "True"


def _dated(
    kind: str, verdict: dict[str, Any], old: Mapping[str, Any] | None, now: float, generation: int | None
) -> dict[str, Any]:
    same = old is not None and old.get("status") == verdict["status"]
    since = old.get("lastTransitionTime") if same and old is not None else None
    dated = {"type": kind, "lastTransitionTime": since or rfc3339(now), **verdict}
    if generation is not None:
        dated["observedGeneration"] = generation
    return dated
