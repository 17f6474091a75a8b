"""What a cluster operator ever does, played with its own account: in all, in several, in one namespace.

A right that no scenario needs has no place in the roles; who adds a deed adds it here.
"""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from tests.builders.kafka import kafka_object
from tests.kubernetes.operated import Operated, until
from tests.kubernetes.pretended_nodes import ZONE
from tests.kubernetes.running_operator import RunningOperator, operator_settings
from tests.rights.accounts import connection_of, install
from tests.rights.entity_operators import play_topics_and_users

from klamm.base.clock import BootClock, SystemClock
from klamm.desired.cluster_operator.naming import NAME
from klamm.kube import errors
from klamm.kube.catalogue import POD_SETS
from klamm.kube.client import Client, connect
from klamm.kube.connection import Connection
from klamm.kube.events import Recorder, reference
from klamm.kube.kinds import Kind, Name
from klamm.kube.leases import Election, Times
from klamm.kube.native import (
    CLUSTER_ROLE_BINDINGS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    EVENTS,
    INGRESSES,
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    SECRETS,
    SERVICES,
)
from klamm.programs import kafka_init
from klamm.resources.native.configuration import ConfigMap, Secret
from klamm.resources.native.metadata import ObjectMeta

CLUSTER = "my-cluster"
_WITHIN = 180.0
_HOSTS = {"bootstrap": {"host": "b.local"}, "brokers": [{"broker": n, "host": f"b{n}.local"} for n in range(4)]}
_PLAIN = {"name": "plain", "port": 9092, "type": "internal", "tls": False}
_NODE_PORT = {"name": "external", "port": 9094, "type": "nodeport", "tls": False}
_INGRESS = {"name": "ingress", "port": 9095, "type": "ingress", "tls": True, "configuration": {"class": "n", **_HOSTS}}
_OWN_CERTIFICATE = {
    "name": "own",
    "port": 9097,
    "type": "internal",
    "tls": True,
    "configuration": {"brokerCertChainAndKey": {"secretName": "own", "certificate": "c.crt", "key": "c.key"}},
}
_BALANCED = {"name": "balanced", "port": 9096, "type": "loadbalancer", "tls": False}
EPHEMERAL = {
    "kafka": {"replicas": 1, "storage": {"type": "ephemeral"}, "rack": None, "listeners": [_PLAIN]},
    "zookeeper": {"replicas": 1, "storage": {"type": "ephemeral"}},
    "entityOperator": None,
}
_LOG_LEVELS = {"type": "external", "valueFrom": {"configMapKeyRef": {"name": "log-levels", "key": "log4j"}}}


class Scene:
    """One cluster in one namespace, and the hands of those who work on it."""

    def __init__(self, place: Operated, namespace: str) -> None:
        self.place = place
        self.namespace = namespace
        self.name = Name(namespace, CLUSTER)
        self.manifest: dict[str, Any] = {}

    async def put(self, **spec: Any) -> None:
        """Change the manifest (None takes a field away) and apply it."""
        changed = kafka_object({"metadata": {"namespace": self.namespace}, "spec": self.manifest | spec})
        del changed["metadata"]["uid"]
        self.manifest |= spec
        await self.place.apply(self.namespace, _without_nothing(changed))

    async def ready(self, **spec: Any) -> None:
        await self.put(**spec)
        await self.place.ready(self.name, _WITHIN)

    async def annotate(self, kind: Kind[Any], name: str, annotation: str) -> None:
        change = {"metadata": {"annotations": {f"strimzi.io/{annotation}": "true"}}}
        await self.place.client.patch(kind, Name(self.namespace, name), change)

    async def uid(self, kind: Kind[Any], name: str) -> str | None:
        found = await self.place.client.find(kind, Name(self.namespace, name))
        return found.metadata.uid if found else None

    async def until_new(self, kind: Kind[Any], name: str, old: str | None) -> None:
        async def why_not() -> str | None:
            return "it is the old one" if await self.uid(kind, name) in (old, None) else None

        await until(f"{kind} {name} to be made anew", why_not, _WITHIN)

    async def until_gone(self, kind: Kind[Any], name: Name) -> None:
        async def why_not() -> str | None:
            return "it is there" if await self.place.client.find(kind, name) else None

        await until(f"{kind} {name} to be gone", why_not, _WITHIN)

    async def until_holds(self, what: str, kind: Kind[Any], name: str, holds: Callable[[Any], bool]) -> None:
        async def why_not() -> str | None:
            return None if holds(await self.place.client.get(kind, Name(self.namespace, name))) else "not yet"

        await until(what, why_not, _WITHIN)

    def pod(self, suffix: str) -> Name:
        return Name(self.namespace, f"{CLUSTER}-{suffix}")

    async def until_made_again(self, suffix: str) -> None:
        """Delete a pod and wait for its successor."""
        old = await self.uid(PODS, self.pod(suffix).name)
        await self.place.client.delete(PODS, self.pod(suffix))
        await self.until_new(PODS, self.pod(suffix).name, old)


