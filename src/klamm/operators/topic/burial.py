"""What becomes of the topic of a KafkaTopic that was deleted: it goes, unless somebody has it, or there is a doubt.

    noted in the ledger, and no longer there
            ──▶ does the whole cluster go? ──▶ which id has the topic? ──▶ who holds the name now, is it still noted?
            ──▶ delete what has that id

Two topic operators may act for a moment: the Kubernetes API takes one for dead that still reaches Kafka. Meanwhile the
other may have deleted the topic, and a new one may have been made under its name, with new data. So what goes is named
by Kafka's id of it (KIP-516), which no other topic ever has. Where no id is noted (the process died between making a
topic and noting its id), brokers are asked for it before the API is asked whether the note still stands: the other
operator takes the note away before it makes a new topic. By its name a topic is deleted only where brokers give no
ids (before 2.8).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from klamm.base import logs
from klamm.base.together import side_by_side
from klamm.kafka.errors import KafkaFailure, NotNow, Refused, UnknownTopic
from klamm.kafka.facts import Topic
from klamm.kube import errors
from klamm.kube.kinds import Name
from klamm.operators.topic.hands import Hands
from klamm.operators.topic.ledger import Had
from klamm.operators.topic.resource import BY_TOPIC, claimed, is_managed, standing
from klamm.planning.topics import Leave, legacy
from klamm.resources.native.metadata import ObjectMeta

_log = logs.room("topics")

REMEMBERED = 1000
"""Deleted topics that are remembered: brokers forget them within a second or two."""

LOOKS = 2
"""How often, some seconds in all, a topic without a noted id is looked for: a broker learns late of one just made."""


@dataclass
class Burial:
    """Made for one pass. `again` collects who must come back, and why; `tried`: how often each came back already."""

    hands: Hands
    again: dict[Name, str]
    deleted: dict[str, str]
    """Ids of topics that were deleted a moment ago: a broker may still show them."""
    tried: Mapping[Name, int] = field(default_factory=dict)

    async def bury(self, names: Iterable[Name]) -> None:
        """In doubt, nothing is deleted: it is asked again. Raises a KafkaFailure when Kafka cannot be asked."""
        gone = {
            name: had for name in names if (had := self.hands.ledger.of(name.name)) and not self.is_there(name, had)
        }
        if not gone:
            return
        try:
            if because := await self.hands.ending.reason():
                _log.info("topics of deleted KafkaTopics are left alone", because=because, topics=len(gone))
                # For good: who is made later, in a namespace made anew, is not to pay for it.
                for name in gone:
                    self.hands.ledger.forget(name.name)
                return
            # Before the API is asked: whatever is made under a name after its note went, we have not seen.
            seen = await self.topics_without_noted_id(gone.values())
            holders = await side_by_side(*(self.hands.holders.of(name) for name in gone))
            disowned = await self.hands.ledger.disowned(name.name for name in gone)
        except errors.KubeError as error:
            self.again.update(dict.fromkeys(gone, str(error)))
            return
        dying: dict[Name, Had] = {}
        for (name, had), holder in zip(gone.items(), holders, strict=True):
            if because := self.reason_kept(name, had, holder, name.name in disowned):
                self.leave(name, had, because)
            elif identified := self.identified(name, had, seen):
                dying[name] = identified
        await self.delete(dying)
        await self.hands.ledger.write()

    async def topics_without_noted_id(self, gone: Iterable[Had]) -> dict[str, Topic]:
        unknown = sorted({had.topic for had in gone if had.id is None})
        return await (await self.hands.admin()).describe_topics(unknown) if unknown else {}

    def is_there(self, name: Name, had: Had) -> bool:
        resource = self.hands.topics.get(name)
        return resource is not None and resource.metadata.uid == had.uid

    def reason_kept(self, name: Name, had: Had, holder: ObjectMeta | None, is_disowned: bool) -> str | None:
        """Why a topic is not deleted, although its resource seems to be gone. `holder` is what has the name now."""
        if holder and holder.uid == had.uid:
            return f"KafkaTopic {name} is there, and another operator's now"
        if is_disowned:
            return f"KafkaTopic {name} is not noted any more"
        successor = self.hands.topics.get(name)
        if successor is not None and claimed(successor) == had.topic:
            if not is_managed(successor):
                return f"KafkaTopic {name} is there, and not managed"
            if successor.status and successor.status.topic_name:
                return f"KafkaTopic {name} has it for long: the note is an old one"
        match legacy(had.topic, name.name, map(standing, self.hands.topics.under(BY_TOPIC, had.topic))):
            case Leave(because):
                return because
        return None

    def identified(self, name: Name, had: Had, seen: Mapping[str, Topic]) -> Had | None:
        """With the topic's id, if it has one; None for a topic that is not there, or not seen yet."""
        if had.id is not None:
            return had
        topic = seen.get(had.topic)
        if topic and not is_leftover(topic, self.deleted):
            return Had(had.uid, had.topic, topic.id)
        if self.tried.get(name, 0) < LOOKS:
            self.again[name] = f"topic {had.topic} was about to be made, and brokers do not show it yet"
        else:
            _log.info(f"topic {had.topic} was never made, and its KafkaTopic is gone")
            self.hands.ledger.forget(name.name)
        return None

    def leave(self, name: Name, had: Had, because: str) -> None:
        self.hands.ledger.forget(name.name)
        _log.info(f"topic {had.topic} stays, because {because}")

    async def delete(self, dying: Mapping[Name, Had]) -> None:
        if not dying:
            return
        by_id = sorted({had.id for had in dying.values() if had.id is not None})
        by_name = sorted({had.topic for had in dying.values() if had.id is None})
        admin = await self.hands.admin()
        outcomes = await admin.delete_topics_by_id(by_id) if by_id else {}
        outcomes |= await admin.delete_topics(by_name) if by_name else {}
        for name, had in dying.items():
            self.note_end(name, had, outcomes.get(had.id or had.topic, _unanswered(had)))

    def note_end(self, name: Name, had: Had, failure: KafkaFailure | None) -> None:
        if failure is not None and not isinstance(failure, Refused):
            self.again[name] = str(failure)
            return
        if failure is None:
            _log.info(f"topic {had.topic} was deleted with its KafkaTopic")
        elif isinstance(failure, UnknownTopic):
            _log.info(f"topic {had.topic} was gone before its KafkaTopic")
        else:
            _log.warning(f"topic {had.topic} stays, although its KafkaTopic was deleted", because=str(failure))
        if failure is None or isinstance(failure, UnknownTopic):
            self.remember_deleted(had)
        self.hands.ledger.forget(name.name)

    def remember_deleted(self, had: Had) -> None:
        if had.id:
            self.deleted[had.topic] = had.id
        while len(self.deleted) > REMEMBERED:
            self.deleted.pop(next(iter(self.deleted)))


def is_leftover(topic: Topic, deleted: Mapping[str, str]) -> bool:
    """A broker still shows what was deleted (`deleted`: ids by topic)."""
    return topic.id is not None and deleted.get(topic.name) == topic.id


def _unanswered(had: Had) -> NotNow:
    return NotNow(f"delete topic {had.topic}", "the answer does not name it")
