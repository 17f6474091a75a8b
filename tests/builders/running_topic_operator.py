"""The topic operator, running: a real API server, and Kafka's rules in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any, cast

from tests.builders.entity_api import CLUSTER, LABELS, NAMESPACE, EntityApi, soon
from tests.builders.fake_kafka import FakeKafka

from klamm.base.clock import SystemClock
from klamm.base.metrics import Metrics
from klamm.base.together import ended
from klamm.kafka.admin import Admin, Connection
from klamm.kafka.errors import Unreachable
from klamm.kafka.link import Link
from klamm.kube.catalogue import KAFKA_TOPICS
from klamm.kube.kinds import Name
from klamm.kube.watching import Watched
from klamm.operators.topic.operator import Settings, TopicOperator
from klamm.operators.topic.resource import BY_TOPIC, topic_key, trimmed
from klamm.resources.custom.topic import KafkaTopic

FINALIZER = "strimzi.io/topic-operator"
TOPIC = "KafkaTopic"


class Running:
    def __init__(
        self,
        entity: EntityApi,
        kafka: FakeKafka,
        operator: TopicOperator,
        metrics: Metrics,
        topics: Watched[KafkaTopic],
    ) -> None:
        self.api = entity
        self.topics = topics
        """What the operator has seen of the KafkaTopics by now."""
        self.metrics = metrics
        self.kafka = kafka
        self.operator = operator

    async def create(self, name: str, **spec: Any) -> None:
        await self.api.create(TOPIC, name, {key.replace("topic_name", "topicName"): spec[key] for key in spec})

    async def until_ready(self, name: str) -> dict[str, Any]:
        await soon(f"{name} to be ready", lambda: self.is_(name, "Ready", "True"))
        return cast(dict[str, Any], (await self.api.get(TOPIC, name))["status"])

    async def until_refused(self, name: str, reason: str) -> str:
        await soon(f"{name} to be refused", lambda: self.is_(name, "Ready", "False", reason))
        return (await self.api.condition(TOPIC, name))["message"]

    async def until_gone(self, name: str) -> None:
        async def there() -> str | None:
            return "it is there" if name in await self.api.names(TOPIC) else None

        await soon(f"{name} to be gone", there)

    async def until_deleted(self, topic: str) -> None:
        async def there() -> str | None:
            return "it is there" if topic in self.kafka.topics else None

        await soon(f"topic {topic} to be deleted", there)

    async def is_(self, name: str, type_: str, status: str, reason: str | None = None) -> str | None:
        found = await self.api.condition(TOPIC, name)
        wanted = {"type": type_, "status": status, **({"reason": reason} if reason else {})}
        return None if wanted.items() <= found.items() else f"it says {found}"


@asynccontextmanager
async def topic_operator(
    entity: EntityApi,
    kafka: FakeKafka,
    resync: float = 60.0,
    home: str = NAMESPACE,
    bootstrap: tuple[str, ...] = (),
) -> AsyncIterator[Running]:
    """`home` is the namespace of the Kafka resource. `bootstrap`: of real brokers, instead of the fake."""

    async def open_admin(_: Connection) -> Admin:
        if kafka.down:
            raise Unreachable("connect", "no broker answers")
        return cast(Admin, _Open(kafka))

    async def nobody_is_silent(_: str) -> str | None:
        return None

    random = Random(1)
    topics = Watched(
        entity.client, KAFKA_TOPICS, random, namespace=NAMESPACE, labels=LABELS, trim=trimmed,
        indexes={BY_TOPIC: topic_key},
    )  # fmt: skip
    link = Link(Connection(("b:9092",)), random, open_admin=open_admin, reason_silent=nobody_is_silent)
    if bootstrap:
        link = Link(Connection(bootstrap), random)
    settings = Settings(linger=0.01, resync=resync, patience=0.1)
    cluster = Name(home, CLUSTER)
    clock, metrics = SystemClock(), Metrics(SystemClock().monotonic)
    operator = TopicOperator(entity.client, topics, link, cluster, clock, random, settings, metrics)
    tasks = [asyncio.create_task(topics.run()), asyncio.create_task(operator.run())]
    try:
        yield Running(entity, kafka, operator, metrics, topics)
    finally:
        await ended(*tasks)
        await link.close()


class _Open:
    """An open connection to the fake: all of it, and it can be closed."""

    def __init__(self, kafka: FakeKafka) -> None:
        self._kafka = kafka

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kafka, name)

    async def close(self) -> None:
        pass
