"""The operator's view: the Kafka resource, its pools, pods, certificates, rolls, users, topics, events."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from klamm.console.access.rights import Right
from klamm.console.clusters import Place
from klamm.console.kubernetes import seen as kubernetes_seen
from klamm.console.kubernetes.joining import claimed_by
from klamm.console.kubernetes.rolls import AWAY, Roll, RolledPod, Step, upcoming
from klamm.console.kubernetes.standing import PodStand, Stand, days_left, missing_pods, pod_stand, stand
from klamm.console.kubernetes.watching import Kubernetes, Resources
from klamm.console.problems import Problem
from klamm.console.routes import Call, Event, Events, NoQuery, Route
from klamm.kube.errors import KubeError
from klamm.kube.kinds import name_of

MOST_EVENTS = 50
MOST_TOPICS = 200

GATHER = 0.3
"""Seconds after a change in which those that come with it are gathered: a pod that goes is several changes."""


class ConditionLine(msgspec.Struct, frozen=True):
    type: str
    status: str
    reason: str | None
    message: str | None
    since: str | None


class ResourceLine(msgspec.Struct, frozen=True, rename="camel"):
    """`state`: Ready, NotReady, Paused, Unmanaged or Waiting; `about`: what is worth a word beside."""

    kind: str
    namespace: str
    name: str
    state: str
    why: str
    since: str | None
    warnings: tuple[str, ...]
    about: str
    conditions: tuple[ConditionLine, ...]


class ListenerLine(msgspec.Struct, frozen=True):
    name: str
    addresses: str


class PodLine(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    state: str
    why: str
    ready: bool
    restarts: int
    last_end: str | None
    node: str | None
    since: str | None


class CertificateLine(msgspec.Struct, frozen=True, rename="camel"):
    """`days`: whole days that are left; negative: it has ended."""

    secret: str
    key: str
    common_name: str
    ends: str
    days: int


class RollLine(msgspec.Struct, frozen=True, rename="camel"):
    """A pod of a roll. `step`: due, ending, missing (its successor is not there yet), starting, done. `since`: of the
    step. `seconds`: from its going until its successor was ready, or until now."""

    pod_set: str
    pod: str
    step: str
    why: tuple[str, ...]
    since: str
    seconds: float | None


class RollView(msgspec.Struct, frozen=True, rename="camel"):
    """The roll that goes on or, with `ended`, the last one that this console saw. `pods`: what is away now first, then
    what is to go in its order, then what is done. `why`: all reasons; none: pods are made that were not there.
    `whole`: seen from its beginning; else pods that were done before are not told. `waits`: what the operator says,
    where it is not just a pod that is away."""

    began: str
    ended: str | None
    done: int
    pods: tuple[RollLine, ...]
    why: tuple[str, ...]
    whole: bool
    waits: str


class EventLine(msgspec.Struct, frozen=True):
    at: str
    type: str
    about: str
    reason: str
    message: str
    count: int


class Moving(msgspec.Struct, frozen=True):
    """What of the view changes while a roll goes on."""

    at: str
    kafka: ResourceLine
    pods: tuple[PodLine, ...]
    roll: RollView | None


class OperatorView(msgspec.Struct, frozen=True, rename="camel"):
    """`at`: now, by the console's clock. `topicsNotReady`: those among the first so many; `unread`: what could not be
    read, and why."""

    at: str
    kafka: ResourceLine
    version: str | None
    listeners: tuple[ListenerLine, ...]
    pools: tuple[ResourceLine, ...]
    pods: tuple[PodLine, ...]
    roll: RollView | None
    certificates: tuple[CertificateLine, ...]
    users: tuple[ResourceLine, ...]
    topics: int
    topics_not_ready: tuple[ResourceLine, ...]
    events: tuple[EventLine, ...]
    unread: tuple[str, ...]


def kafka_of(kubernetes: Kubernetes | None, place: Place) -> kubernetes_seen.Kafka | None:
    """None where there is no Kubernetes API, or no Kafka resource of this cluster in it."""
    if kubernetes is None:
        return None
    snapshot = place.collector.snapshot
    return kubernetes.kafka_of(place.settings.resource, place.bootstrap, snapshot.cluster.id if snapshot else None)


def resources_of(kubernetes: Kubernetes | None, place: Place) -> Resources | None:
    """All that belongs to it; None as `kafka_of`."""
    kafka = kafka_of(kubernetes, place)
    return kubernetes.resources(kafka) if kubernetes is not None and kafka is not None else None


def _known(call: Call[Any, Any]) -> tuple[Kubernetes, Resources]:
    kubernetes, place = call.scene.kubernetes, call.place
    resources = resources_of(kubernetes, place)
    if kubernetes is None or resources is None:
        why = (
            "this console knows no Kubernetes API"
            if kubernetes is None
            else "no Kafka resource has this cluster's id or addresses; its configuration can name one"
        )
        raise Problem(404, "NoOperator", f"cluster {place.name}: {why}")
    return kubernetes, resources


async def operator(call: Call[NoQuery, None]) -> OperatorView:
    kubernetes, resources = _known(call)
    now = call.scene.clock.now()
    events, failure = await _events(kubernetes, resources)
    secrets = [f"Secret {name}: {why}" for name, why in resources.certificates.unread]
    topics = [one for one in resources.topics if call.may("topic", "view", claimed_by(one))]
    bad = [one for one in topics if stand(one.status, one.metadata.generation).word != "Ready"]
    status = resources.kafka.status or kubernetes_seen.Status()
    moving = _moving(call, resources)
    return OperatorView(
        at=moving.at,
        kafka=moving.kafka,
        version=status.kafka_version,
        listeners=tuple(
            ListenerLine(one.name or one.type or "", one.bootstrap_servers or "") for one in status.listeners
        ),
        pools=tuple(_pool(one) for one in resources.pools),
        pods=moving.pods,
        roll=moving.roll,
        certificates=_certificates(resources, now),
        users=tuple(_user(one) for one in resources.users) if call.may("acl", "view") else (),
        topics=len(topics),
        topics_not_ready=tuple(_line("KafkaTopic", one, claimed_by(one)) for one in bad[:MOST_TOPICS]),
        events=events,
        unread=(*resources.stale, *secrets, *failure),
    )


async def follow(call: Call[NoQuery, None]) -> Events:
    _known(call)
    return Events(_follow(call))


async def _follow(call: Call[NoQuery, None]) -> AsyncIterator[Event]:
    """At once, and after each change; many changes of a moment are one event. A change of what is watched only by
    others' hands (a cluster that is joined to another resource) shows by the next one."""
    while True:
        kubernetes, resources = _known(call)
        news = kubernetes.news()
        yield Event("moving", _moving(call, resources))
        await news.wait()
        await asyncio.sleep(GATHER)


