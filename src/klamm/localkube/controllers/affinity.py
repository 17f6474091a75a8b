"""What a pod asks of the pods around it: pod affinity, anti-affinity, topology spread; pure.

Source: Kubernetes docs, "Inter-pod affinity and anti-affinity", "Pod Topology Spread Constraints". A topology is the
value of a node label (`topologyKey`); nodes without the label belong to none, so they break affinity and spread, and
cannot break anti-affinity.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from klamm.localkube.controllers.nodes import labels_of, matches_node, taints_of, tolerates
from klamm.localkube.objects import Object
from klamm.localkube.selectors import label_selector

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Surroundings:
    """The nodes, the pods that are on them, and the namespaces' labels."""

    nodes: Mapping[str, Object]
    pods: Sequence[Object]
    """Bound pods that are not finished."""
    namespaces: Mapping[str, Labels]

    def topology(self, node_name: str, key: str) -> str | None:
        node = self.nodes.get(node_name)
        return labels_of(node).get(key) if node else None

    def counts(self, term: Mapping[str, Any], owner: Object) -> Counter[str]:
        """How many pods that the owner's term selects stand in each topology."""
        found: Counter[str] = Counter()
        for pod in self.pods:
            value = self.topology(pod["spec"]["nodeName"], term["topologyKey"])
            if value is not None and self.selects(term, owner, pod):
                found[value] += 1
        return found

    def selects(self, term: Mapping[str, Any], owner: Object, pod: Object) -> bool:
        """Whether a term of the owner selects the pod. No namespaces and no namespaceSelector: the owner's own."""
        names, selector = term.get("namespaces") or (), term.get("namespaceSelector")
        namespace = pod["metadata"]["namespace"]
        if not names and selector is None:
            there = namespace == owner["metadata"]["namespace"]
        else:
            by_label = selector is not None and label_selector(selector)(self.namespaces.get(namespace, {}))
            there = namespace in names or by_label
        return there and label_selector(term.get("labelSelector"))(pod["metadata"].get("labels") or {})


def required_terms(pod: Object, kind: str) -> Sequence[Mapping[str, Any]]:
    """`kind`: podAffinity or podAntiAffinity."""
    found = ((pod["spec"].get("affinity") or {}).get(kind) or {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    return found or ()


def preferred_terms(pod: Object, kind: str) -> Iterable[tuple[int, Mapping[str, Any]]]:
    affinity = (pod["spec"].get("affinity") or {}).get(kind) or {}
    for wish in affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
        yield wish["weight"], wish["podAffinityTerm"]


class Neighbours:
    """The wishes of one pod about its neighbours, counted once and asked for each node."""

    def __init__(self, pod: Object, around: Surroundings) -> None:
        self._pod = pod
        self._around = around
        self._near = [(t, around.counts(t, pod)) for t in required_terms(pod, "podAffinity")]
        self._far = [(t, around.counts(t, pod)) for t in required_terms(pod, "podAntiAffinity")]
        self._wishes = [
            (sign * weight, term["topologyKey"], around.counts(term, pod))
            for kind, sign in (("podAffinity", 1), ("podAntiAffinity", -1))
            for weight, term in preferred_terms(pod, kind)
        ]
        self._keep_away = self._topologies_kept_from_us()
        self._spread = [_Spread(c, pod, around) for c in pod["spec"].get("topologySpreadConstraints") or ()]

    def objection(self, node: Object) -> str | None:
        """Why this node does not do, in the scheduler's words."""
        labels = labels_of(node)
        for spread in self._spread:
            if spread.required and (why := spread.objection(labels)):
                return why
        if not self._affinity_holds(labels):
            return "node(s) didn't match pod affinity rules"
        if any(counts[labels[t["topologyKey"]]] for t, counts in self._far if t["topologyKey"] in labels):
            return "node(s) didn't match pod anti-affinity rules"
        if any(labels.get(key) == value for key, value in self._keep_away):
            return "node(s) didn't satisfy existing pods anti-affinity rules"
        return None

    def attraction(self, node: Object) -> int:
        """The sum of the preferred terms' weights."""
        labels = labels_of(node)
        return sum(weight * counts[labels[key]] for weight, key, counts in self._wishes if key in labels)

    def crowding(self, node: Object) -> int:
        """How much the node's topologies already hold, for the spread constraints that are only wishes."""
        return sum(s.already_there(labels_of(node)) for s in self._spread if not s.required)

    def _affinity_holds(self, labels: Labels) -> bool:
        if any(term["topologyKey"] not in labels for term, _ in self._near):
            return False
        if all(counts[labels[term["topologyKey"]]] for term, counts in self._near):
            return True
        # The first pod of a group that wants to be near its own kind may go anywhere.
        nobody = not any(counts.total() for _, counts in self._near)
        return nobody and all(self._around.selects(term, self._pod, self._pod) for term, _ in self._near)

    def _topologies_kept_from_us(self) -> set[tuple[str, str]]:
        found = set()
        for other in self._around.pods:
            for term in required_terms(other, "podAntiAffinity"):
                value = self._around.topology(other["spec"]["nodeName"], term["topologyKey"])
                if value is not None and self._around.selects(term, other, self._pod):
                    found.add((term["topologyKey"], value))
        return found


class _Spread:
    """One topology spread constraint: the difference to the emptiest topology stays within maxSkew."""

    def __init__(self, constraint: Mapping[str, Any], pod: Object, around: Surroundings) -> None:
        self._key = constraint["topologyKey"]
        self._max_skew = constraint.get("maxSkew", 1)
        self._least_domains = constraint.get("minDomains", 1)
        self.required = constraint.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule"
        self._self = label_selector(constraint.get("labelSelector"))(pod["metadata"].get("labels") or {})
        eligible = [n for n in around.nodes.values() if _is_eligible(constraint, pod, n)]
        self._counts: Counter[str] = Counter({v: 0 for n in eligible if (v := labels_of(n).get(self._key))})
        names = {n["metadata"]["name"] for n in eligible}
        for other in around.pods:
            value = around.topology(other["spec"]["nodeName"], self._key)
            if value is not None and other["spec"]["nodeName"] in names and _counts_for(constraint, pod, other):
                self._counts[value] += 1

    def objection(self, labels: Labels) -> str | None:
        if self._key not in labels:
            return "node(s) didn't match pod topology spread constraints (missing required label)"
        emptiest = min(self._counts.values(), default=0) if len(self._counts) >= self._least_domains else 0
        if self.already_there(labels) + int(self._self) - emptiest > self._max_skew:
            return "node(s) didn't match pod topology spread constraints"
        return None

    def already_there(self, labels: Labels) -> int:
        return self._counts[labels[self._key]] if self._key in labels else 0


def _is_eligible(constraint: Mapping[str, Any], pod: Object, node: Object) -> bool:
    if constraint.get("nodeAffinityPolicy", "Honor") == "Honor" and not matches_node(pod, node):
        return False
    if constraint.get("nodeTaintsPolicy", "Ignore") == "Ignore":
        return True
    hard = [t for t in taints_of(node) if t["effect"] in ("NoSchedule", "NoExecute")]
    return all(tolerates(pod["spec"].get("tolerations") or (), t) for t in hard)


def _counts_for(constraint: Mapping[str, Any], pod: Object, other: Object) -> bool:
    if other["metadata"]["namespace"] != pod["metadata"]["namespace"] or other["metadata"].get("deletionTimestamp"):
        return False
    return label_selector(constraint.get("labelSelector"))(other["metadata"].get("labels") or {})
