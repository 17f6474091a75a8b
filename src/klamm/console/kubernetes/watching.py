"""What the Kubernetes API tells of Kafka: watches of the resources and pods, the ends of certificates, events.

The rights are the least that do (charts/kafka-ui/templates/role.yaml): Secrets are neither listed nor watched, but read
by their names, a few for each cluster, and only their certificates' ends are kept. Where a right is missing the view
says so and shows the rest.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from klamm.base import logs
from klamm.base.backoff import BackOff
from klamm.base.clock import Clock
from klamm.base.tasks import Supervisor
from klamm.console.kubernetes import seen
from klamm.console.kubernetes.joining import claimed_by, joined
from klamm.console.kubernetes.rolls import Roll, followed
from klamm.console.kubernetes.seen import CertificateEnd, certificate_ends
from klamm.console.settings import KubernetesSettings
from klamm.kube import errors
from klamm.kube.client import Client, connect
from klamm.kube.kinds import Name, name_of
from klamm.kube.watching import Watched

_log = logs.room("console")

MANAGER = "klamm-console"
"""The field manager under which resources are changed."""

READ_SECRETS_EVERY, LOOK_FOR_SECRETS_EVERY = 600.0, 10.0
REMEMBER_EVENTS = 5.0
"""Seconds for which a list of events is good for everybody who looks."""

_CUT_WATCHES = BackOff(first=0.2, longest=60.0, jitter=0.5)
"""Nothing depends on a watch here; one that is not permitted is tried again each minute."""

_OF_KAFKA = {"strimzi.io/kind": "Kafka"}
_BY_CLAIM, _BY_CLUSTER = "claim", "cluster"


class _Area:
    """The caches of one namespace, or of all."""

    def __init__(self, client: Client, namespace: str | None, random: Random) -> None:
        place: Any = {"namespace": namespace, "trim": seen.trimmed, "back_off": _CUT_WATCHES}
        by_cluster = {_BY_CLUSTER: _cluster_keys}
        self.kafkas: Watched[seen.Kafka] = Watched(client, seen.KAFKAS, random, **place)
        self.pools: Watched[seen.Pool] = Watched(client, seen.POOLS, random, indexes=by_cluster, **place)
        self.topics: Watched[seen.Topic] = Watched(
            client, seen.TOPICS, random, indexes={_BY_CLUSTER: _cluster_keys, _BY_CLAIM: _claim_keys}, **place
        )
        self.users: Watched[seen.User] = Watched(client, seen.USERS, random, indexes=by_cluster, **place)
        self.pod_sets: Watched[seen.PodSet] = Watched(client, seen.POD_SETS, random, indexes=by_cluster, **place)
        self.pods: Watched[seen.Pod] = Watched(client, seen.PODS, random, labels=_OF_KAFKA, indexes=by_cluster, **place)

    def all(self) -> tuple[Watched[Any], ...]:
        return self.kafkas, self.pools, self.topics, self.users, self.pod_sets, self.pods

    def moving(self) -> tuple[Watched[Any], ...]:
        """What changes while a roll goes on."""
        return self.kafkas, self.pod_sets, self.pods


@dataclass(frozen=True, slots=True)
class Certificates:
    """`unread`: Secrets that could not be read, with the reason."""

    ends: tuple[CertificateEnd, ...]
    unread: tuple[tuple[str, str], ...]
    at: float


@dataclass(frozen=True, slots=True)
class Resources:
    """Of one Kafka resource, as it was seen last. `stale`: sentences on what may be old or is missing."""

    kafka: seen.Kafka
    pools: tuple[seen.Pool, ...]
    topics: tuple[seen.Topic, ...]
    users: tuple[seen.User, ...]
    pod_sets: tuple[seen.PodSet, ...]
    pods: tuple[seen.Pod, ...]
    certificates: Certificates
    stale: tuple[str, ...]
    roll: Roll | None = None
    """The one that goes on, else the last one that the console saw."""

    @property
    def name(self) -> Name:
        return name_of(self.kafka)


class Kubernetes:
    """Make it in a running loop."""

    def __init__(self, settings: KubernetesSettings, clock: Clock, random: Random) -> None:
        self.client = connect(settings.connection, MANAGER, random)
        self._own_namespace = settings.connection.namespace
        self._clock = clock
        self._areas = [_Area(self.client, namespace, random) for namespace in settings.namespaces or (None,)]
        self._certificates: dict[Name, Certificates] = {}
        self._events: dict[str, tuple[float, tuple[seen.Event, ...]]] = {}
        self._rolls: dict[Name, Roll | None] = {}
        self._topics = _InOrder([area.topics for area in self._areas])
        self._users = _InOrder([area.users for area in self._areas])
        self._changed = asyncio.Event()
        self._news = asyncio.Event()
        for area in self._areas:
            for watched in area.moving():
                watched.subscribe(lambda *_: self._changed.set())

    def start(self, tasks: Supervisor) -> None:
        for area in self._areas:
            for watched in area.all():
                tasks.start(f"watch of {watched.kind.plural} in {watched.namespace or 'all namespaces'}", watched.run)
        tasks.start("ends of certificates", self._read_certificates)
        tasks.start("rolls", self._follow_rolls)

    async def close(self) -> None:
        await self.client.close()

    def kafkas(self) -> tuple[seen.Kafka, ...]:
        return tuple(one for area in self._areas for one in area.kafkas.all())

    def kafka_of(self, named: str | None, bootstrap: Sequence[str], id_: str | None) -> seen.Kafka | None:
        """The resource that a cluster of the console is; `id_`: the cluster's, None while it was not seen."""
        return joined(named, bootstrap, id_, self.kafkas(), self._own_namespace)

    def resources(self, kafka: seen.Kafka) -> Resources:
        name = name_of(kafka)
        own = f"{name.namespace}/{name.name}"
        stale = tuple(why for area in self._areas for one in area.all() if (why := _stale(one)))
        return Resources(
            kafka=kafka,
            pools=_under((area.pools for area in self._areas), own),
            topics=self._topics.under(f"{_topics_in(kafka)}/{name.name}"),
            users=self._users.under(f"{_users_in(kafka)}/{name.name}"),
            pod_sets=_under((area.pod_sets for area in self._areas), own),
            pods=_under((area.pods for area in self._areas), own),
            certificates=self._certificates.get(name, Certificates((), (), 0.0)),
            stale=stale,
            roll=self._rolls.get(name),
        )

    def news(self) -> asyncio.Event:
        """Is set at the next change of a Kafka resource, a pod set or a pod. Take it before you look."""
        return self._news

    def claimants(self, kafka: seen.Kafka, topic: str) -> tuple[seen.Topic, ...]:
        """The KafkaTopics of this cluster that claim a topic."""
        key = f"{_topics_in(kafka)}/{name_of(kafka).name}/{topic}"
        return tuple(one for area in self._areas for one in area.topics.under(_BY_CLAIM, key))

    def user_of(self, kafka: seen.Kafka, name: str) -> seen.User | None:
        """The KafkaUser of this cluster that is called so."""
        place = Name(_users_in(kafka), name)
        found = (area.users.get(place) for area in self._areas)
        return next(
            (one for one in found if one and one.metadata.labels.get(seen.CLUSTER) == name_of(kafka).name), None
        )

    def saw(self, topic: seen.Topic) -> None:
        """The answer to a write of ours."""
        for area in self._areas:
            if area.topics.namespace in (None, topic.metadata.namespace):
                area.topics.saw(topic)

    async def events(self, namespace: str) -> tuple[seen.Event, ...]:
        """All of a namespace, the newest first. Raises KubeError."""
        now = self._clock.monotonic()
        known = self._events.get(namespace)
        if known is None or now - known[0] > REMEMBER_EVENTS:
            listed = await self.client.list(seen.EVENTS, namespace)
            known = (now, tuple(sorted(listed.items, key=lambda one: one.last, reverse=True)))
            self._events[namespace] = known
        return known[1]

    async def _follow_rolls(self) -> None:
        """Each change is looked at, for what is missed is not told by the next one: see `rolls`."""
        for area in self._areas:
            for watched in area.moving():
                await watched.synced()  # pods that were not listed yet would look as if they were missing
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._look_at_rolls()
            news, self._news = self._news, asyncio.Event()
            news.set()

    def _look_at_rolls(self) -> None:
        now, before = self._clock.now(), self._rolls
        self._rolls = {}
        for name in map(name_of, self.kafkas()):
            own = f"{name.namespace}/{name.name}"
            pod_sets = _under((area.pod_sets for area in self._areas), own)
            pods = _under((area.pods for area in self._areas), own)
            self._rolls[name] = followed(before.get(name), pod_sets, pods, now, whole=name in before)

    async def _read_certificates(self) -> None:
        while True:
            now = self._clock.monotonic()
            names = {name_of(one): one for one in self.kafkas()}
            for gone in self._certificates.keys() - names.keys():
                del self._certificates[gone]
            for name, kafka in names.items():
                known = self._certificates.get(name)
                if known is None or now - known.at > READ_SECRETS_EVERY:
                    self._certificates[name] = await self._certificates_of(kafka)
            await asyncio.sleep(LOOK_FOR_SECRETS_EVERY)

    async def _certificates_of(self, kafka: seen.Kafka) -> Certificates:
        ends: list[CertificateEnd] = []
        unread: list[tuple[str, str]] = []
        for secret in secrets_of(kafka):
            try:
                found = await self.client.find(seen.SECRETS, Name(name_of(kafka).namespace, secret))
            except errors.Forbidden:
                if secret != _of_brokers(kafka):  # it holds keys, too: the right to it is no matter of course
                    unread.append((secret, "the console's role does not permit to read it"))
                continue
            except errors.KubeError as error:
                unread.append((secret, str(error)))
                continue
            ends += certificate_ends(secret, found.data) if found is not None else ()
        return Certificates(tuple(ends), tuple(unread), self._clock.monotonic())


