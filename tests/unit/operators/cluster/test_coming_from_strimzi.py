"""A cluster that Strimzi 0.38 has made is taken over as it is: what is kept, what rolls and why, what is tidied up.

docs/guides/from-strimzi.md says the same in words.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.builders import strimzi
from tests.builders.kafka import kafka_object
from tests.builders.kafka_world import NAMESPACE, KafkaWorld, kafka_world
from tests.builders.strimzi import CLUSTER, NODE_PORTS, StrimziCluster
from tests.builders.virtual_time import in_virtual_time

from klamm.localkube.apiserver.local_objects import LocalObjects
from klamm.localkube.objects import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    EVENTS,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    SECRETS,
    SERVICES,
    Object,
    Resource,
)

LISTENERS = [
    {"name": "plain", "port": 9092, "type": "internal", "tls": False},
    {"name": "external", "port": 9094, "type": "nodeport", "tls": False},
]
BROKERS = [f"{CLUSTER}-kafka-{n}" for n in range(3)]
ZOOKEEPERS = [f"{CLUSTER}-zookeeper-{n}" for n in range(3)]


@asynccontextmanager
async def left_by_strimzi() -> AsyncIterator[tuple[KafkaWorld, "Before"]]:
    """The world as Strimzi's operator left it when it was scaled to 0: everything runs, nobody looks after it."""
    async with kafka_world(operator=False) as world:
        world.apply(kafka_object({"spec": {"kafka": {"listeners": LISTENERS}}}))
        made = LocalObjects(world.cluster.registry, strimzi.MANAGER)
        resources = {(r.api_version, r.kind): r for r in (kind.resource for kind in world.cluster.registry.kinds())}
        cluster = StrimziCluster(world.kafka()["metadata"]["uid"], world.cluster.clock.now())
        for obj in cluster.objects():
            resource = resources[obj["apiVersion"], obj["kind"]]
            stored = made.create(resource, NAMESPACE if resource.namespaced else None, obj)
            if obj["kind"] == "StrimziPodSet":
                for pod in cluster.pods(stored):
                    made.create(PODS, NAMESPACE, pod)
        running = [*BROKERS, *ZOOKEEPERS]
        await world.until("Strimzi's pods run", lambda: ", ".join({*running} - world.ready_pods()) or None)
        yield world, Before(world, {resource.kind: resource for resource in resources.values()})


class Before:
    """Every object of the cluster as it was then."""

    def __init__(self, world: KafkaWorld, resources: dict[str, Resource]) -> None:
        self._world = world
        self._resources = [each for each in resources.values() if each.kind != "Event"]
        self.objects = self._all()

    def _all(self) -> dict[tuple[str, str], Object]:
        listed = ((resource, self._world.cluster.objects.list(resource)) for resource in self._resources)
        return {
            (resource.kind, obj["metadata"]["name"]): obj
            for resource, found in listed
            for obj in found
            if "strimzi.io/cluster" in (obj["metadata"].get("labels") or {})
        }

    def of(self, resource: Resource, name: str) -> Object:
        return self.objects[resource.kind, name]

    def gone(self) -> list[tuple[str, str]]:
        return sorted(self.objects.keys() - self._all().keys())

    def made_anew(self) -> list[tuple[str, str]]:
        """The same name, and another object."""
        now = self._all()
        uid: Callable[[Object], Any] = lambda obj: obj["metadata"]["uid"]  # noqa: E731
        both = self.objects.keys() & now.keys()
        return sorted(key for key in both if uid(self.objects[key]) != uid(now[key]))


async def taken_over(world: KafkaWorld) -> None:
    world.start_operator()
    await world.ready()


@in_virtual_time
async def test_nothing_is_lost_and_only_pods_are_made_anew() -> None:
    async with left_by_strimzi() as (world, before):
        await taken_over(world)
        assert [one for one in before.gone() if one[0] not in ("Pod", "ReplicaSet")] == []
        assert {kind for kind, _ in before.made_anew()} == {"Pod"}
        assert [name for _, name in before.made_anew()] == [*BROKERS, *ZOOKEEPERS]


@in_virtual_time
async def test_authorities_are_kept_with_their_rsa_keys_and_nothing_is_renewed() -> None:
    async with left_by_strimzi() as (world, before):
        await taken_over(world)
        for name in ("cluster-ca", "cluster-ca-cert", "clients-ca", "clients-ca-cert"):
            secret, was = world.get(SECRETS, f"{CLUSTER}-{name}"), before.of(SECRETS, f"{CLUSTER}-{name}")
            assert secret["data"] == was["data"], name
            assert secret["metadata"]["annotations"] == was["metadata"]["annotations"], name


