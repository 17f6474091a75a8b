"""The few fields of resources and pods that a person at a terminal is told about.

Reading only those keeps a command's start short: the whole types of the vocabulary take longer to import than the
command takes to answer. Every kind with a status like Strimzi's fits `Resource`.
"""

from typing import Any

import msgspec

from klamm.cli.applying import Served
from klamm.kube.kinds import Kind
from klamm.resources.native.metadata import ObjectMeta


class _Part(msgspec.Struct, rename="camel", omit_defaults=True):
    pass


class Condition(_Part):
    type: str = ""
    status: str = ""
    reason: str | None = None
    message: str | None = None
    last_transition_time: str | None = None


class Listener(_Part):
    name: str = ""
    type: str = ""
    bootstrap_servers: str | None = None


class Status(_Part):
    observed_generation: int | None = None
    conditions: list[Condition] = []
    listeners: list[Listener] = []
    kafka_version: str | None = None
    # Of Deployments, StatefulSets and DaemonSets.
    replicas: int | None = None
    ready_replicas: int | None = None
    updated_replicas: int | None = None
    desired_number_scheduled: int | None = None
    number_ready: int | None = None
    updated_number_scheduled: int | None = None


class Resource(_Part):
    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: dict[str, Any] | None = None
    status: Status | None = None


class Waiting(_Part):
    reason: str | None = None
    message: str | None = None


class ContainerState(_Part):
    waiting: Waiting | None = None
    terminated: Waiting | None = None


class ContainerStatus(_Part):
    name: str = ""
    ready: bool = False
    restart_count: int = 0
    state: ContainerState | None = None


class PodStatus(_Part):
    phase: str | None = None
    reason: str | None = None
    conditions: list[Condition] = []
    container_statuses: list[ContainerStatus] = []
    init_container_statuses: list[ContainerStatus] = []


class Pod(_Part):
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    status: PodStatus | None = None


PODS = Kind("", "v1", "pods", "Pod", Pod)

STRIMZI = "kafka.strimzi.io"
RECONCILED = {"Kafka": "kafkas", "KafkaTopic": "kafkatopics", "KafkaUser": "kafkausers"}
"""Kinds that an operator of klamm brings to Ready, and their plurals."""
WORKLOADS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}


def kind_of(api_version: str, kind: str) -> Kind[Resource] | None:
    """For waiting; None for what is as it should be as soon as it is stored."""
    group, _, version = api_version.rpartition("/")
    if group == STRIMZI and kind in RECONCILED:
        return Kind(group, version, RECONCILED[kind], kind, Resource)
    if group == "apps" and kind in WORKLOADS:
        return Kind(group, version, WORKLOADS[kind], kind, Resource)
    return None


def kind_served(served: Served) -> Kind[Resource]:
    group, _, version = served.api_version.rpartition("/")
    return Kind(group, version, served.plural, served.kind, Resource, served.namespaced)
