"""The number of nodes of this pass: the wanted one, or the running one where a change would lose data.

Decided before anything is built, because Services, certificates, claims and pods all follow from it.
"""

from dataclasses import dataclass

import msgspec

from klamm.control.status import warning
from klamm.kube.kinds import name_of
from klamm.operators.cluster.hands import Hands
from klamm.operators.cluster.kafka.brokers import ask_brokers
from klamm.operators.cluster.kafka.gather import Observed
from klamm.operators.cluster.kafka.identity import stored_identity
from klamm.planning.nodes import (
    SKIP_SCALE_DOWN_CHECK,
    NodesDecision,
    decide_brokers,
    decide_zookeepers,
    takes_brokers_away,
)
from klamm.planning.rolling.next_roll import Partition
from klamm.resources.custom.kafka import Kafka
from klamm.resources.custom.status import Condition


@dataclass(frozen=True, slots=True)
class Scaled:
    """The resource with the numbers of nodes that are used."""

    resource: Kafka
    warnings: tuple[Condition, ...]


async def scaled(hands: Hands, observed: Observed) -> Scaled:
    resource = observed.resource
    name, spec = resource.metadata.name or "", resource.spec
    running = observed.size_of(f"{name}-kafka", f"{name}-kafka-brokers")
    brokers = await _brokers(hands, observed, running, spec.kafka.replicas or 0)
    kafka = msgspec.structs.replace(spec.kafka, replicas=brokers.use)
    zookeeper, nodes = spec.zookeeper, NodesDecision(0)
    if zookeeper is not None:
        running = observed.size_of(f"{name}-zookeeper", f"{name}-zookeeper-nodes")
        nodes = decide_zookeepers(running, zookeeper.replicas or 0)
        zookeeper = msgspec.structs.replace(zookeeper, replicas=nodes.use)
    used = msgspec.structs.replace(spec, kafka=kafka, zookeeper=zookeeper)
    remarks = [decision.refused for decision in (brokers, nodes) if decision.refused is not None]
    return Scaled(
        msgspec.structs.replace(resource, spec=used),
        tuple(warning(remark.reason, remark.message) for remark in remarks),
    )


async def _brokers(hands: Hands, observed: Observed, running: int, wanted: int) -> NodesDecision:
    skip = observed.resource.metadata.annotations.get(SKIP_SCALE_DOWN_CHECK) == "true"
    partitions = None
    if takes_brokers_away(running, wanted) and not skip:
        partitions = await _partitions(hands, observed)
    return decide_brokers(running, wanted, partitions, skip_check=skip)


async def _partitions(hands: Hands, observed: Observed) -> tuple[Partition, ...] | None:
    cluster = name_of(observed.resource)
    identity = stored_identity(observed.secrets, cluster.name)
    if identity is None:
        return None
    said = await ask_brokers(hands, cluster, identity)
    return said.partitions if said is not None else None