def _moving(call: Call[Any, Any], resources: Resources) -> Moving:
    now, kafka = call.scene.clock.now(), _line("Kafka", resources.kafka)
    gone = [PodLine(one, "Missing", "it is not there", False, 0, None, None, None) for one in missing_pods(resources)]
    pods = sorted([*map(_pod, resources.pods), *gone], key=lambda one: one.name)
    roll = None if resources.roll is None else _roll(call, resources.roll, _waits(resources), now)
    return Moving(now.isoformat(), kafka, tuple(pods), roll)


def _waits(resources: Resources) -> str:
    """While a pod is away it is waited for, which needs no words and would only come late."""
    roll, kafka = resources.roll, resources.kafka
    how = stand(kafka.status, kafka.metadata.generation)
    is_plain = how.at_work and roll is not None and any(one.step in AWAY for one in roll.pods)
    return "" if roll is None or roll.ended or is_plain else how.why


def _roll(call: Call[Any, Any], roll: Roll, waits: str, now: datetime) -> RollView:
    snapshot = call.place.collector.snapshot
    order = upcoming(roll, snapshot.cluster.controller if snapshot else None)
    pods = sorted(roll.pods, key=lambda one: _rank(one, order))
    return RollView(
        began=roll.began.isoformat(),
        ended=roll.ended.isoformat() if roll.ended else None,
        done=roll.done,
        pods=tuple(_rolled(one, now) for one in pods),
        why=roll.why,
        whole=roll.whole,
        waits=waits,
    )


def _rank(one: RolledPod, order: Sequence[str]) -> tuple[int, float]:
    if one.step is Step.DUE:
        return 1, order.index(one.pod)
    return (2, -one.since.timestamp()) if one.step is Step.DONE else (0, one.since.timestamp())


