"""All brokers and topics in one request.

Unlike `Admin.describe_topics`, which an operator asks before it changes something, a topic that cannot be told of
costs only itself here.
"""

from hashlib import sha256
from typing import Any

from klamm.base.pieces import in_pieces
from klamm.kafka.admin import Admin, broker_facts, topic_facts
from klamm.kafka.errors import NotNow, TooOld
from klamm.kafka.facts import Cluster, Topic, Topology
from klamm.kafka.packed import METADATA_VERSIONS, Metadata, Packed, metadata_in

_GONE = "UNKNOWN_TOPIC_OR_PARTITION"


class Remembered:
    """What the last answer said of topics, for whoever asks again and again: the same bytes are not read again."""

    def __init__(self) -> None:
        self.digest = b""
        self.topics: dict[str, Topic] = {}
        self.failed: dict[str, str] = {}


async def topology(
    admin: Admin, seconds: float, broker: int | None = None, remembered: Remembered | None = None
) -> Topology:
    """As this broker knows them, or any. Where nothing changed since what is remembered, its `topics` are the same."""
    doing = "read brokers and topics"
    try:
        oldest, newest = METADATA_VERSIONS
        request = Packed(_request(min_version=oldest, max_version=newest))
        answer: Any = metadata_in(await admin.ask_within(seconds, doing, request, broker))
    except TooOld:  # before Kafka 2.8
        answer = await admin.ask_within(seconds, doing, _request(), broker)
    if not answer.brokers:
        # So answers a broker that has started beside ZooKeeper and was not told of the others yet.
        raise NotNow(doing, "the broker that answered knows of no brokers yet")
    topics, failed = await _read(answer, remembered or Remembered())
    controller = answer.controller_id if answer.controller_id >= 0 else None
    return Topology(Cluster(answer.cluster_id, controller, broker_facts(answer.brokers)), topics, failed)


def _request(**versions: int) -> Any:
    from kafka.protocol.metadata import MetadataRequest

    return MetadataRequest(
        topics=None,
        allow_auto_topic_creation=False,
        include_cluster_authorized_operations=False,
        include_topic_authorized_operations=False,
        **versions,
    )


async def _read(answer: Any, remembered: Remembered) -> tuple[dict[str, Topic], dict[str, str]]:
    if not isinstance(answer, Metadata):
        return await _sorted(answer.topics)
    digest = sha256(answer.of_topics).digest()
    if digest != remembered.digest:
        topics, failed = await _sorted(answer.topics)
        remembered.digest, remembered.topics, remembered.failed = digest, topics, failed
    return remembered.topics, remembered.failed


async def _sorted(items: Any) -> tuple[dict[str, Topic], dict[str, str]]:
    from klamm.kafka.answers import failure_of

    topics: dict[str, Topic] = {}
    failed: dict[str, str] = {}
    # Most partitions share a handful of lists of replicas: one tuple for each list is enough.
    known: dict[tuple[int, ...], tuple[int, ...]] = {}
    async for item in in_pieces(items):
        failure = failure_of(f"describe topic {item.name}", item.error_code, None)
        if failure is None:
            topics[item.name] = topic_facts(item, lambda ids: known.setdefault(ids, ids))
        elif failure.code != _GONE:
            failed[item.name] = str(failure)
    return topics, failed
