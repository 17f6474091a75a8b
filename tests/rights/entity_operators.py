"""Topic and user operator with their account's token, on topics and users of one cluster; Kafka is kept in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any, cast

import msgspec
from tests.builders.fake_kafka import FakeKafka
from tests.kubernetes.operated import Operated, until
from tests.rights.accounts import connection_of

from klamm.base.clock import SystemClock
from klamm.base.together import ended
from klamm.control.controller import Controller
from klamm.kafka.admin import Admin, Connection
from klamm.kafka.link import Link
from klamm.kube import errors
from klamm.kube.catalogue import KAFKA_TOPICS, KAFKA_USERS
from klamm.kube.client import Client, connect
from klamm.kube.kinds import Kind, Name
from klamm.kube.native import SECRETS
from klamm.kube.requests import Request
from klamm.kube.watching import Watched
from klamm.operators.topic.operator import Settings, TopicOperator
from klamm.operators.topic.resource import BY_TOPIC, topic_key, trimmed
from klamm.operators.user.credentials import Validity
from klamm.operators.user.kafka_side import UserStore
from klamm.operators.user.reconcile import UserHands, UserReconciler, UserSettings
from klamm.planning.topics import FINALIZER

_WITHIN = 120.0
_RULE = {"resource": {"type": "topic", "name": "t"}, "operations": ["Read"]}


async def play_topics_and_users(place: Operated, cluster: Name) -> None:
    """What both operators ever do: make, change, take a finalizer off, delete."""
    account = Name(cluster.namespace, f"{cluster.name}-entity-operator")
    connection = await connection_of(place, account)
    async with connect(connection, "klamm-entity-operator", Random(1)) as client:
        await _play_topics(place, client, cluster)
        await _play_users(place, client, cluster)


async def _play_topics(place: Operated, client: Client, cluster: Name) -> None:
    topic = Name(cluster.namespace, "t")
    async with topic_operator(client, cluster) as kafka:
        await put(place, KAFKA_TOPICS, cluster, "t", {"partitions": 1, "replicas": 1})
        await until_ready(place, KAFKA_TOPICS, topic)
        # As Strimzi's operator leaves it.
        await place.client.patch(KAFKA_TOPICS, topic, {"metadata": {"finalizers": [FINALIZER]}})
        await put(place, KAFKA_TOPICS, cluster, "t", {"partitions": 2, "replicas": 1})
        await until_ready(place, KAFKA_TOPICS, topic)
        await place.client.delete(KAFKA_TOPICS, topic)
        await _until_gone(place, KAFKA_TOPICS, topic)

        async def why_not() -> str | None:
            return "it is there" if "t" in kafka.topics else None

        await until("the topic to be deleted", why_not, _WITHIN)


@asynccontextmanager
async def topic_operator(client: Client, cluster: Name) -> AsyncIterator[FakeKafka]:
    """Yields the Kafka whose topics it keeps."""
    kafka = FakeKafka()

    async def open_admin(_: Connection) -> Admin:
        return cast(Admin, kafka)

    async def nobody_is_silent(_: str) -> str | None:
        return None

    random, labels = Random(1), _labels(cluster)
    indexes = {BY_TOPIC: topic_key}
    topics = Watched(
        client, KAFKA_TOPICS, random, namespace=cluster.namespace, labels=labels, trim=trimmed, indexes=indexes
    )
    link = Link(Connection(("kafka:9092",)), random, open_admin=open_admin, reason_silent=nobody_is_silent)
    operator = TopicOperator(client, topics, link, cluster, SystemClock(), random, Settings(linger=0.01))
    async with _tasks(topics.run(), operator.run()):
        yield kafka


async def _play_users(place: Operated, client: Client, cluster: Name) -> None:
    namespace = cluster.namespace
    async with user_operator(client, cluster):
        for name, authentication in (("scram", "scram-sha-512"), ("tls", "tls")):
            spec = {"authentication": {"type": authentication}}
            await put(place, KAFKA_USERS, cluster, name, spec)
            await until_ready(place, KAFKA_USERS, Name(namespace, name))
            await put(place, KAFKA_USERS, cluster, name, {**spec, "authorization": {"type": "simple", "acls": [_RULE]}})
            await until_ready(place, KAFKA_USERS, Name(namespace, name))
            # Without authentication a user has no Secret. (It has limits, for an empty spec is refused.)
            await put(place, KAFKA_USERS, cluster, name, {"quotas": {"requestPercentage": 50}})
            await _until_gone(place, SECRETS, Name(namespace, name))
            await place.client.delete(KAFKA_USERS, Name(namespace, name))


@asynccontextmanager
async def user_operator(client: Client, cluster: Name) -> AsyncIterator[None]:
    namespace, labels, random, kafka = cluster.namespace, _labels(cluster), Random(1), FakeKafka()
    users = Watched(client, KAFKA_USERS, random, namespace=namespace, labels=labels)
    of_users = {**labels, "strimzi.io/kind": "KafkaUser"}
    secrets = Watched(client, SECRETS, random, namespace=namespace, labels=of_users)

    async def store() -> UserStore:
        return kafka

    settings = UserSettings(
        labels=labels,
        authority_certificate=Name(namespace, f"{cluster.name}-clients-ca-cert"),
        authority_key=Name(namespace, f"{cluster.name}-clients-ca"),
        validity=Validity(days=365, renewal_days=30),
        acls_supported=True,
    )
    reconciler = UserReconciler(UserHands(client, users, SystemClock(), lambda length: "x" * length, store), settings)
    controller = Controller("KafkaUser", reconciler.reconcile, SystemClock(), random)
    controller.follow(users)
    controller.follow_others(secrets, lambda _: None)
    async with _tasks(users.run(), secrets.run(), controller.run()):
        yield


@asynccontextmanager
async def _tasks(*runs: Any) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(run) for run in runs]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        await ended(*tasks)


def _labels(cluster: Name) -> dict[str, str]:
    return {"strimzi.io/cluster": cluster.name}


async def put(place: Operated, kind: Kind[Any], cluster: Name, name: str, spec: dict[str, Any]) -> None:
    """Somebody's `kubectl apply`."""
    manifest = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": name, "labels": _labels(cluster)},
        "spec": spec,
    }
    query = (("fieldManager", "someone"), ("force", "true"))
    path = kind.path(cluster.namespace, name)
    body = msgspec.json.encode(manifest)
    await place.client.raw(Request("PATCH", path, f"apply {path}", query, body, "application/apply-patch+yaml"))


async def until_ready(place: Operated, kind: Kind[Any], name: Name) -> None:
    async def why_not() -> str | None:
        found = await place.client.get(kind, name)
        status = found.status
        if status is None or status.observed_generation != found.metadata.generation:
            return "it was not looked at yet"
        said = [(one.type, one.status, one.message) for one in status.conditions]
        return None if ("Ready", "True") in [one[:2] for one in said] else f"it says {said}"

    await until(f"{kind} {name} to be ready", why_not, _WITHIN)


async def _until_gone(place: Operated, kind: Kind[Any], name: Name) -> None:
    async def why_not() -> str | None:
        try:
            await place.client.get(kind, name)
        except errors.NotFound:
            return None
        return "it is there"

    await until(f"{kind} {name} to be gone", why_not, _WITHIN)
