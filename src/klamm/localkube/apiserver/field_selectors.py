"""Field selectors, from their query strings to predicates. Source: Kubernetes' "Field Selectors".

Label selectors are those of `localkube.selectors`; a kind's fields are the few that a real API server indexes.
"""

import re
from typing import Any

from klamm.localkube.apiserver import statuses
from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.objects import Object

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
    for part in filter(str.strip, text.split(",")):
        match = re.match(r"^\s*([^=!\s]+)\s*(==|=|!=)\s*(.*?)\s*$", part)
        if match is None:
            raise statuses.bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        name, operator, value = match.groups()
        if "=" in value:
            raise statuses.bad_request(f"invalid field selector: unescaped character in value: {ord('=')}")
        own = _FIELDS.get(kind.storage_key, frozenset(kind.selectable))
        if name not in ("metadata.name", "metadata.namespace") and name not in own:
            if own:
                raise statuses.bad_request(f"field label not supported: {name}")
            told = f'"{name}" is not a known field selector: only "metadata.name", "metadata.namespace"'
            raise statuses.bad_request(told)
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
