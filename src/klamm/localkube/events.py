"""Events: what controllers and kubelet tell people about an object, as `kubectl describe` shows it.

The same event of the same object is one Event object whose count and lastTimestamp grow (Kubernetes, "Event v1":
count, firstTimestamp, lastTimestamp). Its name is made from what it says, so that no list is searched and a restarted
control plane goes on counting. An event that cannot be written (its namespace is going) is dropped: events never hold
work up.
"""

import hashlib
from typing import Final, Literal

from klamm.base import logs
from klamm.base.clock import Clock
from klamm.localkube.objects import EVENTS, PODS, Object, Objects, Refused, Resource
from klamm.localkube.times import timestamp

_LONGEST_MESSAGE: Final = 1024
"""The API's own bound."""
_log = logs.room("localkube.events")

_Type = Literal["Normal", "Warning"]


class Events:
    """What one component tells. `field_path` names the part of the object, `host` the node where it happened."""

    def __init__(self, objects: Objects, clock: Clock, component: str) -> None:
        self._objects = objects
        self._clock = clock
        self._component = component

    def normal(
        self, resource: Resource, about: Object, reason: str, message: str, field_path: str = "", host: str = ""
    ) -> None:
        self._record(_reference(resource, about, field_path), "Normal", reason, message, host)

    def warning(
        self, resource: Resource, about: Object, reason: str, message: str, field_path: str = "", host: str = ""
    ) -> None:
        self._record(_reference(resource, about, field_path), "Warning", reason, message, host)

    def _record(self, about: Object, kind: _Type, reason: str, message: str, host: str) -> None:
        namespace = about.get("namespace", "default")
        message = message[:_LONGEST_MESSAGE]
        told = "\0".join((self._component, about["uid"], about.get("fieldPath", ""), kind, reason, message))
        name = f"{about['name']}.{hashlib.sha256(told.encode()).hexdigest()[:16]}"
        now = timestamp(self._clock.now())
        try:
            known = self._objects.find(EVENTS, namespace, name)
            if known is not None:
                grown = {"count": known.get("count", 1) + 1, "lastTimestamp": now}
                self._objects.patch(EVENTS, namespace, name, grown)
                return
            said = {"involvedObject": about, "type": kind, "reason": reason, "message": message}
            event = {"metadata": {"name": name, "namespace": namespace}, **said, **self._reporter(host)}
            self._objects.create(EVENTS, namespace, _first_of(event, now))
        except Refused as refused:
            _log.debug("an event is dropped", reason=reason, about=f"{namespace}/{about['name']}", because=str(refused))

    def _reporter(self, host: str) -> Object:
        if not host:
            return {"source": {"component": self._component}, "reportingComponent": self._component}
        source = {"component": self._component, "host": host}
        return {"source": source, "reportingComponent": self._component, "reportingInstance": host}


class PodEvents:
    """What the kubelet tells about pods: Pulled, Created, Started, Killing, Unhealthy, BackOff, FailedMount, …"""

    def __init__(self, objects: Objects, clock: Clock) -> None:
        self._events = Events(objects, clock, "kubelet")

    def normal(self, pod: Object, reason: str, message: str, container: str = "") -> None:
        self._events.normal(PODS, pod, reason, message, _path_of(pod, container), pod["spec"].get("nodeName", ""))

    def warning(self, pod: Object, reason: str, message: str, container: str = "") -> None:
        self._events.warning(PODS, pod, reason, message, _path_of(pod, container), pod["spec"].get("nodeName", ""))


def _path_of(pod: Object, container: str) -> str:
    if not container:
        return ""
    init = any(entry["name"] == container for entry in pod["spec"].get("initContainers") or ())
    return f"spec.{'initContainers' if init else 'containers'}{{{container}}}"


def _first_of(event: Object, now: str) -> Object:
    return {"apiVersion": "v1", "kind": "Event", **event, "firstTimestamp": now, "lastTimestamp": now, "count": 1}


def _reference(resource: Resource, obj: Object, field_path: str) -> Object:
    """An ObjectReference."""
    metadata = obj["metadata"]
    found = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "namespace": metadata.get("namespace"),
        "name": metadata["name"],
        "uid": metadata["uid"],
        "resourceVersion": metadata.get("resourceVersion"),
        "fieldPath": field_path,
    }
    return {name: value for name, value in found.items() if value}
