"""Deployments, ReplicaSets and DaemonSets, and the budget that holds evictions back."""

import msgspec

from klamm.resources.native.metadata import Condition, LabelSelector, ObjectMeta
from klamm.resources.native.pod import PodTemplateSpec
from klamm.resources.structure import Block, always


class RollingUpdate(Block):
    max_surge: int | str | None = None
    max_unavailable: int | str | None = None


class DeploymentStrategy(Block):
    type: str | None = None
    rolling_update: RollingUpdate | None = None


class DeploymentSpec(Block):
    min_ready_seconds: int | None = None
    paused: bool | None = None
    progress_deadline_seconds: int | None = None
    replicas: int | None = None
    revision_history_limit: int | None = None
    selector: LabelSelector = msgspec.field(default_factory=LabelSelector)
    strategy: DeploymentStrategy | None = None
    template: PodTemplateSpec = msgspec.field(default_factory=PodTemplateSpec)


class DeploymentStatus(Block):
    available_replicas: int | None = None
    conditions: list[Condition] = []
    observed_generation: int | None = None
    ready_replicas: int | None = None
    replicas: int | None = None
    unavailable_replicas: int | None = None
    updated_replicas: int | None = None


class Deployment(Block):
    api_version: str = always("apps/v1")
    kind: str = always("Deployment")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: DeploymentSpec = msgspec.field(default_factory=DeploymentSpec)
    status: DeploymentStatus | None = None


class ReplicaSetSpec(Block):
    min_ready_seconds: int | None = None
    replicas: int | None = None
    selector: LabelSelector = msgspec.field(default_factory=LabelSelector)
    template: PodTemplateSpec = msgspec.field(default_factory=PodTemplateSpec)


class ReplicaSetStatus(Block):
    available_replicas: int | None = None
    conditions: list[Condition] = []
    fully_labeled_replicas: int | None = None
    observed_generation: int | None = None
    ready_replicas: int | None = None
    replicas: int | None = None


class ReplicaSet(Block):
    api_version: str = always("apps/v1")
    kind: str = always("ReplicaSet")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: ReplicaSetSpec = msgspec.field(default_factory=ReplicaSetSpec)
    status: ReplicaSetStatus | None = None


class DaemonSetSpec(Block):
    min_ready_seconds: int | None = None
    revision_history_limit: int | None = None
    selector: LabelSelector = msgspec.field(default_factory=LabelSelector)
    template: PodTemplateSpec = msgspec.field(default_factory=PodTemplateSpec)
    update_strategy: DeploymentStrategy | None = None


class DaemonSetStatus(Block):
    conditions: list[Condition] = []
    current_number_scheduled: int | None = None
    desired_number_scheduled: int | None = None
    number_available: int | None = None
    number_misscheduled: int | None = None
    number_ready: int | None = None
    observed_generation: int | None = None
    updated_number_scheduled: int | None = None


class DaemonSet(Block):
    api_version: str = always("apps/v1")
    kind: str = always("DaemonSet")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: DaemonSetSpec = msgspec.field(default_factory=DaemonSetSpec)
    status: DaemonSetStatus | None = None


class PodDisruptionBudgetSpec(Block):
    max_unavailable: int | str | None = None
    min_available: int | str | None = None
    selector: LabelSelector | None = None
    unhealthy_pod_eviction_policy: str | None = None


class PodDisruptionBudgetStatus(Block):
    conditions: list[Condition] = []
    current_healthy: int | None = None
    desired_healthy: int | None = None
    disruptions_allowed: int | None = None
    expected_pods: int | None = None
    observed_generation: int | None = None


class PodDisruptionBudget(Block):
    api_version: str = always("policy/v1")
    kind: str = always("PodDisruptionBudget")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: PodDisruptionBudgetSpec = msgspec.field(default_factory=PodDisruptionBudgetSpec)
    status: PodDisruptionBudgetStatus | None = None
