"""What controllers write into the status of objects, and what they read there."""

from collections.abc import Mapping, Sequence
from typing import Any

from klamm.localkube.controllers.informers import Informers
from klamm.localkube.objects import Object, Resource


def write_status(informers: Informers, resource: Resource, obj: Object, status: Mapping[str, Any]) -> None:
    """Write these fields of the status unless they stand there already; a missing field is 0 or empty."""
    known = obj.get("status") or {}
    if any((known.get(name) or 0) != (value or 0) for name, value in status.items()):
        informers.patch(resource, obj, {"status": dict(status)}, subresource="status")


def condition(obj: Object, kind: str) -> Object | None:
    conditions: Sequence[Object] = obj.get("status", {}).get("conditions") or ()
    return next((c for c in conditions if c["type"] == kind), None)


def with_condition(conditions: Sequence[Object], new: Object, now: str) -> list[Object]:
    """The conditions with this one set; lastTransitionTime changes only with its status."""
    old = next((c for c in conditions if c["type"] == new["type"]), None)
    since = old["lastTransitionTime"] if old and old["status"] == new["status"] else now
    merged: dict[str, Any] = {**new, "lastTransitionTime": since}
    if old is None:
        return [*conditions, merged]
    return [merged if c["type"] == new["type"] else c for c in conditions]
