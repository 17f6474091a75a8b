"""The brokers' ConfigMaps, and the fingerprint of what a running broker cannot take over."""

from collections.abc import Collection
from dataclasses import dataclass, field

from klamm.desired.fingerprints import fingerprint_of
from klamm.desired.jmx_exporter import METRICS_CONFIG
from klamm.desired.kafka.cluster import KafkaCluster, Node
from klamm.desired.kafka.listeners import Addresses
from klamm.desired.kafka.server_config import server_config
from klamm.desired.labels import POD_NAME
from klamm.desired.logging import KAFKA_LOGGERS, LOG4J, log4j
from klamm.desired.templates import metadata
from klamm.resources.native.configuration import ConfigMap

SERVER_CONFIG = "server.config"
LISTENERS_CONFIG = "listeners.config"


@dataclass(frozen=True)
class ConfigurationInputs:
    """What goes into the files besides the resource.

    `external_logging`: content of the ConfigMap entry that `logging.valueFrom` names. `metrics`: the metrics
    configuration as JSON text. `live_settings`: keys of server.config that the roller changes on running brokers;
    they are left out of the fingerprint, so that changing them restarts nobody.
    """

    addresses: Addresses = field(default_factory=Addresses)
    external_logging: str | None = None
    metrics: str | None = None
    live_settings: Collection[str] = ()


def config_maps(cluster: KafkaCluster, inputs: ConfigurationInputs) -> list[ConfigMap]:
    """One ConfigMap a broker, named like its pod."""
    return [_config_map(cluster, node, inputs) for node in cluster.nodes]


def broker_logging(cluster: KafkaCluster, inputs: ConfigurationInputs) -> str:
    """The text of log4j.properties, the same for all brokers."""
    return log4j(KAFKA_LOGGERS, cluster.spec.logging, inputs.external_logging)


def configuration_fingerprint(cluster: KafkaCluster, node: Node, inputs: ConfigurationInputs) -> str:
    """Fingerprint of the settings that take a restart (annotation strimzi.io/broker-configuration-hash).

    It is made of settings, not of text, so that comments and their order may change freely.
    """
    lines = server_config(cluster, node, inputs.addresses).split("\n")
    settings = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return fingerprint_of({key: value for key, value in settings.items() if key not in inputs.live_settings})


def _config_map(cluster: KafkaCluster, node: Node, inputs: ConfigurationInputs) -> ConfigMap:
    data = {
        SERVER_CONFIG: server_config(cluster, node, inputs.addresses),
        LOG4J: broker_logging(cluster, inputs),
        LISTENERS_CONFIG: " ".join(listener.environment_name for listener in cluster.listeners),
    }
    if inputs.metrics is not None:
        data[METRICS_CONFIG] = inputs.metrics
    place = metadata(cluster.node_component, node.pod, cluster.namespace, cluster.owner, labels={POD_NAME: node.pod})
    return ConfigMap(metadata=place, data=data)
