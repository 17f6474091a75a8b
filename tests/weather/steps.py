"""What people do to one Kafka cluster, as ways between states: each is walked with every fault that can meet it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.builders.kafka import overlaid
from tests.kubernetes.operated import Operated

from klamm.kube.catalogue import KAFKA_NAMES
from klamm.kube.kinds import Name
from klamm.kube.native import NAMESPACES, SECRETS

CLUSTER = "my-cluster"
ABSENT, PLAIN, CONFIGURED, LISTENING, LARGER = "absent", "plain", "configured", "listening", "larger"
RENEWED, REPLACED = "renewed", "replaced"
GONE = "gone"
"""With its namespace."""

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
    """`asks`: the Secret and the annotation on it by which a person asks for something."""

    name: str
    begin: str
    end: str
    asks: tuple[str, str] | None = None

    def __str__(self) -> str:
        return self.name


CREATE = Step("create", ABSENT, PLAIN)
DELETE = Step("delete", PLAIN, ABSENT)
RESTART = Step("restart of the operator", PLAIN, PLAIN)
VOYAGE = (
    CREATE,
    Step("change of configuration", PLAIN, CONFIGURED),
    Step("change back of configuration", CONFIGURED, PLAIN),
    Step("new listener", PLAIN, LISTENING),
    Step("listener removed", LISTENING, PLAIN),
    Step("scale up", PLAIN, LARGER),
    Step("scale down", LARGER, PLAIN),
    RESTART,
    DELETE,
    CREATE,
    Step("renewal of the authority", PLAIN, RENEWED, (f"{CLUSTER}-cluster-ca-cert", "force-renew")),
    Step("delete after renewal", RENEWED, ABSENT),
    CREATE,
    Step("new key of the authority", PLAIN, REPLACED, (f"{CLUSTER}-cluster-ca", "force-replace")),
    Step("delete after replacement", REPLACED, ABSENT),
    CREATE,
    Step("deletion of the namespace", PLAIN, GONE),
)
"""In an order in which each begins where the one before ended; after the last one in a new namespace."""
STEPS = tuple(dict.fromkeys(VOYAGE))
STORMY = tuple(step for step in STEPS if step.end != ABSENT or step is DELETE)
"""Those in which faults happen; a deletion is not another one because of what was before."""


async def act(step: Step, place: Operated, namespace: str, restart: Callable[[], Awaitable[None]]) -> None:
    """The deed of the step; the operator does the rest."""
    if step is RESTART:
        await restart()
    elif step.end == ABSENT:
        await place.delete(Name(namespace, CLUSTER))
    elif step.end == GONE:
        await place.client.delete(NAMESPACES, Name("", namespace))
    elif step.asks is not None:
        await ask(place, namespace, *step.asks)
    else:
        await place.apply(namespace, manifest(step.end))


async def ask(place: Operated, namespace: str, secret: str, wish: str) -> None:
    """By an annotation on a Secret, which no watch tells of; one on the Kafka resource makes the operator look."""
    wishes = {"metadata": {"annotations": {f"strimzi.io/{wish}": "true"}}}
    await place.client.patch(SECRETS, Name(namespace, secret), wishes)
    look = {"metadata": {"annotations": {"example.com/asked": wish}}}
    await place.client.patch(KAFKA_NAMES, Name(namespace, CLUSTER), look)


def reason_not_done(step: Step, objects: Mapping[str, Any]) -> str | None:
    """What shows that the step is over when nobody knows yet how it ends."""
    if step.asks is None:
        return None
    certificate = objects[f"Secret/{CLUSTER}-cluster-ca-cert"]
    generation = certificate["metadata"]["annotations"]["strimzi.io/ca-cert-generation"]
    pods = [one["metadata"] for name, one in objects.items() if name.startswith("Pod/")]
    seen = {pod["annotations"].get("strimzi.io/cluster-ca-cert-generation") for pod in pods}
    if generation != "1" or seen != {"1"}:
        return f"the certificate's generation is {generation}, pods know {seen}"
    if len(certificate["data"]) != 3 or any("strimzi.io/trusts-old-cluster-ca" in pod["annotations"] for pod in pods):
        return "the old authority is not forgotten"
    return None
