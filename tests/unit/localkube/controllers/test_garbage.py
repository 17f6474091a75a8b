from typing import Any

import pytest
from tests.builders.small_cluster import SmallCluster, deployment, pod, small_cluster
from tests.builders.virtual_time import in_virtual_time

from klamm.localkube.objects import (
    CONFIG_MAPS,
    CUSTOM_RESOURCE_DEFINITIONS,
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    REPLICA_SETS,
    SERVICE_ACCOUNTS,
    Object,
    Refused,
    Resource,
)

TOPICS = Resource("kafka.strimzi.io", "v1beta2", "kafkatopics", "KafkaTopic")


def _definition() -> Object:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1beta2", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "kafkatopics", "singular": "kafkatopic", "kind": "KafkaTopic", "listKind": "KafkaTopicList"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "kafkatopics.kafka.strimzi.io"},
        "spec": {"group": "kafka.strimzi.io", "scope": "Namespaced", "names": names, "versions": [version]},
    }


def _topic(name: str, **metadata: Any) -> Object:
    return {"apiVersion": TOPICS.api_version, "kind": "KafkaTopic", "metadata": {"name": name, **metadata}, "spec": {}}


def _config_map(cluster: SmallCluster, name: str, owners: list[Object], **more: Any) -> Object:
    references = [
        {
            "apiVersion": o["apiVersion"],
            "kind": o["kind"],
            "name": o["metadata"]["name"],
            "uid": o["metadata"]["uid"],
            **more,
        }
        for o in owners
    ]
    body = {"metadata": {"name": name, "ownerReferences": references}}
    return cluster.objects.create(CONFIG_MAPS, "default", body)


def _ours(cluster: SmallCluster) -> list[str]:
    return [n for n in cluster.names(CONFIG_MAPS) if n != "kube-root-ca.crt"]


@in_virtual_time
async def test_dependents_go_with_their_last_owner_along_the_whole_chain() -> None:
    async with small_cluster() as cluster:
        a, b = _config_map(cluster, "a", []), _config_map(cluster, "b", [])
        c = _config_map(cluster, "c", [a, b])
        _config_map(cluster, "d", [c])
        cluster.objects.delete(CONFIG_MAPS, "default", "a")
        await cluster.settled()
        assert _ours(cluster) == ["b", "c", "d"]
        references = cluster.get(CONFIG_MAPS, "c")["metadata"]["ownerReferences"]
        assert [r["name"] for r in references] == ["b"]
        cluster.objects.delete(CONFIG_MAPS, "default", "b")
        await cluster.settled()
        assert _ours(cluster) == []


@in_virtual_time
async def test_an_owner_that_never_was_counts_as_gone() -> None:
    async with small_cluster() as cluster:
        a = _config_map(cluster, "a", [])
        stale = {**a, "metadata": {**a["metadata"], "uid": "of-an-earlier-life"}}
        _config_map(cluster, "b", [stale])
        await cluster.settled()
        assert _ours(cluster) == ["a"]


@in_virtual_time
async def test_a_dependent_of_a_kind_that_nobody_serves_stays() -> None:
    async with small_cluster() as cluster:
        unknown = {"apiVersion": "x.example/v1", "kind": "Thing", "metadata": {"name": "t", "uid": "u"}}
        _config_map(cluster, "a", [unknown])
        await cluster.settled()
        assert _ours(cluster) == ["a"]


@in_virtual_time
async def test_foreground_waits_for_dependents_that_block() -> None:
    async with small_cluster() as cluster:
        cluster.slow_to_end.add("web-")
        cluster.apply(deployment("web"))
        await cluster.settled()
        cluster.objects.delete(DEPLOYMENTS, "default", "web", propagation="Foreground")
        await cluster.settled()
        assert cluster.get(DEPLOYMENTS, "web")["metadata"]["finalizers"] == ["foregroundDeletion"]
        (left,) = cluster.pods("web")
        assert left["metadata"]["deletionTimestamp"]
        cluster.objects.delete(PODS, "default", left["metadata"]["name"], grace_seconds=0)
        await cluster.settled()
        assert cluster.find(DEPLOYMENTS, "web") is None
        assert cluster.names(REPLICA_SETS) == []


