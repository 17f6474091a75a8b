"""A pod's status from the facts: pure. Phases, reasons and conditions are Kubernetes' ("Pod Lifecycle").

`pod_status` gives every field that the kubelet owns, whole, so that a merge patch of it is complete; a field that
must vanish is None. Conditions of others (PodScheduled, readiness gates) are carried over from the pod.
"""

from collections.abc import Mapping
from typing import Any

from klamm.localkube.kubelet.backoff import restart_at
from klamm.localkube.kubelet.conditions import conditions
from klamm.localkube.kubelet.facts import ContainerFacts, Observed, PodKey, Role, container_id, containers_of
from klamm.localkube.kubelet.plan import (
    has_ended_for_good,
    has_failed_init,
    has_succeeded,
    is_initialized,
)
from klamm.localkube.kubelet.quality import quality_of_service
from klamm.localkube.kubelet.runtime import ContainerState
from klamm.localkube.kubelet.settings import BackOffPolicy
from klamm.localkube.objects import Object
from klamm.localkube.times import rfc3339

CONTAINER_PREFIX = "klamm://"
LOST = "ContainerStatusUnknown"
LOST_PID = -1
"""Marks a state that we made up because the node knows nothing of that attempt any more."""
UNSTARTED_PID = -2
"""Marks a state that we made up because the program could not be executed."""
CANNOT_START = 128
"""Exit code of an attempt whose program could not be executed, as runc's callers report it."""


def pod_status(pod: Object, observed: Observed, host_ip: str, policy: BackOffPolicy) -> dict[str, Any]:
    old: Mapping[str, Any] = pod.get("status") or {}
    now_phase = phase(pod, observed)
    ip = observed.sandbox.ip if observed.sandbox is not None else old.get("podIP")
    status: dict[str, Any] = {
        "phase": now_phase,
        "reason": observed.failure.reason if observed.failure else old.get("reason"),
        "message": observed.failure.message if observed.failure else old.get("message"),
        "hostIP": host_ip,
        "hostIPs": [{"ip": host_ip}],
        "podIP": ip or None,
        "podIPs": [{"ip": ip}] if ip else None,
        "startTime": old.get("startTime") or rfc3339(observed.now),
        "qosClass": old.get("qosClass") or quality_of_service(pod),
    }
    generation = pod["metadata"].get("generation")
    if generation is not None:
        status["observedGeneration"] = generation
    main, init = _container_statuses(pod, observed, policy)
    status["containerStatuses"] = main
    if init:
        status["initContainerStatuses"] = init
    status["conditions"] = conditions(pod, observed, now_phase, is_initialized(pod, observed))
    return status


