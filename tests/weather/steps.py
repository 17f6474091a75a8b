"""What people do to one Kafka cluster, as ways between states: each is walked with every fault that can meet it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from tests.builders.kafka import overlaid
from tests.kubernetes.operated import Operated

from klamm.kube import requests
from klamm.kube.catalogue import KAFKA_TOPICS
from klamm.kube.kinds import Name
from klamm.kube.requests import Request
from klamm.planning.topics import FINALIZER

CLUSTER = "my-cluster"
ABSENT, PLAIN, CONFIGURED, LISTENING, LARGER = "absent", "plain", "configured", "listening", "larger"

_PLAIN: dict[str, Any] = {
    "apiVersion": "kafka.strimzi.io/v1beta2",
    "kind": "Kafka",
    "metadata": {"name": CLUSTER},
    "spec": {
        "kafka": {
            "version": "3.6.0",
            "replicas": 2,
            "listeners": [
                {"name": "plain", "port": 9092, "type": "internal", "tls": False},
                {"name": "external", "port": 9094, "type": "nodeport", "tls": False},
            ],
            "config": {"min.insync.replicas": 1},
            "storage": {
                "type": "jbod",
                "volumes": [{"id": 0, "type": "persistent-claim", "size": "10Gi", "deleteClaim": True}],
            },
        },
        "zookeeper": {"replicas": 1, "storage": {"type": "persistent-claim", "size": "10Gi", "deleteClaim": True}},
        "entityOperator": {"topicOperator": {}, "userOperator": {}},
    },
}
_TLS = {"name": "tls", "port": 9093, "type": "nodeport", "tls": True}
_LISTENERS = _PLAIN["spec"]["kafka"]["listeners"]

_CHANGES: dict[str, dict[str, Any]] = {
    PLAIN: {},
    CONFIGURED: {"config": {"auto.create.topics.enable": "false"}},
    LISTENING: {"listeners": [*_LISTENERS, _TLS]},
    LARGER: {"replicas": 3},
}


def manifest(state: str) -> dict[str, Any]:
    """The Kafka resource of a state, other than `ABSENT`."""
    return overlaid(_PLAIN, {"spec": {"kafka": _CHANGES[state]}})


@dataclass(frozen=True)
class Step:
    name: str
    begin: str
    end: str

    def __str__(self) -> str:
        return self.name


CREATE = Step("create", ABSENT, PLAIN)
DELETE = Step("delete", PLAIN, ABSENT)
RESTART = Step("restart of the operator", PLAIN, PLAIN)
STEPS = (
    CREATE,
    Step("change of configuration", PLAIN, CONFIGURED),
    Step("change back of configuration", CONFIGURED, PLAIN),
    Step("new listener", PLAIN, LISTENING),
    Step("listener removed", LISTENING, PLAIN),
    Step("scale up", PLAIN, LARGER),
    Step("scale down", LARGER, PLAIN),
    RESTART,
    DELETE,
)


async def act(step: Step, place: Operated, namespace: str, restart: Callable[[], Awaitable[None]]) -> None:
    """The deed of the step; the operator does the rest."""
    if step is RESTART:
        await restart()
    elif step.end == ABSENT:
        await place.delete(Name(namespace, CLUSTER))
    else:
        if step is CREATE:
            await put_topic(place, namespace)
        await place.apply(namespace, manifest(step.end))


async def put_topic(place: Operated, namespace: str) -> None:
    """A topic as the topic operator leaves it, which is not there any more when the cluster goes."""
    topic = {
        "apiVersion": "kafka.strimzi.io/v1beta2",
        "kind": "KafkaTopic",
        "metadata": {"name": "orders", "labels": {"strimzi.io/cluster": CLUSTER}, "finalizers": [FINALIZER]},
        "spec": {"partitions": 1, "replicas": 1},
    }
    path = KAFKA_TOPICS.path(namespace, "orders")
    query = (("fieldManager", "topic-operator"), ("force", "true"))
    body = msgspec.json.encode(topic)
    await place.client.raw(Request("PATCH", path, f"apply {path}", query, body, requests.APPLY_PATCH))
