"""Which containers a Kafka resource asks for, by the names that Prometheus sees them under."""

from klamm.resources.custom.kafka import Kafka


def wanted_containers(resource: Kafka) -> frozenset[str]:
    """Of brokers, ZooKeepers and operators: those that alerts miss when they are down."""
    spec = resource.spec
    operators = spec.entity_operator
    asked = {
        "kafka": True,
        "zookeeper": spec.zookeeper is not None,
        "topic-operator": operators is not None and operators.topic_operator is not None,
        "user-operator": operators is not None and operators.user_operator is not None,
    }
    return frozenset(container for container, is_wanted in asked.items() if is_wanted)
