"""CustomResourceDefinitions turned into served kinds, and what the API server says about them in their status."""

from collections.abc import Iterator
from typing import Any

from klamm.localkube.apiserver.kinds import Column, Kind, Subresource, table
from klamm.localkube.apiserver.schema import Node
from klamm.localkube.apiserver.statuses import Cause, required
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
        list_kind=names.get("listKind", f"{names['kind']}List"),
        type_name=".".join([*reversed(spec["group"].split(".")), version["name"], names["kind"]]),
    )


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


def violations(definition: Object) -> Iterator[Cause]:
    spec = definition.get("spec") or {}
    names = spec.get("names") or {}
    for name in ("plural", "kind"):
        if not names.get(name):
            yield required(f"spec.names.{name}")
    if not spec.get("group"):
        yield required("spec.group")
    wanted = f"{names.get('plural')}.{spec.get('group')}"
    have = definition["metadata"].get("name", "")
    if have != wanted:
        text = f'Invalid value: "{have}": must be spec.names.plural+"."+spec.group'
        yield Cause("FieldValueInvalid", "metadata.name", text)
    versions = spec.get("versions") or []
    if sum(bool(each.get("storage")) for each in versions) != 1:
        text = "Invalid value: must have exactly one version marked as storage version"
        yield Cause("FieldValueInvalid", "spec.versions", text)
    for index, each in enumerate(versions):
        if not (each.get("schema") or {}).get("openAPIV3Schema"):
            yield required(f"spec.versions[{index}].schema.openAPIV3Schema", "schemas are required")
    strategy = (spec.get("conversion") or {}).get("strategy")
    if strategy not in (None, "None"):
        text = 'Forbidden: this server converts with strategy "None" only: it calls no webhooks'
        yield Cause("FieldValueForbidden", "spec.conversion.strategy", text)


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


def with_cleanup(definition: Object) -> Object:
    """The definition with the finalizer that waits for its objects."""
    metadata = definition["metadata"]
    finalizers = list(dict.fromkeys([*(metadata.get("finalizers") or []), CLEANUP]))
    return {**definition, "metadata": {**metadata, "finalizers": finalizers}}


def _condition(name: str, holds: bool, reason: str, message: str) -> Object:
    return {
        "type": name,
        "status": "True" if holds else "False",
        "lastTransitionTime": "",
        "reason": reason,
        "message": message,
    }
