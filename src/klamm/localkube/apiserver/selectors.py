"""Label and field selectors, from their query strings to predicates. Source: Kubernetes' "Labels and Selectors"."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from klamm.localkube.apiserver import statuses
from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.objects import LabelMatch, Object

FieldMatch = Callable[[Object], bool]

_SET_BASED = re.compile(r"^(!?)\s*([^\s!=,<>()]+)\s*(?:(in|notin)\s*\(([^)]*)\)|(==|=|!=|>|<)\s*([^\s,]*))?$")


def parse_labels(text: str) -> LabelMatch | None:
    """None when everything matches. Refused 400 when the selector cannot be read."""
    parts = _split(text)
    if not parts:
        return None
    tests = [_label_test(part.strip()) for part in parts]
    if len(tests) == 1:
        return tests[0]
    return lambda labels: all(test(labels) for test in tests)


def _split(text: str) -> list[str]:
    """At commas that are outside of parentheses."""
    parts = re.split(r",(?![^(]*\))", text)
    return [part for part in parts if part.strip()]


def _label_test(part: str) -> LabelMatch:
    match = _SET_BASED.match(part)
    if match is None:
        raise statuses.bad_request(f"unable to parse requirement: {part}")
    negated, key, set_operator, listed, operator, value = match.groups()
    if set_operator:
        values = frozenset(each.strip() for each in listed.split(","))
        if set_operator == "in":
            return lambda labels: labels.get(key) in values if key in labels else False
        return lambda labels: labels.get(key) not in values
    if operator in ("=", "=="):
        return lambda labels: labels.get(key) == value
    if operator == "!=":
        return lambda labels: labels.get(key) != value
    if operator in (">", "<"):
        return _numeric_test(key, operator, value)
    if negated:
        return lambda labels: key not in labels
    return lambda labels: key in labels


def _numeric_test(key: str, operator: str, value: str) -> LabelMatch:
    try:
        limit = int(value)
    except ValueError as error:
        raise statuses.bad_request(f"values for {operator} must be integers, not {value!r}") from error

    def test(labels: Mapping[str, str]) -> bool:
        have = labels.get(key, "")
        if not have.lstrip("-").isdigit():
            return False
        return int(have) > limit if operator == ">" else int(have) < limit

    return test


def match_selector(selector: Mapping[str, Any] | None) -> LabelMatch:
    """A LabelSelector object: matchLabels and matchExpressions. None selects nothing, {} everything."""
    if selector is None:
        return lambda labels: False
    tests: list[LabelMatch] = [_equals(key, value) for key, value in (selector.get("matchLabels") or {}).items()]
    for expression in selector.get("matchExpressions") or ():
        tests.append(_expression(expression["key"], expression["operator"], frozenset(expression.get("values") or ())))
    return lambda labels: all(test(labels) for test in tests)


def _equals(key: str, value: str) -> LabelMatch:
    return lambda labels: labels.get(key) == value


def _expression(key: str, operator: str, values: frozenset[str]) -> LabelMatch:
    tests: dict[str, LabelMatch] = {
        "In": lambda labels: labels.get(key) in values,
        "NotIn": lambda labels: labels.get(key) not in values,
        "Exists": lambda labels: key in labels,
        "DoesNotExist": lambda labels: key not in labels,
    }
    return tests.get(operator, lambda labels: False)


_EVENT_FIELDS = {
    f"involvedObject.{name}"
    for name in ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"]
}
_FIELDS: dict[str, frozenset[str]] = {
    "/pods": frozenset(
        [
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ]
    ),
    "/events": frozenset({*_EVENT_FIELDS, "reason", "reportingComponent", "source", "type"}),
    "/secrets": frozenset(["type"]),
    "/nodes": frozenset(["spec.unschedulable"]),
    "/namespaces": frozenset(["status.phase"]),
    "/services": frozenset(["spec.clusterIP", "spec.type"]),
    "/replicationcontrollers": frozenset(["status.replicas"]),
    "apps/replicasets": frozenset(["status.replicas"]),
    "batch/jobs": frozenset(["status.successful"]),
}
_UNSET = {"spec.unschedulable": "false", "spec.hostNetwork": "false", "status.replicas": "0", "status.successful": "0"}


def parse_fields(text: str, kind: Kind) -> dict[str, tuple[bool, str]] | None:
    """Field → (equal or not, value); None when there is nothing to select."""
    wanted = {}
    for part in _split(text):
        match = re.match(r"^\s*([^=!\s]+)\s*(==|=|!=)\s*(.*?)\s*$", part)
        if match is None:
            raise statuses.bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        name, operator, value = match.groups()
        known = name in ("metadata.name", "metadata.namespace") or name in _FIELDS.get(kind.storage_key, ())
        if not known:
            raise statuses.bad_request(f"field label not supported: {name}")
        wanted[name] = (operator != "!=", value)
    return wanted or None


def matches_fields(wanted: dict[str, tuple[bool, str]], obj: Object) -> bool:
    return all((_field(obj, name) == value) is equal for name, (equal, value) in wanted.items())


def _field(obj: Object, name: str) -> str:
    at: Any = obj
    if name == "source":
        return str((obj.get("source") or {}).get("component") or obj.get("reportingComponent") or "")
    for part in name.split("."):
        at = at.get(part) if isinstance(at, dict) else None
    if at is None:
        return _UNSET.get(name, "")
    return str(at).lower() if isinstance(at, bool) else str(at)
