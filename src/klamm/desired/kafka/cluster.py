"""A Kafka cluster as the builders of its objects see it: the resource, with names and defaults worked out.

Brokers count as the nodes of one pool named `kafka`, also without node pools; the pool's name stands in the labels of
single nodes' objects and keeps `my-cluster-kafka-0` the name of the first pod (Strimzi behaviour).
"""

from dataclasses import dataclass
from functools import cached_property

from klamm.desired.cluster_part import ClusterPart
from klamm.desired.kafka.listeners import ClusterListener
from klamm.desired.labels import Component
from klamm.desired.volumes import DataVolume, data_volumes
from klamm.resources.custom.kafka import KafkaClusterSpec, KafkaClusterTemplate
from klamm.resources.custom.storage import Storage

POOL = "kafka"


@dataclass(frozen=True, slots=True)
class Node:
    """One broker: its id in the cluster, and the name of its pod."""

    id: int
    pod: str


@dataclass(frozen=True)
class KafkaCluster(ClusterPart):
    """`storage` is the one to use, which is the old one when a change was refused (planning/storage.py)."""

    storage: Storage

    @property
    def name(self) -> str:
        return self.cluster

    @property
    def spec(self) -> KafkaClusterSpec:
        return self.resource.spec.kafka

    @cached_property
    def template(self) -> KafkaClusterTemplate:
        return self.spec.template or KafkaClusterTemplate()

    @property
    def kafka(self) -> str:
        """Name of the brokers' StrimziPodSet, account, budget: `my-cluster-kafka`."""
        return f"{self.name}-kafka"

    @property
    def headless_service(self) -> str:
        return f"{self.kafka}-brokers"

    @property
    def bootstrap_service(self) -> str:
        return f"{self.kafka}-bootstrap"

    @property
    def version(self) -> str:
        return self.spec.version or self.surroundings.default_version

    @property
    def image(self) -> str:
        """The user's image, else the one for the version (empty when the version is unsupported)."""
        return self.spec.image or self.surroundings.kafka_images.get(self.version, "")

    @cached_property
    def nodes(self) -> list[Node]:
        return [Node(number, f"{self.kafka}-{number}") for number in range(self.spec.replicas or 0)]

    @cached_property
    def listeners(self) -> list[ClusterListener]:
        return [ClusterListener(self.name, listener) for listener in self.spec.listeners]

    @cached_property
    def volumes(self) -> list[DataVolume]:
        return data_volumes(self.storage)

    @cached_property
    def component(self) -> Component:
        """Labels of objects of the whole cluster."""
        return Component(self.name, self.kafka, "kafka", inherited=self.resource.metadata.labels)

    @cached_property
    def node_component(self) -> Component:
        """Labels of objects of single nodes."""
        return Component(self.name, self.kafka, "kafka", pool=POOL, inherited=self.resource.metadata.labels)

    @property
    def rack_label(self) -> str | None:
        """The node label whose value is a broker's rack, if racks are told by labels."""
        rack = self.spec.rack
        return rack.topology_key if rack and rack.type != "environment-variable" else None

    @property
    def has_node_ports(self) -> bool:
        return any(listener.type == "nodeport" for listener in self.listeners)

    @property
    def needs_init(self) -> bool:
        """Whether pods must read their Node first, for its rack or its addresses."""
        return self.rack_label is not None or self.has_node_ports

    @property
    def zookeeper_client_service(self) -> str:
        return f"{self.name}-zookeeper-client"


def protocol_version(version: str) -> str:
    """The wire and message format version of a release: `3.6.0` -> `3.6`."""
    return ".".join(version.split(".")[:2])
