"""KafkaTopics for topics that have none: what `klamm import topics` writes.

A resource is named after its topic where Kubernetes allows that, else by the rule of Strimzi's older topic operator, so
that manifests from either match. Only what is set on a topic is written: partitions, replicas and its own
configuration, not the brokers' defaults.
"""

import re
from collections.abc import Mapping
from hashlib import sha1
from typing import Any

from klamm.kafka.facts import ConfigValue, Topic
from klamm.kube.catalogue import KAFKA_TOPICS
from klamm.kube.client import Client
from klamm.operators.topic.admin import TopicAdmin
from klamm.operators.topic.resource import claimed
from klamm.planning.topics import FOREIGN_KEYS
from klamm.resources.custom.topic import KafkaTopic, KafkaTopicSpec
from klamm.resources.native.metadata import ObjectMeta

CLUSTER_LABEL = "strimzi.io/cluster"

INTERNAL_PREFIX = "__"
"""Kafka's own topics begin so (__consumer_offsets), and those of many tools around it."""

_LONGEST_NAME = 253
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


async def missing_resources(
    admin: TopicAdmin, client: Client, namespace: str, cluster: str, include_internal: bool = False
) -> list[KafkaTopic]:
    """A resource for each topic of the cluster that no KafkaTopic in `namespace` claims, in the order of names."""
    listed = await client.list(KAFKA_TOPICS, namespace, {CLUSTER_LABEL: cluster})
    known = {claimed(resource) for resource in listed.items}
    topics = await admin.describe_topics()
    missing = sorted(
        name for name, topic in topics.items() if name not in known and (include_internal or not _internal(topic))
    )
    configs = await admin.topic_configs(missing)
    return [resource_for(topics[name], configs.get(name, {}), namespace, cluster) for name in missing]


def resource_for(topic: Topic, config: Mapping[str, ConfigValue], namespace: str, cluster: str) -> KafkaTopic:
    own: dict[str, Any] = {
        key: entry.value
        for key, entry in sorted(config.items())
        if entry.set_here and entry.value is not None and key not in FOREIGN_KEYS
    }
    name = resource_name(topic.name)
    return KafkaTopic(
        metadata=ObjectMeta(name=name, namespace=namespace, labels={CLUSTER_LABEL: cluster}),
        spec=KafkaTopicSpec(
            partitions=len(topic.partitions),
            replicas=topic.replication_factor,
            config=own,
            topic_name=None if name == topic.name else topic.name,
        ),
    )


def resource_name(topic: str) -> str:
    """The topic's name if Kubernetes allows it, else what is left of it and the SHA-1 of the whole.

    "__consumer_offsets" → "consumer-offsets---84e7a678d08f4bd226872e5cdd4eb527fadc1c6a" (Strimzi behaviour).
    """
    if len(topic) <= _LONGEST_NAME and _NAME.fullmatch(topic):
        return topic
    digest = sha1(topic.encode(), usedforsecurity=False).hexdigest().lstrip("0")
    ending = f"---{digest}"
    legal = re.sub(r"[^-a-z0-9.]", "", topic.lower().replace("_", "-")).lstrip("-.")
    legal = re.sub(r"[-.]*\.[-.]*", ".", legal)  # a name's parts between dots neither begin nor end with a dash
    return (legal[: _LONGEST_NAME - len(ending)].rstrip("-.") + ending).lstrip("-")


def _internal(topic: Topic) -> bool:
    return topic.internal or topic.name.startswith(INTERNAL_PREFIX)
