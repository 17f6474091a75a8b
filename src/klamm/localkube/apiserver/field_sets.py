"""Sets of fields: who owns what, as server-side apply sees a value.

A path is a tuple of elements in the notation of FieldsV1: "f:spec", 'k:{"name":"a"}', 'v:"x"', "i:0". The rules of
what counts as a field of its own are those of Kubernetes' structured merge and diff: scalars, atomic lists and maps,
items of associative lists, empty structs, keys of maps.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from klamm.localkube.apiserver.schema import ANY, Node

Path = tuple[str, ...]
FieldSet = set[Path]
_encoder = msgspec.json.Encoder(order="sorted")
_encode = msgspec.json.Encoder().encode


class DuplicateItem(Exception):
    """An associative list holds the same key twice, which no path can tell apart."""


def _text(value: Any) -> str:
    return _encoder.encode(value).decode()


def element_of(item: Any, node: Node) -> str:
    """The path element of an item in an associative list; keys that are left out count as their default."""
    if node.list_type == "set":
        return f"v:{_text(item)}"
    keys = {}
    for name in node.list_keys:
        value = item.get(name) if isinstance(item, dict) else None
        if value is None:
            of = node.items.field(name)
            value = of.raw.get("default") if of else None
        if value is not None:
            keys[name] = value
    return f"k:{_text(keys)}"


def items_by_element(value: list[Any], node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in value:
        element = element_of(item, node)
        if element in found and node.list_type == "map":
            raise DuplicateItem(element)
        found.setdefault(element, item)
    return found


def is_atomic_list(node: Node) -> bool:
    return node.list_type == "atomic"


def fields_of(value: Any, node: Node) -> FieldSet:
    """Every field that the value sets."""
    found: FieldSet = set()
    _collect(value, node, (), found)
    return found


def _collect(value: Any, node: Node, path: Path, found: FieldSet) -> None:
    if isinstance(value, dict) and not node.map_atomic and not node.is_scalar:
        for name, child in value.items():
            inner = (*path, f"f:{name}")
            _collect(child, node.child(name), inner, found)
            if child is None or child == {} or node.field(name) is None:
                found.add(inner)
    elif isinstance(value, list) and not is_atomic_list(node):
        for element, item in items_by_element(value, node).items():
            inner = (*path, element)
            _collect(item, node.items, inner, found)
            found.add(inner)
    elif value is not None or path:
        found.add(path)


@dataclass(slots=True)
class Comparison:
    added: FieldSet = field(default_factory=set)
    modified: FieldSet = field(default_factory=set)
    removed: FieldSet = field(default_factory=set)


_ABSENT: Any = object()


def compare(old: Any, new: Any, node: Node) -> Comparison:
    """What a write changed, field by field."""
    found = Comparison()
    _compare(old, new, node, (), found)
    return found


def _compare(old: Any, new: Any, node: Node, path: Path, found: Comparison) -> None:
    leaf = _is_leaf(old, new, node)
    if leaf:
        if old is _ABSENT:
            found.added.add(path)
        elif new is _ABSENT:
            found.removed.add(path)
        elif not _same(old, new):
            found.modified.add(path)
        return
    if isinstance(_present(old, new), dict):
        _compare_maps(old, new, node, path, found)
    else:
        _compare_lists(old, new, node, path, found)
    if old is _ABSENT:
        found.added.add(path)
    elif new is _ABSENT:
        found.removed.add(path)


def _same(old: Any, new: Any) -> bool:
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)


def _present(old: Any, new: Any) -> Any:
    return new if new is not _ABSENT and new is not None else old


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_leaf(old: Any, new: Any, node: Node) -> bool:
    value = _present(old, new)
    other = old if value is new else new
    if other is not _ABSENT and other is not None and type(other) is not type(value):
        return True
    if isinstance(value, dict):
        return node.map_atomic or node.is_scalar or (not value and not _mapping(other))
    if isinstance(value, list):
        return is_atomic_list(node)
    return True


def _compare_maps(old: Any, new: Any, node: Node, path: Path, found: Comparison) -> None:
    before, after = _mapping(old), _mapping(new)
    for name in {**before, **after}:
        was, now = before.get(name, _ABSENT), after.get(name, _ABSENT)
        if was is not _ABSENT and now is not _ABSENT and _equal(was, now):
            continue
        child = node.child(name)
        if was is _ABSENT and old is not _ABSENT:
            was = _empty(name, child, node)
        if now is _ABSENT and new is not _ABSENT:
            now = _empty(name, child, node)
        _compare(was, now, child, (*path, f"f:{name}"), found)


def _equal(was: Any, now: Any) -> bool:
    """Whole branches that stayed as they are need no walk. Python takes True for 1, JSON does not."""
    return bool(was == now) and _encode(was) == _encode(now)


def _empty(name: str, child: Node, parent: Node) -> Any:
    """What a native field is when nobody set it: Go's structs are there, and required lists are null."""
    if child.always_present:
        return {}
    if name in parent.zeros:
        return parent.zeros[name]
    if parent.native and name in parent.required and not child.is_scalar:
        return None
    return _ABSENT


