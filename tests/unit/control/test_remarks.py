"""What is to be remarked on costs a second write, and what is not costs nothing."""

import json
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec
from tests.builders.scripted_api import ScriptedApi

from klamm.control import remarks
from klamm.control.status import ready, warning
from klamm.kube.catalogue import KAFKA_TOPICS
from klamm.kube.client import over
from klamm.kube.exchange import Response
from klamm.resources.custom.topic import KafkaTopic, KafkaTopicStatus

NOW = datetime(2026, 11, 26, tzinfo=UTC)
UNKNOWN = "spec.partition is not a known field and is ignored (did you mean partitions?)"


def topic(generation: int, **spec: object) -> dict[str, Any]:
    metadata = {"name": "orders", "namespace": "kafka", "generation": generation}
    return {"apiVersion": KAFKA_TOPICS.api_version, "kind": "KafkaTopic", "metadata": metadata, "spec": spec}


async def written(generation: int, old: KafkaTopicStatus | None = None, **spec: object) -> list[list[str | None]]:
    """The messages of the warnings of each write of the status."""
    obj = topic(generation, **spec)
    api = ScriptedApi()
    api.answers(*[Response(200, json.dumps(obj).encode(), {})] * 2)
    new = KafkaTopicStatus(conditions=[ready()], observed_generation=generation)
    kafka_topic = msgspec.convert(obj, KafkaTopic)
    await remarks.write(over(api, "klamm-test", Random(1)), KAFKA_TOPICS, kafka_topic, old, new, NOW)
    statuses = [json.loads(request.body or b"")["status"]["conditions"] for request in api.requests]
    return [[one["message"] for one in conditions if one["type"] == "Warning"] for conditions in statuses]


def told(generation: int, *messages: str) -> KafkaTopicStatus:
    warnings = [warning("UnknownFields", message) for message in messages]
    return KafkaTopicStatus(conditions=[ready(), *warnings], observed_generation=generation)


async def test_where_all_is_known_there_is_one_write() -> None:
    assert await written(1, partitions=3) == [[]]


async def test_an_unknown_field_is_told_by_a_second_write() -> None:
    assert await written(1, partition=3) == [[], [UNKNOWN]]


async def test_what_stays_unknown_is_told_all_the_while() -> None:
    assert await written(2, told(1, UNKNOWN), partition=4) == [[UNKNOWN]]


async def test_what_was_mended_is_not_told_any_more() -> None:
    assert await written(2, told(1, UNKNOWN), partitions=4) == [[UNKNOWN], []]


async def test_nothing_is_written_where_nothing_is_new() -> None:
    assert await written(2, told(2, UNKNOWN), partition=4) == []