@in_virtual_time
async def test_certificates_of_brokers_and_zookeepers_are_kept() -> None:
    async with left_by_strimzi() as (world, before):
        await taken_over(world)
        for name in ("kafka-brokers", "zookeeper-nodes", "cluster-operator-certs", "entity-user-operator-certs"):
            kept, was = world.get(SECRETS, f"{CLUSTER}-{name}")["data"], before.of(SECRETS, f"{CLUSTER}-{name}")["data"]
            assert kept == was, name


@in_virtual_time
async def test_clients_find_the_same_addresses() -> None:
    async with left_by_strimzi() as (world, before):
        await taken_over(world)
        for name in (f"{CLUSTER}-kafka-bootstrap", f"{CLUSTER}-kafka-brokers", *NODE_PORTS):
            spec, was = world.get(SERVICES, name)["spec"], before.of(SERVICES, name)["spec"]
            assert (spec["clusterIP"], spec["type"]) == (was["clusterIP"], was["type"]), name
            assert [port.get("nodePort") for port in spec["ports"]] == [port.get("nodePort") for port in was["ports"]]
        listener = next(one for one in world.kafka()["status"]["listeners"] if one["name"] == "external")
        assert listener["addresses"][0]["port"] == 31000


@in_virtual_time
async def test_data_stays_on_its_claims() -> None:
    async with left_by_strimzi() as (world, before):
        await taken_over(world)
        for name in (*(f"data-0-{pod}" for pod in BROKERS), *(f"data-{pod}" for pod in ZOOKEEPERS)):
            claim, was = world.get(PERSISTENT_VOLUME_CLAIMS, name), before.of(PERSISTENT_VOLUME_CLAIMS, name)
            assert claim["metadata"]["uid"] == was["metadata"]["uid"]
            assert claim["spec"]["volumeName"] == was["spec"]["volumeName"]
            assert claim["metadata"].get("ownerReferences", []) == []
        for pod in BROKERS:
            volumes = {
                volume["persistentVolumeClaim"]["claimName"]
                for volume in world.get(PODS, pod)["spec"]["volumes"]
                if "persistentVolumeClaim" in volume
            }
            assert volumes == {f"data-0-{pod}"}


@in_virtual_time
async def test_each_pod_rolls_once_zookeeper_first_and_says_why() -> None:
    async with left_by_strimzi() as (world, _):
        await taken_over(world)
        told = [event for event in world.cluster.objects.list(EVENTS, NAMESPACE) if _restarted(event)]
        first = min(_number(event) for event in told if _restarted(event) in BROKERS)
        assert max(_number(event) for event in told if _restarted(event) in ZOOKEEPERS) < first
        assert sorted({_restarted(event) for event in told}) == [*BROKERS, *ZOOKEEPERS]
        reasons = {
            name: {event["reason"] for event in told if _restarted(event) == name} for name in BROKERS + ZOOKEEPERS
        }
        new, certificate = "PodHasOldRevision", "KafkaCertificatesChanged"
        assert [reasons[name] for name in BROKERS] == [{new, certificate, "ConfigChangeRequiresRestart"}] * 3
        assert [reasons[name] for name in ZOOKEEPERS] == [{new, certificate}] * 3
        uids = world.uids()
        await world.passes(600)
        assert world.uids() == uids, "nothing rolls a second time"


def _number(event: Object) -> int:
    """Events come in the order of their versions."""
    return int(event["metadata"]["resourceVersion"])


def _restarted(event: Object) -> str:
    about = event.get("involvedObject") or event["regarding"]
    return about["name"] if about["kind"] == "Pod" and event["source"]["component"].startswith("strimzi.io") else ""


@in_virtual_time
async def test_the_entity_operator_loses_what_only_strimzi_needs() -> None:
    """Its Deployment stays; the stunnel goes, and settings of the bidirectional operator with it."""
    async with left_by_strimzi() as (world, before):
        await taken_over(world)
        deployment = world.get(DEPLOYMENTS, f"{CLUSTER}-entity-operator")
        assert deployment["metadata"]["uid"] == before.of(DEPLOYMENTS, f"{CLUSTER}-entity-operator")["metadata"]["uid"]
        containers = {one["name"]: one for one in deployment["spec"]["template"]["spec"]["containers"]}
        assert set(containers) == {"topic-operator", "user-operator"}
        assert "STRIMZI_ZOOKEEPER_CONNECT" not in {entry["name"] for entry in containers["topic-operator"]["env"]}


@in_virtual_time
async def test_config_maps_hold_what_klamm_writes_and_nothing_else() -> None:
    async with left_by_strimzi() as (world, _):
        await taken_over(world)
        for name in BROKERS:
            data = world.get(CONFIG_MAPS, name)["data"]
            assert "listeners=" in data["server.config"]
