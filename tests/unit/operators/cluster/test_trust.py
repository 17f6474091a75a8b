"""Certificates of a running cluster change, and at every moment each pod trusts what every other one shows.

A pod's process reads its files when it starts. So what a pod trusts and shows is what the Secrets held when the pod
was made; `Handshakes` notes that, and tries all pairs whenever a pod comes.
"""

from base64 import b64decode
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from tests.builders.kafka import kafka_object
from tests.builders.kafka_world import NAMESPACE, KafkaWorld, kafka_world
from tests.builders.virtual_time import in_virtual_time

from klamm.localkube.objects import PODS, SECRETS, SERVICES

CA_CERTIFICATE, CA_KEY = "my-cluster-cluster-ca-cert", "my-cluster-cluster-ca"
SECRET_OF = {"kafka": "my-cluster-kafka-brokers", "zookeeper": "my-cluster-zookeeper-nodes"}
LEAF_OF = {
    "entity": ("my-cluster-entity-topic-operator-certs", "entity-operator"),
    "exporter": ("my-cluster-kafka-exporter-certs", "kafka-exporter"),
}
"""Secret and entry of those whose pods have no names of their own."""


def small() -> Any:
    """With the exporter: as the entity operator, a pod of a Deployment."""
    storage = {"type": "ephemeral", "volumes": []}
    spec = {"kafka": {"storage": storage}, "zookeeper": {"storage": storage}, "kafkaExporter": {}}
    return kafka_object({"spec": spec})


@dataclass
class Handshakes:
    """`refused`: pairs that would not speak with each other, with the moment. `story`: pods in the order they came."""

    world: KafkaWorld
    trusted: dict[str, list[x509.Certificate]] = field(default_factory=dict)
    shown: dict[str, x509.Certificate] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    story: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        registry = self.world.cluster.registry
        registry.storage.subscribe(registry.kind_of(PODS).storage_key, self._on_pod)

    def reason_to_wait(self, pods: int) -> str | None:
        return None if len(self.story) >= pods else f"{len(self.story)} pods came"

    def note_those_that_run(self) -> None:
        for name, pod in self.world.pods().items():
            self._came(name, pod["metadata"]["annotations"])
        self.story.clear()

    def _on_pod(self, change: Any) -> None:
        pod = self.world.cluster.registry.storage.decode(change.after)
        name = pod["metadata"]["name"]
        if change.type == "DELETED":
            self.trusted.pop(name, None)
            self.shown.pop(name, None)
        elif change.before is None:
            self._came(name, pod["metadata"]["annotations"])

    def _came(self, name: str, annotations: dict[str, str]) -> None:
        part = part_of(name)
        authority = self.world.get(SECRETS, CA_CERTIFICATE)["data"]
        self.trusted[name] = [certificate(text) for key, text in authority.items() if key.endswith(".crt")]
        secret, entry = LEAF_OF[part] if part in LEAF_OF else (SECRET_OF[part], name)
        self.shown[name] = certificate(self.world.get(SECRETS, secret)["data"][f"{entry}.crt"])
        generations = [annotations[f"strimzi.io/cluster-ca-{what}-generation"] for what in ("cert", "key")]
        old = "both" if "strimzi.io/trusts-old-cluster-ca" in annotations else "one"
        self.story.append(f"{part if part in LEAF_OF else name}: leaf {generations[0]}, key {generations[1]}, {old}")
        for one in self.shown:
            for other in self.trusted:
                if not speaks(self.shown[one], self.trusted[other]):
                    self.refused.append(f"{other} refuses {one} when {name} comes")


