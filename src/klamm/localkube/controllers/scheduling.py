"""The scheduler: finds a node for each pod without one, and says on the pod and in events why or why not.

`placement.choose_node` decides; this module gathers, binds and tells. A pod that fits nowhere waits, and is tried
again when something changes that could help: a node, another pod's end or labels, a claim, a namespace's labels.
"""

from typing import Final

from klamm.base.clock import Clock
from klamm.localkube.controllers.claims import claim_names
from klamm.localkube.controllers.informers import Change, Informers, Key
from klamm.localkube.controllers.ownership import is_deleting, is_finished
from klamm.localkube.controllers.placement import Placed, Unschedulable, choose_node, unready_claims
from klamm.localkube.controllers.statuses import condition, with_condition
from klamm.localkube.controllers.workqueue import WorkQueue
from klamm.localkube.events import Events
from klamm.localkube.objects import NAMESPACES, NODES, PERSISTENT_VOLUME_CLAIMS, PODS, Object
from klamm.localkube.times import timestamp

SCHEDULER: Final = "default-scheduler"


class Scheduler:
    name = "scheduler"

    def __init__(self, informers: Informers, clock: Clock) -> None:
        self._informers = informers
        self._clock = clock
        self._events = Events(informers.objects, clock, SCHEDULER)
        self._pods = informers.cache(PODS)
        self._nodes = informers.cache(NODES)
        self._claims = informers.cache(PERSISTENT_VOLUME_CLAIMS)
        self._namespaces = informers.cache(NAMESPACES)
        self._waiting: set[Key] = set()
        """Pods that fitted nowhere when last tried."""

    def watch(self, queue: WorkQueue[Key]) -> None:
        def pod_changed(change: Change) -> None:
            if change.new is not None and _is_ours(change.new):
                if change.old is None or _wish(change.old) != _wish(change.new):
                    queue.add(change.key)
            else:
                self._waiting.discard(change.key)
            if _presence(change.old) != _presence(change.new):
                try_again()

        def node_changed(change: Change) -> None:
            if change.old is None or change.new is None or _capacity(change.old) != _capacity(change.new):
                try_again()

        def try_again(_: Change | None = None) -> None:
            for key in self._waiting:
                queue.add(key)

        self._informers.subscribe(PODS, pod_changed)
        self._informers.subscribe(NODES, node_changed)
        self._informers.subscribe(PERSISTENT_VOLUME_CLAIMS, try_again)
        self._informers.subscribe(NAMESPACES, try_again)

    async def reconcile(self, key: Key) -> None:
        pod = self._pods.get(*key)
        if pod is None or not _is_ours(pod):
            self._waiting.discard(key)
            return
        match self._place(pod):
            case Placed(node=node):
                self._waiting.discard(key)
                self._bind(pod, node)
            case Unschedulable(message=message):
                self._waiting.add(key)
                self._tell(pod, message)

    def _place(self, pod: Object) -> Placed | Unschedulable:
        namespace = pod["metadata"]["namespace"]
        claims = [(name, self._claims.get(namespace, name)) for name in claim_names(pod)]
        nodes = self._nodes.list()
        if waits := unready_claims(claims, len(nodes)):
            return waits
        labels = {n["metadata"]["name"]: n["metadata"].get("labels") or {} for n in self._namespaces.list()}
        return choose_node(pod, nodes, self._pods.list(), labels)

    def _bind(self, pod: Object, node: str) -> None:
        bound = self._informers.patch(PODS, pod, {"spec": {"nodeName": node}}, subresource="binding")
        known = condition(bound, "PodScheduled")
        if known is None or known["status"] != "True":
            self._set_condition(bound, {"type": "PodScheduled", "status": "True"})
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        self._events.normal(PODS, pod, "Scheduled", f"Successfully assigned {namespace}/{name} to {node}")

    def _tell(self, pod: Object, message: str) -> None:
        known = condition(pod, "PodScheduled")
        if known is not None and known["status"] == "False" and known.get("message") == message:
            return
        told = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        told["observedGeneration"] = pod["metadata"].get("generation", 1)
        self._set_condition(pod, told)
        self._events.warning(PODS, pod, "FailedScheduling", message)

    def _set_condition(self, pod: Object, new: Object) -> None:
        now = timestamp(self._clock.now())
        known = pod.get("status", {}).get("conditions") or []
        conditions = with_condition(known, {"lastProbeTime": None, **new}, now)
        self._informers.patch(PODS, pod, {"status": {"conditions": conditions}}, subresource="status")


def _is_ours(pod: Object) -> bool:
    spec = pod["spec"]
    return (
        not spec.get("nodeName")
        and not is_deleting(pod)
        and not is_finished(pod)
        and not spec.get("schedulingGates")
        and spec.get("schedulerName", SCHEDULER) == SCHEDULER
    )


def _wish(pod: Object) -> object:
    """What scheduling depends on of the pod itself; its status (our own writing) does not."""
    return (pod["metadata"].get("labels"), pod["spec"])


def _presence(pod: Object | None) -> object:
    """What other pods' scheduling depends on."""
    if pod is None or not pod["spec"].get("nodeName") or is_finished(pod):
        return None
    return (pod["spec"]["nodeName"], pod["metadata"].get("labels"), is_deleting(pod))


def _capacity(node: Object) -> object:
    """What of a node decides; its heartbeat does not."""
    return (node["metadata"].get("labels"), node.get("spec"), node.get("status", {}).get("allocatable"))
