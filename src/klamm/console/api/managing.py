"""Topics that a KafkaTopic manages: how it stands, and changes that go through it.

What is changed past a resource is set back by its operator. So a change of a managed topic is a patch of its resource,
of just the fields that change. Of a paused or unmanaged resource nobody carries changes out: there the topic is changed
itself, and the answer says what that means.
"""

from typing import Any

import msgspec

from klamm.console.access.rights import Right
from klamm.console.api.operator import ConditionLine, conditions_of, kafka_of
from klamm.console.comparing import Difference
from klamm.console.kubernetes.joining import Claim, claim, config_patch, drift
from klamm.console.kubernetes.seen import TOPICS
from klamm.console.kubernetes.watching import Kubernetes
from klamm.console.problems import Problem
from klamm.console.routes import Call, NoQuery, Route
from klamm.kafka.errors import KafkaFailure
from klamm.kafka.facts import ConfigChange
from klamm.kube.errors import KubeError
from klamm.kube.kinds import name_of
from klamm.planning.topics import Observed


class Done(msgspec.Struct, frozen=True):
    """How a change was made. `through`: the resource that was changed ("KafkaTopic ns/name"), whose operator does the
    rest; None: Kafka was asked itself. `said`: what there is to know about that."""

    through: str | None = None
    said: str | None = None


class DriftLine(msgspec.Struct, frozen=True, rename="camel"):
    """`wanted`: what the resource says; `found`: what Kafka says. None: nothing."""

    name: str
    wanted: str | None
    found: str | None


class ManagedView(msgspec.Struct, frozen=True):
    """`state`: managed, paused, unmanaged, leaving or refused; None: no resource claims the topic. `unread`: why it is
    not known where Kafka differs."""

    state: str | None = None
    namespace: str | None = None
    name: str | None = None
    why: str = ""
    others: tuple[str, ...] = ()
    conditions: tuple[ConditionLine, ...] = ()
    drift: tuple[DriftLine, ...] = ()
    unread: str | None = None


class Managing:
    """The resource that speaks for a topic."""

    def __init__(self, kubernetes: Kubernetes, claim: Claim) -> None:
        self.claim = claim
        self._kubernetes = kubernetes
        self._name = name_of(claim.topic)

    def __str__(self) -> str:
        return f"KafkaTopic {self._name}"

    async def change_config(self, change: ConfigChange) -> Done:
        return await self._patch(config_patch(change.set, change.delete))

    async def grow(self, partitions: int) -> Done:
        return await self._patch({"spec": {"partitions": partitions}})

    async def set_replicas(self, replicas: int) -> Done:
        """Its operator moves no replicas (as Strimzi's does not without Cruise Control): whoever does says it here, so
        that resource and topic agree."""
        if self.claim.topic.spec.replicas is None:
            return Done(None, f"{self} says nothing of replicas, so only the topic was changed")
        await self._patch({"spec": {"replicas": replicas}})
        return Done(str(self), f"{self} was changed as well")

    async def delete(self) -> Done:
        try:
            await self._kubernetes.client.delete(TOPICS, self._name, uid=self.claim.topic.metadata.uid)
        except KubeError as error:
            raise Problem.of_kubernetes(error) from error
        left = f"; {self.claim.others[0]} claims the topic, too, and keeps it" if self.claim.others else ""
        return Done(str(self), f"{self} was deleted, and its operator deletes the topic{left}")

    async def _patch(self, change: dict[str, Any]) -> Done:
        # With its uid, so that a successor of the same name is not hit.
        patch = {"metadata": {"uid": self.claim.topic.metadata.uid}, **change}
        try:
            self._kubernetes.saw(await self._kubernetes.client.patch(TOPICS, self._name, patch))
        except KubeError as error:
            raise Problem.of_kubernetes(error) from error
        return Done(str(self), f"{self} was changed, and its operator changes the topic")


def managing(call: Call[Any, Any], topic: str) -> Managing | None:
    """None where no resource claims the topic, or nothing is known of resources."""
    kubernetes, kafka = call.scene.kubernetes, kafka_of(call.scene.kubernetes, call.place)
    if kubernetes is None or kafka is None:
        return None
    found = claim(kubernetes.claimants(kafka, topic))
    return Managing(kubernetes, found) if found is not None else None


_PAST = {
    "paused": "is paused, so the topic itself was changed; after the pause it is set back to what the resource says",
    "unmanaged": "does not manage the topic, so the topic itself was changed",
    "refused": "is not carried out, so the topic itself was changed",
    "leaving": "is being deleted, and the topic with it; the topic itself was changed",
}


def past(resource: Managing | None) -> Done:
    """What is said of a change that went past a resource, if there is one."""
    if resource is None:
        return Done()
    return Done(None, f"{resource} {_PAST[resource.claim.state]}")


async def managed(call: Call[NoQuery, None]) -> ManagedView:
    name = call.path["topic"]
    resource = managing(call, name)
    if resource is None:
        return ManagedView()
    one, at = resource.claim, name_of(resource.claim.topic)
    apart, unread = await _drift(call, one, name)
    conditions = conditions_of(one.topic)
    return ManagedView(one.state, at.namespace, at.name, one.why, one.others, conditions, apart, unread)


async def _drift(call: Call[NoQuery, None], one: Claim, name: str) -> tuple[tuple[DriftLine, ...], str | None]:
    if one.state not in ("managed", "paused"):
        return (), None
    try:
        return tuple(map(_line, drift(one.topic, await _observed(call, name)))), None
    except KafkaFailure as failure:
        return (), str(failure)


async def _observed(call: Call[NoQuery, None], name: str) -> Observed | None:
    topic = (await call.place.snapshot()).topics.get(name)
    if topic is None:
        return None
    values = (await (await call.place.admin()).topic_configs([name])).get(name, {})
    config = {key: one.value or "" for key, one in values.items() if one.set_here}
    return Observed(len(topic.partitions), topic.replication_factor, config)


def _line(one: Difference) -> DriftLine:
    return DriftLine(one.name, one.one, one.other)


ROUTES = (
    Route(
        "GET",
        "/api/clusters/{cluster}/topics/{topic}/resource",
        managed,
        "The KafkaTopic that manages a topic, and where Kafka differs from it",
        Right("topic", "view", of="topic"),
        answer=ManagedView,
    ),
)