def changes(old: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch that turns the old status into the wanted one; {} when there is nothing to write."""
    return {name: value for name, value in wanted.items() if old.get(name) != value}


def phase(pod: Object, observed: Observed) -> str:
    old: str = (pod.get("status") or {}).get("phase") or "Pending"
    if old in ("Succeeded", "Failed"):
        return old
    runs = any(facts.runs or facts.starting for facts in observed.containers.values())
    if observed.failure is not None or has_failed_init(pod, observed):
        return old if runs else "Failed"
    main = observed.of(Role.MAIN)
    if _is_over(pod, observed, main):
        if runs:
            return "Running"
        return "Succeeded" if all(has_succeeded(facts) for facts in main) else "Failed"
    if not is_initialized(pod, observed) or any(_never_ran(facts) for facts in main):
        return "Pending"
    return "Running"


def _is_over(pod: Object, observed: Observed, main: list[ContainerFacts]) -> bool:
    ending = observed.gone or bool(pod["metadata"].get("deletionTimestamp"))
    if ending:
        return all(facts.ended is not None and not facts.starting for facts in main)
    return all(has_ended_for_good(pod, facts) for facts in main)


def _never_ran(facts: ContainerFacts) -> bool:
    return facts.state is None and facts.previous is None


def _container_statuses(
    pod: Object, observed: Observed, policy: BackOffPolicy
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    main: list[dict[str, Any]] = []
    init: list[dict[str, Any]] = []
    for role, container in containers_of(pod):
        facts = observed.containers[container["name"]]
        entry = _container_status(pod, observed, container, facts, policy)
        (main if role is Role.MAIN else init).append(entry)
    return main, init


def _container_status(
    pod: Object, observed: Observed, container: Mapping[str, Any], facts: ContainerFacts, policy: BackOffPolicy
) -> dict[str, Any]:
    uid = pod["metadata"]["uid"]
    ready = has_succeeded(facts) if facts.role is Role.INIT else facts.runs and facts.started and facts.ready
    state, last = _states(pod, observed, facts, policy)
    status: dict[str, Any] = {
        "name": facts.name,
        "image": facts.image or container.get("image", ""),
        "imageID": facts.image_id,
        "restartCount": max(facts.attempt, 0),
        "ready": ready,
        "started": facts.runs and facts.started and facts.role is not Role.INIT,
        "state": state,
        "lastState": last,
    }
    if facts.state is not None:
        status["containerID"] = CONTAINER_PREFIX + container_id(uid, facts.name, facts.attempt)
    return status


def _states(
    pod: Object, observed: Observed, facts: ContainerFacts, policy: BackOffPolicy
) -> tuple[dict[str, Any], dict[str, Any]]:
    """`state` and `lastState`."""
    before = {"terminated": terminated(pod, facts, facts.previous)} if facts.previous else {}
    if facts.state is not None and facts.state.running:
        return {"running": {"startedAt": rfc3339(facts.state.started_at)}}, before
    if facts.state is None:
        return {"waiting": waiting_of(pod, facts)}, before
    now = {"terminated": terminated(pod, facts, facts.state)}
    waiting = _waits_for_restart(pod, observed, facts, policy)
    return ({"waiting": waiting}, now) if waiting else (now, before)


def waiting_of(pod: Object, facts: ContainerFacts) -> dict[str, Any]:
    """state.waiting of a container that did not start yet."""
    if facts.waiting is not None:
        return {"reason": facts.waiting.reason, "message": facts.waiting.message}
    return {"reason": "PodInitializing" if pod["spec"].get("initContainers") else "ContainerCreating"}


def _waits_for_restart(
    pod: Object, observed: Observed, facts: ContainerFacts, policy: BackOffPolicy
) -> dict[str, Any] | None:
    ending = observed.gone or observed.failure or pod["metadata"].get("deletionTimestamp")
    if ending or facts.starting or has_ended_for_good(pod, facts) or facts.ended is None:
        return None
    if facts.waiting is not None:
        return {"reason": facts.waiting.reason, "message": facts.waiting.message}
    moment = restart_at(facts.back_off, facts.ended.finished_at or observed.now, policy)
    if moment <= observed.now or not facts.in_sandbox:
        return None
    return {"reason": "CrashLoopBackOff", "message": back_off_message(pod, facts)}


def back_off_message(pod: Object, facts: ContainerFacts) -> str:
    delay = facts.back_off.delay if facts.back_off else 0
    return f"back-off {duration(delay)} restarting failed container={facts.name} pod={PodKey.of(pod)}"


def duration(seconds: float) -> str:
    """As Go writes it: 10s, 1m20s, 5m0s."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}m{rest:g}s" if minutes else f"{rest:g}s"


def terminated(pod: Object, facts: ContainerFacts, state: ContainerState) -> dict[str, Any]:
    attempt = int(state.id.rsplit("/", 1)[-1])
    code = state.exit_code
    if code is None or (code == 0 and state.signal):
        code = 128 + (state.signal or 0)
    elif code < 0:
        code = 128 - code
    result: dict[str, Any] = {
        "exitCode": code,
        "reason": _reason(state, code),
        "startedAt": rfc3339(state.started_at or state.finished_at or 0),
        "finishedAt": rfc3339(state.finished_at or state.started_at),
        "containerID": CONTAINER_PREFIX + container_id(pod["metadata"]["uid"], facts.name, attempt),
    }
    if state.message:
        result["message"] = state.message
    return result


def _reason(state: ContainerState, code: int) -> str:
    if state.pid == LOST_PID:
        return LOST
    if state.pid == UNSTARTED_PID:
        return "StartError"
    return "Completed" if code == 0 else "Error"
