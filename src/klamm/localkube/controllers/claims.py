"""PersistentVolumeClaims and StorageClasses: a default class, and a folder of this machine for every claim.

Rules (Kubernetes docs, "Persistent Volumes", "Storage Classes", "Dynamic Volume Provisioning"):
- A claim binds to a free volume that fits (class, size, access modes, selector), else to one made by its class.
- Both sides name each other: spec.volumeName and spec.claimRef with the claim's uid.
- While a claim is used by a pod that runs, a finalizer keeps it.
- A claim that grew makes its volume grow at once: a folder has no size of its own.

The class `standard` binds immediately: with folders on one machine there is nothing to learn from the first consumer,
and a claim that is bound when its pod comes saves the scheduler a round. WaitForFirstConsumer classes are bound so too.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from klamm.base.clock import Clock
from klamm.base.quantities import quantity
from klamm.localkube.controllers.informers import Change, Informers, Key, key_of
from klamm.localkube.controllers.ownership import is_deleting, is_finished
from klamm.localkube.controllers.statuses import write_status
from klamm.localkube.controllers.volumes import PROVISIONED_BY, PROVISIONER, VOLUME_FINALIZER, Folders, let_go, protect
from klamm.localkube.controllers.workqueue import WorkQueue
from klamm.localkube.events import Events
from klamm.localkube.objects import (
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    STORAGE_CLASSES,
    Object,
)
from klamm.localkube.selectors import label_selector

DEFAULT_CLASS: Final = "standard"
IS_DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"
CLAIM_FINALIZER: Final = "kubernetes.io/pvc-protection"


class StorageClasses:
    """Keeps the class `standard`, until a user deletes or changes it: it is only made where no class is the default."""

    name = "storage classes"

    def __init__(self, informers: Informers) -> None:
        self._informers = informers

    def watch(self, queue: WorkQueue[str]) -> None:
        queue.add(DEFAULT_CLASS)

    async def reconcile(self, key: str) -> None:
        if default_class(self._informers.objects.list(STORAGE_CLASSES)) is not None:
            return
        if self._informers.objects.find(STORAGE_CLASSES, None, key) is None:
            self._informers.create(STORAGE_CLASSES, None, _standard_class())


class Claims:
    """PersistentVolumeClaims: binding, provisioning, growth, protection."""

    name = "volume claims"

    def __init__(self, informers: Informers, clock: Clock, volumes: Path, folders: Folders) -> None:
        self._informers = informers
        self._events = Events(informers.objects, clock, f"{PROVISIONER}-provisioner")
        self._root = volumes
        self._folders = folders
        self._claims = informers.cache(PERSISTENT_VOLUME_CLAIMS)
        self._volumes = informers.cache(PERSISTENT_VOLUMES)
        self._classes = informers.cache(STORAGE_CLASSES)
        self._pods = informers.cache(PODS)

    def watch(self, queue: WorkQueue[Key]) -> None:
        def volume_changed(change: Change) -> None:
            if reference := change.newest.get("spec", {}).get("claimRef"):
                queue.add(Key(reference["namespace"], reference["name"]))
            elif change.new is not None:
                unbound_claims()

        def unbound_claims() -> None:
            for claim in self._claims.list():
                if not claim["spec"].get("volumeName"):
                    queue.add(key_of(claim))

        def pod_changed(change: Change) -> None:
            if change.new is None or is_finished(change.new):
                for name in claim_names(change.newest):
                    queue.add(Key(change.key.namespace, name))

        self._informers.subscribe(PERSISTENT_VOLUME_CLAIMS, lambda change: queue.add(change.key))
        self._informers.subscribe(PERSISTENT_VOLUMES, volume_changed)
        self._informers.subscribe(STORAGE_CLASSES, lambda change: unbound_claims())
        self._informers.subscribe(PODS, pod_changed)

    async def reconcile(self, key: Key) -> None:
        claim = self._claims.get(*key)
        if claim is None:
            return
        if is_deleting(claim):
            if not self._is_used(claim):
                let_go(self._informers, PERSISTENT_VOLUME_CLAIMS, claim, CLAIM_FINALIZER)
            return
        claim = protect(self._informers, PERSISTENT_VOLUME_CLAIMS, claim, CLAIM_FINALIZER)
        if volume := self._volume_for(claim):
            self._bind(claim, volume)

    def _is_used(self, claim: Object) -> bool:
        namespace, name = key_of(claim)
        return any(
            name in claim_names(pod) and pod["spec"].get("nodeName") and not is_finished(pod)
            for pod in self._pods.list(namespace)
        )

    def _volume_for(self, claim: Object) -> Object | None:
        if name := claim["spec"].get("volumeName"):
            return self._named_volume(claim, name)
        reserved = [v for v in self._volumes.list() if _is_reserved_for(v, claim)]
        if reserved:
            return reserved[0]
        fitting = [v for v in self._volumes.list() if fits(v, claim, self._class_name(claim))]
        if fitting:
            return min(fitting, key=lambda v: quantity(v["spec"]["capacity"]["storage"]))
        return self._provision(claim)

    def _named_volume(self, claim: Object, name: str) -> Object | None:
        volume = self._volumes.get(None, name)
        bound = claim.get("status", {}).get("phase") == "Bound"
        if volume is not None:
            reference = volume["spec"].get("claimRef")
            if not reference or _is_reserved_for(volume, claim):
                return volume
        if bound:
            message = f"The volume {name} of the claim is lost; its data cannot be reached through it"
            self._set_status(claim, {"phase": "Lost"})
            self._events.warning(PERSISTENT_VOLUME_CLAIMS, claim, "ClaimLost", message)
        return None

    def _class_name(self, claim: Object) -> str | None:
        name: str | None = claim["spec"].get("storageClassName")
        if name is not None:
            return name
        return default_class(self._classes.list())

    def _provision(self, claim: Object) -> Object | None:
        name = self._class_name(claim)
        if not name:
            message = "no persistent volume fits this claim, and no storage class is set that could make one"
            self._wait(claim, "FailedBinding", message)
            return None
        storage_class = self._classes.get(None, name)
        if storage_class is None:
            self._wait(claim, "ProvisioningFailed", f'storageclass.storage.k8s.io "{name}" not found')
            return None
        if storage_class.get("provisioner") != PROVISIONER:
            told = f'"{storage_class.get("provisioner")}" of the class "{name}" is not served here; {PROVISIONER} is'
            self._wait(claim, "ExternalProvisioning", f"the provisioner {told}")
            return None
        volume = provisioned(claim, storage_class, self._root)
        self._folders.make(Path(volume["spec"]["hostPath"]["path"]))
        made = self._informers.create(PERSISTENT_VOLUMES, None, volume)
        message = f"the volume {made['metadata']['name']} is made"
        self._events.normal(PERSISTENT_VOLUME_CLAIMS, claim, "ProvisioningSucceeded", message)
        return made

    def _wait(self, claim: Object, reason: str, message: str) -> None:
        self._set_status(claim, {"phase": "Pending"})
        self._events.warning(PERSISTENT_VOLUME_CLAIMS, claim, reason, message)

    def _bind(self, claim: Object, volume: Object) -> None:
        reference = _claim_reference(claim)
        if (volume["spec"].get("claimRef") or {}).get("uid") != reference["uid"]:
            volume = self._informers.patch(PERSISTENT_VOLUMES, volume, {"spec": {"claimRef": reference}})
        if claim["spec"].get("volumeName") != volume["metadata"]["name"]:
            claim = self._informers.patch(
                PERSISTENT_VOLUME_CLAIMS, claim, _bound_patch(claim, volume, self._class_name(claim))
            )
        volume = self._grow(claim, volume)
        status = {
            "phase": "Bound",
            "accessModes": volume["spec"].get("accessModes"),
            "capacity": volume["spec"]["capacity"],
        }
        self._set_status(claim, status)

    def _grow(self, claim: Object, volume: Object) -> Object:
        wanted = claim["spec"]["resources"]["requests"]["storage"]
        if volume["metadata"].get("annotations", {}).get(PROVISIONED_BY) != PROVISIONER:
            return volume
        if quantity(wanted) <= quantity(volume["spec"]["capacity"]["storage"]):
            return volume
        grown = self._informers.patch(PERSISTENT_VOLUMES, volume, {"spec": {"capacity": {"storage": wanted}}})
        self._events.normal(
            PERSISTENT_VOLUME_CLAIMS, claim, "FileSystemResizeSuccessful", f"the volume has grown to {wanted}"
        )
        return grown

    def _set_status(self, claim: Object, status: Object) -> None:
        write_status(self._informers, PERSISTENT_VOLUME_CLAIMS, claim, status)


def default_class(classes: Sequence[Object]) -> str | None:
    """The name of the class that is annotated as the default; the newest of several."""
    defaults = [c for c in classes if (c["metadata"].get("annotations") or {}).get(IS_DEFAULT) == "true"]
    if not defaults:
        return None
    return str(max(defaults, key=lambda c: c["metadata"].get("creationTimestamp", ""))["metadata"]["name"])


def claim_names(pod: Object) -> Sequence[str]:
    """The claims that a pod mounts; a generic ephemeral volume's claim is named after pod and volume."""
    names = []
    for volume in pod.get("spec", {}).get("volumes") or ():
        if claim := volume.get("persistentVolumeClaim"):
            names.append(claim["claimName"])
        elif volume.get("ephemeral"):
            names.append(f"{pod['metadata']['name']}-{volume['name']}")
    return names


