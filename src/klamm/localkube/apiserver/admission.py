"""What the server adds to new objects beyond defaults, from what else there is: nobody owns these fields.

Source: Kubernetes' "Admission Controllers" (NamespaceLifecycle, ServiceAccount, Priority, DefaultStorageClass).
"""

from collections.abc import Callable
from random import Random

from klamm.localkube.apiserver import addresses, defaults, statuses
from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.apiserver.storage import Storage
from klamm.localkube.objects import NAMESPACES, SERVICES, Object


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
        defaults.pod_admission(obj, suffix)
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
