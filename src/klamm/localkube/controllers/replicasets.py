"""ReplicaSet → pods (Kubernetes docs, "ReplicaSet").

- Matching pods without a controller are adopted; pods that stop matching are released.
- Finished pods and pods that are being deleted do not count, so they are replaced at once.
- What goes first when there are too many: not yet placed, not running, not ready, lower deletion cost, more siblings on
  the node, ready for a shorter time, more restarts, younger.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from klamm.base.clock import Clock
from klamm.localkube.controllers.informers import Informers, Key
from klamm.localkube.controllers.ownership import (
    OwnedPods,
    claim,
    is_active,
    is_deleting,
    is_ready,
    pod_from_template,
    seconds_until_available,
    watch_with_owned,
)
from klamm.localkube.controllers.statuses import condition, with_condition, write_status
from klamm.localkube.controllers.workqueue import WorkQueue
from klamm.localkube.events import Events
from klamm.localkube.objects import PODS, REPLICA_SETS, Object, Refused
from klamm.localkube.selectors import label_selector
from klamm.localkube.times import timestamp

DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"


class ReplicaSets:
    name = "replica sets"

    def __init__(self, informers: Informers, clock: Clock) -> None:
        self._informers = informers
        self._clock = clock
        self._events = Events(informers.objects, clock, "replicaset-controller")
        self._owned = OwnedPods(informers, self._events, REPLICA_SETS)
        self._sets = informers.cache(REPLICA_SETS)
        self._pods = informers.cache(PODS)

    def watch(self, queue: WorkQueue[Key]) -> None:
        watch_with_owned(self._informers, queue, REPLICA_SETS, PODS)

    async def reconcile(self, key: Key) -> float | None:
        replica_set = self._sets.get(*key)
        if replica_set is None:
            return None
        matches = label_selector(replica_set["spec"].get("selector"))
        pods = [p for p in claim(self._informers, REPLICA_SETS, replica_set, PODS, matches) if is_active(p)]
        refused = None if is_deleting(replica_set) else self._scale(replica_set, pods)
        pods = [p for p in self._pods.owned_by(replica_set["metadata"]["uid"]) if is_active(p)]
        again_after = self._write_status(replica_set, pods, refused)
        if refused is not None:
            raise refused
        return again_after

    def _scale(self, replica_set: Object, pods: Sequence[Object]) -> Refused | None:
        missing = replica_set["spec"].get("replicas", 1) - len(pods)
        self._owned.delete(replica_set, deletion_order(pods)[: max(0, -missing)])
        for _ in range(missing):
            try:
                pod = pod_from_template(REPLICA_SETS, replica_set, replica_set["spec"]["template"])
                self._owned.create(replica_set, pod)
            except Refused as refused:
                if refused.namespace_is_ending:
                    return None
                self._events.warning(REPLICA_SETS, replica_set, "FailedCreate", f"Error creating: {refused}")
                return refused
        return None

    def _write_status(self, replica_set: Object, pods: Sequence[Object], refused: Refused | None) -> float | None:
        waits = available_in(pods, replica_set["spec"].get("minReadySeconds", 0), self._clock)
        status = {
            "replicas": len(pods),
            "fullyLabeledReplicas": len(pods),
            "readyReplicas": sum(map(is_ready, pods)),
            "availableReplicas": sum(w == 0 for w in waits),
            "observedGeneration": replica_set["metadata"].get("generation", 1),
            "conditions": self._conditions(replica_set, refused) or None,
        }
        write_status(self._informers, REPLICA_SETS, replica_set, status)
        return min((w for w in waits if w > 0), default=None)

    def _conditions(self, replica_set: Object, refused: Refused | None) -> list[Object]:
        known = (replica_set.get("status") or {}).get("conditions") or []
        if refused is None:
            return [c for c in known if c["type"] != "ReplicaFailure"]
        if any(c["type"] == "ReplicaFailure" for c in known):
            # Told once, as Kubernetes does: each message names another pod, and a changed status is news to us again.
            return known
        failure = {
            "type": "ReplicaFailure",
            "status": "True",
            "reason": "FailedCreate",
            "message": refused.message,
        }
        return with_condition(known, failure, timestamp(self._clock.now()))


def available_in(pods: Sequence[Object], min_ready_seconds: int, clock: Clock) -> Sequence[float]:
    """Seconds until each ready pod is available; 0 for those that are."""
    found = (seconds_until_available(pod, min_ready_seconds, clock.now()) for pod in pods)
    return [seconds for seconds in found if seconds is not None]


def deletion_order(pods: Sequence[Object]) -> Sequence[Object]:
    """The pods, those that are missed least first."""
    siblings = Counter(pod["spec"].get("nodeName") for pod in pods)
    by_age = sorted(pods, key=lambda p: p["metadata"].get("creationTimestamp", ""), reverse=True)
    by_time_ready = sorted(by_age, key=_ready_since, reverse=True)
    return sorted(by_time_ready, key=lambda pod: _worth(pod, siblings))


def _worth(pod: Object, siblings: Mapping[str | None, int]) -> tuple[Any, ...]:
    phases = {"Pending": 0, "Unknown": 1, "Running": 2}
    return (
        bool(pod["spec"].get("nodeName")),
        phases.get(pod.get("status", {}).get("phase", "Pending"), 0),
        is_ready(pod),
        int((pod["metadata"].get("annotations") or {}).get(DELETION_COST, "0")),
        -siblings[pod["spec"].get("nodeName")],
    )


def _ready_since(pod: Object) -> str:
    ready = condition(pod, "Ready")
    return str(ready.get("lastTransitionTime", "")) if ready else ""
