"""What the brokers say of themselves: asked over the replication listener, where the operator is a super user.

They are asked only when an answer decides something (a restart, a broker that is to go): a quiet cluster is not
bothered.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from klamm.base import logs
from klamm.base.together import outcomes_of
from klamm.desired.kafka.listeners import REPLICATION_PORT
from klamm.kafka.admin import Admin, Connection
from klamm.kafka.errors import KafkaFailure
from klamm.kafka.facts import Partition as PartitionSeen
from klamm.kube.kinds import Name
from klamm.operators.cluster.hands import Hands
from klamm.operators.cluster.kafka.identity import Identity
from klamm.planning.rolling.next_roll import Partition

_log = logs.room("brokers")

MIN_IN_SYNC = "min.insync.replicas"


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
            described = await admin.describe_cluster()
            if not described.brokers:
                _log.info(f"the broker of {cluster} that answers has not heard of the cluster yet")
                return None
            partitions = await partitions_of(admin, [broker.id for broker in described.brokers])
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


async def partitions_of(admin: Admin, brokers: Sequence[int]) -> list[Partition]:
    """Every partition of the cluster with the min.insync.replicas of its topic, as all brokers see it together.

    Each is asked for what it knows, and one that does not answer is left out; `KafkaFailure` when none does.
    """
    answers = await outcomes_of(*(admin.describe_topics(node=one) for one in brokers))
    views = [answer for answer in answers if not isinstance(answer, BaseException)]
    for failure in (answer for answer in answers if isinstance(answer, BaseException)):
        if not views or not isinstance(failure, KafkaFailure):
            raise failure
    seen = at_worst(partition for view in views for topic in view.values() for partition in topic.partitions)
    configs = await admin.topic_configs(sorted({one.topic for one in seen}), [MIN_IN_SYNC])
    least = {name: configured[MIN_IN_SYNC].value for name, configured in configs.items() if MIN_IN_SYNC in configured}
    return [
        Partition(one.topic, one.id, frozenset(one.replicas), frozenset(one.in_sync), int(least.get(one.topic) or 1))
        for one in seen
    ]


def at_worst(views: Iterable[PartitionSeen]) -> list[PartitionSeen]:
    """One description of each partition: a replica is in sync when everybody who knows the partition says so.

    A broker tells what the controller told it last. One that has just come back knows no topic, or how things stood
    before it went; if its word alone counted, the next broker would be restarted while the first still catches up.
    """
    worst: dict[tuple[str, int], PartitionSeen] = {}
    for one in views:
        other = worst.setdefault((one.topic, one.id), one)
        if other is not one:
            replicas = (*other.replicas, *(each for each in one.replicas if each not in other.replicas))
            in_sync = tuple(each for each in other.in_sync if each in one.in_sync)
            worst[one.topic, one.id] = replace(other, replicas=replicas, in_sync=in_sync)
    return list(worst.values())
