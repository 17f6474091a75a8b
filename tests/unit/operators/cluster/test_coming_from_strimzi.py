"""A cluster that Strimzi 0.38 has made is taken over as it is: what is kept, what rolls and why, what is tidied up.

It happens once, in virtual time; each test states a fact about it. docs/guides/from-strimzi.md says the same in words.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from tests.builders import strimzi
from tests.builders.kafka import kafka_object
from tests.builders.kafka_world import NAMESPACE, KafkaWorld, kafka_world
from tests.builders.strimzi import CLUSTER, NODE_PORTS, StrimziCluster
from tests.builders.virtual_time import run_in_virtual_time

from klamm.localkube.apiserver.local_objects import LocalObjects
from klamm.localkube.objects import EVENTS, PODS, Object

LISTENERS = [
    {"name": "plain", "port": 9092, "type": "internal", "tls": False},
    {"name": "external", "port": 9094, "type": "nodeport", "tls": False},
]
BROKERS = [f"{CLUSTER}-kafka-{n}" for n in range(3)]
ZOOKEEPERS = [f"{CLUSTER}-zookeeper-{n}" for n in range(3)]
Objects = Mapping[tuple[str, str], Object]
"""By kind and name."""


@dataclass
class Takeover:
    """The cluster's objects as Strimzi left them, when klamm was ready with them, and ten minutes later."""

    before: Objects
    after: Objects
    later: Objects
    events: list[Object]
    status: Object

    def kept(self) -> set[tuple[str, str]]:
        """Those that are the same object still."""
        both = self.before.keys() & self.after.keys()
        return {one for one in both if _uid(self.before[one]) == _uid(self.after[one])}

    def pair(self, kind: str, name: str) -> tuple[Object, Object]:
        """As it was, and as it is."""
        return self.before[kind, name], self.after[kind, name]

    def restarts(self, pod: str) -> list[Object]:
        told = [event for event in self.events if event["source"]["component"] == "strimzi.io/cluster-operator"]
        return [event for event in told if (event.get("involvedObject") or event["regarding"])["name"] == pod]


@pytest.fixture(scope="module")
def takeover() -> Takeover:
    found: list[Takeover] = []
    run_in_virtual_time(_take_over(found))
    return found[0]


async def _take_over(found: list[Takeover]) -> None:
    async with kafka_world(operator=False) as world:
        world.apply(kafka_object({"spec": {"kafka": {"listeners": LISTENERS}, "kafkaExporter": {}}}))
        _make_as_strimzi(world)
        running = {*BROKERS, *ZOOKEEPERS}
        await world.until("Strimzi's pods run", lambda: ", ".join(running - world.ready_pods()) or None)
        before = _objects(world)
        world.start_operator()
        await world.ready()
        after, events = _objects(world), [*world.cluster.objects.list(EVENTS, NAMESPACE)]
        await world.passes(600)
        found.append(Takeover(before, after, _objects(world), events, world.kafka()["status"]))


def _make_as_strimzi(world: KafkaWorld) -> None:
    objects = LocalObjects(world.cluster.registry, strimzi.MANAGER)
    resources = {(r.api_version, r.kind): r for r in (kind.resource for kind in world.cluster.registry.kinds())}
    cluster = StrimziCluster(world.kafka()["metadata"]["uid"], world.cluster.clock.now())
    for obj in cluster.objects():
        resource = resources[obj["apiVersion"], obj["kind"]]
        stored = objects.create(resource, NAMESPACE if resource.namespaced else None, obj)
        for pod in cluster.pods(stored) if obj["kind"] == "StrimziPodSet" else ():
            objects.create(PODS, NAMESPACE, pod)


def _objects(world: KafkaWorld) -> Objects:
    resources = {kind.resource.kind: kind.resource for kind in world.cluster.registry.kinds()}
    listed = {kind: world.cluster.objects.list(resource) for kind, resource in resources.items() if kind != "Event"}
    of_cluster = [
        (kind, obj)
        for kind, found in listed.items()
        for obj in found
        if "strimzi.io/cluster" in (obj["metadata"].get("labels") or {})
    ]
    return {(kind, obj["metadata"]["name"]): obj for kind, obj in of_cluster}


def _uid(obj: Object) -> str:
    return str(obj["metadata"]["uid"])


def test_nothing_is_lost_and_only_pods_are_made_anew(takeover: Takeover) -> None:
    changed = takeover.before.keys() - takeover.kept()
    # The entity operator's and the exporter's Deployments roll by themselves; what they made are their own affairs.
    of_cluster = {name for kind, name in changed if "entity-operator" not in name and "exporter" not in name}
    assert of_cluster == {*BROKERS, *ZOOKEEPERS}
    assert {kind for kind, _ in changed} <= {"Pod", "ReplicaSet"}


def test_authorities_are_kept_with_their_rsa_keys_and_nothing_is_renewed(takeover: Takeover) -> None:
    for name in ("cluster-ca", "cluster-ca-cert", "clients-ca", "clients-ca-cert"):
        was, secret = takeover.pair("Secret", f"{CLUSTER}-{name}")
        assert secret["data"] == was["data"], name
        assert secret["metadata"]["annotations"] == was["metadata"]["annotations"], name


