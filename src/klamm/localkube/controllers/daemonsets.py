"""DaemonSet → one pod on each node that fits (Kubernetes docs, "DaemonSet", "Perform a Rolling Update on a DaemonSet").

- A node fits by nodeSelector, required node affinity and taints. The pod is bound to its node by an affinity
  to the node's name, and placed by the scheduler; it tolerates what nodes are tainted with in trouble.
- Pods on nodes that fit no more, a second pod on a node, and failed pods are deleted.
- RollingUpdate replaces pods of an older template: those that are not available at once, others while no more than
  maxUnavailable are missing; with maxSurge the new pod first becomes available beside the old one. OnDelete waits for
  people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from klamm.base.clock import Clock
from klamm.localkube.controllers.informers import Change, Informers, Key, key_of
from klamm.localkube.controllers.nodes import matches_node, untolerated_taint
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
from klamm.localkube.controllers.rollout import share
from klamm.localkube.controllers.statuses import write_status
from klamm.localkube.controllers.templates import template_hash, with_label
from klamm.localkube.controllers.workqueue import WorkQueue
from klamm.localkube.events import Events
from klamm.localkube.objects import DAEMON_SETS, NODES, PODS, Object
from klamm.localkube.selectors import label_selector

HASH: Final = "controller-revision-hash"
GENERATION: Final = "pod-template-generation"
TOLERATED: Final = tuple(
    {"key": f"node.kubernetes.io/{trouble}", "operator": "Exists", "effect": effect}
    for trouble, effect in (
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    )
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now."""

    create_on: Sequence[str]
    delete: Sequence[Object]


class DaemonSets:
    name = "daemon sets"

    def __init__(self, informers: Informers, clock: Clock) -> None:
        self._informers = informers
        self._clock = clock
        events = Events(informers.objects, clock, "daemonset-controller")
        self._owned = OwnedPods(informers, events, DAEMON_SETS)
        self._sets = informers.cache(DAEMON_SETS)
        self._pods = informers.cache(PODS)
        self._nodes = informers.cache(NODES)

    def watch(self, queue: WorkQueue[Key]) -> None:
        def node_changed(change: Change) -> None:
            if change.old is None or change.new is None or _face(change.old) != _face(change.new):
                for daemon_set in self._sets.list():
                    queue.add(key_of(daemon_set))

        watch_with_owned(self._informers, queue, DAEMON_SETS, PODS)
        self._informers.subscribe(NODES, node_changed)

    async def reconcile(self, key: Key) -> float | None:
        daemon_set = self._sets.get(*key)
        if daemon_set is None:
            return None
        matches = label_selector(daemon_set["spec"].get("selector"))
        pods = claim(self._informers, DAEMON_SETS, daemon_set, PODS, matches)
        nodes = self._nodes.list()
        if not is_deleting(daemon_set):
            self._act(daemon_set, plan(daemon_set, pods, nodes, self._waits(daemon_set, pods)))
        pods = self._pods.owned_by(daemon_set["metadata"]["uid"])
        waits = self._waits(daemon_set, pods)
        status = counts(daemon_set, pods, nodes, {name for name, seconds in waits.items() if seconds == 0})
        write_status(self._informers, DAEMON_SETS, daemon_set, status)
        return min((w for w in waits.values() if w > 0), default=None)

    def _waits(self, daemon_set: Object, pods: Sequence[Object]) -> Mapping[str, float]:
        """Name of each ready pod → seconds until it is available."""
        wait = daemon_set["spec"].get("minReadySeconds", 0)
        found = {p["metadata"]["name"]: seconds_until_available(p, wait, self._clock.now()) for p in pods}
        return {name: seconds for name, seconds in found.items() if seconds is not None}

    def _act(self, daemon_set: Object, todo: Plan) -> None:
        self._owned.delete(daemon_set, todo.delete)
        for node in todo.create_on:
            self._owned.create(daemon_set, pod_for(daemon_set, node))


