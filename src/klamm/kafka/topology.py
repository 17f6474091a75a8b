"""All brokers and topics in one request.

Unlike `Admin.describe_topics`, which an operator asks before it changes something, a topic that cannot be told of
costs only itself here.
"""

from typing import Any

from klamm.base.pieces import in_pieces
from klamm.kafka.admin import Admin, broker_facts, topic_facts
from klamm.kafka.errors import NotNow
from klamm.kafka.facts import Cluster, Topic, Topology

_GONE = "UNKNOWN_TOPIC_OR_PARTITION"


async def topology(admin: Admin, seconds: float, broker: int | None = None) -> Topology:
    """As this broker knows them, or any."""
    from kafka.protocol.metadata import MetadataRequest

    request = MetadataRequest(
        topics=None,
        allow_auto_topic_creation=False,
        include_cluster_authorized_operations=False,
        include_topic_authorized_operations=False,
    )
    doing = "read brokers and topics"
    answer = await admin.ask_within(seconds, doing, request, broker)
    if not answer.brokers:
        # So answers a broker that has started beside ZooKeeper and was not told of the others yet.
        raise NotNow(doing, "the broker that answered knows of no brokers yet")
    topics, failed = await _sorted(answer.topics)
    controller = answer.controller_id if answer.controller_id >= 0 else None
    return Topology(Cluster(answer.cluster_id, controller, broker_facts(answer.brokers)), topics, failed)


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
