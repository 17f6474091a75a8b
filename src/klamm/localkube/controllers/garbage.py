"""Garbage collection by owner references, for every served resource (Kubernetes docs, "Garbage Collection").

- Background: when the last owner of an object is gone, the object is deleted.
- Foreground: an owner with the finalizer `foregroundDeletion` waits while dependents with blockOwnerDeletion are there;
  its dependents are deleted meanwhile.
- Orphan: an owner with the finalizer `orphan` waits until its dependents' references to it are taken away.
- An owner is its uid. One that is not known is looked up once more before anything is deleted; a reference across
  namespaces is no owner; of a kind that is not served nothing is known, so such dependents stay.

Of most resources only the metadata is kept. Resources come and go with their CustomResourceDefinitions.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from klamm.localkube.controllers.informers import Change, Informers, Key, only_metadata, owner_references, owner_uids
from klamm.localkube.controllers.namespaces import Served, one_version_each
from klamm.localkube.controllers.ownership import is_deleting
from klamm.localkube.controllers.workqueue import WorkQueue
from klamm.localkube.objects import (
    CUSTOM_RESOURCE_DEFINITIONS,
    EVENTS,
    Object,
    PropagationPolicy,
    Resource,
)

FOREGROUND: Final = "foregroundDeletion"
ORPHAN: Final = "orphan"
IGNORED: Final = frozenset({(EVENTS.group, EVENTS.plural), ("events.k8s.io", "events")})
"""Events own nothing and are owned by nobody; there are many."""


REMEMBERED: Final = 10_000
LOOK_AGAIN_AFTER: Final = 0.1
"""Seconds, while caches are being filled."""


class Item(NamedTuple):
    resource: Resource
    key: Key


class Refresh(NamedTuple):
    """Look which resources are served now."""


class GarbageCollector:
    name = "garbage collector"

    def __init__(self, informers: Informers, served: Served, heard: Sequence[Callable[[Change], None]] = ()) -> None:
        """`heard` is told of every change of every resource: whoever needs that shares these watches."""
        self._informers = informers
        self._served = served
        self._heard = heard
        self._watched: dict[tuple[str, str], Resource] = {}
        self._by_uid: dict[str, Item] = {}
        self._seen_going: dict[str, None] = {}
        """uids of former owners, newest last: their kind may be gone with them, and then nobody can be asked."""
        self._queue: WorkQueue[Item | Refresh] | None = None

    def watch(self, queue: WorkQueue[Item | Refresh]) -> None:
        self._queue = queue
        queue.add(Refresh())
        self._informers.cache(CUSTOM_RESOURCE_DEFINITIONS, only_metadata)
        self._informers.subscribe(CUSTOM_RESOURCE_DEFINITIONS, lambda change: queue.add(Refresh()))

    async def reconcile(self, key: Item | Refresh) -> float | None:
        if isinstance(key, Refresh):
            self._refresh()
            return None
        obj = self._informers.cache(key.resource, only_metadata).get(*key.key)
        if obj is None:
            return None
        finalizers = obj["metadata"].get("finalizers") or ()
        waits = is_deleting(obj) and (ORPHAN in finalizers or FOREGROUND in finalizers)
        if waits and not self._knows_all():
            return LOOK_AGAIN_AFTER  # dependents that are not known yet would be neither freed nor waited for
        if is_deleting(obj) and ORPHAN in finalizers:
            self._orphan_dependents(key.resource, obj)
        elif is_deleting(obj) and FOREGROUND in finalizers:
            self._delete_dependents_first(key.resource, obj)
        if not is_deleting(obj) and owner_references(obj):
            self._check_owners(key.resource, obj)
        return None

    def _knows_all(self) -> bool:
        return all(self._informers.cache(r, only_metadata).filled.is_set() for r in self._watched.values())

    # Watching

    def _refresh(self) -> None:
        every = self._served()
        served = {(r.group, r.plural): r for r in one_version_each(every) if (r.group, r.plural) not in IGNORED}
        for name in [name for name, watched in self._watched.items() if watched not in every]:
            self._informers.forget(self._watched.pop(name), gone=name not in served)
        for name, resource in served.items():
            if name not in self._watched:
                self._watched[name] = resource
                self._informers.cache(resource, only_metadata)
                self._informers.subscribe(resource, self._changed)

    def _changed(self, change: Change) -> None:
        item = Item(change.resource, change.key)
        if change.new is None:
            self._gone(change)
        else:
            self._by_uid[change.new["metadata"]["uid"]] = item
            if change.old is None or _concern(change.old) != _concern(change.new):
                self._add(item)
        for heard in self._heard:
            heard(change)

    def _gone(self, change: Change) -> None:
        uid = change.newest["metadata"]["uid"]
        self._by_uid.pop(uid, None)
        dependents = self._dependents(uid)
        if dependents:
            self._seen_going[uid] = None
            if len(self._seen_going) > REMEMBERED:
                self._seen_going.pop(next(iter(self._seen_going)))
        for dependent, _ in dependents:
            self._add(dependent)
        for owner in owner_uids(change.newest):
            if owner in self._by_uid:
                self._add(self._by_uid[owner])  # it may wait for this one

    def _add(self, item: Item) -> None:
        if self._queue is not None:
            self._queue.add(item)

    def _dependents(self, uid: str) -> Sequence[tuple[Item, Object]]:
        return [
            (Item(resource, Key(obj["metadata"].get("namespace", ""), obj["metadata"]["name"])), obj)
            for resource in self._watched.values()
            for obj in self._informers.cache(resource, only_metadata).owned_by(uid)
        ]

    # Deciding

    def _check_owners(self, resource: Resource, obj: Object) -> None:
        owners = {r["uid"]: self._owner_state(r, obj) for r in owner_references(obj)}
        if any(state == "solid" for state in owners.values()):
            if "absent" in owners.values():
                self._drop_references(resource, obj, {u for u, state in owners.items() if state == "absent"})
        elif "waiting" in owners.values() and self._dependents(obj["metadata"]["uid"]):
            self._informers.delete(resource, obj, propagation="Foreground")
        else:
            self._informers.delete(resource, obj, propagation=_policy(obj))

    def _owner_state(self, reference: Mapping[str, Any], dependent: Object) -> str:
        """solid, waiting (deletes its dependents before itself) or absent."""
        owner = self._find_owner(reference, dependent)
        if owner is None:
            return "absent"
        if owner == {}:
            return "solid"
        waits = is_deleting(owner) and FOREGROUND in (owner["metadata"].get("finalizers") or ())
        return "waiting" if waits else "solid"

    def _find_owner(self, reference: Mapping[str, Any], dependent: Object) -> Object | None:
        """The owner; None when there is none; {} when its kind is not served, so that nothing is known."""
        group = reference["apiVersion"].rpartition("/")[0]
        kinds = (r for r in self._watched.values() if (r.group, r.kind) == (group, reference["kind"]))
        resource = next(kinds, None)
        if resource is None:
            return None if reference["uid"] in self._seen_going else {}
        namespace = dependent["metadata"].get("namespace") if resource.namespaced else None
        if resource.namespaced and not namespace:
            return None
        # The store, not the cache: an owner whose addition is still under way must not cost its dependents their lives.
        owner = self._informers.cache(resource, only_metadata).get(namespace, reference["name"])
        if owner is None or owner["metadata"]["uid"] != reference["uid"]:
            owner = self._informers.objects.find(resource, namespace, reference["name"])
        return owner if owner is not None and owner["metadata"]["uid"] == reference["uid"] else None

    # Acting

    def _drop_references(self, resource: Resource, obj: Object, uids: set[str]) -> None:
        left = [r for r in owner_references(obj) if r["uid"] not in uids]
        self._informers.patch(resource, obj, {"metadata": {"ownerReferences": left or None}})

    def _orphan_dependents(self, resource: Resource, owner: Object) -> None:
        uid = owner["metadata"]["uid"]
        for item, dependent in self._dependents(uid):
            self._drop_references(item.resource, dependent, {uid})
        self._drop_finalizer(resource, owner, ORPHAN)

    def _delete_dependents_first(self, resource: Resource, owner: Object) -> None:
        uid = owner["metadata"]["uid"]
        dependents = self._dependents(uid)
        blocking = [d for d in dependents if _blocks(d[1], uid)]
        if not blocking:
            self._drop_finalizer(resource, owner, FOREGROUND)
        for item, dependent in dependents:
            if not is_deleting(dependent):
                self._add(item)

    def _drop_finalizer(self, resource: Resource, obj: Object, finalizer: str) -> None:
        left = [f for f in obj["metadata"].get("finalizers") or () if f != finalizer]
        self._informers.patch(resource, obj, {"metadata": {"finalizers": left or None}})


def _concern(obj: Object) -> object:
    """What of an object gives work here; a changed status does not."""
    metadata = obj["metadata"]
    return (metadata.get("ownerReferences"), metadata.get("finalizers"), metadata.get("deletionTimestamp"))


def _blocks(dependent: Object, uid: str) -> bool:
    return any(r["uid"] == uid and r.get("blockOwnerDeletion") for r in owner_references(dependent))


def _policy(obj: Object) -> PropagationPolicy:
    """How to delete a dependent: as it was already asked for, else in the background."""
    finalizers = obj["metadata"].get("finalizers") or ()
    if ORPHAN in finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND in finalizers else "Background"