def plan(daemon_set: Object, pods: Sequence[Object], nodes: Sequence[Object], waits: Mapping[str, float]) -> Plan:
    """Return the pods to make and to delete. `waits`: name of each ready pod → seconds until it is available."""
    wanted = [n["metadata"]["name"] for n in nodes if should_run(daemon_set, n)]
    available = {name for name, seconds in waits.items() if seconds == 0}
    current = template_hash(daemon_set["spec"]["template"])
    delete = [p for p in pods if not is_deleting(p) and not is_active(p)]
    create: list[str] = []
    replaceable: list[Object] = []
    by_node = _by_node(pods)
    surge, missing = _allowed(daemon_set, len(wanted))
    for node in wanted:
        every = by_node.pop(node, [])
        there = [p for p in every if is_active(p)]
        new, old = _split(there, current)
        delete += new[1:] + old[1:]
        if not there and not any(map(is_deleting, every)):
            create.append(node)  # a pod that is still ending keeps its node's place, as its volumes and ports may clash
        elif new and old and new[0]["metadata"]["name"] in available:
            delete.append(old[0])
        elif old and not new:
            replaceable.append(old[0])
        if not there or not any(p["metadata"]["name"] in available for p in there):
            missing -= 1
        if new and old:
            surge -= 1
    delete += [p for left in by_node.values() for p in left if is_active(p)]
    if (daemon_set["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate") == "OnDelete":
        return Plan(create, delete)
    down = [p for p in replaceable if p["metadata"]["name"] not in available]
    up = [p for p in replaceable if p["metadata"]["name"] in available]
    if surge > 0:
        return Plan([*create, *(_node_of(p) for p in (down + up)[:surge])], delete)
    return Plan(create, [*delete, *down, *up[: max(0, missing)]])


def should_run(daemon_set: Object, node: Object) -> bool:
    """Whether a pod of the set belongs on the node."""
    spec = daemon_set["spec"]["template"].get("spec") or {}
    pod = {"spec": {**spec, "tolerations": [*(spec.get("tolerations") or ()), *TOLERATED]}}
    return matches_node(pod, node) and untolerated_taint(pod, node) is None


def pod_for(daemon_set: Object, node: str) -> Object:
    """The pod of a node."""
    template = daemon_set["spec"]["template"]
    labelled = with_label(template, HASH, template_hash(template))
    labelled = with_label(labelled, GENERATION, str(daemon_set["metadata"].get("generation", 1)))
    pod = pod_from_template(DAEMON_SETS, daemon_set, labelled)
    spec = pod["spec"]
    pod["spec"] = {
        **spec,
        "affinity": _bound_to(spec.get("affinity") or {}, node),
        "tolerations": [*(spec.get("tolerations") or ()), *(dict(t) for t in TOLERATED)],
    }
    return pod


def counts(daemon_set: Object, pods: Sequence[Object], nodes: Sequence[Object], available: set[str]) -> dict[str, Any]:
    """The DaemonSet's status."""
    wanted = {n["metadata"]["name"] for n in nodes if should_run(daemon_set, n)}
    current = template_hash(daemon_set["spec"]["template"])
    by_node = {node: [p for p in there if is_active(p)] for node, there in _by_node(pods).items()}
    running = {node for node, there in by_node.items() if there}
    serving = {node for node, there in by_node.items() if any(p["metadata"]["name"] in available for p in there)}
    updated = {node for node, there in by_node.items() if _split(there, current)[0]}
    return {
        "currentNumberScheduled": len(running & wanted),
        "desiredNumberScheduled": len(wanted),
        "numberMisscheduled": len(running - wanted),
        "numberReady": sum(any(map(is_ready, there)) for node, there in by_node.items() if node in wanted),
        "numberAvailable": len(serving & wanted),
        "numberUnavailable": len(wanted) - len(serving & wanted),
        "updatedNumberScheduled": len(updated & wanted),
        "observedGeneration": daemon_set["metadata"].get("generation", 1),
    }


def _allowed(daemon_set: Object, nodes: int) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) as counts; both percentages round up."""
    rolling = (daemon_set["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    surge = share(rolling.get("maxSurge", 0), nodes, up=True)
    unavailable = share(rolling.get("maxUnavailable", 1), nodes, up=True)
    return surge, unavailable or (0 if surge else 1)


def _split(pods: Sequence[Object], current: str) -> tuple[list[Object], list[Object]]:
    """Pods of the current template and older ones, oldest first."""
    ordered = sorted(pods, key=lambda p: (p["metadata"].get("creationTimestamp", ""), p["metadata"]["name"]))
    new = [p for p in ordered if (p["metadata"].get("labels") or {}).get(HASH) == current]
    return new, [p for p in ordered if p not in new]


def _by_node(pods: Sequence[Object]) -> dict[str, list[Object]]:
    found: dict[str, list[Object]] = {}
    for pod in pods:
        found.setdefault(_node_of(pod), []).append(pod)
    return found


def _node_of(pod: Object) -> str:
    """Where the pod is, or will be: a pod that waits for the scheduler names its node in its affinity."""
    if node := pod["spec"].get("nodeName"):
        return str(node)
    affinity = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(_REQUIRED) or {}
    for term in affinity.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field["key"] == "metadata.name" and field["values"]:
                return str(field["values"][0])
    return ""


_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"


def _bound_to(affinity: Mapping[str, Any], node: str) -> Object:
    """The affinity with its required node terms (already checked by `should_run`) replaced by the node's name."""
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    wishes = dict(affinity.get("nodeAffinity") or {})
    return {**affinity, "nodeAffinity": {**wishes, _REQUIRED: {"nodeSelectorTerms": [{"matchFields": [field]}]}}}


def _face(node: Object) -> object:
    return (node["metadata"].get("labels"), (node.get("spec") or {}).get("taints"))
