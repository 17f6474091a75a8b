"""What a new kubelet takes over: facts from the node's state and, for what the node has forgotten, the pod's status.

Pure. The node knows every container that runs, and ended ones until they are forgotten. A container that the status
calls running and the node does not know was lost with its node (the machine or the node's supervisor was restarted):
it counts as ended, and the plan starts everything anew in a new sandbox.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from klamm.localkube.kubelet.facts import BackOff, ContainerFacts, ContainerId, Role, container_id, containers_of
from klamm.localkube.kubelet.runtime import ContainerState
from klamm.localkube.kubelet.settings import BackOffPolicy
from klamm.localkube.kubelet.statuses import LOST, LOST_PID, UNSTARTED_PID
from klamm.localkube.objects import Object
from klamm.localkube.times import seconds_of

_KILLED = 137


def adopt(
    pod: Object, states: Iterable[ContainerState], now: float, policy: BackOffPolicy
) -> dict[str, ContainerFacts]:
    by_name: dict[str, dict[int, ContainerState]] = {}
    for state in states:
        if identity := ContainerId.parse(state.id):
            by_name.setdefault(identity.name, {})[identity.attempt] = state
    statuses = _statuses(pod)
    return {
        spec["name"]: _adopt_one(
            pod, role, spec["name"], by_name.get(spec["name"], {}), statuses.get(spec["name"], {}), now, policy
        )
        for role, spec in containers_of(pod)
    }


def _statuses(pod: Object) -> dict[str, Mapping[str, Any]]:
    status = pod.get("status") or {}
    lists = (status.get("initContainerStatuses") or (), status.get("containerStatuses") or ())
    return {entry["name"]: entry for entries in lists for entry in entries}


def _adopt_one(
    pod: Object,
    role: Role,
    name: str,
    known: Mapping[int, ContainerState],
    status: Mapping[str, Any],
    now: float,
    policy: BackOffPolicy,
) -> ContainerFacts:
    told = ContainerId.parse(status.get("containerID") or "")
    newest = max([*known, told.attempt if told else -1])
    if newest < 0:
        return ContainerFacts(name, role)
    state = known.get(newest) or _from_status(pod, name, newest, status, now)
    same = told is not None and told.attempt == newest and state.running
    return ContainerFacts(
        name=name,
        role=role,
        attempt=newest,
        state=state,
        previous=known.get(newest - 1) or _previous(pod, name, newest, status),
        in_sandbox=newest in known,
        started=same and bool(status.get("started")),
        ready=same and bool(status.get("ready")),
        back_off=_back_off(newest, state, policy) if newest in known else None,
        image=status.get("image") or "",
        image_id=status.get("imageID") or "",
    )


def _from_status(pod: Object, name: str, attempt: int, status: Mapping[str, Any], now: float) -> ContainerState:
    identity = container_id(pod["metadata"]["uid"], name, attempt)
    state = status.get("state") or {}
    ended = state.get("terminated")
    if not ended and "waiting" in state:
        ended = (status.get("lastState") or {}).get("terminated")
    if ended:
        return _ended(identity, ended)
    began = (state.get("running") or {}).get("startedAt")
    message = "the container was lost when its node was restarted"
    return ContainerState(
        identity,
        running=False,
        pid=LOST_PID,
        started_at=seconds_of(began) if began else now,
        finished_at=now,
        exit_code=_KILLED,
        message=message,
    )


def _ended(identity: str, terminated: Mapping[str, Any]) -> ContainerState:
    marks = {LOST: LOST_PID, "StartError": UNSTARTED_PID}
    return ContainerState(
        identity,
        running=False,
        pid=marks.get(terminated.get("reason") or ""),
        started_at=seconds_of(terminated["startedAt"]) if terminated.get("startedAt") else 0.0,
        finished_at=seconds_of(terminated["finishedAt"]) if terminated.get("finishedAt") else 0.0,
        exit_code=int(terminated.get("exitCode") or 0),
        message=terminated.get("message") or "",
    )


def _previous(pod: Object, name: str, newest: int, status: Mapping[str, Any]) -> ContainerState | None:
    for place in ("state", "lastState"):
        ended = (status.get(place) or {}).get("terminated")
        told = ContainerId.parse((ended or {}).get("containerID") or "")
        if ended and told is not None and told.attempt < newest:
            return _ended(container_id(pod["metadata"]["uid"], name, told.attempt), ended)
    return None


def _back_off(attempt: int, state: ContainerState, policy: BackOffPolicy) -> BackOff | None:
    """Back-offs are not stored. This one is what an unbroken row of crashes would have led to: never too hot."""
    if attempt < 1:
        return None
    return BackOff(min(policy.initial * 2 ** min(attempt - 1, 10), policy.maximum), state.started_at)