def test_certificates_of_all_components_are_kept(takeover: Takeover) -> None:
    for name in (
        "kafka-brokers",
        "zookeeper-nodes",
        "cluster-operator-certs",
        "entity-user-operator-certs",
        "kafka-exporter-certs",
    ):
        was, secret = takeover.pair("Secret", f"{CLUSTER}-{name}")
        assert secret["data"] == was["data"], name


def test_clients_find_the_same_addresses(takeover: Takeover) -> None:
    for name in (f"{CLUSTER}-kafka-bootstrap", f"{CLUSTER}-kafka-brokers", *NODE_PORTS):
        was, service = takeover.pair("Service", name)
        assert service["spec"]["clusterIP"] == was["spec"]["clusterIP"], name
        assert service["spec"]["type"] == was["spec"]["type"], name
        assert _node_ports(service) == _node_ports(was), name
    external = next(one for one in takeover.status["listeners"] if one["name"] == "external")
    assert external["addresses"][0]["port"] == NODE_PORTS[f"{CLUSTER}-kafka-external-bootstrap"]


def _node_ports(service: Object) -> list[int | None]:
    return [port.get("nodePort") for port in service["spec"]["ports"]]


def test_data_stays_on_its_claims(takeover: Takeover) -> None:
    for name in (*(f"data-0-{pod}" for pod in BROKERS), *(f"data-{pod}" for pod in ZOOKEEPERS)):
        was, claim = takeover.pair("PersistentVolumeClaim", name)
        assert claim["spec"]["volumeName"] == was["spec"]["volumeName"]
        assert claim["metadata"].get("ownerReferences", []) == []  # deleteClaim is false
    for pod in BROKERS:
        volumes = takeover.after["Pod", pod]["spec"]["volumes"]
        claims = [
            volume["persistentVolumeClaim"]["claimName"] for volume in volumes if "persistentVolumeClaim" in volume
        ]
        assert claims == [f"data-0-{pod}"]


def test_each_pod_rolls_once_with_its_reasons(takeover: Takeover) -> None:
    """Its description is another one: klamm's image, and annotations as klamm writes them."""
    new, certificate, settings = "PodHasOldRevision", "KafkaCertificatesChanged", "ConfigChangeRequiresRestart"
    reasons = {pod: sorted(event["reason"] for event in takeover.restarts(pod)) for pod in BROKERS + ZOOKEEPERS}
    assert reasons == {
        **{pod: sorted([new, certificate, settings]) for pod in BROKERS},
        **{pod: sorted([new, certificate]) for pod in ZOOKEEPERS},
    }


def test_zookeepers_roll_before_brokers(takeover: Takeover) -> None:
    def versions(pods: list[str]) -> list[int]:
        return [int(event["metadata"]["resourceVersion"]) for pod in pods for event in takeover.restarts(pod)]

    assert max(versions(ZOOKEEPERS)) < min(versions(BROKERS))


def test_nothing_rolls_a_second_time(takeover: Takeover) -> None:
    assert {one: _uid(obj) for one, obj in takeover.later.items()} == {
        one: _uid(obj) for one, obj in takeover.after.items()
    }


def test_the_entity_operator_loses_what_only_strimzi_needs(takeover: Takeover) -> None:
    """Its Deployment stays; the stunnel goes, and the settings of the bidirectional operator with it."""
    _, deployment = takeover.pair("Deployment", f"{CLUSTER}-entity-operator")
    containers = {one["name"]: one for one in deployment["spec"]["template"]["spec"]["containers"]}
    assert set(containers) == {"topic-operator", "user-operator"}
    assert "STRIMZI_ZOOKEEPER_CONNECT" not in {entry["name"] for entry in containers["topic-operator"]["env"]}


def test_the_exporter_is_klamms_in_the_same_deployment(takeover: Takeover) -> None:
    """Script and left-over settings of Strimzi's go; names by which it is found stay."""
    was, deployment = takeover.pair("Deployment", f"{CLUSTER}-kafka-exporter")
    [before], [container] = (one["spec"]["template"]["spec"]["containers"] for one in (was, deployment))
    assert container["name"] == before["name"]
    assert container["ports"] == before["ports"]
    assert container["command"] == ["/opt/strimzi/bin/kafka_exporter_run.sh"]
    assert "args" not in container
    settings = {one["name"]: one["value"] for one in container["env"]}
    assert settings["KAFKA_EXPORTER_KAFKA_SERVER"] == f"{CLUSTER}-kafka-bootstrap:9091"
    assert all(name.startswith("KAFKA_EXPORTER_") for name in settings)
    assert deployment["spec"]["selector"] == was["spec"]["selector"]


def test_config_maps_hold_what_klamm_writes_and_nothing_else(takeover: Takeover) -> None:
    for name in BROKERS:
        was, settings = takeover.pair("ConfigMap", name)
        assert "listeners=" in settings["data"]["server.config"]
        assert was["data"]["left-over"]
        assert "left-over" not in settings["data"]