@in_virtual_time
async def test_orphans_stay_and_are_adopted_again() -> None:
    async with small_cluster() as cluster:
        cluster.apply(deployment("web", replicas=2))
        await cluster.settled()
        pods = [p["metadata"]["uid"] for p in cluster.pods("web")]
        cluster.objects.delete(DEPLOYMENTS, "default", "web", propagation="Orphan")
        await cluster.settled()
        assert cluster.find(DEPLOYMENTS, "web") is None
        (replica_set,) = cluster.names(REPLICA_SETS)
        assert not cluster.get(REPLICA_SETS, replica_set)["metadata"].get("ownerReferences")
        cluster.apply(deployment("web", replicas=2))
        await cluster.settled()
        assert cluster.names(REPLICA_SETS) == [replica_set]
        assert [p["metadata"]["uid"] for p in cluster.pods("web")] == pods


@in_virtual_time
async def test_custom_resources_own_as_soon_as_their_definition_is_there() -> None:
    async with small_cluster() as cluster:
        cluster.apply(_definition())
        await cluster.settled()
        topic = cluster.objects.create(TOPICS, "default", _topic("orders"))
        _config_map(cluster, "a", [topic])
        await cluster.settled()
        assert _ours(cluster) == ["a"]
        cluster.objects.delete(TOPICS, "default", "orders")
        await cluster.settled()
        assert _ours(cluster) == []


@in_virtual_time
async def test_a_definition_that_goes_takes_its_objects_and_their_dependents_along() -> None:
    async with small_cluster() as cluster:
        cluster.apply(_definition())
        await cluster.settled()
        _config_map(cluster, "a", [cluster.objects.create(TOPICS, "default", _topic("orders"))])
        await cluster.settled()
        cluster.objects.delete(CUSTOM_RESOURCE_DEFINITIONS, None, "kafkatopics.kafka.strimzi.io")
        await cluster.settled()
        assert cluster.names(CUSTOM_RESOURCE_DEFINITIONS) == []
        assert _ours(cluster) == []


# Namespaces


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


@in_virtual_time
async def test_every_namespace_has_its_account_and_the_authority() -> None:
    async with small_cluster() as cluster:
        cluster.apply(_namespace("kafka"))
        await cluster.settled()
        assert cluster.names(SERVICE_ACCOUNTS, "kafka") == ["default"]
        assert cluster.get(CONFIG_MAPS, "kube-root-ca.crt", "kafka")["data"] == {"ca.crt": "a certificate"}
        cluster.objects.delete(CONFIG_MAPS, "kafka", "kube-root-ca.crt")
        await cluster.settled()
        assert cluster.names(CONFIG_MAPS, "kafka") == ["kube-root-ca.crt"]
        assert {"default", "kube-system", "kube-public"} <= set(cluster.names(NAMESPACES))


@in_virtual_time
async def test_a_deleted_namespace_takes_everything_along() -> None:
    async with small_cluster() as cluster:
        cluster.apply(_definition())
        cluster.apply(_namespace("kafka"))
        await cluster.settled()
        cluster.apply(deployment("web", replicas=2), "kafka")
        cluster.objects.create(TOPICS, "kafka", _topic("orders"))
        await cluster.settled()
        cluster.objects.delete(NAMESPACES, None, "kafka")
        await cluster.settled()
        assert cluster.find(NAMESPACES, "kafka") is None
        assert not cluster.pods(namespace="kafka")
        assert cluster.objects.list(TOPICS, "kafka") == []


