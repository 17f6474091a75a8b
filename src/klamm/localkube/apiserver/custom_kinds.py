"""CustomResourceDefinitions turned into served kinds, and what the API server says about them in their status."""

import base64
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from klamm.localkube.apiserver.discovery import version_rank
from klamm.localkube.apiserver.kinds import Column, Kind, Subresource, table
from klamm.localkube.apiserver.schema import Node
from klamm.localkube.objects import Object, Resource

VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_META_REFERENCE = f"#/components/schemas/{_META}"


def kinds_of(definition: Object) -> Iterator[Kind]:
    """One kind per served version."""
    spec = definition["spec"]
    stored = next((each["name"] for each in spec["versions"] if each.get("storage")), "")
    for version in spec["versions"]:
        if version.get("served"):
            yield _kind(spec, version, f"{spec['group']}/{stored}")


def storage_node(definition: Object) -> Node:
    """The type that stored objects have."""
    version = next(each for each in definition["spec"]["versions"] if each.get("storage"))
    return node_of(version)


def node_of(version: dict[str, Any]) -> Node:
    raw = dict((version.get("schema") or {}).get("openAPIV3Schema") or {"x-kubernetes-preserve-unknown-fields": True})
    properties = dict(raw.get("properties") or {})
    raw["properties"] = {
        **properties,
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"$ref": _META_REFERENCE},
    }
    return Node(raw, table().types, False)


def _kind(spec: dict[str, Any], version: dict[str, Any], storage_version: str) -> Kind:
    names = spec["names"]
    resource = Resource(
        spec["group"], version["name"], names["plural"], names["kind"], spec.get("scope") == "Namespaced"
    )
    subresources = version.get("subresources") or {}
    return Kind(
        resource,
        names.get("singular", ""),
        VERBS,
        tuple(names.get("shortNames") or ()),
        tuple(names.get("categories") or ()),
        tuple(_subresources(names["kind"], subresources)),
        node_of(version),
        storage_version,
        custom=True,
        columns=tuple(_columns(version)),
        scale=subresources.get("scale") or {},
        storage_hash=_storage_hash(storage_version, names["kind"]),
        deprecation=_deprecation(spec, version),
        selectable=tuple(each["jsonPath"].lstrip(".") for each in version.get("selectableFields") or ()),
        list_kind=names.get("listKind", f"{names['kind']}List"),
        type_name=".".join([*reversed(spec["group"].split(".")), version["name"], names["kind"]]),
    )


def _storage_hash(group_version: str, kind: str) -> str:
    return base64.b64encode(sha256(f"{group_version}/{kind}".encode()).digest()[:8]).decode()


def _deprecation(spec: dict[str, Any], version: dict[str, Any]) -> str:
    """What every request to a deprecated version is warned with."""
    if not version.get("deprecated"):
        return ""
    if version.get("deprecationWarning"):
        return str(version["deprecationWarning"])
    group, kind = spec["group"], spec["names"]["kind"]
    others = [each["name"] for each in spec["versions"] if each.get("served") and not each.get("deprecated")]
    newer = [name for name in others if version_rank(name) < version_rank(version["name"])]
    told = f"{group}/{version['name']} {kind} is deprecated"
    return f"{told}; use {group}/{min(newer, key=version_rank)} {kind}" if newer else told


def _subresources(kind: str, declared: dict[str, Any]) -> Iterator[Subresource]:
    verbs = ("get", "patch", "update")
    if "status" in declared:
        yield Subresource("status", kind, verbs)
    if "scale" in declared:
        yield Subresource("scale", "Scale", verbs, "autoscaling/v1")


def _columns(version: dict[str, Any]) -> Iterator[Column]:
    declared = version.get("additionalPrinterColumns")
    if not declared:
        yield Column("Age", "date", ".metadata.creationTimestamp")
        return
    for column in declared:
        yield Column(
            column["name"],
            column["type"],
            column["jsonPath"],
            column.get("priority", 0),
            column.get("description", ""),
            column.get("format", ""),
        )


def note_stored(definition: Object) -> None:
    """A version that objects are stored in from now on is one that they may be stored in."""
    status = definition.setdefault("status", {})
    stored = [each["name"] for each in definition["spec"]["versions"] if each.get("storage")]
    status["storedVersions"] = list(dict.fromkeys([*(status.get("storedVersions") or []), *stored]))


def with_status(definition: Object, now: str, taken: str | None) -> Object:
    """The definition as accepted and established, or not accepted because another has `taken` its names."""
    spec = definition["spec"]
    old = definition.get("status") or {}
    stored = [each["name"] for each in spec["versions"] if each.get("storage")]
    versions = list(dict.fromkeys([*(old.get("storedVersions") or []), *stored]))
    accepted = taken is None
    conditions = [
        _condition(
            "NamesAccepted", accepted, "NoConflicts" if accepted else "NameConflict", taken or "no conflicts found"
        ),
        _condition(
            "Established",
            accepted,
            "InitialNamesAccepted" if accepted else "NotAccepted",
            "the initial names have been accepted" if accepted else "not all names are accepted",
        ),
    ]
    before = {each["type"]: each for each in old.get("conditions") or ()}
    for condition in conditions:
        same = before.pop(condition["type"], None)
        unchanged = same is not None and same["status"] == condition["status"]
        condition["lastTransitionTime"] = same["lastTransitionTime"] if same and unchanged else now
    status = {
        "conditions": [*conditions, *before.values()],
        "acceptedNames": spec["names"] if accepted else {"plural": "", "kind": ""},
        "storedVersions": versions,
    }
    return {**definition, "status": status}


def ending(definition: Object, now: str) -> Object:
    """The definition on its way out: with the finalizer that waits for its objects, and the condition that says so."""
    metadata, status = definition["metadata"], definition.get("status") or {}
    finalizers = list(dict.fromkeys([*(metadata.get("finalizers") or []), CLEANUP]))
    told = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
    condition = {**_condition("Terminating", True, "InstanceDeletionPending", told), "lastTransitionTime": now}
    others = [each for each in status.get("conditions") or () if each["type"] != "Terminating"]
    return {
        **definition,
        "metadata": {**metadata, "finalizers": finalizers},
        "status": {**status, "conditions": [*others, condition]},
    }


def _condition(name: str, holds: bool, reason: str, message: str) -> Object:
    return {
        "type": name,
        "status": "True" if holds else "False",
        "lastTransitionTime": "",
        "reason": reason,
        "message": message,
    }
