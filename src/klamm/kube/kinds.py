"""What the client must know of a kind, and how one object is named.

A `Kind` ties a place in the API (group, version, plural) to the type that its objects are read into. Reading drops
every field that the type does not have; so the type decides what a cache keeps, and an object that was read must
not be written back as a whole unless its type is complete: apply what is ours, patch what we change.
"""

from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar
from urllib.parse import quote

import msgspec

from klamm.resources.native.metadata import ObjectMeta, OwnerReference


class Object(Protocol):
    """Anything with metadata: all the client itself asks of an object."""

    @property
    def metadata(self) -> ObjectMeta: ...


T = TypeVar("T", bound=Object)


class Name(NamedTuple):
    """The name of an object of a kind that is known: "kafka/my-cluster"; `namespace` is "" for cluster-wide kinds."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    group: str
    """"" for the core group."""
    version: str
    plural: str
    kind: str
    type_: type[T]
    namespaced: bool = True
    metadata_only: bool = False
    """Lists and watches ask for no more: of large objects, or many."""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The path of the collection (of one namespace or of all) or of one object; parts are escaped."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        if self.namespaced and namespace:
            root += f"/namespaces/{quote(namespace, safe='')}"
        parts = [self.plural, *(quote(part, safe="") for part in (name, subresource) if part)]
        return "/".join([root, *parts])

    def __str__(self) -> str:
        return self.kind


def name_of(obj: Object) -> Name:
    return Name(obj.metadata.namespace or "", obj.metadata.name or "")


def version_of(obj: Object) -> str:
    """Its resourceVersion, "" when it was never stored."""
    return obj.metadata.resource_version or ""


def owner_reference(kind: Kind[T], owner: T, *, controller: bool = True, block: bool = False) -> OwnerReference:
    """The reference by which what we make belongs to `owner` and goes with it."""
    return OwnerReference(
        api_version=kind.api_version,
        kind=kind.kind,
        name=owner.metadata.name or "",
        uid=owner.metadata.uid or "",
        controller=controller,
        block_owner_deletion=block,
    )


def as_json(kind: Kind[T], obj: T) -> dict[str, Any]:
    """The dictionary that is written, with apiVersion and kind whatever the type's defaults are."""
    return {**msgspec.to_builtins(obj), "apiVersion": kind.api_version, "kind": kind.kind}
