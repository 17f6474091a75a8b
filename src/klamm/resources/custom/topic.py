"""KafkaTopic: a topic of a Kafka cluster."""

from typing import Annotated

import msgspec

from klamm.resources.custom.status import Status
from klamm.resources.native.metadata import ObjectMeta
from klamm.resources.structure import About, Block, FreeForm, always


class KafkaTopicSpec(Block):
    """What the topic should be."""

    config: Annotated[FreeForm, About("Settings of the topic.")] = {}
    partitions: Annotated[int | None, About("Number of partitions; it can only grow.", minimum=1)] = None
    replicas: Annotated[int | None, About("Replicas of each partition.", minimum=1, maximum=32767)] = None
    topic_name: Annotated[str | None, About("Name in Kafka, where it is no name that Kubernetes allows.")] = None


class ReplicasChange(Block):
    """A change of the number of replicas that is under way."""

    message: Annotated[str | None, About("What went wrong.")] = None
    session_id: Annotated[str | None, About("Its session in Cruise Control.")] = None
    state: Annotated[str | None, About("How far it is.", choices=("pending", "ongoing"))] = None
    target_replicas: Annotated[int | None, About("Replicas that were asked for.")] = None


class KafkaTopicStatus(Status):
    """What is known of the topic."""

    replicas_change: Annotated[ReplicasChange | None, About("A change of replicas that is under way.", only="v1")] = (
        None
    )
    topic_id: Annotated[str | None, About("Id that Kafka gave the topic.")] = None
    topic_name: Annotated[str | None, About("Name in Kafka.")] = None


class KafkaTopic(Block):
    """A topic of the cluster that the label strimzi.io/cluster names."""

    api_version: str = always("kafka.strimzi.io/v1beta2")
    kind: str = always("KafkaTopic")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: Annotated[KafkaTopicSpec, About("What is wanted.")] = msgspec.field(default_factory=KafkaTopicSpec)
    status: Annotated[KafkaTopicStatus | None, About("What is the case.")] = None
