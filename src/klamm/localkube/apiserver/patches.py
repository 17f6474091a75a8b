"""JSON patch (RFC 6902), JSON merge patch (RFC 7386) and Kubernetes' strategic merge patch.

All are pure: they return a new value and share unchanged parts with the old one.
"""

import copy
from dataclasses import dataclass
from typing import Any

from klamm.localkube.apiserver import statuses
from klamm.localkube.apiserver.schema import ANY, Node
from klamm.localkube.objects import Object, Refused


def merge_patch(value: Any, patch: Any) -> Any:
    """RFC 7386: null takes away, objects merge, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(value) if isinstance(value, dict) else {}
    for name, change in patch.items():
        if change is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), change)
    return merged


# JSON patch


def json_patch(value: Object, operations: Any) -> Object:
    """Apply the operations in order; Refused 422 when one cannot be done, 400 when it is not an operation."""
    if not isinstance(operations, list):
        raise statuses.bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
        )
    if len(operations) > 10_000:
        raise Refused(413, "RequestEntityTooLarge", "The allowed maximum operations in a JSON patch is 10000")
    result: Any = copy.deepcopy(value)
    for operation in operations:
        if not isinstance(operation, dict):
            raise statuses.bad_request("error decoding patch: an operation of a JSON patch is an object")
        try:
            result = _operate(result, operation)
        except _CannotPatch as error:
            # Kubernetes tells no more; which operation failed stands in the cause, for who looks.
            told = "the server rejected our request due to an error in our request"
            raise Refused(422, "Invalid", told) from error
    if not isinstance(result, dict):
        raise statuses.bad_request("the patched document is not an object")
    return result


class _CannotPatch(Exception):
    pass


def _operate(document: Any, operation: dict[str, Any]) -> Any:
    kind = operation.get("op")
    path = _pointer(operation.get("path"))
    if kind == "add":
        return _add(document, path, copy.deepcopy(_value(operation)))
    if kind == "remove":
        return _remove(document, path)
    if kind == "replace":
        _check_replaced(document, path)
        if not path:
            return copy.deepcopy(_value(operation))
        return _put(document, path, copy.deepcopy(_value(operation)))
    if kind == "test":
        have = _get(document, path, missing=None)
        if have != operation.get("value"):
            raise _CannotPatch(f"testing value {operation.get('path')} failed")
        return document
    if kind in ("move", "copy"):
        source = _pointer(operation.get("from"))
        moved = copy.deepcopy(_get(document, source))
        return _add(_remove(document, source) if kind == "move" else document, path, moved)
    raise _CannotPatch(f"Unexpected kind: {kind}")


def _check_replaced(document: Any, path: list[str]) -> None:
    """The API server's library lets a missing field of an object be replaced, and no missing item of a list."""
    parent = _get(document, path[:-1]) if path else document
    if not isinstance(parent, dict):
        _get(document, path)


def _value(operation: dict[str, Any]) -> Any:
    if "value" not in operation:
        raise _CannotPatch(f"{operation.get('op')} operation must have a value")
    return operation["value"]


