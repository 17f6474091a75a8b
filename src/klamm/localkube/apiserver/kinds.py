"""The native kinds that are served: discovery entries and types, read from types.json.gz."""

import gzip
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from klamm.localkube.apiserver.schema import ANY, Node
from klamm.localkube.objects import Resource


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a Table. `path` (JSONPath without braces) for CRDs; native kinds make their cells in code."""

    name: str
    type: str = "string"
    path: str = ""
    priority: int = 0
    description: str = ""
    format: str = ""


@dataclass(frozen=True, slots=True)
class Subresource:
    name: str
    kind: str
    verbs: tuple[str, ...]
    group_version: str = ""
    """When it differs from the parent's, e.g. autoscaling/v1 for scale."""


@dataclass(frozen=True, eq=False, slots=True)
class Kind:
    """A served resource in one version, with all that the rules need to know of it."""

    resource: Resource
    singular: str
    verbs: tuple[str, ...]
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()
    node: Node = ANY
    storage_version: str = ""
    """"group/version" in which objects are kept; versions of one resource share their storage."""
    custom: bool = False
    columns: tuple[Column, ...] = ()
    scale: dict[str, str] = field(default_factory=dict)
    storage_hash: str = ""
    """By which clients tell that two groups keep the same objects."""
    deprecation: str = ""
    """What requests are warned with."""
    selectable: tuple[str, ...] = ()
    """Fields of a custom kind that selectors may ask for."""
    list_kind: str = ""
    type_name: str = ""
    """Name of the type in OpenAPI documents."""

    @property
    def storage_key(self) -> str:
        key = f"{self.resource.group}/{self.resource.plural}"
        return _SHARED_STORAGE.get(key, key)

    @property
    def has_status(self) -> bool:
        return any(each.name == "status" for each in self.subresources)

    def subresource(self, name: str) -> Subresource | None:
        return next((each for each in self.subresources if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Table:
    types: dict[str, dict[str, Any]]
    kinds: tuple[Kind, ...]


@cache
def table() -> Table:
    """Read once per process (some milliseconds): the types are facts, not state."""
    packed = Path(__file__).with_name("types.json.gz").read_bytes()
    facts = msgspec.json.decode(gzip.decompress(packed))
    types: dict[str, dict[str, Any]] = facts["types"]
    names = _type_names(types)
    kinds = []
    for group_version, entries in facts["discovery"].items():
        kinds += _kinds_of(group_version, entries, types, names)
    return Table(types, tuple(kinds))


def type_named(name: str) -> Node:
    """The fields of a type that is no kind of its own, such as TokenRequest."""
    types = table().types
    return Node(types[name], types, True)


def _type_names(types: dict[str, dict[str, Any]]) -> dict[tuple[str, str], str]:
    found = {}
    for name, schema in types.items():
        for gvk in schema.get("x-kubernetes-group-version-kind", ()):
            api_version = f"{gvk['group']}/{gvk['version']}" if gvk["group"] else gvk["version"]
            found[api_version, gvk["kind"]] = name
    return found


def _kinds_of(
    group_version: str,
    entries: list[dict[str, Any]],
    types: dict[str, dict[str, Any]],
    names: dict[tuple[str, str], str],
) -> list[Kind]:
    group, _, version = group_version.rpartition("/")
    kinds = []
    for entry in entries:
        if "/" in entry["name"]:
            continue
        resource = Resource(group, version, entry["name"], entry["kind"], entry["namespaced"])
        type_name = names.get((group_version, entry["kind"]), "")
        kinds.append(
            Kind(
                resource,
                entry["singularName"],
                tuple(entry["verbs"]),
                tuple(entry.get("shortNames", ())),
                tuple(entry.get("categories", ())),
                _subresources(entry["name"], entries),
                Node(types[type_name], types, True) if type_name else ANY,
                _STORED_AS.get(group_version, group_version),
                storage_hash=entry.get("storageVersionHash", ""),
                deprecation=_DEPRECATED.get((group_version, entry["name"]), ""),
                list_kind=f"{entry['kind']}List",
                type_name=type_name,
            )
        )
    return kinds


_DEPRECATED = {
    ("v1", "endpoints"): "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}
# One store, two views: an Event is the same object in both groups.
_STORED_AS = {"events.k8s.io/v1": "v1"}
_SHARED_STORAGE = {"events.k8s.io/events": "/events"}


def _subresources(plural: str, entries: list[dict[str, Any]]) -> tuple[Subresource, ...]:
    found = []
    for entry in entries:
        parent, _, name = entry["name"].partition("/")
        if parent == plural and name:
            version = entry.get("version", "")
            group_version = f"{entry['group']}/{version}" if entry.get("group") else version
            found.append(Subresource(name, entry["kind"], tuple(entry["verbs"]), group_version))
    return tuple(found)
