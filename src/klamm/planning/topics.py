"""What to do about one KafkaTopic, and which of several resources may speak for a topic.

The resource is the truth (Strimzi's unidirectional topic operator, its proposal 051): what differs in Kafka
is set back to what the resource says, and topics without a resource are nobody's business here.

Rules:
- Partitions only grow; the replication factor is not changed here (that is a reassignment).
- A dynamic configuration key that the resource does not name is removed, but never the throttle lists of a
  running reassignment, which belong to whoever runs it.
- Of several resources that name one topic the oldest speaks; the others are told by whom it is managed.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

LONGEST_TOPIC_NAME = 249
"""Kafka's limit, so that the partition's folder fits a file name
(org.apache.kafka.common.internals.Topic).
"""

_LEGAL_NAME = re.compile(r"[a-zA-Z0-9._-]+")

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
        set={key: value for key, value in wanted.config.items() if observed.config.get(key) != value},
        delete=frozenset(observed.config) - frozenset(wanted.config) - FOREIGN_KEYS,
    )
    return change if change.grow_to or change.set or change.delete else Keep(wanted.topic)


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


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """A resource that names a topic; the order is the order of precedence."""

    created: str
    """creationTimestamp: RFC 3339 in UTC sorts as text."""
    resource: str


def speakers(claims: Iterable[tuple[str, Claim]]) -> dict[str, str]:
    """Topic → name of the resource that speaks for it: the oldest, and of equally old ones the
    first by name.
    """
    by_topic: dict[str, list[Claim]] = defaultdict(list)
    for topic, claim in claims:
        by_topic[topic].append(claim)
    return {topic: min(rivals).resource for topic, rivals in by_topic.items()}


def conflict(topic: str, resource: str, speaker: str) -> Refuse | None:
    if resource == speaker:
        return None
    return Refuse(
        RESOURCE_CONFLICT,
        f"Topic {topic!r} is managed by the KafkaTopic {speaker!r}, which is older. Delete one of the two; to give "
        f"up {speaker!r} without deleting the topic, annotate it with strimzi.io/managed=false first.",
    )


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
