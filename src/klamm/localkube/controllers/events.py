"""Events: what controllers tell people about an object, as `kubectl describe` shows it.

The same event of the same object is one Event object whose count and lastTimestamp grow (Kubernetes, "Event v1":
count, firstTimestamp, lastTimestamp). Its name is made from what it says, so no list is searched. An event that cannot
be written (its namespace is going) is dropped: events never hold work up.
"""

import hashlib
from datetime import datetime
from typing import Literal

from klamm.base import logs
from klamm.base.clock import Clock
from klamm.localkube.objects import EVENTS, Object, Objects, Refused, Resource

_log = logs.room("localkube.controllers")


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with seconds, as metav1.Time."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Events:
    def __init__(self, objects: Objects, clock: Clock, component: str) -> None:
        self._objects = objects
        self._clock = clock
        self._component = component

    def normal(self, resource: Resource, about: Object, reason: str, message: str) -> None:
        self._record(resource, about, "Normal", reason, message)

    def warning(self, resource: Resource, about: Object, reason: str, message: str) -> None:
        self._record(resource, about, "Warning", reason, message)

    def _record(
        self, resource: Resource, about: Object, kind: Literal["Normal", "Warning"], reason: str, message: str
    ) -> None:
        metadata = about["metadata"]
        namespace = metadata.get("namespace") or "default"
        told = "\0".join((self._component, metadata["uid"], kind, reason, message))
        name = f"{metadata['name']}.{hashlib.sha256(told.encode()).hexdigest()[:16]}"
        now = timestamp(self._clock.now())
        try:
            known = self._objects.find(EVENTS, namespace, name)
            if known is not None:
                grown = {"count": known.get("count", 1) + 1, "lastTimestamp": now}
                self._objects.patch(EVENTS, namespace, name, grown)
                return
            event = {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": name, "namespace": namespace},
                "involvedObject": reference(resource, about),
                "type": kind,
                "reason": reason,
                "message": message,
                "source": {"component": self._component},
                "reportingComponent": self._component,
                "firstTimestamp": now,
                "lastTimestamp": now,
                "count": 1,
            }
            self._objects.create(EVENTS, namespace, event)
        except Refused as refused:
            _log.debug(f"event dropped: {refused}", reason=reason, about=f"{namespace}/{metadata['name']}")


def reference(resource: Resource, obj: Object) -> Object:
    """An ObjectReference."""
    metadata = obj["metadata"]
    found = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "namespace": metadata.get("namespace"),
        "name": metadata["name"],
        "uid": metadata["uid"],
        "resourceVersion": metadata.get("resourceVersion"),
    }
    return {name: value for name, value in found.items() if value}
