"""What to do about one KafkaTopic, and which of several resources may speak for a topic.

The resource is the truth (Strimzi's unidirectional topic operator, its proposal 051): what differs in Kafka
is set back to what the resource says, and topics without a resource are nobody's business here.

Rules:
- Partitions only grow; the replication factor is not changed here (that is a reassignment).
- A dynamic configuration key that the resource does not name is removed, but never the throttle lists of a
  running reassignment, which belong to whoever runs it.
- Of several resources that name one topic the oldest speaks; the others are told by whom it is managed. A topic is
  deleted with its last resource only: whoever is left takes it over, data and all. A resource made anew under its
  name is another one, and is not left the topic of the former.
- A resource that has had a topic keeps it in its claim (`Standing.topic`) whatever its spec says later: a topic cannot
  be renamed, and the one that was made must not be left behind unseen.
- Pausing stops the work on a topic, but holds up no deletion.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

LONGEST_TOPIC_NAME = 249
"""Kafka's limit, so that the partition's folder fits a file name
(org.apache.kafka.common.internals.Topic).
"""

_LEGAL_NAME = re.compile(r"[a-zA-Z0-9._-]+")

FINALIZER = "strimzi.io/topic-operator"
"""Strimzi's unidirectional topic operator holds KafkaTopics with it. Nobody else would take it off, so we do, and put
none on: a deletion that was missed is found by a ledger."""

FOREIGN_KEYS = frozenset({"leader.replication.throttled.replicas", "follower.replication.throttled.replicas"})
"""Set by reassignments while they run; removing them would lift the throttle in mid-move."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a resource asks for. None: the cluster's default at creation, and as it is afterwards."""

    topic: str
    partitions: int | None = None
    replicas: int | None = None
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observed:
    """The topic in Kafka. `config` holds only what is set on the topic itself."""

    partitions: int
    replicas: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Create:
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Change:
    """At least one of the three is not empty."""

    topic: str
    grow_to: int | None = None
    set: Mapping[str, str] = field(default_factory=dict)
    delete: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Keep:
    topic: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """The user must change the resource. `reason` is the condition's reason, as Strimzi's operator
    gives it.
    """

    reason: str
    message: str


Decision = Create | Change | Keep | Refuse

NOT_SUPPORTED = "NotSupported"
RESOURCE_CONFLICT = "ResourceConflict"
INVALID = "InvalidResource"
KAFKA_ERROR = "KafkaError"
INTERNAL_ERROR = "InternalError"


def decide(wanted: Wanted, observed: Observed | None) -> Decision:
    """The next step for a topic; a `Change` holds everything that differs."""
    illegal = illegal_name(wanted.topic)
    if illegal:
        return illegal
    if observed is None:
        return Create(wanted)
    if wanted.partitions is not None and wanted.partitions < observed.partitions:
        return Refuse(
            NOT_SUPPORTED,
            f"spec.partitions: {wanted.partitions} is fewer than the topic's {observed.partitions}, and Kafka "
            f"cannot take partitions away. Set spec.partitions back to {observed.partitions}.",
        )
    if wanted.replicas is not None and wanted.replicas != observed.replicas:
        return Refuse(
            NOT_SUPPORTED,
            f"spec.replicas: {wanted.replicas} differs from the topic's {observed.replicas}, and the replication "
            f"factor is not changed here. Set spec.replicas back to {observed.replicas}, or reassign the "
            "partitions with kafka-reassign-partitions.sh.",
        )
    return _difference(wanted, observed)


def _difference(wanted: Wanted, observed: Observed) -> Change | Keep:
    change = Change(
        wanted.topic,
        grow_to=wanted.partitions if wanted.partitions and wanted.partitions > observed.partitions else None,
        set={key: value for key, value in wanted.config.items() if not _same(value, observed.config.get(key))},
        delete=frozenset(observed.config) - frozenset(wanted.config) - FOREIGN_KEYS,
    )
    return change if change.grow_to or change.set or change.delete else Keep(wanted.topic)


def _same(wanted: str, observed: str | None) -> bool:
    """Whether two texts are one value: Kafka stores what it parsed, "0.50" as "0.5" and "a , b" as "a,b".

    Without this such a value would be set anew in each pass, for ever.
    """
    if observed is None or wanted == observed:
        return wanted == observed
    return _parsed(wanted) == _parsed(observed)


def _parsed(text: str) -> object:
    for number in (int, float):  # as an int first: floats cannot tell apart two large ones
        with suppress(ValueError):
            return number(text)
    words = tuple(word.strip() for word in text.split(","))
    return words[0].lower() if words[0].lower() in ("true", "false") and len(words) == 1 else words


