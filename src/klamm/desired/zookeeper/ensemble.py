"""A ZooKeeper ensemble as the builders of its objects see it: the resource, with names and defaults worked out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from klamm.desired.cluster_part import ClusterPart
from klamm.desired.labels import Component
from klamm.desired.secrets import Generations
from klamm.desired.volumes import DataVolume, data_volumes
from klamm.resources.custom.storage import Storage
from klamm.resources.custom.zookeeper import ZookeeperClusterSpec, ZookeeperTemplate

CLIENT_PORT = 2181
CLUSTERING_PORT = 2888
ELECTION_PORT = 3888
METRICS_PORT = 9404
JMX_PORT = 9999


@dataclass(frozen=True)
class Ensemble(ClusterPart):
    """`storage` is the one to use, which is the old one when a change was refused (planning/storage.py)."""

    storage: Storage

    @cached_property
    def spec(self) -> ZookeeperClusterSpec:
        """Empty (no replicas) when the resource has no ZooKeeper."""
        return self.resource.spec.zookeeper or ZookeeperClusterSpec()

    @cached_property
    def template(self) -> ZookeeperTemplate:
        return self.spec.template or ZookeeperTemplate()

    @property
    def name(self) -> str:
        return f"{self.cluster}-zookeeper"

    @property
    def client_service(self) -> str:
        return f"{self.name}-client"

    @property
    def nodes_service(self) -> str:
        return f"{self.name}-nodes"

    @property
    def nodes_secret(self) -> str:
        return f"{self.name}-nodes"

    @property
    def config_map(self) -> str:
        return f"{self.name}-config"

    @property
    def image(self) -> str:
        """ZooKeeper lives in the image of the Kafka version that it was released with."""
        version = self.resource.spec.kafka.version or self.surroundings.default_version
        return self.spec.image or self.surroundings.kafka_images.get(version, "")

    @cached_property
    def pods(self) -> list[str]:
        return [f"{self.name}-{number}" for number in range(self.spec.replicas or 0)]

    @cached_property
    def volumes(self) -> list[DataVolume]:
        return data_volumes(self.storage)

    @cached_property
    def component(self) -> Component:
        return Component(self.cluster, self.name, "zookeeper", inherited=self.resource.metadata.labels)


@dataclass(frozen=True)
class EnsembleInputs:
    """What the objects depend on besides the resource.

    `certificates`: pod name -> thumbprint. `external_logging`: content of the ConfigMap entry that
    `logging.valueFrom` names. `metrics`: the metrics configuration as JSON text.
    """

    generations: Generations = field(default_factory=Generations)
    certificates: Mapping[str, str] = field(default_factory=dict)
    external_logging: str | None = None
    metrics: str | None = None