def fits(volume: Object, claim: Object, class_name: str | None) -> bool:
    """Whether a free volume can serve the claim."""
    spec, wanted = volume["spec"], claim["spec"]
    return (
        not spec.get("claimRef")
        and not is_deleting(volume)
        and (spec.get("storageClassName") or "") == (class_name or "")
        and set(wanted.get("accessModes") or ()) <= set(spec.get("accessModes") or ())
        and quantity(spec["capacity"]["storage"]) >= quantity(wanted["resources"]["requests"]["storage"])
        and (
            wanted.get("selector") is None or label_selector(wanted["selector"])(volume["metadata"].get("labels") or {})
        )
    )


def provisioned(claim: Object, storage_class: Object, root: Path) -> Object:
    """The PersistentVolume for a claim: a folder of its own under `root`."""
    uid = claim["metadata"]["uid"]
    if not re.fullmatch(r"[0-9A-Za-z-]+", uid):
        raise ValueError(f"The uid {uid!r} of the claim {key_of(claim)} cannot name a folder")
    name = f"pvc-{uid}"
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "annotations": {PROVISIONED_BY: PROVISIONER},
            "finalizers": [VOLUME_FINALIZER],
        },
        "spec": {
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "accessModes": claim["spec"].get("accessModes") or ["ReadWriteOnce"],
            "volumeMode": claim["spec"].get("volumeMode", "Filesystem"),
            "storageClassName": storage_class["metadata"]["name"],
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "claimRef": _claim_reference(claim),
            "hostPath": {"path": str(root / name), "type": "DirectoryOrCreate"},
        },
    }


def _claim_reference(claim: Object) -> Object:
    metadata = claim["metadata"]
    said = {name: metadata[name] for name in ("namespace", "name", "uid")}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **said}


def _is_reserved_for(volume: Object, claim: Object) -> bool:
    reference: dict[str, Any] = volume["spec"].get("claimRef") or {}
    return (reference.get("namespace"), reference.get("name")) == key_of(claim) and reference.get("uid") in (
        None,
        "",
        claim["metadata"]["uid"],
    )


def _bound_patch(claim: Object, volume: Object, class_name: str | None) -> Object:
    spec: dict[str, Any] = {"volumeName": volume["metadata"]["name"]}
    if claim["spec"].get("storageClassName") is None and class_name:
        spec["storageClassName"] = class_name
    annotations = {"pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes"}
    if by := volume["metadata"].get("annotations", {}).get(PROVISIONED_BY):
        annotations["volume.kubernetes.io/storage-provisioner"] = by
    return {"metadata": {"annotations": annotations}, "spec": spec}


def _standard_class() -> Object:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": DEFAULT_CLASS, "annotations": {IS_DEFAULT: "true"}},
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "allowVolumeExpansion": True,
        "volumeBindingMode": "Immediate",
    }
