"""What budgets, roles, priorities, leases and events may say, and what of it may change."""

from collections.abc import Iterator
from typing import Any

from klamm.localkube.apiserver.statuses import Cause, forbidden_value, invalid_value, required, unsupported
from klamm.localkube.apiserver.value_rules import label_selector_violations, not_negative, number_or_percent
from klamm.localkube.objects import Object

RBAC = "rbac.authorization.k8s.io"
_HIGHEST = 1_000_000_000
SYSTEM_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def budget(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if least is not None and most is not None:
        shown = {
            "MinAvailable": least,
            "Selector": spec.get("selector"),
            "MaxUnavailable": most,
            "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy"),
        }
        yield invalid_value("spec", shown, "minAvailable and maxUnavailable cannot be both set")
    yield from number_or_percent(least, "spec.minAvailable")
    yield from number_or_percent(most, "spec.maxUnavailable")
    yield from label_selector_violations(spec.get("selector") or {}, "spec.selector")


def role(obj: Object) -> Iterator[Cause]:
    for index, rule in enumerate(obj.get("rules") or ()):
        yield from _role_rule(rule, f"rules[{index}]", namespaced=obj["kind"] == "Role")


def _role_rule(rule: dict[str, Any], at: str, *, namespaced: bool) -> Iterator[Cause]:
    if not rule.get("verbs"):
        yield required(f"{at}.verbs", "verbs must contain at least one value")
    paths = rule.get("nonResourceURLs")
    if paths:
        if namespaced:
            told = "namespaced rules cannot apply to non-resource URLs"
            yield invalid_value(f"{at}.nonResourceURLs", paths, told)
        if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
            told = "rules cannot apply to both regular resources and non-resource URLs"
            yield invalid_value(f"{at}.nonResourceURLs", paths, told)
        return
    if not rule.get("apiGroups"):
        yield required(f"{at}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield required(f"{at}.resources", "resource rules must supply at least one resource")


def binding(obj: Object) -> Iterator[Cause]:
    reference = obj.get("roleRef") or {}
    kinds = ("Role", "ClusterRole") if obj["kind"] == "RoleBinding" else ("ClusterRole",)
    if reference.get("apiGroup") != RBAC:
        yield unsupported("roleRef.apiGroup", reference.get("apiGroup"), [RBAC])
    if reference.get("kind") not in kinds:
        yield unsupported("roleRef.kind", reference.get("kind"), kinds)
    if not reference.get("name"):
        yield required("roleRef.name")
    for index, subject in enumerate(obj.get("subjects") or ()):
        yield from _subject(subject, f"subjects[{index}]", needs_namespace=obj["kind"] == "ClusterRoleBinding")


def _subject(subject: dict[str, Any], at: str, *, needs_namespace: bool) -> Iterator[Cause]:
    if not subject.get("name"):
        yield required(f"{at}.name")
    kind, group = subject.get("kind"), subject.get("apiGroup", "")
    if kind not in ("ServiceAccount", "User", "Group"):
        yield unsupported(f"{at}.kind", kind, ["ServiceAccount", "User", "Group"])
        return
    wanted = "" if kind == "ServiceAccount" else RBAC
    if group != wanted:
        yield unsupported(f"{at}.apiGroup", group, [wanted])
    if kind == "ServiceAccount" and needs_namespace and not subject.get("namespace"):
        yield required(f"{at}.namespace")


def binding_change(new: Object, old: Object) -> Iterator[Cause]:
    if new.get("roleRef") != old.get("roleRef"):
        given = new.get("roleRef") or {}
        shown = {
            name: given.get(field, "") for name, field in (("APIGroup", "apiGroup"), ("Kind", "kind"), ("Name", "name"))
        }
        yield invalid_value("roleRef", shown, "cannot change roleRef")


def priority(obj: Object) -> Iterator[Cause]:
    name = obj["metadata"].get("name", "")
    if name.startswith("system-") and name not in SYSTEM_PRIORITIES:
        told = "priority class names with 'system-' prefix are reserved for system use only. error: "
        yield forbidden_value("metadata.name", f"{told}{name} is not a known system priority class")
    elif name not in SYSTEM_PRIORITIES and obj.get("value", 0) > _HIGHEST:
        yield forbidden_value("value", f"maximum allowed value of a user defined priority is {_HIGHEST}")


def priority_change(new: Object, old: Object) -> Iterator[Cause]:
    for name in ("value", "preemptionPolicy"):
        if new.get(name) != old.get(name):
            yield forbidden_value(name, "may not be changed in an update.")


def lease(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    seconds = spec.get("leaseDurationSeconds")
    if seconds is not None and seconds <= 0:
        yield invalid_value("spec.leaseDurationSeconds", seconds, "must be greater than 0")
    yield from not_negative(spec, ("leaseTransitions",), "spec")


def event(obj: Object) -> Iterator[Cause]:
    """An event lies in the namespace of what it is about; what has none is told of in `default`."""
    own, about = obj["metadata"].get("namespace"), (obj.get("involvedObject") or {}).get("namespace", "")
    if about != own and not (about == "" and own == "default"):
        yield invalid_value("involvedObject.namespace", about, "does not match event.namespace")