async def play_all(place: Operated) -> None:
    connection = await _installed(place, "strimzi", watched=[])
    operator = await _operator(place, connection, None)
    scene = await _scene(place, "everywhere")
    await place.client.apply(CONFIG_MAPS, _config_map(scene.namespace))
    await place.client.apply(SECRETS, _certificate(scene))
    await _create(scene)
    await _run_init_container(scene)
    await play_topics_and_users(place, scene.name)
    for play in (_people_ask, _grow, _scale, _listeners, _no_companions, _wrong, _delete):
        await play(scene)
    await _restart_is_told_twice(place, connection)
    last = await _scene(place, "last")
    await last.ready(**EPHEMERAL)
    operator.raise_if_ended()
    await operator.stop()


async def play_several(place: Operated) -> None:
    scenes = [await _scene(place, name) for name in ("team-a", "team-b", "not-watched")]
    connection = await _installed(place, "strimzi-of-teams", watched=["team-a", "team-b"])
    operator = await _operator(place, connection, ("team-a", "team-b"))
    await scenes[2].put(**EPHEMERAL)
    for scene in scenes[:2]:
        await scene.ready(**EPHEMERAL)
    for scene in scenes[:2]:
        await place.delete(scene.name)
        await scene.until_gone(PODS, Name(scene.namespace, f"{CLUSTER}-kafka-0"))
    resource = await place.resource(scenes[2].name)
    assert resource is not None
    assert "status" not in resource
    operator.raise_if_ended()
    await operator.stop()


async def play_one(place: Operated) -> None:
    scene = await _scene(place, "own")
    connection = await _installed(place, "own", watched=["own"])
    operator = await _operator(place, connection, ("own",))
    await scene.ready(**EPHEMERAL)
    operator.raise_if_ended()
    await operator.stop()
    await _elect(connection)


async def _installed(place: Operated, namespace: str, watched: list[str]) -> Connection:
    with suppress(errors.AlreadyExists):
        await place.make_namespace(namespace)
    return await install(place, namespace, watched)


async def _operator(place: Operated, connection: Connection, namespaces: tuple[str, ...] | None) -> RunningOperator:
    settings = replace(operator_settings(), namespaces=namespaces)
    return place.start_operator(connection=connection, settings=settings)


async def _scene(place: Operated, namespace: str) -> Scene:
    await place.make_namespace(namespace)
    return Scene(place, namespace)


async def _create(scene: Scene) -> None:
    volume = {"id": 0, "type": "persistent-claim", "size": "10Gi", "class": "standard", "deleteClaim": True}
    await scene.ready(
        kafka={
            "listeners": [_PLAIN, _NODE_PORT, _INGRESS, _OWN_CERTIFICATE],
            "rack": {"topologyKey": ZONE},
            "storage": {"type": "jbod", "volumes": [volume]},
            "jmxOptions": {"authentication": {"type": "password"}},
            "logging": _LOG_LEVELS,
        },
        kafkaExporter={},
    )


