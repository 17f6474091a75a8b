"""Finalizers put on and taken off, and when they are let go without asking Kafka.

No resource may hang on a finalizer whose operator is gone: a namespace with such a KafkaTopic in it never ends. When
the cluster's Kafka resource is gone or going, or the namespace is terminating, its topics go with their cluster, and
nobody needs to delete them one by one; Kafka may be half gone already. So the finalizers are taken off and
Kafka is not touched: before each deletion, and once more for all topics when this process is told to stop.
"""

import asyncio
from collections.abc import Mapping

from klamm.base import logs
from klamm.kube import errors
from klamm.kube.catalogue import KAFKA_NAMES
from klamm.kube.client import Client
from klamm.kube.kinds import Kind, Name, name_of
from klamm.kube.requests import Labels
from klamm.kube.watching import Watched
from klamm.operators.topic.measures import HOLD, LET_GO, TopicMeasures
from klamm.planning.topics import FINALIZER
from klamm.resources.custom.topic import KafkaTopic
from klamm.resources.native.metadata import NativeObject

_log = logs.room("topics")

_NAMESPACES = Kind("", "v1", "namespaces", "Namespace", NativeObject, namespaced=False)

_TRIES = 3


class Finalizers:
    """`labels` select the cluster's topics; `slots` bounds the calls in flight."""

    def __init__(
        self,
        client: Client,
        topics: Watched[KafkaTopic],
        labels: Labels,
        slots: asyncio.Semaphore,
        measures: TopicMeasures,
    ) -> None:
        self._client = client
        self._measures = measures
        self._labels = labels
        self._topics = topics
        self._slots = slots
        self._under_way: set[asyncio.Task[KafkaTopic]] = set()

    async def hold(self, resource: KafkaTopic) -> KafkaTopic | None:
        """The resource with our finalizer; None when it went, or began to go, meanwhile."""
        return await self._changed(resource, hold=True)

    async def let_go(self, resource: KafkaTopic) -> None:
        """Take our finalizer off; others' stay."""
        await self._changed(resource, hold=False)

    async def _changed(self, resource: KafkaTopic, hold: bool) -> KafkaTopic | None:
        """A KubeError other than of a race is the caller's."""
        kind, name = self._topics.kind, name_of(resource)
        uid = resource.metadata.uid
        for _ in range(_TRIES):
            finalizers = _with(resource, hold)
            if finalizers == resource.metadata.finalizers:
                return resource
            # The version guards other controllers' finalizers, which stand in the same list.
            change = {"metadata": {"finalizers": finalizers, "resourceVersion": resource.metadata.resource_version}}
            try:
                with self._measures.timing(HOLD if hold else LET_GO):
                    changed = await self._patched(name, change)
                self._topics.saw(changed)
                return changed
            except errors.NotFound:
                return None
            except errors.Conflict:
                fresh = await self._topics.fresh(name)
                if fresh is None or fresh.metadata.uid != uid or (hold and fresh.metadata.deletion_timestamp):
                    return None
                resource = fresh
        raise errors.Conflict(f"change the finalizers of {kind} {name}", f"others changed it {_TRIES} times meanwhile")

    async def _patched(self, name: Name, change: Mapping[str, object]) -> KafkaTopic:
        """Cut off half-way the request may arrive all the same, after the last look at who is held: it goes on."""

        async def patch() -> KafkaTopic:
            async with self._slots:
                return await self._client.patch(self._topics.kind, name, change)

        task = asyncio.ensure_future(patch())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def let_all_go(self) -> int:
        """Let go as many as can be, of those that the API has now; returns how many were held."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
        topics = self._topics
        listed = (await self._client.list(topics.kind, topics.namespace, self._labels)).items
        held = [one for one in listed if FINALIZER in one.metadata.finalizers]
        for outcome in await asyncio.gather(*(self.let_go(one) for one in held), return_exceptions=True):
            if isinstance(outcome, errors.KubeError):
                _log.warning("a finalizer could not be taken off", because=str(outcome))
            elif isinstance(outcome, BaseException):
                raise outcome
        return len(held)


class Ending:
    """Tells whether the cluster is going. `cluster` is None for an operator without a Kafka resource."""

    def __init__(self, client: Client, cluster: Name | None, namespace: str) -> None:
        self._client = client
        self._cluster = cluster
        self._namespace = namespace
        self._had_cluster = False
        self.uncertain = False
        """Whether the last `reason` could not ask an API that is there."""

    async def begin(self) -> None:
        """Remember whether there is a Kafka resource at all: with brokers of another origin there never is one."""
        if self._cluster is not None:
            found = await _found(self._client, KAFKA_NAMES, self._cluster)
            self._had_cluster = isinstance(found, NativeObject)

    async def reason(self) -> str | None:
        """Why topics are let go without touching Kafka, or None."""
        namespace, kafka = await asyncio.gather(
            _found(self._client, _NAMESPACES, Name("", self._namespace)), self._kafka()
        )
        self.uncertain = _may_answer_later(namespace) or _may_answer_later(kafka)
        if isinstance(namespace, NativeObject) and namespace.metadata.deletion_timestamp:
            return f"namespace {self._namespace} is terminating"
        if isinstance(kafka, NativeObject):
            return f"Kafka {self._cluster} is being deleted" if kafka.metadata.deletion_timestamp else None
        return f"Kafka {self._cluster} is gone" if kafka is None and self._had_cluster else None

    async def _kafka(self) -> "NativeObject | errors.KubeError | None":
        return await _found(self._client, KAFKA_NAMES, self._cluster) if self._cluster and self._had_cluster else None


async def _found(client: Client, kind: Kind[NativeObject], name: Name) -> "NativeObject | errors.KubeError | None":
    """The object; None when there is none; the error when that cannot be told, which is no reason to let go."""
    try:
        return await client.find(kind, name)
    except errors.KubeError as error:
        _log.info("cannot tell whether the cluster is going", because=str(error))
        return error


def _may_answer_later(found: "NativeObject | errors.KubeError | None") -> bool:
    """Not where nobody listens any more (the whole machine stops), or our account went with the cluster (401, 403)."""
    if isinstance(found, errors.Unreachable):
        return found.sent
    return isinstance(found, errors.TooBusy | errors.ServerFault)


def _with(resource: KafkaTopic, hold: bool) -> list[str]:
    others = [one for one in resource.metadata.finalizers if one != FINALIZER]
    if not hold:
        return others
    return resource.metadata.finalizers if FINALIZER in resource.metadata.finalizers else [*others, FINALIZER]