def _compare_lists(old: Any, new: Any, node: Node, path: Path, found: Comparison) -> None:
    before = items_by_element(old, node) if isinstance(old, list) else {}
    after = items_by_element(new, node) if isinstance(new, list) else {}
    for element in {**before, **after}:
        inner = (*path, element)
        _compare(before.get(element, _ABSENT), after.get(element, _ABSENT), node.items, inner, found)


def with_named_fields(fields: FieldSet, node: Node) -> FieldSet:
    """The set and the declared fields on the way to its members: who owns spec.a keeps spec from being pruned."""
    found = set(fields)
    seen: set[Path] = set()
    for path in fields:
        current = node
        for depth, element in enumerate(path[:-1], 1):
            prefix = path[:depth]
            if element.startswith("f:"):
                declared = current.field(element[2:])
                if declared is not None and prefix not in seen:
                    found.add(prefix)
                    seen.add(prefix)
                current = declared or current.map_value or ANY
            else:
                current = current.items
    return found


def without_fields(value: Any, node: Node, fields: FieldSet) -> Any:
    """A copy without the fields of the set, and all that is below them."""
    tree: dict[str, Any] = {}
    for path in fields:
        at = tree
        for element in path[:-1]:
            at = at.setdefault(element, {})
        at.setdefault(path[-1], {})[""] = True
    return _without(value, node, tree)


def _without(value: Any, node: Node, tree: dict[str, Any]) -> Any:
    if isinstance(value, dict) and not node.map_atomic:
        kept: Any = {}
        for name, child in value.items():
            below = tree.get(f"f:{name}")
            if below is None:
                kept[name] = child
            elif "" not in below:
                kept[name] = _without(child, node.child(name), below)
        return kept
    if isinstance(value, list) and not is_atomic_list(node):
        kept = []
        for item in value:
            below = tree.get(element_of(item, node))
            if below is None:
                kept.append(item)
            elif "" not in below:
                kept.append(_without(item, node.items, below))
        return kept
    return value


def to_fields_v1(fields: FieldSet) -> dict[str, Any]:
    """As managedFields carries it. Members that have children carry "."."""
    tree: dict[str, Any] = {}
    for path in sorted(fields):
        at = tree
        for element in path:
            at = at.setdefault(element, {})
    for path in fields:
        at = tree
        for element in path:
            at = at[element]
        if at and "." not in at:
            children = dict(at)
            at.clear()
            at["."] = {}
            at.update(children)
    return tree


def from_fields_v1(tree: dict[str, Any]) -> FieldSet:
    return set(_paths(tree, ()))


def _paths(tree: dict[str, Any], path: Path) -> Iterator[Path]:
    for element, below in tree.items():
        if element == ".":
            yield path
        elif below:
            yield from _paths(below, (*path, element))
        else:
            yield (*path, element)


def shown(path: Path) -> str:
    """As conflicts name a field: .spec.containers[name="a"].image"""
    text = ""
    for element in path:
        sort, _, rest = element.partition(":")
        if sort == "f":
            text += f".{rest}"
        elif sort == "k":
            keys = msgspec.json.decode(rest)
            text += "[" + ",".join(f"{name}={_text(value)}" for name, value in keys.items()) + "]"
        elif sort == "v":
            text += f"[={rest}]"
        else:
            text += f"[{rest}]"
    return text
