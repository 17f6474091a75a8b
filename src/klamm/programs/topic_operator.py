"""The topic operator of one Kafka cluster: keeps topics as KafkaTopics say.

Settings come from the environment, under the names that Strimzi's users know.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from random import Random, SystemRandom

from klamm.base.clock import SystemClock
from klamm.base.tasks import OnFailure, Supervisor
from klamm.control.health import Health
from klamm.kafka.link import Link
from klamm.kube.catalogue import KAFKA_TOPICS
from klamm.kube.client import Client, connect
from klamm.kube.watching import Watched
from klamm.operators.topic.operator import Settings, TopicOperator
from klamm.operators.topic.resource import BY_TOPIC, topic_key, trimmed
from klamm.programs import entity_operator, process
from klamm.programs.entity_operator import Common

MANAGER = "klamm-topic-operator"

DEPARTURE = 20.0
"""Seconds for taking finalizers off at the end; a pod is given 30."""


async def run(common: Common, batch: Settings, client: Client, random: Random, environment: Mapping[str, str]) -> None:
    """Work until SIGTERM, then let topics go if their cluster is going."""
    stop = process.told_to_stop()
    link = Link(common.kafka, random)
    topics = Watched(
        client,
        KAFKA_TOPICS,
        random,
        namespace=common.namespace,
        labels=common.labels,
        trim=trimmed,
        indexes={BY_TOPIC: topic_key},
    )
    metrics = process.own_metrics()
    operator = TopicOperator(client, topics, common.labels, link, common.cluster, SystemClock(), random, batch, metrics)
    health = Health(
        healthy={"batches": lambda: operator.reason_stuck},
        ready={
            "topics": lambda: topics.reason_not_fresh,
            "kafka": lambda: None if link.answered_once else link.reason_lost,
        },
        metrics=metrics.text,
    )
    async with Supervisor("topic operator", random) as tasks:
        tasks.start("watch of kafkatopics", topics.run)
        # Opened at once, not with the first topic: readiness asks whether Kafka answers.
        tasks.start("connection to Kafka", link.admin)
        tasks.start("batches", operator.run, OnFailure.END)
        tasks.start("health", lambda: health.serve(None, common.port), OnFailure.END)
        tasks.start("log level", lambda: process.follow_log_level(environment))
        process.settle()
        await stop.wait()
    await operator.depart(DEPARTURE)


def batches(environment: Mapping[str, str], resync: float) -> Settings:
    """Strimzi's STRIMZI_MAX_BATCH_SIZE and STRIMZI_MAX_BATCH_LINGER_MS; there is no queue that could overflow."""
    plain = Settings()
    return Settings(
        batch=int(environment.get("STRIMZI_MAX_BATCH_SIZE", plain.batch)),
        linger=process.milliseconds(environment, "STRIMZI_MAX_BATCH_LINGER_MS", int(plain.linger * 1000)),
        resync=resync,
    )


async def _main(environment: Mapping[str, str]) -> None:
    random = SystemRandom()
    connection = process.api_connection(environment)
    common = entity_operator.read_common(environment, connection.namespace, Path("/etc/eto-certs"), 8080)
    async with connect(connection, MANAGER, random) as client:
        await run(common, batches(environment, common.resync), client, random, environment)


def main() -> None:
    environment = dict(os.environ)  # noqa: TID251 (a program reads its environment)
    process.set_up_logs(environment)
    try:
        asyncio.run(_main(environment))
    except process.BadSetting as error:
        sys.exit(f"topic operator: {error}")
    entity_operator.leave()


if __name__ == "__main__":
    main()
