"""What a Deployment's status says of its ReplicaSets: pure (Kubernetes docs, "Deployments: Deployment status").

Conditions: Available, Progressing (ProgressDeadlineExceeded when nothing moved for progressDeadlineSeconds),
ReplicaFailure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from klamm.localkube.controllers.rollout import limits
from klamm.localkube.objects import Object
from klamm.localkube.times import parse_timestamp, timestamp


@dataclass(frozen=True, slots=True)
class Sets:
    """A Deployment's ReplicaSets: the one with its template, if there is one, and the others, oldest first."""

    new: Object | None
    old: Sequence[Object]

    @property
    def all(self) -> Sequence[Object]:
        return [*self.old, *([self.new] if self.new else [])]


def counts(deployment: Object, sets: Sets) -> dict[str, Any]:
    """The numbers of the status."""

    def total(field: str, of: Sequence[Object]) -> int:
        return sum((s.get("status") or {}).get(field) or 0 for s in of)

    wanted = sum(s["spec"].get("replicas", 1) for s in sets.all)
    available = total("availableReplicas", sets.all)
    return {
        "observedGeneration": deployment["metadata"].get("generation", 1),
        "replicas": total("replicas", sets.all),
        "updatedReplicas": total("replicas", [sets.new] if sets.new else []),
        "readyReplicas": total("readyReplicas", sets.all),
        "availableReplicas": available,
        "unavailableReplicas": max(0, wanted - available),
    }


def is_complete(deployment: Object, sets: Sets) -> bool:
    status, replicas = counts(deployment, sets), deployment["spec"].get("replicas", 1)
    if sets.new is None or sets.new["spec"].get("replicas", 1) != replicas:
        return False
    return all(status[f] == replicas for f in ("replicas", "updatedReplicas", "availableReplicas"))


def conditions(
    deployment: Object, sets: Sets, status: Mapping[str, Any], created: str | None, now: datetime
) -> tuple[list[Object], float | None]:
    """Return the conditions, and the seconds after which the deadline of the roll-out must be looked at again.

    `status`: the counts; `created`: the name of the ReplicaSet that this round made.
    """
    known = {c["type"]: c for c in (deployment.get("status") or {}).get("conditions") or ()}
    progressing, again_after = _progress(deployment, sets, status, created, known.get("Progressing"), now)
    new = [_availability(deployment, status)]
    if progressing is not None:
        new.append(progressing)
    new += _failures(sets)
    return [_dated(c, known.get(c["type"]), timestamp(now)) for c in new], again_after


def _progress(
    deployment: Object,
    sets: Sets,
    status: Mapping[str, Any],
    created: str | None,
    known: Object | None,
    now: datetime,
) -> tuple[Object | None, float | None]:
    deadline = deployment["spec"].get("progressDeadlineSeconds", 600)
    name = sets.new["metadata"]["name"] if sets.new else ""
    if deployment["spec"].get("paused"):
        return _progressing("Unknown", "DeploymentPaused", "Deployment is paused"), None
    if known is not None and known["reason"] == "DeploymentPaused":
        return _progressing("Unknown", "DeploymentResumed", "Deployment is resumed"), 0.0
    if is_complete(deployment, sets):
        done = f'ReplicaSet "{name}" has successfully progressed.'
        return _progressing("True", "NewReplicaSetAvailable", done), None
    if created is not None:
        return _progressing("True", "NewReplicaSetCreated", f'Created new replica set "{name}"'), float(deadline)
    if known is None or _moved(deployment.get("status") or {}, status):
        moving = f'ReplicaSet "{name}" is progressing.'
        return _progressing("True", "ReplicaSetUpdated", moving), float(deadline)
    left = _seconds_left(known, deadline, now)
    if known["reason"] in ("NewReplicaSetAvailable", "ProgressDeadlineExceeded") or left > 0:
        # A finished roll-out has no deadline: pods that fail later are told by Available.
        return {**known}, left if left > 0 else None
    late = f'ReplicaSet "{name}" has timed out progressing.'
    return _progressing("False", "ProgressDeadlineExceeded", late), None


def _seconds_left(known: Object, deadline: int, now: datetime) -> float:
    since = parse_timestamp(known.get("lastUpdateTime")) or now
    return (since + timedelta(seconds=deadline) - now).total_seconds()


def _moved(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    def old_pods(status: Mapping[str, Any]) -> int:
        return int(status.get("replicas") or 0) - int(status.get("updatedReplicas") or 0)

    grown = any(
        (now.get(f) or 0) > (before.get(f) or 0) for f in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
    return grown or old_pods(now) < old_pods(before)


def _availability(deployment: Object, status: Mapping[str, Any]) -> Object:
    enough = status["availableReplicas"] >= limits(deployment["spec"]).at_least_available
    return {
        "type": "Available",
        "status": "True" if enough else "False",
        "reason": "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
        "message": f"Deployment {'has' if enough else 'does not have'} minimum availability.",
    }


def _progressing(status: str, reason: str, message: str) -> Object:
    return {"type": "Progressing", "status": status, "reason": reason, "message": message}


def _failures(sets: Sets) -> list[Object]:
    found = [
        c for s in sets.all for c in (s.get("status") or {}).get("conditions") or () if c["type"] == "ReplicaFailure"
    ]
    return [{k: found[0][k] for k in ("type", "status", "reason", "message")}] if found else []


def _dated(new: Object, known: Object | None, now: str) -> Object:
    """lastUpdateTime moves with every progress (the deadline counts from it), lastTransitionTime with the status."""
    if known is None:
        return {**new, "lastUpdateTime": now, "lastTransitionTime": now}
    since = known["lastTransitionTime"] if known["status"] == new["status"] else now
    if new == known:
        return known
    same = all(known.get(k) == new[k] for k in ("status", "reason", "message"))
    updated = known["lastUpdateTime"] if same and new["reason"] != "ReplicaSetUpdated" else now
    return {**new, "lastUpdateTime": updated, "lastTransitionTime": since}