def _rolled(one: RolledPod, now: datetime) -> RollLine:
    until = one.back or now
    seconds = None if one.left is None or one.step is Step.DUE else (until - one.left).total_seconds()
    return RollLine(one.pod_set, one.pod, one.step, one.why, one.since.isoformat(), seconds)


async def _events(kubernetes: Kubernetes, resources: Resources) -> tuple[tuple[EventLine, ...], tuple[str, ...]]:
    try:
        found = await kubernetes.events(resources.name.namespace)
    except KubeError as error:
        return (), (str(error),)
    name = resources.name.name
    ours = [one for one in found if _is_about(one, name, resources)]
    return tuple(_event(one) for one in ours[:MOST_EVENTS]), ()


def _is_about(event: kubernetes_seen.Event, cluster: str, resources: Resources) -> bool:
    """Users' and topics' names may be anything; their events are shown to nobody by chance."""
    about = event.involved_object
    if about.kind in ("KafkaTopic", "KafkaUser"):
        return False
    name = about.name or ""
    return name == cluster or name.startswith(f"{cluster}-") or name in {one.metadata.name for one in resources.pods}


def _event(one: kubernetes_seen.Event) -> EventLine:
    about = one.involved_object
    return EventLine(
        one.last,
        one.type or "",
        f"{about.kind or ''} {about.name or ''}".strip(),
        one.reason or "",
        one.message or "",
        one.count or 1,
    )


def _certificates(resources: Resources, now: datetime) -> tuple[CertificateLine, ...]:
    lines = [
        CertificateLine(one.secret, one.key, one.common_name, one.ends.isoformat(), days_left(one.ends, now))
        for one in resources.certificates.ends
    ]
    return tuple(sorted(lines, key=lambda one: one.ends))


def _line(kind: str, obj: Any, about: str = "", how: Stand | None = None) -> ResourceLine:
    found = how or stand(obj.status, obj.metadata.generation)
    name = name_of(obj)
    conditions = obj.status.conditions if obj.status else ()
    return ResourceLine(
        kind,
        name.namespace,
        name.name,
        found.word,
        found.why,
        found.since,
        found.warnings,
        about,
        _conditions(conditions),
    )


def _conditions(conditions: Iterable[kubernetes_seen.Condition]) -> tuple[ConditionLine, ...]:
    return tuple(
        ConditionLine(one.type, one.status, one.reason, one.message, one.last_transition_time) for one in conditions
    )


def conditions_of(obj: kubernetes_seen.Topic) -> tuple[ConditionLine, ...]:
    return _conditions(obj.status.conditions if obj.status else ())


def _pool(one: kubernetes_seen.Pool) -> ResourceLine:
    nodes: Sequence[int] = one.status.node_ids if one.status else ()
    roles = ", ".join(one.spec.roles)
    about = f"{one.spec.replicas or 0} nodes ({roles})" + (f": {', '.join(map(str, nodes))}" if nodes else "")
    # Pools have no conditions of their own where all is well.
    bad = any(
        each.type == "NotReady" and each.status == "True" for each in (one.status.conditions if one.status else ())
    )
    return _line("KafkaNodePool", one, about, None if bad else Stand("Ready"))


def _user(one: kubernetes_seen.User) -> ResourceLine:
    parts = (one.spec.authentication, one.spec.authorization)
    words = [part.type for part in parts if part is not None and part.type]
    username = one.status.username if one.status else None
    return _line("KafkaUser", one, ", ".join([*([username] if username else []), *words]))


def _pod(one: kubernetes_seen.Pod) -> PodLine:
    how: PodStand = pod_stand(one)
    since = one.status.start_time if one.status else None
    return PodLine(how.name, how.word, how.why, how.word == "Ready", how.restarts, how.last_end, how.node, since)


ROUTES = (
    Route(
        "GET",
        "/api/clusters/{cluster}/operator/moving",
        follow,
        "What a roll changes of it: now, and at each change (server-sent events)",
        Right("clusterconfig", "view"),
        events=(Moving,),
    ),
    Route(
        "GET",
        "/api/clusters/{cluster}/operator",
        operator,
        "What the operator's resources and pods say of the cluster",
        Right("clusterconfig", "view"),
        answer=OperatorView,
    ),
)
