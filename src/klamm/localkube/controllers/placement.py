"""Which node a pod goes to; pure.

First every node is asked why it does not do (filters), then the best of the rest is taken (Kubernetes docs,
"Kubernetes Scheduler"). Where Kubernetes adds up weighted scores, we compare in order: taints that are only wishes,
preferred node affinity, preferred pod (anti-)affinity, preferred spread, few pods of the same owner, little requested,
few pods, name. So equal clusters give equal answers. There is no preemption.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from klamm.base.quantities import quantity
from klamm.localkube.controllers.affinity import Labels, Neighbours, Surroundings
from klamm.localkube.controllers.nodes import (
    matches_node,
    node_affinity,
    taints_of,
    term_matches,
    tolerates,
    untolerated_taint,
)
from klamm.localkube.controllers.ownership import controller_of, is_finished
from klamm.localkube.objects import Object


@dataclass(frozen=True, slots=True)
class Placed:
    node: str
    why: str


@dataclass(frozen=True, slots=True)
class Unschedulable:
    message: str


UNSCHEDULABLE_TAINT: Final = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
Requests = Mapping[str, Decimal]


def choose_node(
    pod: Object,
    nodes: Sequence[Object],
    pods: Sequence[Object],
    namespaces: Mapping[str, Labels] | None = None,
) -> Placed | Unschedulable:
    """Return the node for the pod. `pods`: all pods; those without node or finished do not count.

    `namespaces`: name → labels, for affinity terms with a namespaceSelector.
    """
    if not nodes:
        return Unschedulable("no nodes available to schedule pods")
    bound = [p for p in pods if p["spec"].get("nodeName") and not is_finished(p)]
    around = Surroundings({n["metadata"]["name"]: n for n in nodes}, bound, namespaces or {})
    neighbours = Neighbours(pod, around)
    residents = _by_node(bound)
    objections: Counter[str] = Counter()
    fit: list[Object] = []
    for node in nodes:
        found = _objections(pod, node, residents.get(node["metadata"]["name"], ()), neighbours)
        objections.update(found)
        if not found:
            fit.append(node)
    if not fit:
        return Unschedulable(_message(len(nodes), objections))
    best = min(fit, key=lambda n: _rank(pod, n, residents.get(n["metadata"]["name"], ()), neighbours))
    return Placed(best["metadata"]["name"], f"the best of {len(fit)} of {len(nodes)} nodes that fit")


def unready_claims(pod_claims: Iterable[tuple[str, Object | None]], nodes: int) -> Unschedulable | None:
    """What a pod waits for that mounts claims: each (name, claim) must exist and be bound."""
    for name, claim in pod_claims:
        if claim is None:
            return Unschedulable(f'0/{nodes} nodes are available: persistentvolumeclaim "{name}" not found.')
        if claim["metadata"].get("deletionTimestamp"):
            return Unschedulable(f'0/{nodes} nodes are available: persistentvolumeclaim "{name}" is being deleted.')
        if claim.get("status", {}).get("phase") != "Bound":
            return Unschedulable(f"0/{nodes} nodes are available: pod has unbound immediate PersistentVolumeClaims.")
    return None


def requests_of(pod: Object) -> Requests:
    """What a pod asks for: the sum of its containers, or the largest init container, plus overhead.

    An init container with restartPolicy Always runs beside the others and counts with them ("Sidecar Containers").
    """
    spec = pod["spec"]
    beside: Requests = {}
    largest: Requests = {}
    for container in spec.get("initContainers") or ():
        alone = _container_requests(container)
        if container.get("restartPolicy") == "Always":
            beside = _sum(beside, alone)
            largest = _largest(largest, beside)
        else:
            largest = _largest(largest, _sum(beside, alone))
    total = beside
    for container in spec.get("containers") or ():
        total = _sum(total, _container_requests(container))
    overhead = {name: quantity(value) for name, value in (spec.get("overhead") or {}).items()}
    return _sum(_largest(total, largest), overhead)


def _sum(a: Requests, b: Requests) -> Requests:
    return {name: a.get(name, Decimal(0)) + b.get(name, Decimal(0)) for name in {*a, *b}}


def _largest(a: Requests, b: Requests) -> Requests:
    return {name: max(a.get(name, Decimal(0)), b.get(name, Decimal(0))) for name in {*a, *b}}


def _objections(pod: Object, node: Object, residents: Sequence[Object], neighbours: Neighbours) -> list[str]:
    """Why the node does not do; several only for several missing resources."""
    tolerations = pod["spec"].get("tolerations") or ()
    if node.get("spec", {}).get("unschedulable") and not tolerates(tolerations, UNSCHEDULABLE_TAINT):
        return ["node(s) were unschedulable"]
    if taint := untolerated_taint(pod, node):
        return [f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value') or ''}}}"]
    if not matches_node(pod, node):
        return ["node(s) didn't match Pod's node affinity/selector"]
    if _host_ports(pod) & {port for other in residents for port in _host_ports(other)}:
        return ["node(s) didn't have free ports for the requested pod ports"]
    if missing := _missing_resources(pod, node, residents):
        return missing
    why = neighbours.objection(node)
    return [why] if why else []


def _missing_resources(pod: Object, node: Object, residents: Sequence[Object]) -> list[str]:
    allocatable = node.get("status", {}).get("allocatable") or {}
    found = []
    if "pods" in allocatable and len(residents) + 1 > quantity(allocatable["pods"]):
        found.append("Too many pods")
    taken = [requests_of(other) for other in residents]
    for name, wanted in sorted(requests_of(pod).items()):
        used = sum((other.get(name, Decimal(0)) for other in taken), Decimal(0))
        if wanted > 0 and used + wanted > quantity(allocatable.get(name, "0")):
            found.append(f"Insufficient {name}")
    return found


def _rank(pod: Object, node: Object, residents: Sequence[Object], neighbours: Neighbours) -> tuple[Any, ...]:
    owner = (controller_of(pod) or {}).get("uid")
    siblings = sum(1 for other in residents if owner and (controller_of(other) or {}).get("uid") == owner)
    return (
        _unwelcome(pod, node),
        -_preferred_affinity(pod, node),
        -neighbours.attraction(node),
        neighbours.crowding(node),
        siblings,
        _load(node, residents),
        len(residents),
        node["metadata"]["name"],
    )


def _unwelcome(pod: Object, node: Object) -> int:
    soft = [t for t in taints_of(node) if t["effect"] == "PreferNoSchedule"]
    return sum(not tolerates(pod["spec"].get("tolerations") or (), t) for t in soft)


def _preferred_affinity(pod: Object, node: Object) -> int:
    wishes = node_affinity(pod).get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    return sum(wish["weight"] for wish in wishes if term_matches(wish["preference"], node))


def _load(node: Object, residents: Sequence[Object]) -> Decimal:
    """The larger of the shares of CPU and memory that are requested, in whole percents."""
    allocatable = node.get("status", {}).get("allocatable") or {}
    shares = [Decimal(0)]
    for name in ("cpu", "memory"):
        if there := quantity(allocatable.get(name, "0")):
            used = sum((requests_of(other).get(name, Decimal(0)) for other in residents), Decimal(0))
            shares.append(Decimal(round(100 * used / there)))
    return max(shares)


def _container_requests(container: Object) -> dict[str, Decimal]:
    resources = container.get("resources") or {}
    wanted = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return {name: quantity(value) for name, value in wanted.items()}


def _host_ports(pod: Object) -> set[tuple[str, int]]:
    containers = pod["spec"].get("containers") or ()
    ports = (port for container in containers for port in container.get("ports") or ())
    return {(port.get("protocol", "TCP"), port["hostPort"]) for port in ports if port.get("hostPort")}


def _by_node(pods: Iterable[Object]) -> Mapping[str, list[Object]]:
    found: dict[str, list[Object]] = {}
    for pod in pods:
        found.setdefault(pod["spec"]["nodeName"], []).append(pod)
    return found


def _message(nodes: int, objections: Mapping[str, int]) -> str:
    reasons = sorted(f"{count} {reason}" for reason, count in objections.items())
    return f"0/{nodes} nodes are available: {', '.join(reasons)}."
