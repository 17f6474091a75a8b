"""`objects.Objects` over the registry: the API for controllers and kubelet, in process and synchronous."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence

from klamm.localkube.apiserver import patches
from klamm.localkube.apiserver.deletion import DeleteOptions
from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.apiserver.storage import Change
from klamm.localkube.apiserver.write_rules import WriteOptions
from klamm.localkube.objects import (
    LabelMatch,
    Object,
    PropagationPolicy,
    Refused,
    Resource,
    WatchEvent,
    WatchEventType,
)


class LocalObjects:
    """Each room has its own, so that managedFields tell who wrote: `manager` is e.g. "kubelet"."""

    def __init__(self, registry: Registry, manager: str) -> None:
        self._registry = registry
        self._manager = manager

    def _options(self, subresource: str | None = None) -> WriteOptions:
        return WriteOptions(self._manager, subresource or "", unconditional=True)

    def get(self, resource: Resource, namespace: str | None, name: str) -> Object:
        kind = self._registry.kind_of(resource)
        return self._registry.view(kind, self._registry.stored(kind, namespace, name))

    def find(self, resource: Resource, namespace: str | None, name: str) -> Object | None:
        try:
            return self.get(resource, namespace, name)
        except Refused as refused:
            if refused.code != 404:
                raise
            return None

    def list(
        self, resource: Resource, namespace: str | None = None, *, labels: LabelMatch | None = None
    ) -> Sequence[Object]:
        kind = self._registry.kind_of(resource)
        found = [self._registry.view(kind, each) for each in self._registry.storage.all(kind.storage_key, namespace)]
        if labels is None:
            return found
        return [obj for obj in found if labels(obj["metadata"].get("labels") or {})]

    def create(self, resource: Resource, namespace: str | None, obj: Object) -> Object:
        kind = self._registry.kind_of(resource)
        return self._registry.create(kind, namespace, _own(obj), self._options())

    def update(self, resource: Resource, obj: Object, *, subresource: str | None = None) -> Object:
        kind = self._registry.kind_of(resource)
        metadata = obj["metadata"]
        options = self._options(subresource)
        return self._registry.update(kind, metadata.get("namespace"), metadata["name"], _own(obj), options)

    def patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        merge_patch: Object,
        *,
        subresource: str | None = None,
    ) -> Object:
        kind = self._registry.kind_of(resource)
        change = patches.Merge(merge_patch)
        return self._registry.patch(kind, namespace, name, change, self._options(subresource)).object

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
        kind = self._registry.kind_of(resource)
        self._registry.delete(kind, namespace, name, DeleteOptions(grace_seconds, propagation, uid))

    async def watch(self, resource: Resource, namespace: str | None = None) -> AsyncIterator[WatchEvent]:
        """First what there is, then each change. The subscription begins with the first step of the iteration."""
        registry = self._registry
        kind = registry.kind_of(resource)
        waiting: deque[Change] = deque()
        arrived = asyncio.Event()

        def remember(change: Change) -> None:
            if namespace is None or change.after.namespace == namespace:
                waiting.append(change)
                arrived.set()

        end = registry.storage.subscribe(kind.storage_key, remember)
        try:
            for stored in registry.storage.all(kind.storage_key, namespace):
                yield WatchEvent(WatchEventType.ADDED, registry.view(kind, stored))
            while True:
                while waiting:
                    yield _event(registry, kind, waiting.popleft())
                arrived.clear()
                await arrived.wait()
        finally:
            end()


def _event(registry: Registry, kind: Kind, change: Change) -> WatchEvent:
    return WatchEvent(WatchEventType(change.type), registry.view(kind, change.after))


def _own(obj: Object) -> Object:
    """The registry fills in apiVersion and metadata at the top; the caller's object must not change."""
    return {**obj, "metadata": dict(obj.get("metadata") or {})}
