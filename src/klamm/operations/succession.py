"""Fields that Strimzi's operator has set become ours, when we look after a cluster that it has made.

Server-side apply takes away only what the one who applies has set before. Strimzi's Deployment of the entity operator
has a stunnel, its ConfigMaps have entries that klamm's have not; they would stay for ever. So what managedFields note
as Strimzi's is noted as ours, and the next apply removes what we do not want.

Not so for Secrets, claims and Services: there nothing is in the way, and keys, data and node ports are worth more.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

INHERITED = frozenset({"Deployment", "ConfigMap", "PodDisruptionBudget"})
"""Kinds whose fields we inherit."""

_PREDECESSORS = frozenset({"strimzi-cluster-operator", "fabric8-kubernetes-client"})
"""Its user agent's name, and that of its client library in older releases."""


class _Entry(msgspec.Struct, rename="camel", omit_defaults=True):
    manager: str = ""
    operation: str = ""
    api_version: str = ""
    time: str = ""
    fields_type: str = ""
    fields_v1: dict[str, Any] = msgspec.field(name="fieldsV1", default_factory=dict)
    subresource: str = ""


class _Metadata(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    managed_fields: list[_Entry] = []


class _Managed(msgspec.Struct):
    metadata: _Metadata


def succession(body: bytes, manager: str) -> dict[str, Any] | None:
    """The merge patch that makes `manager` the successor; None when there is nothing to inherit.

    `body` is the object after `manager` has applied it once. Others' writes in between are a Conflict.
    """
    metadata = msgspec.json.decode(body, type=_Managed).metadata
    ours = next((one for one in metadata.managed_fields if _is_applied_by(one, manager)), None)
    if ours is None:
        return None
    left = [one for one in metadata.managed_fields if _is_of_predecessor(one) and one.api_version == ours.api_version]
    if not left:
        return None
    fields = ours.fields_v1
    for one in left:
        fields = _united(fields, one.fields_v1)
    heir = msgspec.structs.replace(ours, fields_v1=fields)
    kept = [heir if one is ours else one for one in metadata.managed_fields if one not in left]
    listed = msgspec.to_builtins(kept)
    return {"metadata": {"resourceVersion": metadata.resource_version, "managedFields": listed}}


def _is_applied_by(entry: _Entry, manager: str) -> bool:
    return entry.manager == manager and entry.operation == "Apply" and not entry.subresource


def _is_of_predecessor(entry: _Entry) -> bool:
    return entry.manager in _PREDECESSORS and not entry.subresource


def _united(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two sets of fields, each a tree of their names."""
    both = {name: _united(one[name], other[name]) for name in one.keys() & other.keys()}
    return {**one, **other, **both}
