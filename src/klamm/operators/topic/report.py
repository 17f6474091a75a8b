"""What a KafkaTopic's status says, and writing it when that changed.

Ready is True, or False with a reason (Strimzi's unidirectional topic operator; the other operators say NotReady
True). A paused resource says ReconciliationPaused, one that is not managed says Unmanaged and names no topic any more.
Warnings about fields stand beside any of these.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from klamm.base import logs
from klamm.base.clock import Clock
from klamm.control import status as conditions
from klamm.control.remarks import remarks_about
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


def status_of(resource: KafkaTopic, verdict: Verdict, warnings: Sequence[Condition] = ()) -> KafkaTopicStatus:
    """The whole status; conditions get their times when it is written."""
    status = _verdict(resource, verdict)
    return msgspec.structs.replace(status, conditions=[*status.conditions, *warnings])


def _verdict(resource: KafkaTopic, verdict: Verdict) -> KafkaTopicStatus:
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
        try:
            async with self._slots:
                warnings = await remarks_about(self._client, self._topics.kind, resource, resource.status)
            new = status_of(resource, verdict, warnings)
            if not conditions.changes(resource.status, new):
                return True
            before = resource.status.conditions if resource.status else ()
            new = msgspec.structs.replace(new, conditions=conditions.dated(new.conditions, before, self._clock.now()))
            async with self._slots:
                with self._measures.timing(STATUS):
                    self._topics.saw(await self._client.apply_status(self._topics.kind, name_of(resource), new))
        except errors.NotFound:
            return True
        except errors.KubeError as error:
            _log.info("a status could not be written", because=str(error))
            return False
        if isinstance(verdict, NotReady):
            _log.info(f"KafkaTopic {name_of(resource)} is not ready: {verdict.refusal.message}")
        return True
