"""One pass over up to some hundred KafkaTopics: what Kafka is asked goes in bulk, what Kubernetes is told in parallel.

    gone (noted in the ledger, and no longer there) ──▶ delete their topics
    courses ──▶ those that need no Kafka: paused, unmanaged, refused
            ──▶ managed: note in the ledger ──▶ describe ──▶ decide ──▶ create, change, grow ──▶ report

Each topic has its own end: Kafka's refusal of one is that resource's condition. What fails for all (no broker
answers) is raised, and the loop puts the names back in line.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from klamm.base import logs
from klamm.kafka.errors import KafkaFailure, NotNow, Refused, TopicExists, UnknownTopic
from klamm.kafka.facts import ConfigChange, Created, NewTopic, Topic
from klamm.kube import errors
from klamm.kube.kinds import Name, name_of
from klamm.kube.watching import Watched
from klamm.operators.topic.admin import TopicAdmin
from klamm.operators.topic.ending import Ending
from klamm.operators.topic.finalizers import Finalizers
from klamm.operators.topic.ledger import Had, Ledger
from klamm.operators.topic.report import IsPaused, IsUnmanaged, NotReady, Ready, Reporter, Verdict
from klamm.operators.topic.resource import BY_TOPIC, claimed, is_managed, standing, wanted
from klamm.planning.topics import (
    FINALIZER,
    KAFKA_ERROR,
    Change,
    Course,
    Create,
    Decision,
    Delete,
    Keep,
    Leave,
    Manage,
    Observed,
    Paused,
    Refuse,
    Unmanaged,
    course,
    decide,
    explained,
    legacy,
)
from klamm.resources.custom.topic import KafkaTopic
from klamm.resources.native.metadata import ObjectMeta

_log = logs.room("topics")

REMEMBERED = 1000
"""Deleted topics that are remembered: brokers forget them within a second or two."""


@dataclass(frozen=True)
class Hands:
    """`admin` gives the open connection, waiting for it as long as it takes."""

    topics: Watched[KafkaTopic]
    admin: Callable[[], Awaitable[TopicAdmin]]
    ledger: Ledger
    finalizers: Finalizers
    ending: Ending
    reporter: Reporter


@dataclass
class Batch:
    """Made for one pass. `again` collects who must come back soon, and why; `refused` whom only the user can help."""

    hands: Hands
    refused: set[Name] = field(default_factory=set)
    again: dict[Name, str] = field(default_factory=dict)
    deleted: dict[str, str] = field(default_factory=dict)
    """Topics that were deleted a moment ago, with their ids: a broker may still show them."""

    async def work(self, names: Iterable[Name]) -> None:
        """Raises a transient KafkaFailure when Kafka cannot be asked; what was done until then is done."""
        await self.bury(names)
        sorted_ = [(resource, self.course_of(resource)) for resource in map(self.hands.topics.get, names) if resource]
        await self.note(sorted_)
        await self.tell((one, said) for one, way in sorted_ if (said := _without_kafka(way)))
        # Whose namesake's topic is still to be deleted waits for that.
        managed = [one for one, way in sorted_ if isinstance(way, Manage) and name_of(one) not in self.again]
        if managed:
            await self.manage(managed)

    def course_of(self, resource: KafkaTopic) -> Course:
        claimants = self.hands.topics.under(BY_TOPIC, claimed(resource))
        return course(standing(resource), map(standing, claimants))

    # Gone

    async def bury(self, names: Iterable[Name]) -> None:
        """Topics of resources that were deleted go. In doubt, nothing is deleted: it is asked again."""
        gone = {
            name: had for name in names if (had := self.hands.ledger.of(name.name)) and not self.is_there(name, had)
        }
        if not gone:
            return
        try:
            if because := await self.hands.ending.reason():
                _log.info(f"{_several([had.topic for had in gone.values()])} left alone, because {because}")
                # For good: who is made later, in a namespace made anew, is not to pay for it.
                for name in gone:
                    self.hands.ledger.forget(name.name)
                return
            looks = await asyncio.gather(*(self.hands.finalizers.find(name) for name in gone))
            disowned = await self.hands.ledger.disowned(name.name for name in gone)
        except errors.KubeError as error:
            self.again.update(dict.fromkeys(gone, str(error)))
            return
        for (name, had), found in zip(tuple(gone.items()), looks, strict=True):
            if because := self.reason_kept(name, had, found, name.name in disowned):
                self.leave(name, had, because)
                del gone[name]
        await self.bury_topics(gone)
        await self.hands.ledger.write()

    def reason_kept(self, name: Name, had: Had, found: ObjectMeta | None, is_disowned: bool) -> str | None:
        """Why a topic is not deleted, although its resource seems to be gone. `found` is what has the name now."""
        if found and found.uid == had.uid:
            return f"KafkaTopic {name} is there, and another operator's now"
        if is_disowned:
            return f"KafkaTopic {name} is not noted any more"
        successor = self.hands.topics.get(name)
        if successor is None or claimed(successor) != had.topic:
            return None
        if not is_managed(successor):
            return f"KafkaTopic {name} is there, and not managed"
        if successor.status and successor.status.topic_name:
            return f"KafkaTopic {name} has it for long: the note is an old one"
        return None

    def is_there(self, name: Name, had: Had) -> bool:
        resource = self.hands.topics.get(name)
        return resource is not None and resource.metadata.uid == had.uid

    async def bury_topics(self, gone: Mapping[Name, Had]) -> None:
        dying: dict[str, list[Name]] = {}
        for name, had in gone.items():
            match legacy(had.topic, name.name, map(standing, self.hands.topics.under(BY_TOPIC, had.topic))):
                case Leave(because):
                    self.leave(name, had, because)
                case Delete(topic):
                    dying.setdefault(topic, []).append(name)
        if dying:
            await self.delete(dying)

    def leave(self, name: Name, had: Had, because: str) -> None:
        self.hands.ledger.forget(name.name)
        _log.info(f"topic {had.topic} stays, because {because}")

    async def delete(self, dying: Mapping[str, Sequence[Name]]) -> None:
        """`dying`: topics, with the names of the resources that they were of."""
        admin = await self.hands.admin()
        known = await admin.describe_topics(list(dying))
        outcomes = await admin.delete_topics(list(dying))
        for topic, names in dying.items():
            failure = outcomes.get(topic)
            if failure is not None and not isinstance(failure, Refused):
                self.again.update(dict.fromkeys(names, str(failure)))
                continue
            if failure is None or isinstance(failure, UnknownTopic):
                self.remember_deleted(topic, known.get(topic))
                _log.info(f"topic {topic} was deleted with its KafkaTopic")
            else:
                _log.warning(f"topic {topic} stays, although its KafkaTopic was deleted", because=str(failure))
            for name in names:
                self.hands.ledger.forget(name.name)

    def remember_deleted(self, topic: str, known: Topic | None) -> None:
        if known and known.id:
            self.deleted[topic] = known.id
        while len(self.deleted) > REMEMBERED:
            self.deleted.pop(next(iter(self.deleted)))

    # There

    async def note(self, sorted_: Iterable[tuple[KafkaTopic, Course]]) -> None:
        """Before Kafka is asked for a topic: nobody may be deleted unseen. Others' finalizers go once it is noted."""
        ledger = self.hands.ledger
        freed = []
        for resource, way in sorted_:
            name, is_held = resource.metadata.name or "", FINALIZER in resource.metadata.finalizers
            if not is_managed(resource):
                ledger.forget(name)
            elif (isinstance(way, Manage) or is_held) and name_of(resource) not in self.again:
                ledger.note(name, Had(resource.metadata.uid or "", claimed(resource)))
            freed += [resource] if is_held else []
        await ledger.write()
        await asyncio.gather(*map(self.let_go, freed))

    async def let_go(self, resource: KafkaTopic) -> None:
        try:
            await self.hands.finalizers.let_go(resource)
        except errors.KubeError as error:
            self.again[name_of(resource)] = str(error)

    async def manage(self, resources: Sequence[KafkaTopic]) -> None:
        admin = await self.hands.admin()
        topics, observed = await observe(admin, [claimed(one) for one in resources])
        gone = [one for one in resources if self.is_leftover(topics.get(claimed(one)))]
        for resource in gone:
            self.again[name_of(resource)] = "brokers still show the topic that was deleted"
        rest = [one for one in resources if one not in gone]
        decided = [(one, decide(wanted(one), observed.get(claimed(one)))) for one in rest]
        verdicts = await self.act(admin, decided, topics)
        await self.tell(verdicts)

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
        self.refused.update(name_of(resource) for resource, verdict in told if isinstance(verdict, NotReady))
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
