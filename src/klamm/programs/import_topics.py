"""Writes KafkaTopics for the topics that have none, as a JSON list.

`klamm import topics` runs it in the container of the topic operator, which has what it takes to reach Kafka and the
API, wherever the cluster runs.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from random import SystemRandom

import msgspec

from klamm.kafka.admin import Admin
from klamm.kafka.errors import KafkaFailure
from klamm.kube.catalogue import KAFKA_TOPICS
from klamm.kube.client import connect
from klamm.kube.errors import KubeError
from klamm.kube.kinds import as_json
from klamm.operators.topic.importing import missing_resources
from klamm.programs import entity_operator, process
from klamm.programs.topic_operator import MANAGER

_WITHIN = 60.0


async def run(environment: Mapping[str, str], include_internal: bool) -> bytes:
    """The list as JSON. Raises `BadSetting`, `KafkaFailure`, `KubeError`, TimeoutError."""
    connection = process.api_connection(environment)
    common = entity_operator.read_common(environment, connection.namespace, Path("/etc/eto-certs"), 8080)
    if common.cluster is None:
        raise process.BadSetting("STRIMZI_RESOURCE_LABELS names no strimzi.io/cluster")
    async with asyncio.timeout(_WITHIN), connect(connection, MANAGER, SystemRandom()) as client:
        admin = await Admin.connect(common.kafka)
        try:
            found = await missing_resources(
                admin, client, common.namespace, common.cluster.name, include_internal=include_internal
            )
        finally:
            await admin.close()
    return msgspec.json.encode([as_json(KAFKA_TOPICS, topic) for topic in found])


def main() -> None:
    parser = argparse.ArgumentParser(prog="import_topics")
    parser.add_argument("--internal", action="store_true", help="Kafka's own topics, too")
    include_internal = parser.parse_args().internal
    try:
        written = asyncio.run(run(dict(os.environ), include_internal))  # noqa: TID251 (a program reads its environment)
    except TimeoutError:
        sys.exit(f"Kafka or the API did not answer within {_WITHIN:g} s")
    except (process.BadSetting, KafkaFailure, KubeError) as error:
        sys.exit(str(error))
    sys.stdout.buffer.write(written)
    sys.stdout.flush()
    entity_operator.leave()


if __name__ == "__main__":
    main()
