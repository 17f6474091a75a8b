"""PodDisruptionBudget → its status: how many pods may be evicted now (Kubernetes docs, "Pod Disruption Budgets").

- expectedPods: the replicas that the pods' controllers want; for controllers without known
  replicas, the pods themselves.
- desiredHealthy: minAvailable, or expectedPods - maxUnavailable; percentages round up.
- currentHealthy: pods that are Ready and not being deleted. disruptionsAllowed is what lies between.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from klamm.base.clock import Clock
from klamm.localkube.controllers.informers import Change, Informers, Key, key_of
from klamm.localkube.controllers.ownership import controller_of, is_active, is_ready
from klamm.localkube.controllers.rollout import share
from klamm.localkube.controllers.statuses import with_condition, write_status
from klamm.localkube.controllers.workqueue import WorkQueue
from klamm.localkube.objects import (
    POD_DISRUPTION_BUDGETS,
    PODS,
    REPLICA_SETS,
    STATEFUL_SETS,
    Object,
    Resource,
)
from klamm.localkube.selectors import label_selector
from klamm.localkube.times import timestamp

SCALED: Mapping[str, Resource] = {"ReplicaSet": REPLICA_SETS, "StatefulSet": STATEFUL_SETS}


class DisruptionBudgets:
    name = "pod disruption budgets"

    def __init__(self, informers: Informers, clock: Clock) -> None:
        self._informers = informers
        self._clock = clock
        self._budgets = informers.cache(POD_DISRUPTION_BUDGETS)
        self._pods = informers.cache(PODS)
        for resource in SCALED.values():
            informers.cache(resource)

    def watch(self, queue: WorkQueue[Key]) -> None:
        def pod_changed(change: Change) -> None:
            for budget in self._budgets.list(change.key.namespace):
                queue.add(key_of(budget))

        self._informers.subscribe(POD_DISRUPTION_BUDGETS, lambda change: queue.add(change.key))
        self._informers.subscribe(PODS, pod_changed)

    async def reconcile(self, key: Key) -> None:
        budget = self._budgets.get(*key)
        if budget is None:
            return
        matches = label_selector(budget["spec"].get("selector"))
        pods = [p for p in self._pods.list(key.namespace, matches) if is_active(p)]
        status = counts(budget, pods, self._expected(key.namespace, pods))
        allowed = status["disruptionsAllowed"] > 0
        known = budget.get("status") or {}
        condition = {
            "type": "DisruptionAllowed",
            "status": "True" if allowed else "False",
            "reason": "SufficientPods" if allowed else "InsufficientPods",
            "message": "",
            "observedGeneration": status["observedGeneration"],
        }
        now = timestamp(self._clock.now())
        status["conditions"] = with_condition(known.get("conditions") or [], condition, now)
        write_status(self._informers, POD_DISRUPTION_BUDGETS, budget, status)

    def _expected(self, namespace: str, pods: Sequence[Object]) -> int:
        wanted: dict[str, int] = {}
        others = 0
        for pod in pods:
            reference = controller_of(pod) or {}
            resource = SCALED.get(reference.get("kind", ""))
            owner = self._informers.cache(resource).get(namespace, reference["name"]) if resource else None
            if owner is None:
                others += 1
            else:
                wanted[owner["metadata"]["uid"]] = owner["spec"].get("replicas", 1)
        return others + sum(wanted.values())


def counts(budget: Object, pods: Sequence[Object], expected: int) -> dict[str, Any]:
    """The status' numbers. `pods`: the selected ones that are neither finished nor being deleted."""
    spec = budget["spec"]
    if "maxUnavailable" in spec:
        desired = max(0, expected - share(spec["maxUnavailable"], expected, up=True))
    else:
        desired = share(spec.get("minAvailable", 1), expected, up=True)
    healthy = sum(map(is_ready, pods))
    return {
        "expectedPods": expected,
        "desiredHealthy": desired,
        "currentHealthy": healthy,
        "disruptionsAllowed": max(0, healthy - desired) if expected > 0 else 0,
        "observedGeneration": budget["metadata"].get("generation", 1),
    }
