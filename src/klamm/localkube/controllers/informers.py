"""One watch for each resource, shared by all controllers: the newest known objects, indexed, and their changes.

- A cache is filled before its first `Change` is told: the watch is opened first, then everything is listed, so
  nothing falls between. Events older than what is known are dropped by resourceVersion (in one store it only grows).
- Controllers write through `Informers`: what a write returned is in the cache at once. So a controller never acts on
  a world without its own last act (the reason why Kubernetes' controllers keep "expectations").
- Objects are shared with the API server and among controllers: never change them in place.
- A cache may hold less than the objects (`trim`): the garbage collector needs only metadata of most resources.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from klamm.base import logs
from klamm.base.together import ended
from klamm.localkube.objects import (
    LabelMatch,
    Object,
    Objects,
    PropagationPolicy,
    Refused,
    Resource,
    WatchEvent,
    WatchEventType,
)

_log = logs.room("localkube.controllers")

WATCH_AGAIN_AFTER: Final = 1.0
"""Seconds between the end of a broken watch and the next one."""


class Key(NamedTuple):
    namespace: str
    """"" for cluster-scoped objects."""
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """One object came (`old` is None), changed, or went (`new` is None)."""

    resource: Resource
    key: Key
    old: Object | None
    new: Object | None

    @property
    def states(self) -> Iterable[Object]:
        """What there was and what there is: whoever one of them belongs to may have work."""
        return tuple(o for o in (self.old, self.new) if o is not None)

    @property
    def newest(self) -> Object:
        return self.new or self.old or {}


KEPT: Final = ("name", "namespace", "uid", "resourceVersion", "deletionTimestamp", "finalizers", "ownerReferences")

Handler = Callable[[Change], None]
Trim = Callable[[Object], Object]


def key_of(obj: Object) -> Key:
    metadata = obj["metadata"]
    return Key(metadata.get("namespace", ""), metadata["name"])


class Cache:
    """The known objects of one resource, by key, namespace and owner's uid."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self._objects: dict[Key, Object] = {}
        self._namespaces: dict[str, dict[str, Object]] = {}
        self._owned: dict[str, dict[Key, Object]] = {}
        self.filled = asyncio.Event()
        """Set when what was there at the start is in the cache."""
        self._gone: set[str] = set()
        """uids that we deleted and whose DELETED has not come yet: older events must not bring them back."""

    def get(self, namespace: str | None, name: str) -> Object | None:
        return self._objects.get(Key(namespace or "", name))

    def list(self, namespace: str | None = None, labels: LabelMatch | None = None) -> Sequence[Object]:
        found = self._objects if namespace is None else self._namespaces.get(namespace, {})
        if labels is None:
            return list(found.values())
        return [o for o in found.values() if labels(o["metadata"].get("labels") or {})]

    def owned_by(self, uid: str) -> Sequence[Object]:
        """Objects with an owner reference to this uid."""
        return list(self._owned.get(uid, {}).values())

    def keys(self) -> Sequence[Key]:
        return list(self._objects)

    def put(self, obj: Object) -> Change | None:
        """Take a state in; None when it tells nothing new."""
        key, metadata = key_of(obj), obj["metadata"]
        old = self._objects.get(key)
        if metadata["uid"] in self._gone or (old is not None and version(old) >= version(obj)):
            return None
        if old is not None:
            self._drop(key, old)
        self._objects[key] = obj
        self._namespaces.setdefault(key.namespace, {})[key.name] = obj
        for uid in owner_uids(obj):
            self._owned.setdefault(uid, {})[key] = obj
        return Change(self.resource, key, old, obj)

    def remove(self, obj: Object, *, told: bool) -> Change | None:
        """The object is gone; `told` when the watch said so (nothing older can follow)."""
        key, uid = key_of(obj), obj["metadata"]["uid"]
        if told:
            self._gone.discard(uid)
        else:
            self._gone.add(uid)
        old = self._objects.get(key)
        if old is None or old["metadata"]["uid"] != uid:
            return None
        self._drop(key, old)
        return Change(self.resource, key, old, None)

    def forget_gone(self) -> None:
        """A new watch begins: what is listed now is all that there is."""
        self._gone.clear()

    def _drop(self, key: Key, old: Object) -> None:
        del self._objects[key]
        siblings = self._namespaces[key.namespace]
        del siblings[key.name]
        if not siblings:
            del self._namespaces[key.namespace]
        for uid in owner_uids(old):
            owned = self._owned.get(uid, {})
            owned.pop(key, None)
            if not owned:
                self._owned.pop(uid, None)


