"""Cells of pods and of what makes pods."""

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


def pod_cells(pod: Object, now: Now) -> list[Any]:
    spec, status = spec_of(pod), status_of(pod)
    statuses = status.get("containerStatuses") or []
    ready = sum(bool(each.get("ready")) for each in statuses)
    gates = spec.get("readinessGates") or ()
    conditions = {each["type"]: each["status"] for each in status.get("conditions") or ()}
    passed = sum(conditions.get(gate["conditionType"]) == "True" for gate in gates)
    return [
        name_of(pod),
        f"{ready}/{len(spec.get('containers') or ())}",
        pod_phrase(pod),
        _restarts(statuses, now),
        age_of(pod, now),
        status.get("podIP") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        f"{passed}/{len(gates)}" if gates else NONE,
    ]


def _restarts(statuses: list[Any], now: Now) -> str:
    count = sum(each.get("restartCount", 0) for each in statuses)
    ends = [((each.get("lastState") or {}).get("terminated") or {}).get("finishedAt") for each in statuses]
    last = max((end for end in ends if end), default=None)
    return f"{count} ({age(last, now)} ago)" if count and last else str(count)


def pod_phrase(pod: Object) -> str:
    """The STATUS column: the most telling of phase, reason, init progress and container states."""
    status = status_of(pod)
    phrase = status.get("reason") or status.get("phase", "")
    phrase = _init_phrase(pod) or _container_phrase(pod, phrase)
    if pod["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            return "Unknown"
        if status.get("phase") not in ("Succeeded", "Failed"):
            return "Terminating"
    return str(phrase)


def _init_phrase(pod: Object) -> str | None:
    statuses = status_of(pod).get("initContainerStatuses") or []
    total = len(spec_of(pod).get("initContainers") or ())
    for index, each in enumerate(statuses):
        state = each.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting")
        if ended and ended.get("exitCode") == 0:
            continue
        if ended:
            return f"Init:{_end_reason(ended)}"
        if waiting and waiting.get("reason") and waiting["reason"] != "PodInitializing":
            return f"Init:{waiting['reason']}"
        return f"Init:{index}/{total}"
    return None


def _end_reason(ended: dict[str, Any]) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _container_phrase(pod: Object, phrase: str) -> str:
    running = False
    for each in reversed(status_of(pod).get("containerStatuses") or []):
        state = each.get("state") or {}
        if (state.get("waiting") or {}).get("reason"):
            phrase = state["waiting"]["reason"]
        elif state.get("terminated"):
            phrase = _end_reason(state["terminated"])
        elif each.get("ready") and state.get("running"):
            running = True
    if phrase == "Completed" and running:
        conditions = {each["type"]: each["status"] for each in status_of(pod).get("conditions") or ()}
        return "Running" if conditions.get("Ready") == "True" else "NotReady"
    return phrase


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
