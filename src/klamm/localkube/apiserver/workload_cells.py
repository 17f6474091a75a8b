"""Cells of pods and of what makes pods."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from klamm.localkube.apiserver.cell_texts import (
    NONE,
    Now,
    age,
    age_of,
    labels_text,
    name_of,
    selector_text,
    spec_of,
    status_of,
)
from klamm.localkube.objects import Object

# Pods


@dataclass(slots=True)
class _Summary:
    """What the columns Ready, Status and Restarts tell, gathered container by container."""

    phrase: str
    ready: int = 0
    restarts: int = 0
    last_end: str = ""

    def count(self, status: dict[str, Any]) -> None:
        self.restarts += status.get("restartCount", 0)
        ended = (status.get("lastState") or {}).get("terminated") or {}
        self.last_end = max(self.last_end, ended.get("finishedAt") or "")


def pod_cells(pod: Object, now: Now) -> list[Any]:
    spec, status = spec_of(pod), status_of(pod)
    gates = spec.get("readinessGates") or ()
    conditions = _conditions(pod)
    passed = sum(conditions.get(gate["conditionType"]) == "True" for gate in gates)
    told = _summary(pod)
    restarts = f"{told.restarts} ({age(told.last_end, now)} ago)" if told.restarts and told.last_end else told.restarts
    return [
        name_of(pod),
        f"{told.ready}/{len(spec.get('containers') or ()) + len(_sidecars(pod))}",
        told.phrase,
        str(restarts),
        age_of(pod, now),
        status.get("podIP") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        f"{passed}/{len(gates)}" if gates else NONE,
    ]


_ENDED = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}


def pod_conditions(pod: Object) -> list[Object]:
    """A row of an ended pod says so: `kubectl get --watch` and dashboards grey it out."""
    phase = status_of(pod).get("phase", "")
    if phase not in _ENDED:
        return []
    return [{"type": "Completed", "status": "True", "reason": phase, "message": _ENDED[phase]}]


def pod_phrase(pod: Object) -> str:
    """The STATUS column: the most telling of phase, reason, init progress and container states."""
    return _summary(pod).phrase


def _summary(pod: Object) -> _Summary:
    status = status_of(pod)
    told = _Summary(status.get("reason") or status.get("phase", ""))
    if any(each.get("reason") == "SchedulingGated" for each in status.get("conditions") or ()):
        told.phrase = "SchedulingGated"
    sidecars = _Summary("")
    initializing = _count_init(pod, told, sidecars)
    if not initializing or _conditions(pod).get("Initialized") == "True":
        told.restarts, told.last_end = sidecars.restarts, sidecars.last_end
        _count_containers(pod, told)
    if pod["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            told.phrase = "Unknown"
        elif status.get("phase") not in ("Succeeded", "Failed"):
            told.phrase = "Terminating"
    return told


def _conditions(pod: Object) -> dict[str, str]:
    return {each["type"]: each["status"] for each in status_of(pod).get("conditions") or ()}


def _sidecars(pod: Object) -> set[str]:
    return {each["name"] for each in spec_of(pod).get("initContainers") or () if each.get("restartPolicy") == "Always"}


def _count_init(pod: Object, told: _Summary, sidecars: _Summary) -> bool:
    """Whether an init container is still under way; what it does is then the pod's phrase."""
    restartable, total = _sidecars(pod), len(spec_of(pod).get("initContainers") or ())
    for index, each in enumerate(status_of(pod).get("initContainerStatuses") or ()):
        told.count(each)
        sidecar = each.get("name") in restartable
        if sidecar:
            sidecars.count(each)
        state = each.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if ended and ended.get("exitCode") == 0:
            continue
        if sidecar and each.get("started"):
            told.ready += bool(each.get("ready"))
            continue
        if ended:
            told.phrase = f"Init:{_end_reason(ended)}"
        elif waiting.get("reason") not in (None, "", "PodInitializing"):
            told.phrase = f"Init:{waiting['reason']}"
        else:
            told.phrase = f"Init:{index}/{total}"
        return True
    return False


def _end_reason(ended: dict[str, Any]) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _count_containers(pod: Object, told: _Summary) -> None:
    running = False
    for each in reversed(status_of(pod).get("containerStatuses") or []):
        told.count(each)
        state = each.get("state") or {}
        if (state.get("waiting") or {}).get("reason"):
            told.phrase = state["waiting"]["reason"]
        elif state.get("terminated"):
            told.phrase = _end_reason(state["terminated"])
        elif each.get("ready") and state.get("running"):
            running = True
            told.ready += 1
    if told.phrase == "Completed" and running:
        told.phrase = "Running" if _conditions(pod).get("Ready") == "True" else "NotReady"


# Workloads


def _images(template: dict[str, Any]) -> list[str]:
    containers = (template.get("spec") or {}).get("containers") or ()
    return [
        ",".join(each.get("name", "") for each in containers),
        ",".join(each.get("image", "") for each in containers),
    ]


def deployment_cells(obj: Object, now: Now) -> list[Any]:
    spec, status = spec_of(obj), status_of(obj)
    return [
        name_of(obj),
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        age_of(obj, now),
        *_images(spec.get("template") or {}),
        selector_text(spec.get("selector")),
    ]


def replica_set_cells(obj: Object, now: Now) -> list[Any]:
    spec, status = spec_of(obj), status_of(obj)
    return [
        name_of(obj),
        spec.get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        age_of(obj, now),
        *_images(spec.get("template") or {}),
        selector_text(spec.get("selector")),
    ]


def daemon_set_cells(obj: Object, now: Now) -> list[Any]:
    spec, status = spec_of(obj), status_of(obj)
    return [
        name_of(obj),
        status.get("desiredNumberScheduled", 0),
        status.get("currentNumberScheduled", 0),
        status.get("numberReady", 0),
        status.get("updatedNumberScheduled", 0),
        status.get("numberAvailable", 0),
        labels_text(((spec.get("template") or {}).get("spec") or {}).get("nodeSelector")),
        age_of(obj, now),
        *_images(spec.get("template") or {}),
        selector_text(spec.get("selector")),
    ]


def stateful_set_cells(obj: Object, now: Now) -> list[Any]:
    spec, status = spec_of(obj), status_of(obj)
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"
    return [name_of(obj), ready, age_of(obj, now), *_images(spec.get("template") or {})]


def job_cells(obj: Object, now: Now) -> list[Any]:
    spec, status = spec_of(obj), status_of(obj)
    wanted = spec.get("completions")
    took = ""
    if status.get("startTime"):
        end = status.get("completionTime")
        took = age(status["startTime"], datetime.fromisoformat(end) if end else now)
    states = {each["type"]: each["status"] for each in status.get("conditions") or ()}
    phrase = next((name for name in ("Complete", "Failed", "Suspended") if states.get(name) == "True"), "Running")
    return [
        name_of(obj),
        phrase,
        f"{status.get('succeeded', 0)}/{wanted if wanted is not None else 1}",
        took,
        age_of(obj, now),
        *_images(spec.get("template") or {}),
        selector_text(spec.get("selector")),
    ]


def cron_job_cells(obj: Object, now: Now) -> list[Any]:
    spec, status = spec_of(obj), status_of(obj)
    last = age(status["lastScheduleTime"], now) if status.get("lastScheduleTime") else NONE
    return [
        name_of(obj),
        spec.get("schedule", ""),
        spec.get("timeZone") or NONE,
        str(bool(spec.get("suspend"))),
        len(status.get("active") or ()),
        last,
        age_of(obj, now),
        *_images(((spec.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}),
        NONE,
    ]