async def _run_init_container(scene: Scene) -> None:
    """The brokers' init container, with their account's token."""
    account = Name(scene.namespace, f"{CLUSTER}-kafka")
    connection = await connection_of(scene.place, account)
    assert connection.token is not None
    assert connection.authorities is not None
    host, port = connection.server.removeprefix("https://").split(":")
    with TemporaryDirectory() as folder:
        (Path(folder) / "token").write_text(connection.token.current())
        (Path(folder) / "ca.crt").write_bytes(connection.authorities)
        environment = {
            "NODE_NAME": "node-0",
            "RACK_TOPOLOGY_KEY": ZONE,
            "INIT_FOLDER": folder,
            "SERVICE_ACCOUNT_FOLDER": folder,
            "KUBERNETES_SERVICE_HOST": host,
            "KUBERNETES_SERVICE_PORT": port,
        }
        await asyncio.to_thread(kafka_init.run, environment)
        assert (Path(folder) / "rack.id").read_text() == "zone-0\n"


async def _people_ask(scene: Scene) -> None:
    """By annotations: restart, empty volumes, new certificates."""
    zookeeper = await scene.uid(PODS, f"{CLUSTER}-zookeeper-0")
    await scene.annotate(POD_SETS, f"{CLUSTER}-zookeeper", "manual-rolling-update")
    await scene.until_new(PODS, f"{CLUSTER}-zookeeper-0", zookeeper)
    claim = await scene.uid(PERSISTENT_VOLUME_CLAIMS, f"data-0-{CLUSTER}-kafka-1")
    await scene.annotate(PODS, f"{CLUSTER}-kafka-1", "delete-pod-and-pvc")
    await scene.until_new(PERSISTENT_VOLUME_CLAIMS, f"data-0-{CLUSTER}-kafka-1", claim)
    authority = f"{CLUSTER}-clients-ca-cert"
    await scene.annotate(SECRETS, authority, "force-renew")
    taken = "the wish for a new authority to be taken off"
    await scene.until_holds(taken, SECRETS, authority, lambda s: "strimzi.io/force-renew" not in s.metadata.annotations)
    await scene.place.ready(scene.name, _WITHIN)


async def _grow(scene: Scene) -> None:
    volumes = scene.manifest["kafka"]["storage"]["volumes"]
    larger = {"type": "jbod", "volumes": [{**volumes[0], "size": "20Gi"}]}
    await scene.put(kafka={**scene.manifest["kafka"], "storage": larger})
    await scene.until_holds(
        "a claim to be larger",
        PERSISTENT_VOLUME_CLAIMS,
        f"data-0-{CLUSTER}-kafka-0",
        lambda claim: claim.spec.resources.requests["storage"] == "20Gi",
    )


async def _scale(scene: Scene) -> None:
    kafka = scene.manifest["kafka"]
    await scene.ready(kafka={**kafka, "replicas": 4})
    await scene.ready(kafka={**kafka, "replicas": 3})
    await scene.until_gone(PERSISTENT_VOLUME_CLAIMS, Name(scene.namespace, f"data-0-{CLUSTER}-kafka-3"))


async def _listeners(scene: Scene) -> None:
    """One goes, one comes that waits for addresses which the operator cannot make."""
    kafka = scene.manifest["kafka"]
    await scene.ready(kafka={**kafka, "listeners": [_PLAIN, _NODE_PORT]})
    await scene.until_gone(INGRESSES, Name(scene.namespace, f"{CLUSTER}-kafka-ingress-0"))
    await scene.put(kafka={**kafka, "listeners": [_PLAIN, _NODE_PORT, _BALANCED]})
    for service in ("balanced-bootstrap", *(f"balanced-{number}" for number in range(3))):
        await _give_address(scene, f"{CLUSTER}-kafka-{service}")
    await scene.place.ready(scene.name, _WITHIN)


