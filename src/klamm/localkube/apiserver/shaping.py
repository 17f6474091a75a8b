"""Brings a received object into the form that its type allows, and says what was unknown on the way.

Native objects go through what Kubernetes' Go types would do to them: unknown fields and nulls vanish, so do empty
lists and maps unless they are required; structs that are no pointers are there even when empty (`status: {}`,
`resources: {}`), and so are the zero values of fields without omitempty. Custom objects are pruned by their structural
schema: unknown fields vanish except under `x-kubernetes-preserve-unknown-fields`.
"""

import json
from collections.abc import Iterator
from typing import Any

from klamm.localkube.apiserver import moments
from klamm.localkube.apiserver.quantities import RULE, canonical
from klamm.localkube.apiserver.schema import MICRO, Node
from klamm.localkube.objects import Object

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_GO_TYPES = {str: "string", bool: "bool", int: "number", float: "number", list: "array", dict: "object"}


class WrongType(Exception):
    """A native field holds a value of another JSON type. `str()` tells where and what."""


_ABSENT: Any = object()


def shape_native(value: Any, node: Node, unknown: list[str], path: str = "") -> Any:
    """A new value as the Go types would hold it. Unknown fields' paths are added to `unknown`."""
    if node.is_scalar or node.free:
        if node.quantity:
            return _quantity(value, node, path)
        if not node.free:
            _check_scalar(value, node, path)
        return _time(value, node) if node.time else value
    if isinstance(value, dict) and (node.properties or node.map_value):
        return _shape_struct(value, node, unknown, path) if node.properties else _shape_map(value, node, unknown, path)
    if isinstance(value, list) and node.type == "array":
        items = node.items
        shaped = [shape_native(each, items, unknown, f"{path}[{index}]") for index, each in enumerate(value)]
        return [{} if each is None and items.is_struct else each for each in shaped]
    raise WrongType(_mismatch(value, node, path))


def _mismatch(value: Any, node: Node, path: str) -> str:
    want = node.raw.get("format") or node.type or "object"
    return f"json: cannot unmarshal {_GO_TYPES.get(type(value), 'null')} into Go struct field {path} of type {want}"


def _check_scalar(value: Any, node: Node, path: str) -> None:
    wanted = _PYTHON_TYPES.get(node.type)
    if wanted is None:
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise WrongType(_mismatch(value, node, path))
        return
    if node.raw.get("format") == "int-or-string" or (node.type == "number" and isinstance(value, int)):
        return
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        raise WrongType(_mismatch(value, node, path))


def _time(value: str, node: Node) -> str:
    try:
        return moments.canonical(value, MICRO in node.raw)
    except moments.WrongTime as error:
        raise WrongType(str(error)) from error


def _quantity(value: Any, node: Node, path: str) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise WrongType(_mismatch(value, node, path))
    found = canonical(str(value))
    if found is None:
        raise WrongType(RULE)
    return found


def _shape_map(value: dict[str, Any], node: Node, unknown: list[str], path: str) -> dict[str, Any]:
    of = node.map_value
    assert of is not None
    shaped: dict[str, Any] = {}
    for name, child in value.items():
        if child is None:
            shaped[name] = "" if of.type == "string" else None
        elif type(child) is of.plain:
            shaped[name] = child
        else:
            shaped[name] = shape_native(child, of, unknown, f"{path}.{name}" if path else name)
    return shaped


def _shape_struct(value: dict[str, Any], node: Node, unknown: list[str], path: str) -> dict[str, Any]:
    shaped: dict[str, Any] = {}
    for name, child in value.items():
        field = node.field(name)
        if field is not None and type(child) is field.plain:
            if child or name not in node.dropped:
                shaped[name] = child
            continue
        at = f"{path}.{name}" if path else name
        if field is None:
            unknown.append(at)
            continue
        if child is None:
            continue
        result = shape_native(child, field, unknown, at)
        if result in ({}, []) and not _kept_empty(name, field, node):
            continue
        if name in node.dropped and not result:
            continue
        shaped[name] = result
    for name, field in node.always_present_fields:
        if name not in shaped:
            shaped[name] = _shape_struct({}, field, unknown, path)
    for name, zero in node.zeros.items():
        if name not in shaped:
            shaped[name] = zero
    return shaped


