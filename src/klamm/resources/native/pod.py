"""Pods and the template from which workloads make them."""

import msgspec

from klamm.resources.native.container import Container
from klamm.resources.native.metadata import Condition, LocalObjectReference, ObjectMeta
from klamm.resources.native.scheduling import Affinity, Toleration, TopologySpreadConstraint
from klamm.resources.native.security import PodSecurityContext
from klamm.resources.native.volumes import Volume
from klamm.resources.structure import Block, always


class HostAlias(Block):
    hostnames: list[str] = []
    ip: str | None = None


class PodDnsConfigOption(Block):
    name: str | None = None
    value: str | None = None


class PodDnsConfig(Block):
    nameservers: list[str] = []
    options: list[PodDnsConfigOption] = []
    searches: list[str] = []


class PodReadinessGate(Block):
    condition_type: str = ""


class PodSpec(Block):
    affinity: Affinity | None = None
    automount_service_account_token: bool | None = None
    containers: list[Container] = []
    dns_config: PodDnsConfig | None = None
    dns_policy: str | None = None
    enable_service_links: bool | None = None
    host_aliases: list[HostAlias] = []
    host_network: bool | None = None
    host_users: bool | None = None
    hostname: str | None = None
    image_pull_secrets: list[LocalObjectReference] = []
    init_containers: list[Container] = []
    node_name: str | None = None
    node_selector: dict[str, str] = {}
    priority_class_name: str | None = None
    readiness_gates: list[PodReadinessGate] = []
    restart_policy: str | None = None
    runtime_class_name: str | None = None
    scheduler_name: str | None = None
    security_context: PodSecurityContext | None = None
    service_account_name: str | None = None
    share_process_namespace: bool | None = None
    subdomain: str | None = None
    termination_grace_period_seconds: int | None = None
    tolerations: list[Toleration] = []
    topology_spread_constraints: list[TopologySpreadConstraint] = []
    volumes: list[Volume] = []


class ContainerStateRunning(Block):
    started_at: str | None = None


class ContainerStateWaiting(Block):
    reason: str | None = None
    message: str | None = None


class ContainerStateTerminated(Block):
    exit_code: int = 0
    signal: int | None = None
    reason: str | None = None
    message: str | None = None
    started_at: str | None = None
    finished_at: str | None = None


class ContainerState(Block):
    running: ContainerStateRunning | None = None
    terminated: ContainerStateTerminated | None = None
    waiting: ContainerStateWaiting | None = None


class ContainerStatus(Block):
    name: str = ""
    image: str | None = None
    image_id: str | None = msgspec.field(name="imageID", default=None)
    container_id: str | None = msgspec.field(name="containerID", default=None)
    ready: bool | None = None
    started: bool | None = None
    restart_count: int | None = None
    state: ContainerState | None = None
    last_state: ContainerState | None = None


class PodIP(Block):
    ip: str = ""


class PodStatus(Block):
    phase: str | None = None
    reason: str | None = None
    message: str | None = None
    conditions: list[Condition] = []
    container_statuses: list[ContainerStatus] = []
    init_container_statuses: list[ContainerStatus] = []
    host_ip: str | None = msgspec.field(name="hostIP", default=None)
    pod_ip: str | None = msgspec.field(name="podIP", default=None)
    pod_ips: list[PodIP] = msgspec.field(name="podIPs", default_factory=list)
    start_time: str | None = None
    observed_generation: int | None = None


class Pod(Block):
    api_version: str = always("v1")
    kind: str = always("Pod")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: PodSpec = msgspec.field(default_factory=PodSpec)
    status: PodStatus | None = None


class PodTemplateSpec(Block):
    metadata: ObjectMeta | None = None
    spec: PodSpec = msgspec.field(default_factory=PodSpec)
