"""What the server adds to new objects beyond defaults, from what else there is: nobody owns these fields.

Source: Kubernetes' "Admission Controllers" (NamespaceLifecycle, ServiceAccount, Priority, DefaultStorageClass).
"""

from collections.abc import Callable
from random import Random

from klamm.localkube.apiserver import addresses, custom_kinds, defaults, statuses, storage_rules
from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.apiserver.policy_rules import SYSTEM_PRIORITIES
from klamm.localkube.apiserver.storage import Storage
from klamm.localkube.objects import (
    CUSTOM_RESOURCE_DEFINITIONS,
    NAMESPACES,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    SERVICES,
    Object,
)


def check_namespace(storage: Storage, kind: Kind, namespace: str | None, name: str) -> None:
    """Nothing is created in a namespace that is missing or on its way out."""
    if not kind.resource.namespaced:
        return
    of = storage.find("/namespaces", "", namespace or "")
    if of is None:
        raise statuses.not_found(NAMESPACES, namespace or "")
    if storage.decode(of)["metadata"].get("deletionTimestamp"):
        why = f"unable to create new content in namespace {namespace} because it is being terminated"
        text = f"namespace {namespace} is being terminated"
        cause = statuses.Cause("NamespaceTerminating", "metadata.namespace", text)
        raise statuses.forbidden(kind.resource, name, why, [cause])


def admit_new(storage: Storage, kind: Kind, obj: Object, suffix: Callable[[], str]) -> None:
    """Fill in `obj`. `suffix` makes the random end of a generated name."""
    if kind.resource.kind == "Job":
        _admit_job(obj)
    if kind.resource.group:
        return
    if kind.resource.kind == "Pod":
        defaults.pod_admission(obj, _account_of(storage, obj), suffix)
        obj["status"] = {"phase": "Pending", "qosClass": defaults.qos_class(obj["spec"])}
        if obj["spec"].get("schedulingGates"):
            obj["status"]["conditions"] = [_gated(obj["metadata"]["creationTimestamp"])]
        _admit_priority(storage, obj)
    elif kind.resource.kind == "Namespace":
        spec = obj.setdefault("spec", {})
        spec["finalizers"] = ["kubernetes"]
        obj["status"] = {"phase": "Active"}
    elif kind.resource.kind == "PersistentVolumeClaim":
        _admit_claim(storage, obj)
        _protect(obj, "kubernetes.io/pvc-protection")
    elif kind.resource.kind == "PersistentVolume":
        obj["status"]["lastPhaseTransitionTime"] = obj["metadata"]["creationTimestamp"]
        _protect(obj, "kubernetes.io/pv-protection")


def admit_change(storage: Storage, kind: Kind, new: Object, old: Object) -> None:
    if kind.resource == PODS:
        defaults.tolerate(new["spec"])
    elif kind.resource == CUSTOM_RESOURCE_DEFINITIONS:
        custom_kinds.note_stored(new)
    elif kind.resource == SERVICES:
        addresses.leave_type(new["spec"], old["spec"])
    elif kind.resource == PERSISTENT_VOLUME_CLAIMS and _grows_bound(new, old):
        _check_growth(storage, new)


def _grows_bound(new: Object, old: Object) -> bool:
    return (old.get("status") or {}).get("phase") == "Bound" and storage_rules.grows(new, old)


def _check_growth(storage: Storage, claim: Object) -> None:
    name = claim["spec"].get("storageClassName")
    found = storage.find("storage.k8s.io/storageclasses", "", name) if name else None
    if found is None or not storage.decode(found).get("allowVolumeExpansion"):
        why = (
            "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support "
            "resize"
        )
        raise statuses.forbidden(PERSISTENT_VOLUME_CLAIMS, claim["metadata"]["name"], why)


def _protect(obj: Object, finalizer: str) -> None:
    """What is in use must not go: the controllers of storage take the finalizer off."""
    finalizers = obj["metadata"].setdefault("finalizers", [])
    if finalizer not in finalizers:
        finalizers.append(finalizer)


def _gated(now: str) -> Object:
    told = "Scheduling is blocked due to non-empty scheduling gates"
    condition = {"type": "PodScheduled", "status": "False", "lastProbeTime": None, "lastTransitionTime": now}
    return {**condition, "reason": "SchedulingGated", "message": told}


def _admit_job(job: Object) -> None:
    """A Job tells its pods from others' by its own uid, unless it is asked to use the selector that it brings."""
    spec, metadata = job["spec"], job["metadata"]
    if spec.get("manualSelector"):
        return
    owner = {"controller-uid": metadata["uid"], "job-name": metadata.get("name", "")}
    marks = {**owner, **{f"batch.kubernetes.io/{name}": value for name, value in owner.items()}}
    labels = spec.setdefault("template", {}).setdefault("metadata", {}).setdefault("labels", {})
    labels |= marks
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": metadata["uid"]}}
    if not metadata.get("labels"):
        metadata["labels"] = dict(labels)


def _admit_priority(storage: Storage, pod: Object) -> None:
    wanted = pod["spec"].get("priorityClassName")
    found = storage.find("scheduling.k8s.io/priorityclasses", "", wanted) if wanted else None
    if found is not None:
        pod["spec"]["priority"] = storage.decode(found).get("value", 0)
    elif wanted in SYSTEM_PRIORITIES:
        pod["spec"]["priority"] = SYSTEM_PRIORITIES[wanted]
    elif wanted:
        why = f"no PriorityClass with name {wanted} was found"
        raise statuses.forbidden(PODS, pod["metadata"].get("name", ""), why)


def _account_of(storage: Storage, pod: Object) -> Object:
    """The pod's account. A namespace's `default` may come later than its first pod: it says nothing of its own."""
    name, namespace = pod["spec"].get("serviceAccountName") or "default", pod["metadata"]["namespace"]
    found = storage.find("/serviceaccounts", namespace, name)
    if found is not None:
        return storage.decode(found)
    if name != "default":
        why = f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found'
        raise statuses.forbidden(PODS, pod["metadata"].get("name", ""), why)
    return {}


def _admit_claim(storage: Storage, claim: Object) -> None:
    """A claim that names no class gets the default one."""
    spec = claim["spec"]
    annotation = "volume.beta.kubernetes.io/storage-class"
    if "storageClassName" in spec or annotation in claim["metadata"].get("annotations", {}):
        return
    for stored in storage.all("storage.k8s.io/storageclasses"):
        storage_class = storage.decode(stored)
        marks = storage_class["metadata"].get("annotations") or {}
        if marks.get("storageclass.kubernetes.io/is-default-class") == "true":
            spec["storageClassName"] = storage_class["metadata"]["name"]
            return


def allocate(storage: Storage, kind: Kind, new: Object, old: Object | None, random: Random) -> None:
    """Give a Service its cluster IP and node ports, of those that no other has."""
    if kind.resource != SERVICES:
        return
    name = (new["metadata"]["namespace"], new["metadata"]["name"])
    services = [storage.decode(stored) for stored in storage.all(kind.storage_key)]
    wrong = addresses.allocate(new, old, addresses.in_use(services, name), random)
    if wrong:
        raise statuses.invalid("", "Service", name[1], wrong)