def illegal_name(topic: str) -> Refuse | None:
    if topic in {"", ".", ".."} or len(topic) > LONGEST_TOPIC_NAME or not _LEGAL_NAME.fullmatch(topic):
        return Refuse(
            INVALID,
            f"spec.topicName: {topic!r} is not a name that Kafka takes. Use 1 to {LONGEST_TOPIC_NAME} of the "
            "characters a-z, A-Z, 0-9, '.', '_' and '-', and not '.' or '..' alone.",
        )
    return None


def renamed(topic: str, topic_before: str | None) -> Refuse | None:
    """A resource keeps its topic for life: the old one would be left behind unseen."""
    if topic_before is None or topic_before == topic:
        return None
    return Refuse(
        NOT_SUPPORTED,
        f"spec.topicName: changed from {topic_before!r} to {topic!r}, and a topic cannot be renamed. Set it back "
        f"to {topic_before!r}, or make another KafkaTopic for {topic!r}.",
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """How a resource stands, beside what it asks for."""

    resource: str
    created: str
    """creationTimestamp: RFC 3339 in UTC sorts as text."""
    topic: str
    """The topic that it claims: the one it has had, else the one it names."""
    named: str
    """The topic that its spec names now."""
    leaving: bool = False
    """It has a deletionTimestamp: others' finalizers hold it."""
    managed: bool = True
    paused: bool = False

    @property
    def age(self) -> tuple[str, str]:
        """The order of precedence; of equally old ones the first by name."""
        return self.created, self.resource


@dataclass(frozen=True, slots=True)
class Manage:
    """Make the topic what the resource says."""

    topic: str


@dataclass(frozen=True, slots=True)
class Paused:
    pass


@dataclass(frozen=True, slots=True)
class Unmanaged:
    pass


@dataclass(frozen=True, slots=True)
class Nothing:
    """The resource is leaving: the topic goes once it is gone."""


Course = Manage | Paused | Unmanaged | Nothing | Refuse


def course(one: Standing, claimants: Iterable[Standing]) -> Course:
    """What is to be done for a resource. `claimants` claim the same topic; `one` may be among them."""
    rivals = [other for other in claimants if other.resource != one.resource and other.managed]
    if one.leaving:
        return Nothing()
    if not one.managed:
        return Unmanaged()
    if one.paused:
        return Paused()
    speaker = min((other for other in [one, *rivals] if not other.leaving), key=lambda other: other.age)
    refusal = (
        illegal_name(one.topic) or renamed(one.named, one.topic) or conflict(one.topic, one.resource, speaker.resource)
    )
    return refusal or Manage(one.topic)


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the topic."""

    topic: str


@dataclass(frozen=True, slots=True)
class Leave:
    """The topic stays."""

    because: str


def legacy(topic: str, resource: str, claimants: Iterable[Standing]) -> Delete | Leave:
    """What becomes of a topic whose resource, of this name, was deleted."""
    heirs = [one for one in claimants if one.resource != resource and one.managed and not one.leaving]
    if not heirs:
        return Delete(topic)
    heir = min(heirs, key=lambda one: one.age)
    return Leave(f"KafkaTopic {heir.resource!r} has it too and goes on with it")


def conflict(topic: str, resource: str, speaker: str) -> Refuse | None:
    if resource == speaker:
        return None
    return Refuse(
        RESOURCE_CONFLICT,
        f"spec.topicName: topic {topic!r} is managed by the KafkaTopic {speaker!r}, which is older. Delete one of the "
        "two (the topic stays with the other), or name another topic here.",
    )


_MENDS: Mapping[str, tuple[str, str]] = {
    "INVALID_CONFIG": ("spec.config", "Change or remove the value"),
    "INVALID_REPLICATION_FACTOR": ("spec.replicas", "Ask for fewer replicas, or add brokers"),
    "INVALID_PARTITIONS": ("spec.partitions", "Ask for another number of partitions"),
    "INVALID_TOPIC": ("spec.topicName", "Choose another name"),
    "POLICY_VIOLATION": ("spec", "Ask for what the brokers' policy allows"),
}
"""By Kafka's error code: where the cause stands, and the mend."""


def explained(code: str, sentence: str, wanted: Wanted) -> Refuse:
    """Kafka's refusal as a condition: its own sentence, the field it is about, and what to do."""
    place, mend = _MENDS.get(code, ("spec", ""))
    if place == "spec.config":
        # The longest first: retention.ms also stands in local.retention.ms.
        named = sorted((key for key in wanted.config if key in sentence), key=len, reverse=True)
        place = f"{place}.{named[0]}" if named else place
    return Refuse(KAFKA_ERROR, " ".join(f"{place}: {sentence.rstrip('. ')}. {mend + '.' if mend else ''}".split()))


def config_texts(config: Mapping[str, object]) -> dict[str, str]:
    """Values as Kafka stores them: YAML's true is "true", 1.0 is "1.0", lists are joined; null is
    left out.
    """
    return {key: _text(value) for key, value in config.items() if value is not None}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(_text(item) for item in value)
    return str(value)
