"""What a pod asks of one node, alone: selector, node affinity, taints; pure.

Source: Kubernetes docs, "Assigning Pods to Nodes", "Taints and Tolerations". Shared by the scheduler (any node) and the
DaemonSet controller (each node).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from klamm.localkube.objects import Object
from klamm.localkube.selectors import Requirement


def labels_of(node: Object) -> Mapping[str, str]:
    return node["metadata"].get("labels") or {}


def node_affinity(pod: Object) -> Mapping[str, Any]:
    return (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}


def matches_node(pod: Object, node: Object) -> bool:
    """Whether nodeSelector and required node affinity accept the node."""
    selector = pod["spec"].get("nodeSelector") or {}
    labels = labels_of(node)
    if any(labels.get(name) != value for name, value in selector.items()):
        return False
    required = node_affinity(pod).get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or any(term_matches(t, node) for t in required.get("nodeSelectorTerms") or ())


def term_matches(term: Mapping[str, Any], node: Object) -> bool:
    """One NodeSelectorTerm: all expressions and fields; an empty term matches nothing."""
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    name = {"metadata.name": node["metadata"]["name"]}
    return _all_hold(expressions, labels_of(node)) and _all_hold(fields, name)


def untolerated_taint(pod: Object, node: Object) -> Object | None:
    """The first taint with effect NoSchedule or NoExecute that the pod does not tolerate."""
    taints = (t for t in taints_of(node) if t["effect"] in ("NoSchedule", "NoExecute"))
    return next((t for t in taints if not tolerates(pod["spec"].get("tolerations") or (), t)), None)


def taints_of(node: Object) -> Sequence[Object]:
    return (node.get("spec") or {}).get("taints") or ()


def tolerates(tolerations: Iterable[Mapping[str, Any]], taint: Mapping[str, Any]) -> bool:
    return any(_tolerates(t, taint) for t in tolerations)


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and (toleration.get("value") or "") == (taint.get("value") or "")


def _all_hold(expressions: Iterable[Mapping[str, Any]], labels: Mapping[str, str]) -> bool:
    return all(Requirement(e["key"], e["operator"], tuple(e.get("values") or ())).holds(labels) for e in expressions)
