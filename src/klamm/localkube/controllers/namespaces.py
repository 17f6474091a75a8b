"""Namespaces: those that are always there, and the end of one (Kubernetes docs, "Namespaces", "Finalizers").

- `default`, `kube-system` and `kube-public` exist.
- Every namespace carries `kubernetes` in spec.finalizers: while it is Terminating, its objects of every served
  resource are deleted, and only when none is left the finalizer goes, and the namespace with it.
- Pods go first, and all else only when none is left (KEP-5080, on since Kubernetes 1.33): what ends may still use its
  account and its roles, for example to take its finalizers off.
- Objects that wait for their own finalizers are waited for; the namespace's conditions then name what remains.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from klamm.base.clock import Clock
from klamm.localkube.controllers.informers import Change, Informers, Key
from klamm.localkube.controllers.ownership import is_deleting
from klamm.localkube.controllers.statuses import with_condition
from klamm.localkube.controllers.workqueue import WorkQueue
from klamm.localkube.objects import NAMESPACES, PODS, Object, Refused, Resource
from klamm.localkube.times import timestamp

FINALIZER: Final = "kubernetes"
ALWAYS_THERE: Final = ("default", "kube-system", "kube-public")
LOOK_AGAIN_AFTER: Final = 5.0
"""Seconds. Deletions wake the namespace; this is for what no watch tells (a resource without watch)."""

Served = Callable[[], Sequence[Resource]]
"""All resources that can be listed, watched and deleted, custom ones included; read anew at each use."""


class Namespaces:
    name = "namespaces"

    def __init__(self, informers: Informers, clock: Clock, served: Served) -> None:
        self._informers = informers
        self._clock = clock
        self._served = served
        self._namespaces = informers.cache(NAMESPACES)
        self._queue: WorkQueue[Key] | None = None

    def watch(self, queue: WorkQueue[Key]) -> None:
        self._queue = queue
        for name in ALWAYS_THERE:
            queue.add(Key("", name))
        self._informers.subscribe(NAMESPACES, lambda change: queue.add(change.key))

    def heard(self, change: Change) -> None:
        """Told of every change in the cluster (by the garbage collector's watches): a terminating namespace goes on."""
        if self._queue is None or not change.key.namespace:
            return
        namespace = self._namespaces.get(None, change.key.namespace)
        if namespace is not None and is_deleting(namespace):
            self._queue.add(Key("", change.key.namespace))

    async def reconcile(self, key: Key) -> float | None:
        namespace = self._namespaces.get(None, key.name)
        if namespace is None:
            self._make_if_always_there(key.name)
        elif is_deleting(namespace):
            return self._empty(namespace)
        elif FINALIZER not in (namespace.get("spec", {}).get("finalizers") or ()):
            finalizers = [*(namespace.get("spec", {}).get("finalizers") or ()), FINALIZER]
            self._informers.patch(NAMESPACES, namespace, {"spec": {"finalizers": finalizers}})
        return None

    def _make_if_always_there(self, name: str) -> None:
        if name not in ALWAYS_THERE:
            return
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
            "spec": {"finalizers": [FINALIZER]},
        }
        try:
            self._informers.create(NAMESPACES, None, namespace)
        except Refused as refused:
            if refused.reason != "AlreadyExists":
                raise

    def _empty(self, namespace: Object) -> float | None:
        name = namespace["metadata"]["name"]
        served = [r for r in one_version_each(self._served()) if r.namespaced]
        left = self._delete_all([r for r in served if _is_pods(r)], name) or self._delete_all(served, name)
        if left:
            self._report(namespace, left)
            return LOOK_AGAIN_AFTER
        self._finish(namespace)
        return None

    def _delete_all(self, resources: Iterable[Resource], namespace: str) -> dict[Resource, Sequence[Object]]:
        """Delete what is not being deleted yet; returns what is still there."""
        resources = list(resources)
        for resource in resources:
            for obj in self._informers.objects.list(resource, namespace):
                if not is_deleting(obj):
                    self._informers.delete(resource, obj, propagation="Background")
        return {r: found for r in resources if (found := self._informers.objects.list(r, namespace))}

    def _report(self, namespace: Object, left: dict[Resource, Sequence[Object]]) -> None:
        counts = sorted(f"{_full_name(r)} has {len(objects)} resource instances" for r, objects in left.items())
        finalizers = Counter(
            f for objects in left.values() for o in objects for f in o["metadata"].get("finalizers") or ()
        )
        held = sorted(f"{f} in {count} resource instances" for f, count in finalizers.items())
        content = _condition(
            "NamespaceContentRemaining",
            "SomeResourcesRemain",
            "Some resources are remaining: ",
            counts,
            "ContentRemoved",
        )
        waiting = _condition(
            "NamespaceFinalizersRemaining",
            "SomeFinalizersRemain",
            "Some content in the namespace has finalizers remaining: ",
            held,
            "ContentHasNoFinalizers",
        )
        self._set_conditions(namespace, [content, waiting])

    def _set_conditions(self, namespace: Object, new: Iterable[Object]) -> None:
        status = namespace.get("status", {})
        conditions = status.get("conditions") or []
        for condition in new:
            conditions = with_condition(conditions, condition, timestamp(self._clock.now()))
        wanted = {"phase": "Terminating", "conditions": conditions}
        if wanted != {"phase": status.get("phase"), "conditions": status.get("conditions")}:
            self._informers.patch(NAMESPACES, namespace, {"status": wanted}, subresource="status")

    def _finish(self, namespace: Object) -> None:
        name = namespace["metadata"]["name"]
        newest = self._informers.objects.find(NAMESPACES, None, name)
        if newest is None:
            return
        others = [f for f in newest.get("spec", {}).get("finalizers") or () if f != FINALIZER]
        if others != newest.get("spec", {}).get("finalizers"):
            final = {**newest, "spec": {**newest.get("spec", {}), "finalizers": others}}
            newest = self._informers.update(NAMESPACES, final, subresource="finalize")
        if not others and self._informers.objects.find(NAMESPACES, None, name) is not None:
            self._informers.delete(NAMESPACES, newest)


def one_version_each(resources: Iterable[Resource]) -> Sequence[Resource]:
    """A resource that is served in several versions holds the same objects in each: keep the first."""
    return list({(r.group, r.plural): r for r in reversed(list(resources))}.values())[::-1]


def _is_pods(resource: Resource) -> bool:
    return (resource.group, resource.plural) == (PODS.group, PODS.plural)


def _full_name(resource: Resource) -> str:
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def _condition(kind: str, reason: str, lead: str, found: Sequence[str], good_reason: str) -> Object:
    if found:
        return {"type": kind, "status": "True", "reason": reason, "message": lead + ", ".join(found)}
    return {"type": kind, "status": "False", "reason": good_reason, "message": "Nothing remains"}
