"""Names, labels, owners and the references by which Kubernetes objects point at one another."""

from typing import Any

import msgspec

from klamm.resources.structure import Block


class OwnerReference(Block):
    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ObjectMeta(Block):
    name: str | None = None
    generate_name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: int | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: list[OwnerReference] = []
    finalizers: list[str] = []


class LabelSelectorRequirement(Block):
    key: str | None = None
    operator: str | None = None
    values: list[str] = []


class LabelSelector(Block):
    match_expressions: list[LabelSelectorRequirement] = []
    match_labels: dict[str, str] = {}


class LocalObjectReference(Block):
    name: str | None = None


class ObjectReference(Block):
    api_version: str | None = None
    kind: str | None = None
    name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    field_path: str | None = None


class TypedLocalObjectReference(Block):
    api_group: str | None = None
    kind: str | None = None
    name: str | None = None


class ConfigMapKeySelector(Block):
    key: str | None = None
    name: str | None = None
    optional: bool | None = None


class SecretKeySelector(Block):
    key: str | None = None
    name: str | None = None
    optional: bool | None = None


class Condition(Block):
    """A condition of a native object (metav1.Condition and the older shapes of pods, nodes and workloads)."""

    type: str = ""
    status: str = ""
    reason: str | None = None
    message: str | None = None
    observed_generation: int | None = None
    last_transition_time: str | None = None
    last_probe_time: str | None = None
    last_update_time: str | None = None
    last_heartbeat_time: str | None = None


class NativeObject(Block):
    """Any object: enough to find its name, labels and owners."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)


class Status(Block):
    """What the API server answers instead of an object."""

    kind: str = ""
    status: str = ""
    code: int = 0
    reason: str = ""
    message: str = ""
    details: dict[str, Any] = {}
