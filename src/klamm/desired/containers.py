"""Which containers a Kafka resource asks for, by the names that Prometheus sees them under."""

from klamm.resources.custom.kafka import Kafka

Wanted = tuple[str, str]
"""(container, whose pods have it: a pod set or a Deployment, with whose name and a hyphen theirs begin)"""


def wanted_containers(resource: Kafka) -> frozenset[Wanted]:
    """Of brokers, ZooKeepers and operators: those that alerts miss when they are down."""
    spec, cluster = resource.spec, resource.metadata.name
    operators = spec.entity_operator
    asked = {
        ("kafka", "kafka"): True,
        ("zookeeper", "zookeeper"): spec.zookeeper is not None,
        ("topic-operator", "entity-operator"): operators is not None and operators.topic_operator is not None,
        ("user-operator", "entity-operator"): operators is not None and operators.user_operator is not None,
    }
    return frozenset((container, f"{cluster}-{of}") for (container, of), is_wanted in asked.items() if is_wanted)