def _kept_empty(name: str, field: Node, parent: Node) -> bool:
    if name == "managedFields":
        return True  # said to be empty, it resets who owns what
    return field.is_struct or field.free or name in parent.required or parent.zeros.get(name, _ABSENT) is None


def prune_custom(value: Any, node: Node, unknown: list[str], path: str = "") -> Any:
    """A new value without what the structural schema does not know."""
    if isinstance(value, dict):
        if node.embedded:
            return _prune_embedded(value, node, unknown, path)
        return {name: child for name, child in _pruned_fields(value, node, unknown, path)}
    if isinstance(value, list):
        items = node.items
        return [prune_custom(each, items, unknown, f"{path}[{index}]") for index, each in enumerate(value)]
    return value


def _pruned_fields(value: dict[str, Any], node: Node, unknown: list[str], path: str) -> list[tuple[str, Any]]:
    kept = []
    for name, child in value.items():
        at = f"{path}.{name}" if path else name
        field = node.field(name) or node.map_value
        if field is not None:
            kept.append((name, prune_custom(child, field, unknown, at)))
        elif node.preserves_unknown:
            kept.append((name, child))
        else:
            unknown.append(at)
    return kept


def _prune_embedded(value: dict[str, Any], node: Node, unknown: list[str], path: str) -> dict[str, Any]:
    """An object in an object always has apiVersion, kind and metadata."""
    meta: dict[str, Any] = {name: value[name] for name in ("apiVersion", "kind", "metadata") if name in value}
    rest = {name: child for name, child in value.items() if name not in meta}
    return {**meta, **dict(_pruned_fields(rest, node, unknown, path))}


def default_custom(value: Any, node: Node) -> Any:
    """A new value with the schema's defaults; nulls of fields that are not nullable vanish."""
    if isinstance(value, dict):
        result = {}
        for name, child in value.items():
            field = node.field(name) or node.map_value
            if field is None:
                result[name] = child
            elif child is not None or field.raw.get("nullable"):
                result[name] = default_custom(child, field)
        for name in node.properties:
            field = node.field(name)
            if name not in result and field is not None and "default" in field.raw:
                result[name] = default_custom(json.loads(json.dumps(field.raw["default"])), field)
        return result
    if isinstance(value, list):
        return [default_custom(each, node.items) for each in value]
    return value


# Reading JSON with an eye on fields that come twice


class _Twice(dict[str, Any]):
    names: tuple[str, ...] = ()


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    seen: set[str] = set()
    twice = _Twice(made)
    twice.names = tuple(dict.fromkeys(name for name, _ in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]
    return twice


def duplicate_fields(body: bytes) -> list[str]:
    """Paths of the fields that a JSON document gives more than once."""
    found: list[str] = []
    _find_twice(json.loads(body, object_pairs_hook=_pairs), "", found)
    return found


def _find_twice(value: Any, path: str, found: list[str]) -> None:
    if isinstance(value, dict):
        if isinstance(value, _Twice):
            found += [f"{path}.{name}" if path else name for name in value.names]
        for name, child in value.items():
            _find_twice(child, f"{path}.{name}" if path else name, found)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            _find_twice(child, f"{path}[{index}]", found)


def fields_in_order(value: Any) -> dict[str, int]:
    """The place of each field of a document, by its path."""
    return {path: place for place, path in enumerate(_paths(value, ""))}


def _paths(value: Any, at: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, child in value.items():
            path = f"{at}.{name}" if at else name
            yield path
            yield from _paths(child, path)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _paths(child, f"{at}[{index}]")


def ordered(obj: Object) -> Object:
    """apiVersion and kind first, as every reader expects, then metadata."""
    first: Object = {name: obj[name] for name in ("apiVersion", "kind", "metadata") if name in obj}
    return {**first, **obj}
