"""The topic operator's loop: watch → line → batch.

Topics come by thousands, so they are not worked on one by one: whatever changed within a moment goes through one
batch (`batch.py`), and everything is looked at again every `resync` seconds, which sets drift back. The line holds each
name once, so it cannot overflow.

When Kafka does not answer, the names go back in line and the loop waits: one line in the log at the beginning and one
at the end. Only resources that never had a condition are told; the others are as they were.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from klamm.base import logs
from klamm.base.backoff import BackOff
from klamm.base.clock import Clock
from klamm.base.deadlines import DeadlineExceeded, within
from klamm.base.metrics import Metrics
from klamm.base.together import side_by_side
from klamm.control.controller import reason_to_look_again
from klamm.control.measures import EVERY
from klamm.control.sorting import log_bug, said
from klamm.desired.entity_operator.naming import ledger_name
from klamm.kafka.errors import KafkaFailure, Unreachable
from klamm.kafka.link import Link
from klamm.kube.client import Client
from klamm.kube.kinds import Name, name_of
from klamm.kube.watching import Watched
from klamm.operators.topic.admin import TopicAdmin
from klamm.operators.topic.backlog import Backlog
from klamm.operators.topic.batch import Batch
from klamm.operators.topic.ending import Ending
from klamm.operators.topic.finalizers import Finalizers
from klamm.operators.topic.hands import Hands
from klamm.operators.topic.holders import Holders
from klamm.operators.topic.ledger import Ledger
from klamm.operators.topic.measures import MeasuredAdmin, TopicMeasures
from klamm.operators.topic.report import NotReady, Reporter
from klamm.operators.topic.resource import BY_TOPIC, claimed, is_managed, never_ready
from klamm.planning.topics import INTERNAL_ERROR, KAFKA_ERROR, Refuse
from klamm.resources.custom.topic import KafkaTopic

_log = logs.room("topics")

AT_ONCE = 16
"""Calls to the Kubernetes API in flight."""

STUCK = 300.0
"""Seconds after which a batch that does not end makes the process unhealthy. No call waits longer than 30."""

_AFTER_FAILURE = BackOff(first=1.0, longest=120.0)
_WITHOUT_KAFKA = BackOff(first=0.5, longest=15.0)


@dataclass(frozen=True, slots=True)
class Settings:
    batch: int = 500
    """Topics in one batch, hence in one request to Kafka."""
    linger: float = 0.03
    """Seconds a batch waits for others."""
    resync: float = 120.0
    patience: float = 5.0
    """Seconds without Kafka after which resources that never were ready are told."""


@dataclass
class _Memory:
    """What the loop remembers from batch to batch."""

    failures: dict[Name, int] = field(default_factory=dict)
    deleted: dict[str, str] = field(default_factory=dict)
    silent: int = 0
    """Batches in a row that found no Kafka."""
    since: float | None = None
    """When the running batch began."""
    refused: set[Name] = field(default_factory=set)
    """In the running batch: whom only the user can help."""


class TopicOperator:
    """`topics` is trimmed and indexed as `resource.py` says.

    `cluster` is None without a Kafka resource.
    """

    def __init__(
        self,
        client: Client,
        topics: Watched[KafkaTopic],
        link: Link,
        cluster: Name | None,
        clock: Clock,
        random: Random,
        settings: Settings | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        slots = asyncio.Semaphore(AT_ONCE)
        self._measures = TopicMeasures(metrics or Metrics(clock.monotonic), topics.namespace or EVERY, topics.labels)
        self._measures.watch(topics.all)
        self._topics = topics
        self._cluster = cluster
        self._link = link
        self._clock = clock
        self._random = random
        self._settings = settings or Settings()
        self._backlog = Backlog()
        self._memory = _Memory()
        self._hands = Hands(
            topics=topics,
            admin=self._admin,
            ledger=Ledger(client),
            holders=Holders(client, slots),
            finalizers=Finalizers(client, topics, slots, self._measures),
            ending=Ending(client, cluster, topics.namespace or ""),
            reporter=Reporter(client, topics, clock, slots, self._measures),
        )

    @property
    def reason_stuck(self) -> str | None:
        """For health: None while batches end."""
        since = self._memory.since
        lasted = 0.0 if since is None else self._clock.monotonic() - since
        return f"a batch has been running for {lasted:.0f} s" if lasted > STUCK else None

    async def run(self) -> None:
        """Work until cancelled. A batch that is cut off is no loss: the next process looks at everything anew."""
        await self._topics.synced()
        await self._open_ledger()
        unsubscribe = self._topics.subscribe(self._note)
        resync = asyncio.ensure_future(self._resync())
        try:
            while True:
                names = await self._backlog.take(self._settings.batch, self._settings.linger)
                self._measures.batch(len(names), len(names) + len(self._backlog))
                await self._one_batch(names)
        finally:
            resync.cancel()
            unsubscribe()
            self._backlog.close()

    async def _open_ledger(self) -> None:
        """Whoever is noted there, and was deleted since, is looked at too."""
        ending, namespace = self._hands.ending, self._topics.namespace or ""
        await ending.begin()
        if self._cluster is None or ending.cluster_uid is None:
            return
        place = Name(self._cluster.namespace, ledger_name(self._cluster.name))
        await self._hands.ledger.open(place, f"{ending.cluster_uid}/{ending.namespace_uid or namespace}")
        for name in self._hands.ledger.names():
            self._backlog.changed(Name(namespace, name))

    def _note(self, old: KafkaTopic | None, new: KafkaTopic | None) -> None:
        seen = new or old
        if seen is None:
            return
        self._let_be(seen)
        if old is not None and new is not None and reason_to_look_again(old, new) is None:
            return
        for resource in (old, new):
            if resource is not None:
                self._note_claimants(resource)
        # What was tried before, was tried for another wish; also when the new one is that it goes.
        self._memory.failures.pop(name_of(seen), None)

    def _let_be(self, resource: KafkaTopic) -> None:
        """At once: it may be deleted before the next batch, which would not see any more that its topic is to stay."""
        name, uid = resource.metadata.name or "", resource.metadata.uid or ""
        if is_managed(resource):
            self._hands.ledger.take_back(uid)
        else:
            self._hands.ledger.leave_alone(name, uid)

    def _note_claimants(self, resource: KafkaTopic) -> None:
        """The resource, and all others of its topic: whoever speaks for it may be another one now."""
        if not self._backlog.changed(name_of(resource)):
            self._measures.passes.in_line_already(name_of(resource))
        for other in self._topics.under(BY_TOPIC, claimed(resource)):
            self._backlog.changed(name_of(other))

    async def _admin(self) -> TopicAdmin:
        admin = await within(self._settings.patience, "Kafka to answer", self._link.admin())
        return MeasuredAdmin(admin, self._measures)

    async def _one_batch(self, names: list[Name]) -> None:
        self._memory.since = started = self._clock.monotonic()
        self._memory.refused.clear()
        try:
            again = await self._worked(names)
            self._memory.silent = 0
            self._come_back(names, again)
            ends = {"failed": len(again), "blocked": len(self._memory.refused - again.keys())}
            self._measures.worked(len(names), ends, self._clock.monotonic() - started)
        except (KafkaFailure, DeadlineExceeded) as failure:
            self._memory.since = None
            self._measures.worked(len(names), {"failed": len(names)}, self._clock.monotonic() - started)
            await self._without_kafka(names, failure)
        finally:
            self._memory.since = None

    async def _worked(self, names: list[Name]) -> dict[Name, str]:
        """Who must come back, and why. A bug that one topic wakes must not stop the others: halves are tried alone."""
        batch = Batch(self._hands, deleted=self._memory.deleted, tried=self._memory.failures)
        try:
            await batch.work(names)
            self._memory.refused |= batch.refused
            return batch.again
        except (KafkaFailure, DeadlineExceeded):
            raise
        except Exception as error:
            if len(names) > 1:
                middle = len(names) // 2
                return await self._worked(names[:middle]) | await self._worked(names[middle:])
            log_bug(error, object=names[0], kind="KafkaTopic")
            await self._tell(names, INTERNAL_ERROR, f"klamm failed: {said(error)}. See the topic operator's log.")
            return {names[0]: said(error)}

    def _come_back(self, names: Iterable[Name], again: dict[Name, str]) -> None:
        for name in names:
            if name not in again:
                self._memory.failures.pop(name, None)
                continue
            failures = self._memory.failures[name] = self._memory.failures.get(name, 0) + 1
            after = _AFTER_FAILURE.delay(failures, self._random)
            self._backlog.later(name, after)
            _log.debug(f"KafkaTopic {name} comes back", because=again[name], after=round(after, 2))

    async def _without_kafka(self, names: list[Name], failure: Exception) -> None:
        if isinstance(failure, Unreachable):
            await self._link.lost(failure)
        self._memory.silent += 1
        because = self._link.reason_lost or said(failure)
        if self._memory.silent == 1:
            _log.info("KafkaTopics wait for Kafka", because=because, waiting=len(names))
        await self._tell_newcomers(names, because)
        for name in names:
            self._backlog.changed(name)
        await asyncio.sleep(_WITHOUT_KAFKA.delay(self._memory.silent, self._random))

    async def _tell_newcomers(self, names: Iterable[Name], because: str) -> None:
        new = [name for name in names if (resource := self._topics.get(name)) and never_ready(resource)]
        await self._tell(new, KAFKA_ERROR, f"Kafka does not answer yet: {because}. It is tried again.")

    async def _tell(self, names: Iterable[Name], reason: str, message: str) -> None:
        verdict = NotReady(Refuse(reason, message))
        known = [resource for name in names if (resource := self._topics.get(name))]
        await side_by_side(*(self._hands.reporter.report(resource, verdict) for resource in known))

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(self._settings.resync)
            names = [name_of(resource) for resource in self._topics.all()]
            self._measures.passes.round(names)
            self._backlog.routine(names)
