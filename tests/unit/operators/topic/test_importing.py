import pytest
from tests.builders.entity_api import CLUSTER, NAMESPACE, EntityApi
from tests.builders.fake_kafka import FakeKafka

from klamm.operators.topic.importing import missing_resources, resource_name
from klamm.resources.structure import encode


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("orders", "orders"),
        ("orders.eu-1", "orders.eu-1"),
        ("__consumer_offsets", "consumer-offsets---84e7a678d08f4bd226872e5cdd4eb527fadc1c6a"),
        ("__strimzi_store_topic", "strimzi-store-topic---effb8e3e057afce1ecf67c3f5d8e4e3ff177fc55"),
        ("Orders", "orders---cded093321ddaa4c0eaf56ef36f84dd53a9527be"),
        ("a..b", "a.b---89cf32c3485db5a7ef8d53c8ad5b9b5fff9b466f"),
        ("___", "bf2957508fb8f25f2d1e4d28ba8dd324f58b9e07"),
    ],
)
def test_a_resource_is_named_after_its_topic_as_far_as_kubernetes_allows(topic: str, name: str) -> None:
    assert resource_name(topic) == name


async def test_topics_without_a_resource_become_resources_with_what_is_set_on_them(entity: EntityApi) -> None:
    kafka = FakeKafka()
    kafka.put("orders", 3, 2, retention_ms="5")
    kafka.put("Known")
    kafka.put("__consumer_offsets")
    await entity.create("KafkaTopic", "known", {"topicName": "Known"})
    found = await missing_resources(kafka, entity.client, NAMESPACE, CLUSTER)
    assert [encode(resource) for resource in found] == [
        {
            "apiVersion": "kafka.strimzi.io/v1beta2",
            "kind": "KafkaTopic",
            "metadata": {"name": "orders", "namespace": NAMESPACE, "labels": {"strimzi.io/cluster": CLUSTER}},
            "spec": {"partitions": 3, "replicas": 2, "config": {"retention.ms": "5"}},
        }
    ]


async def test_internal_topics_come_only_when_asked_for(entity: EntityApi) -> None:
    kafka = FakeKafka()
    kafka.put("__consumer_offsets")
    (found,) = await missing_resources(kafka, entity.client, NAMESPACE, CLUSTER, include_internal=True)
    assert found.spec.topic_name == "__consumer_offsets"