async def _give_address(scene: Scene, service: str) -> None:
    name = Name(scene.namespace, service)

    async def why_not() -> str | None:
        return None if await scene.place.client.find(SERVICES, name) else "it is not there"

    await until(f"Service {name}", why_not, _WITHIN)
    status = {"status": {"loadBalancer": {"ingress": [{"ip": "10.1.2.3"}]}}}
    await scene.place.client.patch(SERVICES, name, status, subresource="status")


async def _no_companions(scene: Scene) -> None:
    """Neither entity operator nor exporter any more."""
    await scene.ready(entityOperator=None, kafkaExporter=None)
    for part in ("entity-operator", "kafka-exporter"):
        await scene.until_gone(DEPLOYMENTS, Name(scene.namespace, f"{CLUSTER}-{part}"))
    await scene.until_gone(SECRETS, Name(scene.namespace, f"{CLUSTER}-kafka-exporter-certs"))


async def _wrong(scene: Scene) -> None:
    """A resource that cannot be: its status says so."""
    good = scene.manifest["kafka"]
    await scene.put(kafka={**good, "version": "1.0.0"})

    async def why_not() -> str | None:
        resource = await scene.place.resource(scene.name)
        conditions = resource["status"]["conditions"] if resource else []
        return None if any(one["type"] == "NotReady" for one in conditions) else f"it says {conditions}"

    await until("the mistake to be told", why_not, _WITHIN)
    await scene.ready(kafka=good)


async def _delete(scene: Scene) -> None:
    await scene.place.delete(scene.name)
    await scene.until_gone(CLUSTER_ROLE_BINDINGS, Name("", f"strimzi-{scene.namespace}-{CLUSTER}-kafka-init"))


async def _restart_is_told_twice(place: Operated, connection: Connection) -> None:
    """Of a pod whose deletion failed after it was told: the event is counted up."""
    async with connect(connection, NAME, Random(1)) as client:
        recorder = Recorder(client, "strimzi.io/cluster-operator", "test", SystemClock())
        writing = asyncio.ensure_future(recorder.run())
        node = (await place.client.list(NODES)).items[0]
        for _ in range(2):
            recorder.note(reference(NODES, node), "Normal", "ManualRollingUpdate", "a pod is restarted")
            await recorder.drained()
        writing.cancel()
        written = (await place.client.list(EVENTS, "default")).items
        assert [one.count for one in written if one.reason == "ManualRollingUpdate"] == [2]


async def _elect(connection: Connection) -> None:
    """One leads and leaves, the other is told at once."""
    async with connect(connection, NAME, Random(1)) as client:
        one = asyncio.create_task(_lead(client, connection, "one", asyncio.Event()))
        led = asyncio.Event()
        two = asyncio.create_task(_lead(client, connection, "two", led))
        await asyncio.sleep(0)
        async with asyncio.timeout(_WITHIN):
            await one
            await two
        assert led.is_set()


async def _lead(client: Client, connection: Connection, who: str, led: asyncio.Event) -> None:
    # On a busy machine a renewal may take long; who leaves is followed at once all the same.
    times = Times(duration=40.0, renew_deadline=30.0, retry=0.2)
    election = Election(client, Name(connection.namespace, NAME), who, BootClock(), Random(1), times)

    async def work() -> None:
        led.set()
        await asyncio.sleep(3 * times.retry)  # some renewals

    await election.lead(work)


def _config_map(namespace: str) -> ConfigMap:
    levels = {"log4j": "log4j.rootLogger=INFO, CONSOLE\n"}
    return ConfigMap(metadata=ObjectMeta(name="log-levels", namespace=namespace), data=levels)


def _certificate(scene: Scene) -> Secret:
    """What a user brings for a listener."""
    folder = scene.place.plane.folder
    files = {"c.crt": folder / "server.crt", "c.key": folder / "server.key"}
    data = {key: b64encode(path.read_bytes()).decode() for key, path in files.items()}
    return Secret(metadata=ObjectMeta(name="own", namespace=scene.namespace), data=data)


def _without_nothing(value: Any) -> Any:
    """Fields of None are not written."""
    if isinstance(value, dict):
        return {key: _without_nothing(each) for key, each in value.items() if each is not None}
    return value
