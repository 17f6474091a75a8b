"""What a pod can mount: volumes of a pod, claims, persistent volumes, storage classes."""

import msgspec

from klamm.resources.native.container import ObjectFieldSelector, ResourceFieldSelector, ResourceRequirements
from klamm.resources.native.metadata import (
    Condition,
    LabelSelector,
    LocalObjectReference,
    ObjectMeta,
    ObjectReference,
    TypedLocalObjectReference,
)
from klamm.resources.native.scheduling import NodeSelector
from klamm.resources.structure import Block, FreeForm, Quantity, always


class KeyToPath(Block):
    key: str | None = None
    mode: int | None = None
    path: str | None = None


class ConfigMapVolumeSource(Block):
    default_mode: int | None = None
    items: list[KeyToPath] = []
    name: str | None = None
    optional: bool | None = None


class SecretVolumeSource(Block):
    default_mode: int | None = None
    items: list[KeyToPath] = []
    optional: bool | None = None
    secret_name: str | None = None


class EmptyDirVolumeSource(Block):
    medium: str | None = None
    size_limit: Quantity | None = None


class PersistentVolumeClaimVolumeSource(Block):
    claim_name: str | None = None
    read_only: bool | None = None


class CsiVolumeSource(Block):
    driver: str | None = None
    fs_type: str | None = None
    node_publish_secret_ref: LocalObjectReference | None = None
    read_only: bool | None = None
    volume_attributes: dict[str, str] = {}


class ImageVolumeSource(Block):
    pull_policy: str | None = None
    reference: str | None = None


class HostPathVolumeSource(Block):
    path: str = ""
    type: str | None = None


class DownwardApiFile(Block):
    path: str = ""
    mode: int | None = None
    field_ref: ObjectFieldSelector | None = None
    resource_field_ref: ResourceFieldSelector | None = None


class DownwardApiVolumeSource(Block):
    default_mode: int | None = None
    items: list[DownwardApiFile] = []


class ConfigMapProjection(Block):
    items: list[KeyToPath] = []
    name: str | None = None
    optional: bool | None = None


class SecretProjection(Block):
    items: list[KeyToPath] = []
    name: str | None = None
    optional: bool | None = None


class DownwardApiProjection(Block):
    items: list[DownwardApiFile] = []


class ServiceAccountTokenProjection(Block):
    audience: str | None = None
    expiration_seconds: int | None = None
    path: str = ""


class VolumeProjection(Block):
    config_map: ConfigMapProjection | None = None
    secret: SecretProjection | None = None
    downward_api: DownwardApiProjection | None = msgspec.field(name="downwardAPI", default=None)
    service_account_token: ServiceAccountTokenProjection | None = None


class ProjectedVolumeSource(Block):
    default_mode: int | None = None
    sources: list[VolumeProjection] = []


class Volume(Block):
    """A volume of a pod: a name and exactly one source."""

    name: str = ""
    config_map: ConfigMapVolumeSource | None = None
    csi: CsiVolumeSource | None = None
    downward_api: DownwardApiVolumeSource | None = msgspec.field(name="downwardAPI", default=None)
    empty_dir: EmptyDirVolumeSource | None = None
    host_path: HostPathVolumeSource | None = None
    image: ImageVolumeSource | None = None
    persistent_volume_claim: PersistentVolumeClaimVolumeSource | None = None
    projected: ProjectedVolumeSource | None = None
    secret: SecretVolumeSource | None = None


class PersistentVolumeClaimSpec(Block):
    access_modes: list[str] = []
    resources: ResourceRequirements | None = None
    selector: LabelSelector | None = None
    storage_class_name: str | None = None
    volume_attributes_class_name: str | None = None
    volume_mode: str | None = None
    volume_name: str | None = None
    data_source: TypedLocalObjectReference | None = None


class PersistentVolumeClaimStatus(Block):
    phase: str | None = None
    access_modes: list[str] = []
    capacity: dict[str, Quantity] = {}
    conditions: list[Condition] = []
    allocated_resources: dict[str, Quantity] = {}


class PersistentVolumeClaim(Block):
    api_version: str = always("v1")
    kind: str = always("PersistentVolumeClaim")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: PersistentVolumeClaimSpec = msgspec.field(default_factory=PersistentVolumeClaimSpec)
    status: PersistentVolumeClaimStatus | None = None


class VolumeNodeAffinity(Block):
    required: NodeSelector | None = None


class PersistentVolumeSpec(Block):
    access_modes: list[str] = []
    capacity: dict[str, Quantity] = {}
    claim_ref: ObjectReference | None = None
    host_path: HostPathVolumeSource | None = None
    local: FreeForm | None = None
    csi: FreeForm | None = None
    node_affinity: VolumeNodeAffinity | None = None
    persistent_volume_reclaim_policy: str | None = None
    storage_class_name: str | None = None
    volume_mode: str | None = None


class PersistentVolumeStatus(Block):
    phase: str | None = None
    message: str | None = None
    reason: str | None = None


class PersistentVolume(Block):
    api_version: str = always("v1")
    kind: str = always("PersistentVolume")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: PersistentVolumeSpec = msgspec.field(default_factory=PersistentVolumeSpec)
    status: PersistentVolumeStatus | None = None


class StorageClass(Block):
    api_version: str = always("storage.k8s.io/v1")
    kind: str = always("StorageClass")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    provisioner: str = ""
    parameters: dict[str, str] = {}
    reclaim_policy: str | None = None
    volume_binding_mode: str | None = None
    allow_volume_expansion: bool | None = None
