"""Volumes of a pod, and the storage of a cluster as volumes, mounts and claims.

A cluster's storage is one volume, or with type jbod several. Names are an interface: a claim that already holds data
is found by its name `data-<pod>` or, in a JBOD, `data-<volume id>-<pod>` (Strimzi behaviour).
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from klamm.resources.custom.storage import Storage
from klamm.resources.custom.storage import Volume as StoredVolume
from klamm.resources.native.container import ResourceRequirements, VolumeMount
from klamm.resources.native.metadata import LabelSelector
from klamm.resources.native.volumes import (
    ConfigMapVolumeSource,
    EmptyDirVolumeSource,
    PersistentVolumeClaimSpec,
    PersistentVolumeClaimVolumeSource,
    SecretVolumeSource,
    Volume,
)
from klamm.resources.structure import encode

# Keys and certificates are mounted readable for every user of the container: which one runs there is the image's
# choice, and nobody else is in it.
_SECRET_MODE = 0o444
_DNS_LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")

DELETE_CLAIM = "strimzi.io/delete-claim"
STORAGE = "strimzi.io/storage"


@dataclass(frozen=True, slots=True)
class DataVolume:
    """One volume of a node: `name` in the pod (`data`, `data-0`) and what the user wrote of it."""

    name: str
    volume: StoredVolume

    @property
    def is_claim(self) -> bool:
        return self.volume.type == "persistent-claim"

    def claim_name(self, pod: str) -> str:
        return f"{self.name}-{pod}"


def data_volumes(storage: Storage) -> list[DataVolume]:
    """The volumes of a storage, in the order of their ids."""
    if storage.type != "jbod":
        return [DataVolume("data", storage)]
    ordered = sorted(storage.volumes, key=lambda volume: volume.id or 0)
    return [DataVolume(f"data-{volume.id or 0}", volume) for volume in ordered]


def pod_volume(data: DataVolume, pod: str) -> Volume:
    """The pod's volume: its claim, or an empty folder for ephemeral storage."""
    if data.is_claim:
        source = PersistentVolumeClaimVolumeSource(claim_name=data.claim_name(pod))
        return Volume(name=data.name, persistent_volume_claim=source)
    return Volume(name=data.name, empty_dir=EmptyDirVolumeSource(size_limit=data.volume.size_limit))


def claim_spec(volume: StoredVolume, node: int) -> PersistentVolumeClaimSpec:
    """What the claim of node `node` asks for; an override may give this node another storage class."""
    override = next((o.class_ for o in volume.overrides if o.broker == node), None)
    return PersistentVolumeClaimSpec(
        access_modes=["ReadWriteOnce"],
        resources=ResourceRequirements(requests={"storage": volume.size or "0"}),
        selector=LabelSelector(match_labels=dict(volume.selector)) if volume.selector else None,
        storage_class_name=override or volume.class_,
        volume_attributes_class_name=volume.volume_attributes_class,
        volume_mode="Filesystem",
    )


def storage_json(storage: Storage) -> str:
    """The storage as JSON text, as it is remembered on the StrimziPodSet (annotation strimzi.io/storage)."""
    return json.dumps(encode(storage), sort_keys=True)


def secret_volume(name: str, secret: str) -> Volume:
    return Volume(name=volume_name(name), secret=SecretVolumeSource(secret_name=secret, default_mode=_SECRET_MODE))


def config_map_volume(name: str, config_map: str) -> Volume:
    return Volume(name=volume_name(name), config_map=ConfigMapVolumeSource(name=config_map))


def memory_volume(name: str, size_limit: str) -> Volume:
    return Volume(name=name, empty_dir=EmptyDirVolumeSource(medium="Memory", size_limit=size_limit))


def mount(volume: str, path: str) -> VolumeMount:
    return VolumeMount(name=volume, mount_path=path)


def volume_name(name: str) -> str:
    """A volume's name must be a DNS label: what is none (too long, dots) gets a stub of its hash instead."""
    if _DNS_LABEL.match(name):
        return name
    stub = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()[:8]
    kept = re.sub(r"[^-a-z0-9]", "-", name.lower())[:54].strip("-")
    return f"{kept}-{stub}" if kept else f"volume-{stub}"


def additional_mounts(mounts: Sequence[VolumeMount]) -> list[VolumeMount]:
    """Mounts that a user adds: only under /mnt, so that none hides a file of ours."""
    return [added for added in mounts if (added.mount_path or "").startswith("/mnt")]
