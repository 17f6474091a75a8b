"""Events about pods as the kubelet tells them: Pulled, Created, Started, Killing, Unhealthy, BackOff, FailedMount, …

The same event of the same pod is one Event object whose count and lastTimestamp grow. Its name is made from what
it says, so that a restarted kubelet goes on counting and no list is searched. An event that cannot be written (its
namespace is going) is dropped: events never hold work up.
"""

import hashlib
from typing import Any

from klamm.base import logs
from klamm.base.clock import Clock
from klamm.localkube.kubelet.times import rfc3339
from klamm.localkube.objects import EVENTS, Object, Objects, Refused

_COMPONENT = "kubelet"
_LONGEST_MESSAGE = 1024
"""The API's own bound."""
_log = logs.room("localkube.kubelet.events")


class PodEvents:
    def __init__(self, objects: Objects, clock: Clock) -> None:
        self._objects = objects
        self._clock = clock

    def normal(self, pod: Object, reason: str, message: str, container: str = "") -> None:
        self._record(pod, "Normal", reason, message, container)

    def warning(self, pod: Object, reason: str, message: str, container: str = "") -> None:
        self._record(pod, "Warning", reason, message, container)

    def _record(self, pod: Object, kind: str, reason: str, message: str, container: str) -> None:
        meta = pod["metadata"]
        message = message[:_LONGEST_MESSAGE]
        told = "\0".join((_COMPONENT, meta["uid"], container, kind, reason, message))
        name = f"{meta['name']}.{hashlib.sha256(told.encode()).hexdigest()[:16]}"
        now = rfc3339(self._clock.now().timestamp())
        try:
            known = self._objects.find(EVENTS, meta["namespace"], name)
            if known is not None:
                grown = {"count": known.get("count", 1) + 1, "lastTimestamp": now}
                self._objects.patch(EVENTS, meta["namespace"], name, grown)
                return
            event = _event(pod, kind, reason, message, container, name, now)
            self._objects.create(EVENTS, meta["namespace"], event)
        except Refused as refused:
            _log.debug("an event is dropped", reason=reason, pod=meta["name"], because=refused.message)


def _event(pod: Object, kind: str, reason: str, message: str, container: str, name: str, now: str) -> dict[str, Any]:
    meta = pod["metadata"]
    about = {
        "apiVersion": "v1",
        "kind": "Pod",
        "namespace": meta["namespace"],
        "name": meta["name"],
        "uid": meta["uid"],
        "resourceVersion": meta.get("resourceVersion", ""),
    }
    if container:
        about["fieldPath"] = f"{_list_of(pod, container)}{{{container}}}"
    host = pod["spec"].get("nodeName", "")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": meta["namespace"]},
        "involvedObject": about,
        "type": kind,
        "reason": reason,
        "message": message,
        "source": {"component": _COMPONENT, "host": host},
        "reportingComponent": _COMPONENT,
        "reportingInstance": host,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }


def _list_of(pod: Object, container: str) -> str:
    init = any(entry["name"] == container for entry in pod["spec"].get("initContainers") or ())
    return "spec.initContainers" if init else "spec.containers"