def certificate(text: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(b64decode(text))


def speaks(leaf: x509.Certificate, trusted: list[x509.Certificate]) -> bool:
    for authority in trusted:
        try:
            leaf.verify_directly_issued_by(authority)
            return True
        except (ValueError, InvalidSignature):
            continue
    return False


ROUND = [f"my-cluster-zookeeper-{n}" for n in range(3)] + [f"my-cluster-kafka-{n}" for n in (1, 2, 0)]


def part_of(pod: str) -> str:
    first, second = pod.removeprefix("my-cluster-").split("-")[:2]
    return second if second == "exporter" else first


def of_pod_sets(story: list[str]) -> list[str]:
    return [line for line in story if not line.startswith(tuple(LEAF_OF))]


async def settled(world: KafkaWorld) -> None:
    """Ready, and without a reason to restart anybody for a while. (Secrets are looked at every two minutes.)"""
    await world.passes(150)
    await world.ready(1200)
    count = len(world.deaths)
    await world.passes(150)
    assert len(world.deaths) == count


@in_virtual_time
async def test_a_new_key_goes_round_in_three_rolls_without_a_refused_handshake() -> None:
    async with kafka_world() as world:
        world.apply(small())
        await world.ready()
        handshakes = Handshakes(world)
        handshakes.note_those_that_run()
        world.annotate(SECRETS, CA_KEY, force_replace="true")
        await settled(world)
        assert handshakes.refused == []
        assert of_pod_sets(handshakes.story) == [
            *(f"{name}: leaf 0, key 1, both" for name in ROUND),
            *(f"{name}: leaf 1, key 1, both" for name in ROUND),
            *(f"{name}: leaf 1, key 1, one" for name in ROUND),
        ]
        for part in LEAF_OF:
            assert [line for line in handshakes.story if line.startswith(part)] == [
                f"{part}: leaf 0, key 1, both",
                f"{part}: leaf 1, key 1, both",
                f"{part}: leaf 1, key 1, one",
            ]
        files = world.get(SECRETS, CA_CERTIFICATE)
        assert sorted(files["data"]) == ["ca.crt", "ca.p12", "ca.password"]
        assert files["metadata"]["annotations"]["strimzi.io/ca-cert-generation"] == "1"
        annotations = world.get(SECRETS, CA_KEY)["metadata"]["annotations"]
        assert annotations["strimzi.io/ca-key-generation"] == "1"
        assert "strimzi.io/force-replace" not in annotations
        assert world.cluster.events("ClusterCaCertKeyReplaced", NAMESPACE)
        assert world.cluster.events("CaCertRemoved", NAMESPACE)
        for death in world.deaths:
            assert death.not_ready == frozenset(), death


@in_virtual_time
async def test_an_operator_that_dies_again_and_again_goes_on_with_the_step_it_was_at() -> None:
    async with kafka_world() as world:
        world.apply(small())
        await world.ready()
        handshakes = Handshakes(world)
        world.annotate(SECRETS, CA_KEY, force_replace="true")
        for seen in (1, 4, 7, 11, 14, 17):
            await world.until("pods come", partial(handshakes.reason_to_wait, seen))
            await world.stop_operator()
            world.start_operator()
        await settled(world)
        assert handshakes.refused == []
        assert len(of_pod_sets(handshakes.story)) == 18, "no pod was restarted twice for one step"


@in_virtual_time
async def test_a_renewed_certificate_takes_one_roll() -> None:
    async with kafka_world() as world:
        world.apply(small())
        await world.ready()
        handshakes = Handshakes(world)
        world.annotate(SECRETS, CA_CERTIFICATE, force_renew="true")
        await settled(world)
        assert of_pod_sets(handshakes.story) == [f"{name}: leaf 1, key 0, one" for name in ROUND]
        assert handshakes.refused == []


@in_virtual_time
async def test_a_new_key_of_the_clients_authority_restarts_only_brokers() -> None:
    async with kafka_world() as world:
        world.apply(small())
        await world.ready()
        world.annotate(SECRETS, "my-cluster-clients-ca", force_replace="true")
        await settled(world)
        assert [death.pod for death in world.deaths] == ROUND[3:]


@in_virtual_time
async def test_a_lost_leaf_is_issued_again_and_its_broker_restarted() -> None:
    async with kafka_world() as world:
        world.apply(small())
        await world.ready()
        data = {f"my-cluster-kafka-1.{end}": None for end in ("crt", "key", "p12", "password")}
        world.cluster.objects.patch(SECRETS, NAMESPACE, SECRET_OF["kafka"], {"data": data})
        await world.passes(240)
        await world.ready()
        assert [death.pod for death in world.deaths] == ["my-cluster-kafka-1"]


@in_virtual_time
async def test_an_authority_of_the_users_own_is_waited_for_by_name() -> None:
    async with kafka_world() as world:
        manifest = small()
        manifest["spec"]["clusterCa"] = {"generateCertificateAuthority": False}
        world.apply(manifest)
        await world.passes(5)
        [condition] = world.conditions("NotReady")
        assert "spec.clusterCa" in condition["message"]
        assert "my-cluster-cluster-ca-cert" in condition["message"]
        assert "my-cluster-kafka-bootstrap" in world.names(SERVICES), "it needs no certificates"
