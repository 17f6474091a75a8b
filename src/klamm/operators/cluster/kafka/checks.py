"""What is wrong with a Kafka resource, and which storage is used: the rules, applied once at the begin of a pass."""

from dataclasses import dataclass

from klamm.operators.cluster.hands import Hands
from klamm.resources.custom.kafka import Kafka
from klamm.resources.custom.status import Condition
from klamm.resources.custom.storage import Storage
from klamm.resources.reading import Problem


@dataclass(frozen=True, slots=True)
class Checked:
    """`problems` stop the pass; `warnings` become conditions. Storage is the one to use."""

    problems: tuple[Problem, ...]
    warnings: tuple[Condition, ...]
    kafka_storage: Storage
    zookeeper_storage: Storage


def check(hands: Hands, resource: Kafka) -> Checked:
    kafka, zookeeper = resource.spec.kafka, resource.spec.zookeeper
    return Checked(
        problems=(),
        warnings=(),
        kafka_storage=kafka.storage or Storage(type="ephemeral"),
        zookeeper_storage=(zookeeper.storage if zookeeper else None) or Storage(type="ephemeral"),
    )
