"""The forms of one object: as a client sends it, with its defaults, as it is stored, and in each served version."""

import base64
import re

from klamm.localkube.apiserver import defaults, event_views, shaping, statuses
from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.apiserver.schema import Node
from klamm.localkube.apiserver.write_rules import WriteOptions, cannot_handle, check_type, tell_unknown
from klamm.localkube.objects import Object

_BYTES = {"/secrets": "data", "/configmaps": "binaryData"}
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=]")


def received(kind: Kind, obj: Object, options: WriteOptions) -> Object:
    """The client's object in the type's own form, checked for fields that nobody knows."""
    check_type(kind, obj, options)
    unknown: list[str] = []
    try:
        shaped = _shaped_custom(kind, obj, unknown) if kind.custom else shaping.shape_native(obj, kind.node, unknown)
    except shaping.WrongType as error:
        raise statuses.bad_request(f"{cannot_handle(kind)}: {error}") from error
    _check_bytes(kind, shaped)
    tell_unknown(kind, unknown, options)
    shaped.setdefault("metadata", {})
    return shaping.ordered(shaped)


def _check_bytes(kind: Kind, obj: Object) -> None:
    """Fields of bytes travel as base64."""
    for value in (obj.get(_BYTES.get(kind.storage_key, "")) or {}).values():
        try:
            base64.b64decode(value or "", validate=True)
        except ValueError as error:
            strange = _NOT_BASE64.search(value)
            at = strange.start() if strange else len(value)
            raise statuses.bad_request(f"{cannot_handle(kind)}: illegal base64 data at input byte {at}") from error


def _shaped_custom(kind: Kind, obj: Object, unknown: list[str]) -> Object:
    of = kind.node.field("metadata")
    assert of is not None
    metadata = shaping.shape_native(obj.get("metadata") or {}, of.as_native, unknown, "metadata")
    rest = {name: value for name, value in obj.items() if name != "metadata"}
    pruned = shaping.prune_custom(rest, kind.node, unknown)
    unknown.sort()
    return {**pruned, "metadata": metadata}


def without_empty_lists(kind: Kind, obj: Object) -> Object:
    """Required lists are null when they hold nothing: the form in which Kubernetes keeps them knows no empty ones."""
    return {**obj, **{name: None for name, zero in kind.node.zeros.items() if zero is None and obj.get(name) == []}}


def defaulted(kind: Kind, obj: Object) -> Object:
    if kind.custom:
        return {**shaping.default_custom(obj, kind.node), "metadata": obj["metadata"]}
    defaults.apply_defaults(kind.resource.group, kind.resource.kind, obj)
    return obj


def in_version(kind: Kind, obj: Object) -> Object:
    """A stored object in the version that the kind serves; shared, never to be changed."""
    if obj["apiVersion"] == kind.resource.api_version:
        return obj
    if not kind.custom:
        return event_views.as_events_v1(obj) if kind.resource.group == "events.k8s.io" else obj
    pruned = shaping.prune_custom({**obj, "apiVersion": kind.resource.api_version}, kind.node, [])
    return {**shaping.default_custom(pruned, kind.node), "metadata": obj["metadata"]}


def for_storage(kind: Kind, obj: Object, storage_node: Node) -> Object:
    """The object as it is kept, with a metadata of its own. `storage_node`: the type of a custom kind's stored form."""
    if obj["apiVersion"] == kind.storage_version:
        return {**obj, "metadata": dict(obj["metadata"])}
    if not kind.custom:
        return event_views.as_core_event(obj)
    pruned = shaping.prune_custom({**obj, "apiVersion": kind.storage_version}, storage_node, [])
    return {**pruned, "metadata": dict(obj["metadata"])}