@in_virtual_time
async def test_a_namespace_waits_for_finalizers_and_says_for_which() -> None:
    async with small_cluster() as cluster:
        cluster.apply(_definition())
        cluster.apply(_namespace("kafka"))
        await cluster.settled()
        held = _topic("orders", finalizers=["strimzi.io/topic-operator"])
        cluster.objects.create(TOPICS, "kafka", held)
        cluster.objects.delete(NAMESPACES, None, "kafka")
        await cluster.settled()
        namespace = cluster.get(NAMESPACES, "kafka")
        assert namespace["status"]["phase"] == "Terminating"
        told = {c["type"]: (c["status"], c["message"]) for c in namespace["status"]["conditions"]}
        assert told["NamespaceContentRemaining"] == (
            "True",
            "Some resources are remaining: kafkatopics.kafka.strimzi.io has 1 resource instances",
        )
        assert told["NamespaceFinalizersRemaining"] == (
            "True",
            "Some content in the namespace has finalizers remaining: strimzi.io/topic-operator in 1 resource instances",
        )
        cluster.objects.patch(TOPICS, "kafka", "orders", {"metadata": {"finalizers": None}})
        await cluster.settled()
        assert cluster.find(NAMESPACES, "kafka") is None


@in_virtual_time
async def test_pods_of_a_namespace_end_while_their_account_and_their_resources_are_still_there() -> None:
    async with small_cluster() as cluster:
        cluster.apply(_definition())
        cluster.apply(_namespace("kafka"))
        await cluster.settled()
        cluster.objects.create(TOPICS, "kafka", _topic("orders"))
        cluster.slow_to_end.add("web")
        cluster.apply(pod("web", namespace="kafka"))
        await cluster.settled()
        cluster.objects.delete(NAMESPACES, None, "kafka")
        await cluster.settled()
        assert cluster.get(PODS, "web", "kafka")["metadata"]["deletionTimestamp"]
        assert cluster.names(SERVICE_ACCOUNTS, "kafka") == ["default"]
        assert [topic["metadata"]["name"] for topic in cluster.objects.list(TOPICS, "kafka")] == ["orders"]
        cluster.objects.delete(PODS, "kafka", "web", grace_seconds=0)
        await cluster.settled()
        assert cluster.find(NAMESPACES, "kafka") is None


@in_virtual_time
async def test_nothing_new_enters_a_namespace_that_ends() -> None:
    async with small_cluster() as cluster:
        cluster.apply(_namespace("kafka"))
        await cluster.settled()
        cluster.slow_to_end.add("web")
        cluster.apply(pod("web", namespace="kafka"))
        await cluster.settled()
        cluster.objects.delete(NAMESPACES, None, "kafka")
        await cluster.settled()
        with pytest.raises(Refused, match="being terminated"):
            cluster.apply(pod("late", namespace="kafka"))
        cluster.objects.delete(PODS, "kafka", "web", grace_seconds=0)
        await cluster.settled()
        assert cluster.find(NAMESPACES, "kafka") is None


@in_virtual_time
async def test_controllers_are_quiet_in_a_namespace_that_waits_for_its_pods() -> None:
    """Every attempt to replace a pod is refused with another pod's name; none of them is worth a write."""
    async with small_cluster() as cluster:
        cluster.apply(_namespace("kafka"))
        await cluster.settled()
        cluster.slow_to_end.add("web")
        cluster.apply(deployment("web", replicas=2), "kafka")
        await cluster.settled()
        cluster.objects.delete(NAMESPACES, None, "kafka")
        await cluster.settled()
        before = _newest_version(cluster)
        await cluster.passes(20)
        assert _newest_version(cluster) == before + 1
        assert cluster.names(PODS, "kafka")


def _newest_version(cluster: SmallCluster) -> int:
    """That of a write made to learn it."""
    name = f"at-{cluster.clock.monotonic()}"
    made = cluster.objects.create(CONFIG_MAPS, "default", {"metadata": {"name": name}})
    return int(made["metadata"]["resourceVersion"])
