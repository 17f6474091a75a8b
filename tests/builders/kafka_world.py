"""The whole cluster operator in virtual time: real reconcilers, real API rules, real controllers; pretended processes.

    @in_virtual_time
    async def test_...() -> None:
        async with kafka_world() as world:
            world.apply(kafka_object())
            await world.until("the cluster is ready", lambda: world.is_ready())

Pods are ready as soon as they are bound (`world.cluster.holds_back` keeps some unready). Kafka itself is
`FakeBrokers`: a replica is in sync while its broker's pod is ready. Each deletion of a pod is noted in `world.deaths`,
with the pods of the cluster that were not ready at that moment.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.builders.fake_brokers import FakeBrokers
from tests.builders.kafka import surroundings
from tests.builders.registry_transport import RegistryTransport
from tests.builders.small_cluster import SmallCluster, small_cluster

from klamm.base.together import ended
from klamm.control.controller import Settings
from klamm.kube.client import Client, over
from klamm.kube.events import Recorder
from klamm.kube.kinds import Name
from klamm.localkube.objects import NAMESPACES, Object, Resource
from klamm.localkube.objects import PODS as POD_RESOURCE
from klamm.operations.applying import Applier
from klamm.operators.cluster.area import caches_of, kafka_controller, pod_set_controller
from klamm.operators.cluster.hands import Hands

DEFINITIONS = ("kafkas.kafka", "kafkatopics.kafka", "strimzipodsets.core")
NAMESPACE = "kafka"
NAME = Name(NAMESPACE, "my-cluster")
KAFKAS = Resource("kafka.strimzi.io", "v1beta2", "kafkas", "Kafka", True)
POD_SET_RESOURCE = Resource("core.strimzi.io", "v1beta2", "strimzipodsets", "StrimziPodSet", True)
ZONE = "topology.ebs.csi.aws.com/zone"


@dataclass(frozen=True)
class Death:
    """A pod that was deleted, and which others of its set were not ready then."""

    pod: str
    not_ready: frozenset[str]


@dataclass
class KafkaWorld:
    cluster: SmallCluster
    transport: RegistryTransport
    client: Client
    zookeeper_leader: str | None = None
    """Name of the pod that says that it leads."""
    deaths: list[Death] = field(default_factory=list)
    selector: Mapping[str, str] = field(default_factory=dict)
    """Of the operator: labels of the Kafka resources that are its own."""
    operator: "asyncio.Task[None] | None" = None
    hands: Hands | None = None
    """The operator's, once it runs."""

    def __post_init__(self) -> None:
        self.brokers = FakeBrokers(self.ready_pods, NAME.name)
        self.cluster.registry.storage.subscribe(
            self.cluster.registry.kind_of(POD_RESOURCE).storage_key, lambda change: self._note_death(change)
        )

    def _note_death(self, change: Any) -> None:
        if change.before is None:
            return
        decode = self.cluster.registry.storage.decode
        pod = decode(change.before)
        going = change.type == "DELETED" or decode(change.after)["metadata"].get("deletionTimestamp")
        if pod["metadata"].get("deletionTimestamp") or not going:
            return
        name = pod["metadata"]["name"]
        mates = {one for one in self.pods() if one.rsplit("-", 1)[0] == name.rsplit("-", 1)[0]}
        self.deaths.append(Death(name, frozenset(mates - self.ready_pods() - {name})))

    # The world

    def apply(self, obj: Object) -> Object:
        """Create it, or replace its spec."""
        metadata = {key: value for key, value in obj["metadata"].items() if key != "uid"}
        found = self.cluster.find(KAFKAS, metadata["name"], NAMESPACE)
        if found is None:
            return self.cluster.objects.create(KAFKAS, NAMESPACE, {**obj, "metadata": metadata})
        return self.cluster.objects.update(KAFKAS, {**found, "spec": obj["spec"]})

    def change(self, **spec: Any) -> Object:
        """Merge into the Kafka resource's spec; a None takes a field away."""
        return self.cluster.objects.patch(KAFKAS, NAMESPACE, NAME.name, {"spec": spec})

    def annotate(self, resource: Resource, name: str, **annotations: str | None) -> None:
        """Keyword `force_renew` stands for strimzi.io/force-renew."""
        marks = {f"strimzi.io/{key.replace('_', '-')}": value for key, value in annotations.items()}
        self.cluster.objects.patch(resource, NAMESPACE, name, {"metadata": {"annotations": marks}})

    def kafka(self) -> Object:
        return self.cluster.get(KAFKAS, NAME.name, NAMESPACE)

    def get(self, resource: Resource, name: str) -> Object:
        return self.cluster.get(resource, name, NAMESPACE)

    def find(self, resource: Resource, name: str) -> Object | None:
        return self.cluster.find(resource, name, NAMESPACE)

    def names(self, resource: Resource) -> list[str]:
        return self.cluster.names(resource, NAMESPACE)

    def pods(self) -> dict[str, Object]:
        return {pod["metadata"]["name"]: pod for pod in self.cluster.objects.list(POD_RESOURCE, NAMESPACE)}

    def uids(self) -> dict[str, str]:
        return {name: pod["metadata"]["uid"] for name, pod in self.pods().items()}

    def ready_pods(self) -> set[str]:
        return {name for name, pod in self.pods().items() if _is_ready(pod)}

    def conditions(self, kind: str = "Ready") -> list[dict[str, str]]:
        """The resource's conditions of this type."""
        found = self.kafka().get("status", {}).get("conditions", [])
        return [one for one in found if one["type"] == kind]

    def reason_not_ready(self) -> str | None:
        kafka = self.kafka()
        status = kafka.get("status", {})
        if status.get("observedGeneration") != kafka["metadata"]["generation"]:
            return "not looked at"
        return None if self.conditions("Ready") else f"conditions {status.get('conditions')}"

    async def ready(self, seconds: float = 600.0) -> None:
        await self.until("Kafka is ready", self.reason_not_ready, seconds)

    async def until(self, what: str, why_not: Callable[[], str | None], seconds: float = 600.0) -> None:
        """Let time go on until `why_not` gives None."""
        for _ in range(int(seconds / 0.5)):
            if why_not() is None:
                return
            self._raise_when_ended()
            await asyncio.sleep(0.5)
        raise AssertionError(f"{what}: not within {seconds:g} s: {why_not()}")

    async def passes(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._raise_when_ended()

    def _raise_when_ended(self) -> None:
        if self.operator is not None and self.operator.done():
            self.operator.result()

    # The operator

    def start_operator(self) -> None:
        self.operator = asyncio.create_task(_run_operator(self))

    async def stop_operator(self) -> None:
        """As when its process is killed; what went wrong before is raised."""
        if self.operator is not None:
            self._raise_when_ended()
            await ended(self.operator)

    async def mode_of(self, host: str, context: object) -> str | None:
        pod = host.split(".")[0]
        if pod not in self.ready_pods():
            return None
        return "leader" if pod == self.zookeeper_leader else "follower"


@asynccontextmanager
async def kafka_world(
    *, operator: bool = True, images: Mapping[str, str] | None = None, selector: Mapping[str, str] | None = None
) -> AsyncIterator[KafkaWorld]:
    async with small_cluster(nodes=3, node_changes=_as_of_klamm, definitions=DEFINITIONS) as cluster:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        cluster.objects.create(NAMESPACES, None, namespace)
        transport = RegistryTransport(cluster.registry)
        client = over(transport, "klamm-cluster-operator", Random(1))
        world = KafkaWorld(cluster, transport, client, selector=selector or {})
        if operator:
            world.start_operator()
        try:
            yield world
        finally:
            await world.stop_operator()


async def _run_operator(world: KafkaWorld) -> None:
    client, clock, random = world.client, world.cluster.clock, Random(1)
    caches = caches_of(None, client, random, world.selector)
    recorder = Recorder(client, "strimzi.io/cluster-operator", "operator", clock)
    passwords = iter(f"password-{n}" for n in range(10_000))
    world.hands = hands = Hands(
        client=client,
        applier=Applier(client, clock),
        events=recorder,
        clock=clock,
        surroundings=surroundings(),
        new_password=lambda: next(passwords),
        open_admin=world.brokers.open,
        kafkas=caches.kafkas,
        pod_sets=caches.pod_sets,
        pods=caches.pods,
        deployments=caches.deployments,
        config_maps=caches.config_maps,
        zookeeper_mode=world.mode_of,
        selector=world.selector,
    )
    controllers = [make(hands, random, Settings()) for make in (kafka_controller, pod_set_controller)]
    async with asyncio.TaskGroup() as group:
        for run in (*(one.run for one in caches.all()), recorder.run, *(one.run for one in controllers)):
            group.create_task(run())


def _as_of_klamm(number: int, node: Object) -> Object:
    node["metadata"]["labels"][ZONE] = f"zone-{number}"
    node["status"]["addresses"] = [{"type": "InternalIP", "address": "127.0.0.1"}]
    return node


def _is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return "deletionTimestamp" not in pod["metadata"] and any(
        one["type"] == "Ready" and one["status"] == "True" for one in conditions
    )
