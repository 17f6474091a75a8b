"""One pass over up to some hundred KafkaTopics: what Kafka is asked goes in bulk, what Kubernetes is told in parallel.

    gone (noted in the ledger, and no longer there) ──▶ delete their topics (`burial.py`)
    courses ──▶ those that need no Kafka: paused, unmanaged, refused
            ──▶ managed: describe ──▶ decide ──▶ note in the ledger ──▶ create, change, grow ──▶ report

Only that is noted which a resource has, or is about to make: what is refused never takes a topic with it.

Each topic has its own end: Kafka's refusal of one is that resource's condition. What fails for all (no broker
answers) is raised, and the loop puts the names back in line.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from klamm.base import logs
from klamm.base.together import side_by_side
from klamm.kafka.errors import KafkaFailure, NotNow, Refused, TopicExists, UnknownTopic
from klamm.kafka.facts import ConfigChange, Created, NewTopic, Topic
from klamm.kube import errors
from klamm.kube.kinds import Name, name_of
from klamm.operators.topic.admin import TopicAdmin
from klamm.operators.topic.burial import Burial, is_leftover
from klamm.operators.topic.hands import Hands
from klamm.operators.topic.ledger import Had
from klamm.operators.topic.report import IsPaused, IsUnmanaged, NotReady, Ready, Verdict
from klamm.operators.topic.resource import BY_TOPIC, claimed, has_had_one, is_managed, standing, wanted
from klamm.planning.topics import (
    FINALIZER,
    KAFKA_ERROR,
    Change,
    Course,
    Create,
    Decision,
    Keep,
    Manage,
    Nothing,
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


@dataclass
class Batch:
    """Made for one pass. `again` collects who must come back soon, and why; `refused` whom only the user can help."""

    hands: Hands
    refused: set[Name] = field(default_factory=set)
    again: dict[Name, str] = field(default_factory=dict)
    deleted: dict[str, str] = field(default_factory=dict)
    tried: Mapping[Name, int] = field(default_factory=dict)
    """These two as in `Burial`."""

    async def work(self, names: Iterable[Name]) -> None:
        """Raises a transient KafkaFailure when Kafka cannot be asked; what was done until then is done."""
        await Burial(self.hands, self.again, self.deleted, self.tried).bury(names)
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

    async def note(self, sorted_: Iterable[tuple[KafkaTopic, Course]]) -> None:
        """Of whom Kafka is not asked. Others' finalizers go once their topic is noted."""
        freed = []
        for resource, way in sorted_:
            if not is_managed(resource):
                self.hands.ledger.forget(resource.metadata.name or "")
            if isinstance(way, Manage) or FINALIZER not in resource.metadata.finalizers:
                continue
            is_owner = is_managed(resource) and (isinstance(way, Nothing) or has_had_one(resource))
            if is_owner and name_of(resource) not in self.again:
                self.note_topic(resource, self.id_before(resource))
            freed.append(resource)
        await self.hands.ledger.write()
        await side_by_side(*map(self.let_go, freed))

    async def note_decided(self, decided: Sequence[tuple[KafkaTopic, Decision]], topics: Mapping[str, Topic]) -> None:
        """Before Kafka is asked for a topic: nobody may be deleted unseen."""
        for resource, decision in decided:
            match decision:
                case Create():
                    self.note_topic(resource, None)
                case Change() | Keep():
                    self.note_topic(resource, topics[claimed(resource)].id or self.id_before(resource))
                case Refuse() if has_had_one(resource):
                    # What it has had: another one may have the name now.
                    self.note_topic(resource, self.id_before(resource))
                case Refuse() if self.id_before(resource) is None:
                    self.hands.ledger.forget(resource.metadata.name or "")
        await self.hands.ledger.write()
        await side_by_side(*(self.let_go(one) for one, _ in decided if FINALIZER in one.metadata.finalizers))

    def note_topic(self, resource: KafkaTopic, identifier: str | None) -> None:
        had = Had(resource.metadata.uid or "", claimed(resource), identifier)
        self.hands.ledger.note(resource.metadata.name or "", had)

    def id_before(self, resource: KafkaTopic) -> str | None:
        """Of the topic that it has had, as far as that is known without Kafka."""
        had = self.hands.ledger.of(resource.metadata.name or "")
        if had and (had.uid, had.topic) == (resource.metadata.uid, claimed(resource)) and had.id:
            return had.id
        return resource.status.topic_id if resource.status else None

    async def let_go(self, resource: KafkaTopic) -> None:
        try:
            await self.hands.finalizers.let_go(resource)
        except errors.KubeError as error:
            self.again[name_of(resource)] = str(error)

    async def manage(self, resources: Sequence[KafkaTopic]) -> None:
        admin = await self.hands.admin()
        topics, observed = await observe(admin, [claimed(one) for one in resources])
        shown = {name for name, topic in topics.items() if is_leftover(topic, self.deleted)}
        gone = [one for one in resources if claimed(one) in shown]
        for resource in gone:
            self.again[name_of(resource)] = "brokers still show the topic that was deleted"
        rest = [one for one in resources if one not in gone]
        decided = [(one, decide(wanted(one), observed.get(claimed(one)))) for one in rest]
        await self.note_decided(decided, topics)
        verdicts = await self.act(admin, decided, topics)
        await side_by_side(self.tell(verdicts), self.hands.ledger.write())

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
                    self.note_outcome(resource, outcome)
                    if isinstance(outcome, Created):
                        verdicts.append((resource, Ready(outcome.id)))
                    else:
                        verdicts += self.judged(resource, outcome)
                case Change() if topic in failed:
                    verdicts += self.judged(resource, failed[topic])
                case Change() | Keep():
                    verdicts.append((resource, Ready(topics[topic].id)))
        return verdicts

    def note_outcome(self, resource: KafkaTopic, outcome: Created | KafkaFailure) -> None:
        """Its id, if it was made; nothing, if Kafka refused to; and as it was noted, if that is not known."""
        if isinstance(outcome, Created):
            self.note_topic(resource, outcome.id)
        elif isinstance(outcome, Refused) and not isinstance(outcome, TopicExists):
            self.hands.ledger.forget(resource.metadata.name or "")

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
        written = await side_by_side(*(self.hands.reporter.report(one, verdict) for one, verdict in told))
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
