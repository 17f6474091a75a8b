"""The custom kinds of this house as the API serves them, and the kind of any typed object that we write."""

from typing import Any

from klamm.kube import native
from klamm.kube.kinds import Kind
from klamm.resources.custom.kafka import Kafka
from klamm.resources.custom.pod_set import StrimziPodSet
from klamm.resources.custom.topic import KafkaTopic
from klamm.resources.custom.user import KafkaUser
from klamm.resources.native.metadata import NativeObject
from klamm.resources.structure import Block

_GROUP = "kafka.strimzi.io"

KAFKAS = Kind(_GROUP, "v1beta2", "kafkas", "Kafka", Kafka)
KAFKA_NAMES = Kind(_GROUP, "v1beta2", "kafkas", "Kafka", NativeObject)
"""Kafka resources by their metadata only: for caches, which need not hold (and cannot fail to read) their specs."""

KAFKA_TOPICS = Kind(_GROUP, "v1beta2", "kafkatopics", "KafkaTopic", KafkaTopic)
KAFKA_TOPIC_NAMES = Kind(_GROUP, "v1beta2", "kafkatopics", "KafkaTopic", NativeObject)
"""The same of KafkaTopics: for who only asks whether one is there."""

KAFKA_USERS = Kind(_GROUP, "v1beta2", "kafkausers", "KafkaUser", KafkaUser)
CONFIG_MAP_NAMES = Kind("", "v1", "configmaps", "ConfigMap", NativeObject, metadata_only=True)
"""ConfigMaps without their data, of which people keep megabytes: for who only wants to know that one has changed."""

POD_SETS = Kind("core.strimzi.io", "v1beta2", "strimzipodsets", "StrimziPodSet", StrimziPodSet)

_BY_TYPE: dict[type, Kind[Any]] = {
    kind.type_: kind
    for kind in (
        *(value for value in vars(native).values() if isinstance(value, Kind)),
        KAFKAS,
        KAFKA_TOPICS,
        KAFKA_USERS,
        POD_SETS,
    )
}


def kind_of(block: Block) -> Kind[Any]:
    """The kind of a typed object. Raises KeyError for a type that the API does not serve by itself."""
    return _BY_TYPE[type(block)]
