"""The API door (`Objects`) in memory, with the promises that controllers and kubelet lean on.

Versions grow, stale updates are refused, watches begin with what is there, a bound pod is deleted gracefully,
finalizers hold an object. No validation, no admission, no defaults.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from copy import deepcopy
from typing import Any

from klamm.base.clock import Clock
from klamm.localkube.objects import (
    PODS,
    LabelMatch,
    Object,
    PropagationPolicy,
    Refused,
    Resource,
    WatchEvent,
    WatchEventType,
)

Key = tuple[str | None, str]


class ObjectsInMemory:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._versions = itertools.count(1)
        self._stored: dict[Resource, dict[Key, Object]] = {}
        self._watches: list[tuple[Resource, str | None, asyncio.Queue[WatchEvent]]] = []
        self.writes: list[tuple[str, str, str]] = []
        """(verb, kind, name) of every write."""

    def get(self, resource: Resource, namespace: str | None, name: str) -> Object:
        found = self.find(resource, namespace, name)
        if found is None:
            raise Refused(404, "NotFound", f'{resource.plural} "{name}" not found')
        return found

    def find(self, resource: Resource, namespace: str | None, name: str) -> Object | None:
        return self._stored.get(resource, {}).get((namespace, name))

    def list(
        self, resource: Resource, namespace: str | None = None, *, labels: LabelMatch | None = None
    ) -> Sequence[Object]:
        return [
            obj
            for (where, _), obj in self._stored.get(resource, {}).items()
            if (namespace is None or where == namespace)
            and (labels is None or labels(obj["metadata"].get("labels") or {}))
        ]

    def create(self, resource: Resource, namespace: str | None, obj: Object) -> Object:
        name = obj["metadata"]["name"]
        if self.find(resource, namespace, name) is not None:
            raise Refused(409, "AlreadyExists", f'{resource.plural} "{name}" already exists')
        fresh = deepcopy(obj)
        if namespace is not None:
            fresh["metadata"]["namespace"] = namespace
        fresh["metadata"].setdefault("uid", f"uid-{name}-{next(self._versions)}")
        return self._store("create", resource, fresh, WatchEventType.ADDED)

    def update(self, resource: Resource, obj: Object, *, subresource: str | None = None) -> Object:
        meta = obj["metadata"]
        old = self.get(resource, meta.get("namespace"), meta["name"])
        if meta.get("resourceVersion", old["metadata"]["resourceVersion"]) != old["metadata"]["resourceVersion"]:
            raise Refused(409, "Conflict", f'{resource.plural} "{meta["name"]}" has been modified')
        return self._store("update", resource, deepcopy(obj), WatchEventType.MODIFIED)

    def patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        merge_patch: Object,
        *,
        subresource: str | None = None,
    ) -> Object:
        old = self.get(resource, namespace, name)
        uid = (merge_patch.get("metadata") or {}).get("uid")
        if uid not in (None, old["metadata"]["uid"]):
            raise Refused(409, "Conflict", f"uid {uid} is not the one of {name}")
        patch = {subresource: merge_patch.get(subresource)} if subresource else merge_patch
        return self._store("patch", resource, merged(old, patch), WatchEventType.MODIFIED)

    def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        grace_seconds: int | None = None,
        propagation: PropagationPolicy | None = None,
        uid: str | None = None,
    ) -> None:
        obj = deepcopy(self.get(resource, namespace, name))
        meta = obj["metadata"]
        if uid is not None and uid != meta["uid"]:
            raise Refused(409, "Conflict", f"uid {uid} is not the one of {name}")
        grace = _grace(resource, obj, grace_seconds)
        if grace > 0 or meta.get("finalizers"):
            now = self._clock.now().timestamp() + grace
            meta["deletionTimestamp"] = _rfc3339(now)
            meta["deletionGracePeriodSeconds"] = grace
            self._store("delete", resource, obj, WatchEventType.MODIFIED)
            return
        del self._stored[resource][(namespace, name)]
        meta["resourceVersion"] = str(next(self._versions))
        self.writes.append(("delete", resource.kind, name))
        self._tell(resource, WatchEvent(WatchEventType.DELETED, obj))

    async def watch(self, resource: Resource, namespace: str | None = None) -> AsyncIterator[WatchEvent]:
        queue: asyncio.Queue[WatchEvent] = asyncio.Queue()
        for obj in self.list(resource, namespace):
            queue.put_nowait(WatchEvent(WatchEventType.ADDED, obj))
        entry = (resource, namespace, queue)
        self._watches.append(entry)
        try:
            while True:
                yield await queue.get()
        finally:
            self._watches.remove(entry)

    def _store(self, verb: str, resource: Resource, obj: Object, kind: WatchEventType) -> Object:
        meta = obj["metadata"]
        meta["resourceVersion"] = str(next(self._versions))
        self._stored.setdefault(resource, {})[(meta.get("namespace"), meta["name"])] = obj
        self.writes.append((verb, resource.kind, meta["name"]))
        self._tell(resource, WatchEvent(kind, obj))
        return obj

    def _tell(self, resource: Resource, event: WatchEvent) -> None:
        for watched, namespace, queue in self._watches:
            if watched == resource and namespace in (None, event.object["metadata"].get("namespace")):
                queue.put_nowait(event)


def merged(old: Any, patch: Any) -> Any:
    """JSON merge patch."""
    if not isinstance(patch, dict):
        return deepcopy(patch)
    result = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def _grace(resource: Resource, obj: Object, asked: int | None) -> int:
    if resource != PODS or not obj["spec"].get("nodeName"):
        return 0
    return int(obj["spec"].get("terminationGracePeriodSeconds", 30)) if asked is None else asked


def _rfc3339(seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
