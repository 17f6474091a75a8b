"""One view of a type, whether it comes from Kubernetes' own OpenAPI or from a CRD.

Merging, server-side apply, pruning, defaulting and strict field checks all walk a value beside a `Node`. A node is a
window on an OpenAPI schema: references are followed, and children made, when they are first asked for (JSONSchemaProps
contains itself, and most of Pod is never visited).

Rules of the list and map types: Kubernetes' "Structured Merge and Diff", and for CRDs the x-kubernetes-* extensions.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

ListType = Literal["atomic", "set", "map"]
DROPPED = "x-dropped"
"""Where types.json.gz keeps what `Node.dropped` tells."""
MICRO = "x-micro"
"""Marks the type of times that count microseconds."""
ZEROS = "x-zeros"
"""Where types.json.gz keeps what `Node.zeros` tells."""
_SCALARS = frozenset(["string", "integer", "number", "boolean"])
_PLAIN: Mapping[str, type] = {"string": str, "integer": int, "boolean": bool}


class Node:
    """A type at some place. Compare by identity; never changed after it is made.

    What every walk asks of every node (`type`, `is_scalar`, `free`) is worked out once, when the node is made.
    """

    __slots__ = (
        "_additional",
        "_always",
        "_as_native",
        "_fields",
        "_items",
        "always_present",
        "dropped",
        "free",
        "int_or_string",
        "is_scalar",
        "native",
        "plain",
        "properties",
        "quantity",
        "raw",
        "time",
        "type",
        "types",
        "zeros",
    )

    def __init__(self, raw: Mapping[str, Any], types: Mapping[str, Mapping[str, Any]], native: bool) -> None:
        self.raw = _resolved(raw, types)
        self.types = types
        self.native = native
        self._fields: dict[str, Node] = {}
        self._items: Node | None = None
        self._additional: Node | None = None
        self._always: tuple[tuple[str, Node], ...] | None = None
        self._as_native: Node | None = None
        self.dropped: frozenset[str] = frozenset(self.raw.get(DROPPED) or ()) if native else frozenset()
        """Scalars that Kubernetes' Go types do not serialize when they are zero, empty or false."""
        self.zeros: Mapping[str, Any] = (self.raw.get(ZEROS) or {}) if native else {}
        """Fields that they serialize with their zero value, null for times and lists."""
        self.properties: Mapping[str, Any] = self.raw.get("properties") or {}
        self.type: str = self.raw.get("type", "")
        """ "object", "array", a scalar's type, or "" for anything (int-or-string included)."""
        self.int_or_string = bool(self.raw.get("x-kubernetes-int-or-string")) or (
            self.raw.get("format") == "int-or-string"
        )
        self.is_scalar = self.type in _SCALARS or ("oneOf" in self.raw and native) or self.int_or_string
        self.quantity = native and "oneOf" in self.raw and not self.int_or_string
        self.time = native and self.raw.get("format") == "date-time"
        is_plain = self.is_scalar and not (self.quantity or self.time or self.int_or_string)
        self.plain: type | None = _PLAIN.get(self.type) if is_plain else None
        """Of what Python type a value needs no further look; None where it needs one in any case."""
        is_map = self.raw.get("additionalProperties") not in (None, False)
        self.free = not (self.is_scalar or self.properties or is_map or self.type == "array")
        """Nothing is known of what is inside (RawExtension, `x-kubernetes-preserve-unknown-fields` without fields)."""
        self.always_present = native and self.raw.get("default") == {} and "properties" in self.raw
        """A struct that is no pointer in Kubernetes' Go types: serialized even when empty."""

    @property
    def required(self) -> Iterable[str]:
        names: Iterable[str] = self.raw.get("required") or ()
        return names

    def field(self, name: str) -> "Node | None":
        """The declared field; not the value of a map."""
        node = self._fields.get(name)
        if node is None:
            raw = self.properties.get(name)
            if raw is None:
                return None
            node = self._fields[name] = Node(raw, self.types, self.native)
        return node

    def child(self, name: str) -> "Node":
        """The type of the value at `name`: declared, a map's value, or anything."""
        return self.field(name) or self.map_value or ANY

    @property
    def map_value(self) -> "Node | None":
        if self._additional is None:
            raw = self.raw.get("additionalProperties")
            if raw is None or raw is False:
                return None
            self._additional = Node({} if raw is True else raw, self.types, self.native)
        return self._additional

    @property
    def items(self) -> "Node":
        if self._items is None:
            self._items = Node(self.raw.get("items") or {}, self.types, self.native)
        return self._items

    @property
    def as_native(self) -> "Node":
        """The same type with the rules of Go types: metadata has them within custom objects, too."""
        if self._as_native is None:
            self._as_native = self if self.native else Node(self.raw, self.types, True)
        return self._as_native

    @property
    def is_struct(self) -> bool:
        return "properties" in self.raw

    @property
    def is_map(self) -> bool:
        return not self.properties and self.map_value is not None

    @property
    def preserves_unknown(self) -> bool:
        if self.raw.get("x-kubernetes-preserve-unknown-fields"):
            return True
        return self.native and self.free

    @property
    def embedded(self) -> bool:
        return bool(self.raw.get("x-kubernetes-embedded-resource"))

    @property
    def list_type(self) -> ListType:
        found: ListType = self.raw.get("x-kubernetes-list-type", "atomic")
        return found

    @property
    def list_keys(self) -> list[str]:
        found: list[str] = self.raw.get("x-kubernetes-list-map-keys") or []
        return found

    @property
    def map_atomic(self) -> bool:
        return bool(self.raw.get("x-kubernetes-map-type") == "atomic")

    @property
    def patch_strategies(self) -> list[str]:
        return str(self.raw.get("x-kubernetes-patch-strategy", "")).split(",")

    @property
    def patch_merge_key(self) -> str:
        found: str = self.raw.get("x-kubernetes-patch-merge-key", "")
        return found

    @property
    def always_present_fields(self) -> "tuple[tuple[str, Node], ...]":
        """The fields that are there even when nobody wrote them."""
        if self._always is None:
            fields = ((name, self.field(name)) for name in self.properties)
            self._always = tuple((name, field) for name, field in fields if field is not None and field.always_present)
        return self._always


def _resolved(raw: Mapping[str, Any], types: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Follow `$ref`, also the one wrapped in allOf that Kubernetes' v3 documents use; the outer keys win."""
    reference = raw.get("$ref")
    wrapped = raw.get("allOf")
    if reference is None and wrapped and len(wrapped) == 1 and "$ref" in wrapped[0]:
        reference = wrapped[0]["$ref"]
    if reference is None:
        return raw
    outer = {key: value for key, value in raw.items() if key not in ("$ref", "allOf")}
    return {**types.get(reference.rsplit("/", 1)[1], {}), **outer}


ANY = Node({}, {}, False)
