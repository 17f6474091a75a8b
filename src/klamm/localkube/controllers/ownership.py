"""Controllers and what they own: owner references and pods' readiness (Kubernetes docs, "Owners and Dependents")."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from klamm.localkube.controllers.informers import Change, Informers, Key, key_of, owner_references
from klamm.localkube.controllers.statuses import condition
from klamm.localkube.controllers.workqueue import WorkQueue
from klamm.localkube.events import Events
from klamm.localkube.objects import PODS, LabelMatch, Object, Resource
from klamm.localkube.times import parse_timestamp


def controller_reference(resource: Resource, owner: Object) -> Object:
    """The owner reference of a managing controller."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_of(obj: Object) -> Object | None:
    """The owner reference that manages the object, if any."""
    return next((dict(r) for r in owner_references(obj) if r.get("controller")), None)


def controls(owner: Object, obj: Object) -> bool:
    reference = controller_of(obj)
    return reference is not None and reference["uid"] == owner["metadata"]["uid"]


def watch_with_owned(
    informers: Informers, queue: WorkQueue[Key], resource: Resource, owned: Resource, *, adopts: bool = True
) -> None:
    """Queue an owner when it changes, when what it manages changes, and when something appears that it may adopt."""
    owners = informers.cache(resource)

    def owned_changed(change: Change) -> None:
        _queue_owner(queue, resource.kind, change)
        if adopts:
            _queue_adopters(queue, owners.list(change.key.namespace), change)

    informers.subscribe(resource, lambda change: queue.add(change.key))
    informers.subscribe(owned, owned_changed)


def _queue_owner(queue: WorkQueue[Key], kind: str, change: Change) -> None:
    """Queue whoever of this kind manages (or managed) the changed object."""
    for state in change.states:
        reference = controller_of(state)
        if reference is not None and reference["kind"] == kind:
            queue.add(Key(change.key.namespace, reference["name"]))


def _queue_adopters(queue: WorkQueue[Key], candidates: Iterable[Object], change: Change) -> None:
    """Queue every candidate of the namespace when an object without controller appeared or changed."""
    if change.new is not None and controller_of(change.new) is None:
        for candidate in candidates:
            queue.add(key_of(candidate))


def claim(
    informers: Informers,
    owner_resource: Resource,
    owner: Object,
    resource: Resource,
    matches: LabelMatch,
) -> Sequence[Object]:
    """Return the objects that the owner manages, adopting orphans that match and releasing those that do not.

    Kubernetes docs, "ReplicaSet: Non-Template Pod acquisitions": only objects without a controller are adopted, and
    nothing is adopted by an owner, or while an object, that is being deleted.
    """
    found: list[Object] = []
    deleting = is_deleting(owner)
    for obj in informers.cache(resource).list(owner["metadata"]["namespace"]):
        selected = matches(obj["metadata"].get("labels") or {})
        if controls(owner, obj):
            if selected or deleting:
                found.append(obj)
            else:
                _release(informers, owner, resource, obj)
        elif selected and not deleting and controller_of(obj) is None and not is_deleting(obj):
            references = [*owner_references(obj), controller_reference(owner_resource, owner)]
            found.append(informers.patch(resource, obj, {"metadata": {"ownerReferences": references}}))
    return found


def _release(informers: Informers, owner: Object, resource: Resource, obj: Object) -> None:
    references = [r for r in owner_references(obj) if r["uid"] != owner["metadata"]["uid"]]
    informers.patch(resource, obj, {"metadata": {"ownerReferences": references or None}})


def is_deleting(obj: Object) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))


# Pods.


@dataclass(frozen=True, slots=True)
class OwnedPods:
    """Makes and deletes the pods of owners of one kind, and tells it in their events."""

    informers: Informers
    events: Events
    owner_resource: Resource

    def create(self, owner: Object, pod: Object) -> None:
        made = self.informers.create(PODS, owner["metadata"]["namespace"], pod)
        told = f"Created pod: {made['metadata']['name']}"
        self.events.normal(self.owner_resource, owner, "SuccessfulCreate", told)

    def delete(self, owner: Object, pods: Iterable[Object]) -> None:
        for pod in pods:
            self.informers.delete(PODS, pod)
            told = f"Deleted pod: {pod['metadata']['name']}"
            self.events.normal(self.owner_resource, owner, "SuccessfulDelete", told)


def is_ready(pod: Object) -> bool:
    ready = condition(pod, "Ready")
    return ready is not None and ready["status"] == "True"


def is_finished(pod: Object) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def is_active(pod: Object) -> bool:
    """Counts for its owner: neither finished nor being deleted."""
    return not is_finished(pod) and not is_deleting(pod)


def seconds_until_available(pod: Object, min_ready_seconds: int, now: datetime) -> float | None:
    """0 when the pod has been ready for minReadySeconds; None when it is not ready."""
    ready = condition(pod, "Ready")
    if ready is None or ready["status"] != "True":
        return None
    since = parse_timestamp(ready.get("lastTransitionTime"))
    if min_ready_seconds <= 0 or since is None:
        return 0.0
    return max(0.0, (since + timedelta(seconds=min_ready_seconds) - now).total_seconds())


def pod_from_template(owner_resource: Resource, owner: Object, template: Object) -> Object:
    """A pod as the template says, managed by the owner, with a generated name of the owner's."""
    metadata = template.get("metadata", {})
    pod: Object = {
        "apiVersion": "v1",
        "kind": PODS.kind,
        "metadata": {
            "generateName": f"{owner['metadata']['name']}-",
            "namespace": owner["metadata"]["namespace"],
            "ownerReferences": [controller_reference(owner_resource, owner)],
        },
        "spec": template.get("spec", {}),
    }
    for name in ("labels", "annotations", "finalizers"):
        if value := metadata.get(name):
            pod["metadata"][name] = value
    return pod
