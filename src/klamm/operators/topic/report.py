"""What a KafkaTopic's status says, and writing it when that changed.

Ready is True, or False with a reason (Strimzi's unidirectional topic operator; the other operators say NotReady
True). A paused resource says ReconciliationPaused, one that is not managed says Unmanaged and names no topic any more.
Warnings about fields stand beside any of these.
"""

import asyncio
from dataclasses import dataclass

from klamm.base import logs
from klamm.base.clock import Clock
from klamm.control import remarks
from klamm.control import status as conditions
from klamm.kube import errors
from klamm.kube.client import Client
from klamm.kube.kinds import name_of
from klamm.kube.watching import Watched
from klamm.operators.topic.measures import STATUS, TopicMeasures
from klamm.operators.topic.resource import claimed
from klamm.planning.topics import Refuse
from klamm.resources.custom.status import Condition
from klamm.resources.custom.topic import KafkaTopic, KafkaTopicStatus

_log = logs.room("topics")


@dataclass(frozen=True, slots=True)
class Ready:
    """`id`: of the topic in Kafka; None when the brokers tell none."""

    id: str | None


@dataclass(frozen=True, slots=True)
class NotReady:
    refusal: Refuse


@dataclass(frozen=True, slots=True)
class IsPaused:
    pass


@dataclass(frozen=True, slots=True)
class IsUnmanaged:
    pass


Verdict = Ready | NotReady | IsPaused | IsUnmanaged


def status_of(resource: KafkaTopic, verdict: Verdict) -> KafkaTopicStatus:
    """The whole status but for remarks; conditions get their times when it is written."""
    generation = resource.metadata.generation
    before = resource.status or KafkaTopicStatus()
    match verdict:
        case Ready(identifier):
            return KafkaTopicStatus(
                conditions=[conditions.ready()],
                observed_generation=generation,
                topic_name=claimed(resource),
                topic_id=identifier,
            )
        case NotReady(refusal):
            # The topic that it has had stays its own: it is what a deletion would delete.
            return KafkaTopicStatus(
                conditions=[_not_ready(refusal)],
                observed_generation=generation,
                topic_name=before.topic_name,
                topic_id=before.topic_id,
            )
        case IsPaused():
            return KafkaTopicStatus(
                conditions=[conditions.paused()],
                observed_generation=generation,
                topic_name=before.topic_name,
                topic_id=before.topic_id,
            )
    return KafkaTopicStatus(
        conditions=[Condition(type="Unmanaged", status="True")],
        observed_generation=generation,
    )


def _not_ready(refusal: Refuse) -> Condition:
    return Condition(type="Ready", status="False", reason=refusal.reason, message=refusal.message)


class Reporter:
    """`slots` bounds the calls in flight."""

    def __init__(
        self,
        client: Client,
        topics: Watched[KafkaTopic],
        clock: Clock,
        slots: asyncio.Semaphore,
        measures: TopicMeasures,
    ) -> None:
        self._client = client
        self._measures = measures
        self._topics = topics
        self._clock = clock
        self._slots = slots

    async def report(self, resource: KafkaTopic, verdict: Verdict) -> bool:
        """Whether the status stands as it should now; False when it could not be written."""
        kind, before = self._topics.kind, resource.status
        new = status_of(resource, verdict)
        if not conditions.changes(before, remarks.kept(before, new)):
            return True
        try:
            async with self._slots:
                with self._measures.timing(STATUS):
                    seen = await remarks.write(self._client, kind, resource, before, new, self._clock.now())
                    self._topics.saw(seen)
        except errors.NotFound:
            return True
        except errors.KubeError as error:
            _log.info("a status could not be written", because=str(error))
            return False
        if isinstance(verdict, NotReady):
            _log.info(f"KafkaTopic {name_of(resource)} is not ready: {verdict.refusal.message}")
        return True
