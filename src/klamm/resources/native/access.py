"""Service accounts and what they may do (RBAC)."""

import msgspec

from klamm.resources.native.metadata import LocalObjectReference, ObjectMeta, ObjectReference
from klamm.resources.structure import Block, always

_RBAC = "rbac.authorization.k8s.io/v1"


class ServiceAccount(Block):
    api_version: str = always("v1")
    kind: str = always("ServiceAccount")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    automount_service_account_token: bool | None = None
    image_pull_secrets: list[LocalObjectReference] = []
    secrets: list[ObjectReference] = []


class PolicyRule(Block):
    api_groups: list[str] = []
    non_resource_urls: list[str] = msgspec.field(name="nonResourceURLs", default_factory=list)
    resource_names: list[str] = []
    resources: list[str] = []
    verbs: list[str] = []


class Role(Block):
    api_version: str = always(_RBAC)
    kind: str = always("Role")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    rules: list[PolicyRule] = []


class ClusterRole(Block):
    api_version: str = always(_RBAC)
    kind: str = always("ClusterRole")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    rules: list[PolicyRule] = []


class RoleRef(Block):
    api_group: str = always("rbac.authorization.k8s.io")
    kind: str = ""
    name: str = ""


class Subject(Block):
    api_group: str | None = None
    kind: str = ""
    name: str = ""
    namespace: str | None = None


class RoleBinding(Block):
    api_version: str = always(_RBAC)
    kind: str = always("RoleBinding")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    role_ref: RoleRef = msgspec.field(default_factory=RoleRef)
    subjects: list[Subject] = []


class ClusterRoleBinding(Block):
    api_version: str = always(_RBAC)
    kind: str = always("ClusterRoleBinding")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    role_ref: RoleRef = msgspec.field(default_factory=RoleRef)
    subjects: list[Subject] = []
