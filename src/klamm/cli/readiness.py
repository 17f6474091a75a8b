"""Whether a resource is as its user wants it; if not, why, and whether only the user can change that. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from klamm.cli.seen import RECONCILED, STRIMZI, Condition, ContainerStatus, Pod, Resource


class State(StrEnum):
    READY = "Ready"
    NOT_READY = "NotReady"
    REFUSED = "Refused"
    """The operator says that the resource itself is wrong: no waiting helps."""
    PAUSED = "Paused"
    STORED = "Stored"
    """Of a kind that no operator of this klamm acts on."""
    UNSEEN = "Unseen"
    """No operator has looked at this generation of it yet."""


@dataclass(frozen=True, slots=True)
class Readiness:
    state: State
    why: str = ""
    reason: str = ""
    """The condition's reason, a word in CamelCase."""
    since: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def is_ready(self) -> bool:
        return self.state is State.READY

    @property
    def is_settled(self) -> bool:
        """There is nothing to wait for."""
        return self.state in (State.READY, State.PAUSED, State.STORED)


_REFUSALS = frozenset({"ResourceConflict", "NotSupported", "KafkaVersionNotSupported", "Invalid"})


def is_refusal(reason: str | None) -> bool:
    """Strimzi's reasons are the names of its exceptions: InvalidResourceException, UnsupportedKafkaVersionException."""
    return reason is not None and (reason in _REFUSALS or reason.startswith(("Invalid", "Unsupported")))


def readiness(resource: Resource | None) -> Readiness:
    if resource is None:
        return Readiness(State.UNSEEN, "it is not there")
    if resource.api_version.startswith("apps/"):
        return _of_workload(resource)
    return _of_conditions(resource)


def _of_conditions(resource: Resource) -> Readiness:
    status = resource.status
    if status is None and resource.kind not in RECONCILED:
        return Readiness(State.STORED, "this klamm does not act on it yet")
    if status is None or (status.observed_generation or 0) < (resource.metadata.generation or 0):
        return Readiness(State.UNSEEN, "no operator has looked at it yet")
    warnings = tuple(one.message or one.reason or "" for one in status.conditions if one.type == "Warning")
    told = {one.type: one for one in status.conditions if one.type != "Warning"}
    if "ReconciliationPaused" in told:
        why = f"paused by its annotation {STRIMZI.removeprefix('kafka.')}/pause-reconciliation"
        return Readiness(State.PAUSED, why, since=told["ReconciliationPaused"].last_transition_time, warnings=warnings)
    ready = told.get("Ready")
    if ready is not None and ready.status == "True":
        return Readiness(State.READY, since=ready.last_transition_time, warnings=warnings)
    return _not_ready(told.get("NotReady") or ready, warnings)


def _not_ready(told: Condition | None, warnings: tuple[str, ...]) -> Readiness:
    if told is None:
        return Readiness(State.NOT_READY, "its operator has not said yet how it stands", warnings=warnings)
    state = State.REFUSED if is_refusal(told.reason) else State.NOT_READY
    why = told.message or told.reason or "not ready"
    return Readiness(state, why, told.reason or "", told.last_transition_time, warnings)


def _of_workload(resource: Resource) -> Readiness:
    status = resource.status
    if status is None or (status.observed_generation or 0) < (resource.metadata.generation or 0):
        return Readiness(State.UNSEEN, "its controller has not looked at it yet")
    if status.desired_number_scheduled is not None:
        wanted, ready, updated = status.desired_number_scheduled, status.number_ready, status.updated_number_scheduled
    else:
        asked = (resource.spec or {}).get("replicas", 1)
        wanted, ready, updated = int(asked), status.ready_replicas, status.updated_replicas
    have = min(ready or 0, updated if updated is not None else ready or 0)
    if have >= wanted:
        return Readiness(State.READY)
    return Readiness(State.NOT_READY, f"{have} of {wanted} pods are ready")


@dataclass(frozen=True, slots=True)
class PodState:
    word: str
    """Pending, ContainerCreating, Running, Ready, Terminating, CrashLoopBackOff, …"""
    why: str = ""
    is_trouble: bool = False
    """It does not go away by waiting alone, as a rule."""

    @property
    def is_ready(self) -> bool:
        return self.word in ("Ready", "Completed")

    def __str__(self) -> str:
        return f"{self.word}: {self.why}" if self.why else self.word


def is_ready_since(pod: Pod, moment: datetime | None) -> bool:
    """Whether the pod became ready after `moment`: a cluster that was down still has what was true before."""
    if not pod_state(pod).is_ready:
        return False
    ready = next((one for one in (pod.status.conditions if pod.status else ()) if one.type == "Ready"), None)
    if moment is None or ready is None or ready.last_transition_time is None:
        return True
    return datetime.fromisoformat(ready.last_transition_time) >= moment


_ON_THE_WAY = frozenset({"ContainerCreating", "PodInitializing"})


def pod_state(pod: Pod) -> PodState:
    status = pod.status
    if pod.metadata.deletion_timestamp is not None:
        return PodState("Terminating")
    if status is None:
        return PodState("Pending")
    for condition in status.conditions:
        if condition.type == "Ready" and condition.status == "True":
            return PodState("Ready")
        if condition.type == "PodScheduled" and condition.status == "False":
            return PodState("Pending", condition.message or condition.reason or "not scheduled", is_trouble=True)
    for container in [*status.init_container_statuses, *status.container_statuses]:
        waiting = container.state.waiting if container.state else None
        if waiting and waiting.reason and waiting.reason not in _ON_THE_WAY:
            return PodState(waiting.reason, f"container {container.name}: {waiting.message or ''}".rstrip(": "), True)
    if status.phase == "Succeeded":
        return PodState("Completed")
    if status.phase == "Failed":
        return PodState("Failed", status.reason or "", is_trouble=True)
    if status.phase == "Running":
        return PodState("Running", "not ready yet")
    return PodState(_step(status.container_statuses) or status.phase or "Pending")


def _step(containers: list[ContainerStatus]) -> str:
    for container in containers:
        if container.state and container.state.waiting and container.state.waiting.reason:
            return container.state.waiting.reason
    return ""
