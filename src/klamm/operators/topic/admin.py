"""What the topic operator asks of Kafka (`kafka.admin.Admin`)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from klamm.kafka.errors import KafkaFailure
from klamm.kafka.facts import ConfigChange, ConfigValue, Created, NewTopic, Topic


class TopicAdmin(Protocol):
    async def describe_topics(self, names: Sequence[str] | None = None) -> dict[str, Topic]: ...

    async def topic_configs(self, names: Iterable[str]) -> dict[str, dict[str, ConfigValue]]: ...

    async def create_topics(self, topics: Sequence[NewTopic]) -> dict[str, Created | KafkaFailure]: ...

    async def grow_topics(self, partitions: Mapping[str, int]) -> dict[str, KafkaFailure | None]: ...

    async def delete_topics(self, names: Sequence[str]) -> dict[str, KafkaFailure | None]: ...

    async def change_topic_configs(self, changes: Mapping[str, ConfigChange]) -> dict[str, KafkaFailure | None]: ...