class Informers:
    """All caches, and the door for writes. `run` keeps the watches; `cache` and `subscribe` may come at any time."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self._caches: dict[Resource, Cache] = {}
        self._trims: dict[Resource, Trim] = {}
        self._handlers: dict[Resource, list[Handler]] = {}
        self._watches: dict[Resource, asyncio.Task[None]] = {}
        self._running = False

    def cache(self, resource: Resource, trim: Trim | None = None) -> Cache:
        """Return the resource's cache; a `trim` counts only when nobody asked for the whole objects before."""
        if resource not in self._caches:
            self._caches[resource] = Cache(resource)
            if trim is not None:
                self._trims[resource] = trim
            if self._running:
                self._start(resource)
        return self._caches[resource]

    def subscribe(self, resource: Resource, handler: Handler) -> None:
        """Call the handler with every change; known objects are told as additions."""
        cache = self.cache(resource)
        self._handlers.setdefault(resource, []).append(handler)
        for obj in cache.list():
            handler(Change(resource, key_of(obj), None, obj))

    def forget(self, resource: Resource, *, gone: bool) -> None:
        """The resource is served no more; `gone`: its objects went with it (else another version shows them)."""
        if watch := self._watches.pop(resource, None):
            watch.cancel()
        cache = self._caches.pop(resource, None)
        handlers = self._handlers.pop(resource, [])
        self._trims.pop(resource, None)
        for obj in cache.list() if cache and gone else ():
            _tell(handlers, Change(resource, key_of(obj), obj, None))

    async def filled(self) -> None:
        """Wait until all caches are filled: who acts earlier makes again what is already there."""
        for cache in list(self._caches.values()):
            await cache.filled.wait()

    async def run(self) -> None:
        """Keep the watches until cancelled."""
        self._running = True
        try:
            for resource in list(self._caches):
                self._start(resource)
            await asyncio.Event().wait()
        finally:
            self._running = False
            watches, self._watches = list(self._watches.values()), {}
            await ended(*watches)

    # Writes: as `Objects`, and the cache knows at once.

    def create(self, resource: Resource, namespace: str | None, obj: Object) -> Object:
        return self._wrote(resource, self.objects.create(resource, namespace, obj))

    def update(self, resource: Resource, obj: Object, *, subresource: str | None = None) -> Object:
        return self._wrote(resource, self.objects.update(resource, obj, subresource=subresource))

    def patch(self, resource: Resource, obj: Object, merge_patch: Object, *, subresource: str | None = None) -> Object:
        """Patch the object that `obj` is a state of; `Refused` 409 when another one took its name."""
        namespace, name = key_of(obj)
        patch = {**merge_patch, "metadata": {**merge_patch.get("metadata", {}), "uid": obj["metadata"]["uid"]}}
        done = self.objects.patch(resource, namespace or None, name, patch, subresource=subresource)
        return self._wrote(resource, done)

    def delete(
        self,
        resource: Resource,
        obj: Object,
        *,
        grace_seconds: int | None = None,
        propagation: PropagationPolicy | None = None,
    ) -> None:
        """Delete the object that `obj` is a state of; that it is gone already is no error."""
        namespace, name = key_of(obj)
        uid = obj["metadata"]["uid"]
        try:
            self.objects.delete(
                resource,
                namespace or None,
                name,
                grace_seconds=grace_seconds,
                propagation=propagation,
                uid=uid,
            )
        except Refused as refused:
            if refused.code not in (404, 409):
                raise
        left = self.objects.find(resource, namespace or None, name)
        if left is not None and left["metadata"]["uid"] == uid:
            self._wrote(resource, left)
        else:
            self._removed(resource, obj, told=False)

    def _wrote(self, resource: Resource, obj: Object) -> Object:
        metadata = obj["metadata"]
        if metadata.get("deletionTimestamp") and not metadata.get("finalizers"):
            # Taking the last finalizer away deletes the object; what the write returned is its last state.
            namespace, name = key_of(obj)
            found = self.objects.find(resource, namespace or None, name)
            if found is None or found["metadata"]["uid"] != metadata["uid"]:
                self._removed(resource, obj, told=False)
                return obj
        self._take(resource, obj)
        return obj

    def _take(self, resource: Resource, obj: Object) -> None:
        cache = self._caches.get(resource)
        if cache is None:
            return
        known = cache.get(*key_of(obj))
        if known and known["metadata"]["uid"] != obj["metadata"]["uid"] and version(known) < version(obj):
            self._removed(resource, known, told=False)  # its DELETED is still under way; owners' watchers need it
        if change := cache.put(self._trimmed(resource, obj)):
            _tell(self._handlers.get(resource, ()), change)

    def _removed(self, resource: Resource, obj: Object, *, told: bool) -> None:
        cache = self._caches.get(resource)
        if cache is not None and (change := cache.remove(obj, told=told)):
            _tell(self._handlers.get(resource, ()), change)

    def _trimmed(self, resource: Resource, obj: Object) -> Object:
        return self._trims.get(resource, without_managed_fields)(obj)

    def _start(self, resource: Resource) -> None:
        self._watches[resource] = asyncio.create_task(self._watch(resource), name=f"watch {resource.plural}")

    async def _watch(self, resource: Resource) -> None:
        while True:
            try:
                await self._follow(resource)
            except Exception as error:
                _log.error("a watch broke and starts again", error, of=resource.plural, after=WATCH_AGAIN_AFTER)
            await asyncio.sleep(WATCH_AGAIN_AFTER)

    async def _follow(self, resource: Resource) -> None:
        stream = aiter(self.objects.watch(resource))
        first = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)  # the stream's first step: it is subscribed now, so the list below misses nothing
        try:
            self._refill(resource, self.objects.list(resource))
            event = await first
        finally:
            first.cancel()
        self._heard(resource, event)
        async for event in stream:
            self._heard(resource, event)

    def _refill(self, resource: Resource, objects: Sequence[Object]) -> None:
        self._caches[resource].forget_gone()
        there = {o["metadata"]["uid"] for o in objects}
        for known in self._caches[resource].list():
            if known["metadata"]["uid"] not in there:
                self._removed(resource, known, told=True)
        for obj in objects:
            self._take(resource, obj)
        self._caches[resource].filled.set()

    def _heard(self, resource: Resource, event: WatchEvent) -> None:
        if event.type is WatchEventType.DELETED:
            self._removed(resource, event.object, told=True)
        else:
            self._take(resource, event.object)


def _tell(handlers: Iterable[Handler], change: Change) -> None:
    for handler in list(handlers):
        handler(change)


def only_metadata(obj: Object) -> Object:
    """The part of an object that ownership and lifetime depend on."""
    metadata = obj["metadata"]
    return {"metadata": {name: metadata[name] for name in KEPT if name in metadata}}


def without_managed_fields(obj: Object) -> Object:
    """Who owns which field is half of many objects, and a write without it leaves it as it is."""
    if "managedFields" not in obj["metadata"]:
        return obj
    return {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k != "managedFields"}}


def version(obj: Object) -> int:
    return int(obj["metadata"]["resourceVersion"])


def owner_references(obj: Object) -> Sequence[Mapping[str, Any]]:
    return obj["metadata"].get("ownerReferences") or ()


def owner_uids(obj: Object) -> set[str]:
    return {reference["uid"] for reference in owner_references(obj)}
