"""ZooKeeper beside a Kafka cluster (API version v1beta2)."""

from typing import Annotated

import msgspec

from klamm.resources.custom.process import JmxOptions, JvmOptions, Logging, MetricsConfig, Probe
from klamm.resources.custom.storage import Storage
from klamm.resources.custom.template import (
    NO_STATEFUL_SET,
    ContainerTemplate,
    InternalServiceTemplate,
    PodDisruptionBudgetTemplate,
    PodSetTemplate,
    PodTemplate,
    ResourceTemplate,
    StatefulSetTemplate,
)
from klamm.resources.native.container import ResourceRequirements
from klamm.resources.structure import About, Block, FreeForm


class ZookeeperTemplate(Block):
    """Additions to ZooKeeper's objects."""

    client_service: Annotated[InternalServiceTemplate | None, About("Service for clients.")] = None
    jmx_secret: Annotated[ResourceTemplate | None, About("Secret of the JMX port.")] = None
    nodes_service: Annotated[InternalServiceTemplate | None, About("Headless Service of the nodes.")] = None
    persistent_volume_claim: Annotated[ResourceTemplate | None, About("Claims of the nodes.")] = None
    pod: Annotated[PodTemplate | None, About("Pods.")] = None
    pod_disruption_budget: Annotated[PodDisruptionBudgetTemplate | None, About("Budget of the pods.")] = None
    pod_set: Annotated[PodSetTemplate | None, About("StrimziPodSet.")] = None
    service_account: Annotated[ResourceTemplate | None, About("Service account.")] = None
    statefulset: Annotated[StatefulSetTemplate | None, About("Has no effect any more.", deprecated=NO_STATEFUL_SET)] = (
        None
    )
    zookeeper_container: Annotated[ContainerTemplate | None, About("Container of ZooKeeper.")] = None


class ZookeeperClusterSpec(Block):
    """The ZooKeeper ensemble."""

    config: Annotated[FreeForm, About("Settings of zoo.cfg; what the operator sets itself is ignored.")] = {}
    image: Annotated[str | None, About("Image of the pods.")] = None
    jmx_options: Annotated[JmxOptions | None, About("Opens the JMX port.")] = None
    jvm_options: Annotated[JvmOptions | None, About("How the JVMs are started.")] = None
    liveness_probe: Annotated[Probe | None, About("Timing of the liveness check.")] = None
    logging: Annotated[Logging | None, About("Log levels.")] = None
    metrics_config: Annotated[MetricsConfig | None, About("Metrics for Prometheus.")] = None
    readiness_probe: Annotated[Probe | None, About("Timing of the readiness check.")] = None
    replicas: Annotated[int | None, About("Number of nodes, best odd.", required=True, minimum=1)] = None
    resources: Annotated[ResourceRequirements | None, About("CPU and memory.")] = None
    storage: Annotated[Storage, About("Where the data lies; it cannot be changed later.", required=True)] = (
        msgspec.field(default_factory=Storage)
    )
    template: Annotated[ZookeeperTemplate | None, About("Additions to the objects.")] = None