def _pointer(text: Any) -> list[str]:
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise _CannotPatch(f"{text!r} is no JSON pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


_RAISE: Any = object()


def _get(document: Any, path: list[str], missing: Any = _RAISE) -> Any:
    at = document
    for part in path:
        try:
            at = at[_index(part, len(at))] if isinstance(at, list) else at[part]
        except (KeyError, TypeError, IndexError) as error:
            if missing is not _RAISE:
                return missing
            raise _CannotPatch(f"the path /{'/'.join(path)} does not exist") from error
    return at


def _index(part: str, length: int) -> int:
    if not part.lstrip("-").isdigit():
        raise _CannotPatch(f"{part!r} is no index of a list")
    index = int(part)
    if not 0 <= index < length:
        raise _CannotPatch(f"index {index} is out of range")
    return index


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent = _get(document, path[:-1])
    if isinstance(parent, list):
        parent.insert(len(parent) if path[-1] == "-" else _index(path[-1], len(parent) + 1), value)
    elif isinstance(parent, dict):
        parent[path[-1]] = value
    else:
        raise _CannotPatch(f"/{'/'.join(path[:-1])} holds no fields")
    return document


def _put(document: Any, path: list[str], value: Any) -> Any:
    parent = _get(document, path[:-1])
    if isinstance(parent, list):
        parent[_index(path[-1], len(parent))] = value
    else:
        parent[path[-1]] = value
    return document


def _remove(document: Any, path: list[str]) -> Any:
    if not path:
        raise _CannotPatch("the whole document cannot be removed")
    _get(document, path)
    parent = _get(document, path[:-1])
    if isinstance(parent, list):
        del parent[_index(path[-1], len(parent))]
    else:
        del parent[path[-1]]
    return document


# Strategic merge patch

_DIRECTIVE = "$patch"
_DELETE_FROM = "$deleteFromPrimitiveList/"
_ORDER = "$setElementOrder/"
_RETAIN = "$retainKeys"


def strategic_merge(value: Any, patch: Any, node: Node) -> Any:
    """Kubernetes' strategic merge patch: lists with a patch merge key merge by it, directives as documented."""
    if not isinstance(patch, dict):
        return patch
    directive = patch.get(_DIRECTIVE)
    if directive == "replace":
        return {name: child for name, child in patch.items() if name != _DIRECTIVE}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise statuses.bad_request(f"Unknown patch type found: {directive}")
    merged = dict(value) if isinstance(value, dict) else {}
    _retain(merged, patch)
    for name, change in patch.items():
        if name in (_DIRECTIVE, _RETAIN) or name.startswith(_ORDER):
            continue
        if name.startswith(_DELETE_FROM):
            _delete_from(merged, name.removeprefix(_DELETE_FROM), change)
            continue
        _merge_field(merged, name, change, node.child(name))
    for name, order in patch.items():
        if name.startswith(_ORDER):
            _reorder(merged, name.removeprefix(_ORDER), order, node)
    return merged


def _retain(merged: dict[str, Any], patch: dict[str, Any]) -> None:
    kept = patch.get(_RETAIN)
    if kept is None:
        return
    if not isinstance(kept, list):
        raise statuses.bad_request("invalid patch format of retainKeys")
    for name in list(merged):
        if name not in kept:
            del merged[name]


def _delete_from(merged: dict[str, Any], field: str, change: Any) -> None:
    have = merged.get(field)
    if isinstance(have, list) and isinstance(change, list):
        merged[field] = [each for each in have if each not in change]


def _merge_field(merged: dict[str, Any], name: str, change: Any, node: Node) -> None:
    have = merged.get(name)
    if change is None:
        merged.pop(name, None)
    elif isinstance(change, dict):
        replaces = "replace" in node.patch_strategies and "retainKeys" not in node.patch_strategies
        merged[name] = strategic_merge({} if replaces else have, change, node)
    elif isinstance(change, list) and "merge" in node.patch_strategies:
        merged[name] = _merge_list(have if isinstance(have, list) else [], change, node)
    elif isinstance(change, list):
        merged[name] = [_plain(each) for each in change if not _is_directive(each)]
    else:
        merged[name] = change


def _is_directive(item: Any) -> bool:
    return isinstance(item, dict) and _DIRECTIVE in item and len(item) == 1


def _plain(item: Any) -> Any:
    """A new item: nulls and directives in it have nothing to act on."""
    return strategic_merge({}, item, ANY) if isinstance(item, dict) else item


def _merge_list(have: list[Any], change: list[Any], node: Node) -> list[Any]:
    key = node.patch_merge_key
    if not key:
        if not all(map(_is_plain_value, change)):
            raise statuses.bad_request("list element types are not identical: this one holds plain values only")
        return _in_patch_order(have, list(dict.fromkeys(change)), have)
    if any(isinstance(each, dict) and each.get(_DIRECTIVE) == "replace" for each in change):
        return [_without_directive(each) for each in change if not _is_directive(each)]
    result = list(have)
    for item in change:
        if not isinstance(item, dict):
            raise statuses.bad_request(f"a list that merges by {key} holds objects only")
        if item.get(_DIRECTIVE) != "delete" and key not in item:
            raise statuses.bad_request(f"map: {item} does not contain declared merge key: {key}")
        if not _is_plain_value(item.get(key)):
            raise statuses.bad_request(f"map: {item} has no plain value as its merge key: {key}")
        result = _merge_item(result, item, key, node)
    merged = {each.get(key): each for each in result}
    patched = [item[key] for item in change if item.get(key) in merged]
    order = _in_patch_order(list(merged), list(dict.fromkeys(patched)), [each.get(key) for each in have])
    return [merged[one] for one in order]


def _is_plain_value(value: Any) -> bool:
    """What can be compared; Kubernetes cuts the connection at anything else."""
    return not isinstance(value, dict | list)


def _in_patch_order(merged: list[Any], patched: list[Any], before: list[Any]) -> list[Any]:
    """What was patched in the patch's order, and ahead of each what had stood `before` it."""
    waiting = [each for each in merged if each not in patched]
    order: list[Any] = []
    for item in patched:
        if item in before:
            earlier = [each for each in waiting if before.index(each) < before.index(item)]
            order += earlier
            waiting = waiting[len(earlier) :]
        order.append(item)
    return order + waiting


def _without_directive(item: Any) -> Any:
    return {name: child for name, child in item.items() if name != _DIRECTIVE} if isinstance(item, dict) else item


def _merge_item(items: list[Any], item: dict[str, Any], key: str, node: Node) -> list[Any]:
    wanted = item.get(key)
    if item.get(_DIRECTIVE) == "delete":
        return [each for each in items if each.get(key) != wanted]
    for index, each in enumerate(items):
        if each.get(key) == wanted:
            items[index] = strategic_merge(each, item, node.items)
            return items
    return [*items, strategic_merge({}, item, node.items)]


def _reorder(merged: dict[str, Any], name: str, order: Any, parent: Node) -> None:
    if not isinstance(order, list):
        raise statuses.bad_request(f"{_ORDER}{name} is no list")
    items = merged.get(name)
    if not isinstance(items, list):
        return
    key = parent.child(name).patch_merge_key
    wanted = [each.get(key) if key and isinstance(each, dict) else each for each in order]
    listed = [each for each in items if _sort_key(each, key) in wanted]
    listed.sort(key=lambda each: wanted.index(_sort_key(each, key)))
    result: list[Any] = []
    for each in items:
        if _sort_key(each, key) in wanted:
            result.append(listed.pop(0))
        else:
            result.append(each)
    merged[name] = result


def _sort_key(item: Any, key: str) -> Any:
    return item.get(key) if key and isinstance(item, dict) else item


# The four sorts, as a request carries them


@dataclass(frozen=True, slots=True)
class Json:
    operations: Any

    def on(self, obj: Object, node: Node) -> Object:
        return json_patch(obj, self.operations)


@dataclass(frozen=True, slots=True)
class Merge:
    change: Object

    def on(self, obj: Object, node: Node) -> Object:
        merged: Object = merge_patch(obj, self.change)
        return merged


@dataclass(frozen=True, slots=True)
class StrategicMerge:
    change: Object

    def on(self, obj: Object, node: Node) -> Object:
        merged: Object = strategic_merge(obj, self.change, node)
        return merged


@dataclass(frozen=True, slots=True)
class Apply:
    config: Object


Patch = Json | Merge | StrategicMerge | Apply
