"""KafkaNodePool: nodes of a Kafka cluster that are alike."""

from typing import Annotated

import msgspec

from klamm.resources.custom.process import JvmOptions
from klamm.resources.custom.status import Status
from klamm.resources.custom.storage import Storage
from klamm.resources.custom.template import ContainerTemplate, PodSetTemplate, PodTemplate, ResourceTemplate
from klamm.resources.native.container import ResourceRequirements
from klamm.resources.native.metadata import ObjectMeta
from klamm.resources.structure import About, Block, always


class KafkaNodePoolTemplate(Block):
    """Additions to the pool's objects."""

    init_container: Annotated[ContainerTemplate | None, About("Init container.")] = None
    kafka_container: Annotated[ContainerTemplate | None, About("Container of Kafka.")] = None
    per_pod_ingress: Annotated[ResourceTemplate | None, About("Ingresses of single brokers.")] = None
    per_pod_route: Annotated[ResourceTemplate | None, About("Routes of single brokers.")] = None
    per_pod_service: Annotated[ResourceTemplate | None, About("Services of single brokers.")] = None
    persistent_volume_claim: Annotated[ResourceTemplate | None, About("Claims of the nodes.")] = None
    pod: Annotated[PodTemplate | None, About("Pods.")] = None
    pod_set: Annotated[PodSetTemplate | None, About("StrimziPodSet.")] = None


class KafkaNodePoolSpec(Block):
    """What the nodes of the pool are."""

    jvm_options: Annotated[JvmOptions | None, About("How the JVMs are started.")] = None
    replicas: Annotated[int | None, About("Number of nodes.", required=True, minimum=0)] = None
    resources: Annotated[ResourceRequirements | None, About("CPU and memory.")] = None
    roles: Annotated[
        list[str],
        About("What the nodes do in KRaft mode.", required=True, choices=("controller", "broker")),
    ] = []
    storage: Annotated[Storage, About("Where the data lies.", required=True)] = msgspec.field(default_factory=Storage)
    template: Annotated[KafkaNodePoolTemplate | None, About("Additions to the objects.")] = None


class KafkaNodePoolStatus(Status):
    """What is known of the pool."""

    cluster_id: Annotated[str | None, About("Id of the Kafka cluster.")] = None
    label_selector: Annotated[str | None, About("Selector of the pool's pods, for scaling.")] = None
    node_ids: Annotated[list[int], About("Ids of the nodes.")] = []
    replicas: Annotated[int | None, About("Number of nodes there are.")] = None
    roles: Annotated[list[str], About("What the nodes do.", only="v1", choices=("controller", "broker"))] = []


class KafkaNodePool(Block):
    """Nodes of a Kafka cluster (label strimzi.io/cluster) that are alike."""

    api_version: str = always("kafka.strimzi.io/v1beta2")
    kind: str = always("KafkaNodePool")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: Annotated[KafkaNodePoolSpec, About("What is wanted.")] = msgspec.field(default_factory=KafkaNodePoolSpec)
    status: Annotated[KafkaNodePoolStatus | None, About("What is the case.")] = None
