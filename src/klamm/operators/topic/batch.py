"""One pass over up to some hundred KafkaTopics: what Kafka is asked goes in bulk, what Kubernetes is told in parallel.

    courses ──▶ those that need no Kafka: paused, unmanaged, refused
            ──▶ leaving: delete the topics, take finalizers off
            ──▶ managed: put finalizers on ──▶ describe ──▶ decide ──▶ create, change, grow ──▶ report

Each topic has its own end: Kafka's refusal of one is that resource's condition. What fails for all (no broker
answers) is raised, and the loop puts the names back in line.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from klamm.base import logs
from klamm.kafka.errors import KafkaFailure, NotNow, TopicExists, UnknownTopic
from klamm.kafka.facts import ConfigChange, Created, NewTopic, Topic
from klamm.kube import errors
from klamm.kube.kinds import Name, name_of
from klamm.kube.watching import Watched
from klamm.operators.topic.admin import TopicAdmin
from klamm.operators.topic.finalizers import Ending, Finalizers
from klamm.operators.topic.report import IsPaused, IsUnmanaged, NotReady, Ready, Reporter, Verdict
from klamm.operators.topic.resource import BY_TOPIC, claimed, standing, wanted
from klamm.planning.topics import (
    KAFKA_ERROR,
    Change,
    Course,
    Create,
    Decision,
    Delete,
    Keep,
    LetGo,
    Manage,
    Observed,
    Paused,
    Refuse,
    Unmanaged,
    course,
    decide,
    explained,
)
from klamm.resources.custom.topic import KafkaTopic

_log = logs.room("topics")

REMEMBERED = 1000
"""Deleted topics that are remembered: brokers forget them within a second or two."""


@dataclass(frozen=True)
class Hands:
    """`admin` gives the open connection, waiting for it as long as it takes."""

    topics: Watched[KafkaTopic]
    admin: Callable[[], Awaitable[TopicAdmin]]
    finalizers: Finalizers
    ending: Ending
    reporter: Reporter


@dataclass
class Batch:
    """Made for one pass. `again` collects who must come back soon, and why."""

    hands: Hands
    again: dict[Name, str] = field(default_factory=dict)
    deleted: dict[str, str] = field(default_factory=dict)
    """Topics that were deleted a moment ago, with their ids: a broker may still show them."""

    async def work(self, names: Iterable[Name]) -> None:
        """Raises a transient KafkaFailure when Kafka cannot be asked; what was done until then is done."""
        sorted_ = [(resource, self.course_of(resource)) for resource in map(self.hands.topics.get, names) if resource]
        await self.tell((one, said) for one, way in sorted_ if (said := _without_kafka(way)))
        await self.part(sorted_)
        managed = [one for one, way in sorted_ if isinstance(way, Manage)]
        if managed:
            await self.manage(managed)

    def course_of(self, resource: KafkaTopic) -> Course:
        claimants = self.hands.topics.under(BY_TOPIC, claimed(resource))
        return course(standing(resource), map(standing, claimants))

    # Leaving

    async def part(self, sorted_: Sequence[tuple[KafkaTopic, Course]]) -> None:
        let_go = [(one, way.because) for one, way in sorted_ if isinstance(way, LetGo)]
        leaving = [one for one, way in sorted_ if isinstance(way, Delete)]
        if leaving and (because := await self.hands.ending.reason()):
            let_go += [(one, because) for one in leaving]
            leaving = []
        await asyncio.gather(*(self.let_go(one, f"its topic stays, because {because}") for one, because in let_go))
        if leaving:
            await self.delete({claimed(one): one for one in leaving})

    async def delete(self, resources: Mapping[str, KafkaTopic]) -> None:
        admin = await self.hands.admin()
        outcomes = await admin.delete_topics(list(resources))
        ends = []
        for topic, resource in resources.items():
            failure = outcomes.get(topic)
            if failure is None or isinstance(failure, UnknownTopic):
                self.remember_deleted(topic, resource)
                ends.append(self.let_go(resource, "its topic was deleted" if failure is None else "it had no topic"))
            else:
                ends.append(self.failed(resource, failure))
        await asyncio.gather(*ends)

    def remember_deleted(self, topic: str, resource: KafkaTopic) -> None:
        if resource.status and resource.status.topic_id:
            self.deleted[topic] = resource.status.topic_id
        while len(self.deleted) > REMEMBERED:
            self.deleted.pop(next(iter(self.deleted)))

    async def let_go(self, resource: KafkaTopic, because: str) -> None:
        try:
            await self.hands.finalizers.let_go(resource)
        except errors.KubeError as error:
            self.again[name_of(resource)] = str(error)
            return
        _log.info(f"KafkaTopic {name_of(resource)} is let go: {because}")

    # Managed

    async def manage(self, resources: Sequence[KafkaTopic]) -> None:
        held = await self.hold(resources)
        if not held:
            return
        admin = await self.hands.admin()
        topics, observed = await observe(admin, [claimed(one) for one in held])
        gone = [one for one in held if self.is_leftover(topics.get(claimed(one)))]
        for resource in gone:
            self.again[name_of(resource)] = "brokers still show the topic that was deleted"
        rest = [one for one in held if one not in gone]
        decided = [(one, decide(wanted(one), observed.get(claimed(one)))) for one in rest]
        verdicts = await self.act(admin, decided, topics)
        await self.tell(verdicts)

    async def hold(self, resources: Sequence[KafkaTopic]) -> list[KafkaTopic]:
        """The resources with our finalizer on; who went meanwhile is left out."""
        outcomes = await asyncio.gather(*map(self.hands.finalizers.hold, resources), return_exceptions=True)
        held = []
        for resource, outcome in zip(resources, outcomes, strict=True):
            if isinstance(outcome, KafkaTopic):
                held.append(outcome)
            elif isinstance(outcome, errors.KubeError):
                self.again[name_of(resource)] = str(outcome)
            elif outcome is not None:
                raise outcome
        return held

    def is_leftover(self, topic: Topic | None) -> bool:
        return topic is not None and topic.id is not None and self.deleted.get(topic.name) == topic.id

    async def act(
        self, admin: TopicAdmin, decided: Sequence[tuple[KafkaTopic, Decision]], topics: Mapping[str, Topic]
    ) -> list[tuple[KafkaTopic, Verdict]]:
        """Do what was decided, in bulk, and say how each topic stands now."""
        made = await self.create(admin, [way for _, way in decided if isinstance(way, Create)])
        failed = await self.change(admin, [way for _, way in decided if isinstance(way, Change)])
        verdicts: list[tuple[KafkaTopic, Verdict]] = []
        for resource, decision in decided:
            topic = claimed(resource)
            match decision:
                case Refuse():
                    verdicts.append((resource, NotReady(decision)))
                case Create():
                    outcome = made.get(topic) or NotNow(f"create topic {topic}", "the answer does not name it")
                    if isinstance(outcome, Created):
                        verdicts.append((resource, Ready(outcome.id)))
                    else:
                        verdicts += self.judged(resource, outcome)
                case Change() if topic in failed:
                    verdicts += self.judged(resource, failed[topic])
                case Change() | Keep():
                    verdicts.append((resource, Ready(topics[topic].id)))
        return verdicts

    async def create(self, admin: TopicAdmin, wanted_: Sequence[Create]) -> dict[str, Created | KafkaFailure]:
        if not wanted_:
            return {}
        new = [
            NewTopic(one.wanted.topic, one.wanted.partitions, one.wanted.replicas, one.wanted.config) for one in wanted_
        ]
        made = await admin.create_topics(new)
        done = [name for name, outcome in made.items() if isinstance(outcome, Created)]
        if done:
            _log.info(f"{_several(done)} created")
        return made

    async def change(self, admin: TopicAdmin, changes: Sequence[Change]) -> dict[str, KafkaFailure]:
        """The topics for which something failed. Configurations and partitions do not wait for each other."""
        configs = {one.topic: ConfigChange(one.set, one.delete) for one in changes if one.set or one.delete}
        growing = {one.topic: one.grow_to for one in changes if one.grow_to}
        changed = await admin.change_topic_configs(configs) if configs else {}
        grown = await admin.grow_topics(growing) if growing else {}
        failed = {topic: why for outcomes in (changed, grown) for topic, why in outcomes.items() if why is not None}
        for one in changes:
            if one.topic not in failed:
                _log.info(f"topic {one.topic} set to what its KafkaTopic says: {_said(one)}")
        return failed

    # Ends

    async def failed(self, resource: KafkaTopic, failure: KafkaFailure) -> None:
        await self.tell(self.judged(resource, failure))

    def judged(self, resource: KafkaTopic, failure: KafkaFailure) -> list[tuple[KafkaTopic, Verdict]]:
        """A failure as a condition. What may go away by itself comes back soon, and unsettles nobody who was ready."""
        if isinstance(failure, TopicExists | UnknownTopic):
            # Brokers learn of new and deleted topics one after the other.
            self.again[name_of(resource)] = str(failure)
            return []
        if isinstance(failure, NotNow):
            self.again[name_of(resource)] = str(failure)
            if resource.status and resource.status.conditions:
                return []
            return [(resource, NotReady(Refuse(KAFKA_ERROR, f"{failure} It is tried again.")))]
        return [(resource, NotReady(explained(failure.code, failure.message, wanted(resource))))]

    async def tell(self, verdicts: Iterable[tuple[KafkaTopic, Verdict]]) -> None:
        told = list(verdicts)
        written = await asyncio.gather(*(self.hands.reporter.report(one, verdict) for one, verdict in told))
        for (resource, _), done in zip(told, written, strict=True):
            if not done:
                self.again[name_of(resource)] = "its status could not be written"


async def observe(admin: TopicAdmin, names: Sequence[str]) -> tuple[dict[str, Topic], dict[str, Observed]]:
    """The topics that exist, as Kafka tells of them and as decisions see them."""
    topics = await admin.describe_topics(names)
    configs = await admin.topic_configs(list(topics)) if topics else {}
    # A topic without configuration was deleted between the two answers.
    observed = {
        name: Observed(
            len(topic.partitions),
            topic.replication_factor,
            {key: entry.value or "" for key, entry in configs[name].items() if entry.set_here},
        )
        for name, topic in topics.items()
        if name in configs
    }
    return topics, observed


def _without_kafka(way: Course) -> Verdict | None:
    match way:
        case Refuse():
            return NotReady(way)
        case Paused():
            return IsPaused()
        case Unmanaged():
            return IsUnmanaged()
    return None


def _several(names: Sequence[str]) -> str:
    return f"topic {names[0]} was" if len(names) == 1 else f"{len(names)} topics ({', '.join(names[:3])}, …) were"


def _said(change: Change) -> str:
    parts = [f"{change.grow_to} partitions"] if change.grow_to else []
    parts += [f"{key}={value}" for key, value in change.set.items()]
    return ", ".join([*parts, *(f"{key} removed" for key in sorted(change.delete))])