def secrets_of(kafka: seen.Kafka) -> tuple[str, ...]:
    """Those that hold certificates: of the authorities, the brokers, the listeners that bring their own."""
    name = name_of(kafka).name
    own = [
        one.configuration.broker_cert_chain_and_key.secret_name
        for one in kafka.spec.kafka.listeners
        if one.configuration and one.configuration.broker_cert_chain_and_key
    ]
    return (f"{name}-cluster-ca-cert", f"{name}-clients-ca-cert", _of_brokers(kafka), *dict.fromkeys(own))


def _of_brokers(kafka: seen.Kafka) -> str:
    return f"{name_of(kafka).name}-kafka-brokers"


class _InOrder:
    """What caches hold, sorted once until some of it changes: of thousands that takes longer than all the rest of a
    view."""

    def __init__(self, caches: Sequence[Watched[Any]]) -> None:
        self._caches = caches
        self._found: dict[str, tuple[Any, ...]] = {}
        for one in caches:
            one.subscribe(lambda *_: self._found.clear())

    def under(self, key: str) -> tuple[Any, ...]:
        if key not in self._found:
            self._found[key] = _under(self._caches, key)
        return self._found[key]


def _under(caches: Iterable[Watched[Any]], key: str) -> tuple[Any, ...]:
    found = [one for cache in caches for one in cache.under(_BY_CLUSTER, key)]
    return tuple(sorted(found, key=name_of))


def _stale(watched: Watched[Any]) -> str | None:
    why = watched.reason_not_fresh
    if why is None and watched.unreadable:
        name, what = next(iter(watched.unreadable.items()))
        return f"{watched.kind} {name} cannot be read: {what}"
    return why and f"{why} ({watched.namespace or 'all namespaces'})"


def _cluster_keys(obj: Any) -> Sequence[str]:
    name = obj.metadata.labels.get(seen.CLUSTER)
    return (f"{obj.metadata.namespace}/{name}",) if name else ()


def _claim_keys(topic: seen.Topic) -> Sequence[str]:
    return tuple(f"{one}/{claimed_by(topic)}" for one in _cluster_keys(topic))


def _topics_in(kafka: seen.Kafka) -> str:
    operator = kafka.spec.entity_operator and kafka.spec.entity_operator.topic_operator
    return (operator and operator.watched_namespace) or name_of(kafka).namespace


def _users_in(kafka: seen.Kafka) -> str:
    operator = kafka.spec.entity_operator and kafka.spec.entity_operator.user_operator
    return (operator and operator.watched_namespace) or name_of(kafka).namespace
