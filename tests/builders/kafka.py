"""Kafka resources for tests: valid by default; a test names only what it is about.

`kafka({"spec": {"kafka": {"replicas": 1}}})` lays its argument over the default: maps are merged, all else replaced,
and a value of `ABSENT` takes a field away.
"""

from collections.abc import Mapping
from typing import Any

from klamm.desired.surroundings import Surroundings
from klamm.resources.custom.kafka import Kafka
from klamm.resources.structure import decode

ABSENT = object()

_DEFAULT: dict[str, Any] = {
    "apiVersion": "kafka.strimzi.io/v1beta2",
    "kind": "Kafka",
    "metadata": {"name": "my-cluster", "namespace": "kafka", "uid": "11111111-2222-3333-4444-555555555555"},
    "spec": {
        "kafka": {
            "version": "3.6.0",
            "replicas": 3,
            "listeners": [{"name": "plain", "port": 9092, "type": "internal", "tls": False}],
            "storage": {"type": "jbod", "volumes": [{"id": 0, "type": "persistent-claim", "size": "10Gi"}]},
        },
        "zookeeper": {"replicas": 3, "storage": {"type": "persistent-claim", "size": "10Gi"}},
        "entityOperator": {"topicOperator": {}, "userOperator": {}},
    },
}


def kafka_object(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The resource as JSON."""
    return overlaid(_DEFAULT, changes or {})


def kafka(changes: Mapping[str, Any] | None = None) -> Kafka:
    """The resource, typed."""
    return decode(Kafka, kafka_object(changes))


def kafka_with(**kafka_spec: Any) -> Kafka:
    """The resource with changes in spec.kafka only."""
    return kafka({"spec": {"kafka": kafka_spec}})


def surroundings(**changes: Any) -> Surroundings:
    """An operator in the namespace of its clusters, with the images of three versions."""
    settings: dict[str, Any] = {
        "operator_namespace": "kafka",
        "operator_image": "klamm/operator:1.0.0",
        "kafka_images": {v: f"klamm/kafka:1.0.0-kafka-{v}" for v in ("3.5.0", "3.5.1", "3.6.0")},
        "default_version": "3.6.0",
    }
    return Surroundings(**{**settings, **changes})


def overlaid(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, change in changes.items():
        if change is ABSENT:
            merged.pop(key, None)
        elif isinstance(change, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = overlaid(merged[key], change)
        else:
            merged[key] = change
    return merged
