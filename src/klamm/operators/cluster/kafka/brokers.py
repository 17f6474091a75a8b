"""What the brokers say of themselves: asked over the replication listener, where the operator is a super user.

They are asked only when an answer decides something (a restart, a broker that is to go): a quiet cluster is not
bothered.
"""

import asyncio
from dataclasses import dataclass

from klamm.base import logs
from klamm.desired.kafka.listeners import REPLICATION_PORT
from klamm.kafka.admin import Admin, Connection
from klamm.kafka.errors import KafkaFailure
from klamm.kube.kinds import Name
from klamm.operators.cluster.hands import Hands
from klamm.operators.cluster.kafka.identity import Identity
from klamm.planning.rolling.next_roll import Partition

_log = logs.room("brokers")


@dataclass(frozen=True, slots=True)
class BrokersSay:
    """`controller`: id of the active controller, None when there is none."""

    partitions: tuple[Partition, ...]
    controller: int | None


def admin_connection(cluster: Name, identity: Identity) -> Connection:
    address = f"{cluster.name}-kafka-bootstrap.{cluster.namespace}.svc:{REPLICATION_PORT}"
    return Connection((address,), identity.context(), client_id="klamm-cluster-operator")


async def ask_brokers(hands: Hands, cluster: Name, identity: Identity) -> BrokersSay | None:
    """Partitions and controller; None when no broker answers."""
    try:
        async with await hands.open_admin(admin_connection(cluster, identity)) as admin:
            partitions, described = await asyncio.gather(partitions_of(admin), admin.describe_cluster())
            return BrokersSay(tuple(partitions), described.controller)
    except KafkaFailure as failure:
        _log.info(f"the brokers of {cluster} could not be asked", because=str(failure))
        return None


async def ask_cluster_id(hands: Hands, cluster: Name, identity: Identity) -> str | None:
    try:
        async with await hands.open_admin(admin_connection(cluster, identity)) as admin:
            return (await admin.describe_cluster()).id
    except KafkaFailure as failure:
        _log.info(f"the id of {cluster} could not be asked for", because=str(failure))
        return None


async def partitions_of(admin: Admin) -> list[Partition]:
    """Every partition of the cluster with the min.insync.replicas of its topic."""
    topics = await admin.describe_topics()
    configs = await admin.topic_configs(topics, ["min.insync.replicas"])
    found = []
    for name, topic in topics.items():
        configured = configs.get(name, {}).get("min.insync.replicas")
        least = int(configured.value) if configured and configured.value else 1
        found += [
            Partition(name, one.id, frozenset(one.replicas), frozenset(one.in_sync), least) for one in topic.partitions
        ]
    return found
