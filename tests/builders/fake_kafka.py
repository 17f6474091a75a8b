"""Kafka's rules about topics and users, in memory, at the seam where operators ask it. No brokers, no library.

`down` makes every call fail as if no broker answered; `calls` counts requests, which is what bulk is about.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from klamm.kafka.errors import KafkaFailure, Refused, TopicExists, UnknownTopic, Unreachable
from klamm.kafka.facts import (
    AclRule,
    ConfigChange,
    ConfigValue,
    Created,
    NewTopic,
    Partition,
    Quotas,
    Topic,
)


@dataclass
class StoredTopic:
    id: str
    partitions: int
    replicas: int
    config: dict[str, str]


@dataclass
class FakeKafka:
    brokers: int = 3
    topics: dict[str, StoredTopic] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    rules: set[AclRule] = field(default_factory=set)
    limits: dict[str, Quotas] = field(default_factory=dict)
    down: bool = False
    deletion_enabled: bool = True
    calls: Counter[str] = field(default_factory=Counter)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def put(self, name: str, partitions: int = 1, replicas: int = 1, **config: str) -> None:
        self.topics[name] = StoredTopic(
            f"id-{next(self.numbers)}",
            partitions,
            replicas,
            {key.replace("_", "."): value for key, value in config.items()},
        )

    def _asked(self, call: str) -> None:
        self.calls[call] += 1
        if self.down:
            raise Unreachable(call, "no broker answers")

    async def describe_topics(self, names: Sequence[str] | None = None) -> dict[str, Topic]:
        self._asked("describe_topics")
        return {
            name: Topic(
                name,
                topic.id,
                name.startswith("__"),
                tuple(
                    Partition(name, number, 0, tuple(range(topic.replicas)), tuple(range(topic.replicas)))
                    for number in range(topic.partitions)
                ),
            )
            for name, topic in self.topics.items()
            if names is None or name in names
        }

    async def topic_configs(self, names: Iterable[str]) -> dict[str, dict[str, ConfigValue]]:
        self._asked("topic_configs")
        default = {"min.insync.replicas": ConfigValue("1", set_here=False)}
        return {
            name: default | {key: ConfigValue(value, set_here=True) for key, value in self.topics[name].config.items()}
            for name in names
            if name in self.topics
        }

    async def create_topics(self, topics: Sequence[NewTopic]) -> dict[str, Created | KafkaFailure]:
        self._asked("create_topics")
        return {topic.name: self._create(topic) for topic in topics}

    def _create(self, topic: NewTopic) -> Created | KafkaFailure:
        doing = f"create topic {topic.name}"
        if topic.name in self.topics:
            return TopicExists(doing, f"Topic '{topic.name}' already exists.", "TOPIC_ALREADY_EXISTS")
        if (topic.replication_factor or 1) > self.brokers:
            said = f"Unable to replicate the partition {topic.replication_factor} time(s)"
            return Refused(doing, said, "INVALID_REPLICATION_FACTOR")
        if failure := _judged(doing, topic.config):
            return failure
        self.put(topic.name, topic.partitions or 1, topic.replication_factor or 1)
        self.topics[topic.name].config.update(topic.config)
        return Created(self.topics[topic.name].id)

    async def grow_topics(self, partitions: Mapping[str, int]) -> dict[str, KafkaFailure | None]:
        self._asked("grow_topics")
        for name, count in partitions.items():
            self.topics[name].partitions = count
        return dict.fromkeys(partitions)

    async def delete_topics(self, names: Sequence[str]) -> dict[str, KafkaFailure | None]:
        self._asked("delete_topics")
        return {name: self._delete(name) for name in names}

    def _delete(self, name: str) -> KafkaFailure | None:
        if name not in self.topics:
            return UnknownTopic(f"delete topic {name}", "unknown", "UNKNOWN_TOPIC_OR_PARTITION")
        if not self.deletion_enabled:
            return Refused(f"delete topic {name}", "Topic deletion is disabled.", "TOPIC_DELETION_DISABLED")
        del self.topics[name]
        return None

    async def delete_topics_by_id(self, ids: Sequence[str]) -> dict[str, KafkaFailure | None]:
        self._asked("delete_topics_by_id")
        names = {topic.id: name for name, topic in self.topics.items()}
        unknown = "This server does not host this topic ID."
        return {
            one: self._delete(names[one])
            if one in names
            else UnknownTopic(f"delete topic {one}", unknown, "UNKNOWN_TOPIC_ID")
            for one in ids
        }

    async def change_topic_configs(self, changes: Mapping[str, ConfigChange]) -> dict[str, KafkaFailure | None]:
        self._asked("change_topic_configs")
        outcomes: dict[str, KafkaFailure | None] = {}
        for name, change in changes.items():
            outcomes[name] = _judged(f"change the configuration of {name}", change.set)
            if outcomes[name] is None:
                config = self.topics[name].config
                config.update(change.set)
                for key in change.delete:
                    config.pop(key, None)
        return outcomes

    async def has_scram(self, user: str) -> bool:
        self._asked("has_scram")
        return user in self.passwords

    async def set_scram(self, user: str, password: str) -> None:
        self._asked("set_scram")
        self.passwords[user] = password

    async def delete_scram(self, user: str) -> None:
        self._asked("delete_scram")
        self.passwords.pop(user, None)

    async def acls(self, user: str) -> frozenset[AclRule]:
        self._asked("acls")
        return frozenset(rule for rule in self.rules if rule.principal == f"User:{user}")

    async def change_acls(self, create: frozenset[AclRule], delete: frozenset[AclRule]) -> None:
        self._asked("change_acls")
        self.rules = (self.rules | create) - delete

    async def quotas(self, user: str) -> Quotas:
        self._asked("quotas")
        return self.limits.get(user, Quotas())

    async def set_quotas(self, user: str, quotas: Quotas) -> None:
        self._asked("set_quotas")
        self.limits[user] = quotas
        if quotas == Quotas():
            del self.limits[user]


def _judged(doing: str, config: Mapping[str, str]) -> Refused | None:
    """Kafka's answer to a retention that is no number: the one wrong value that this fake knows."""
    value = config.get("retention.ms")
    if value is None or value.lstrip("-").isdigit():
        return None
    said = f"Invalid value {value} for configuration retention.ms: Not a number of type LONG"
    return Refused(doing, said, "INVALID_CONFIG")
