"""How many nodes to run when the wanted number differs from the running one.

Brokers are added freely. They are taken away (the highest ids first) only when they hold no replica: Kafka does not
move data by itself, and a replica that goes with its broker is a copy less, or the only one lost. A refused change
leaves the cluster as it is, with a Warning; everything else of the resource goes on (Strimzi behaviour since 0.40).

The number of ZooKeeper nodes of a running ensemble is not changed: each node has the list of servers in its
configuration, so that a plain change of the number lets two halves elect a leader each. Doing it right is a
reconfiguration node by node, which klamm does not do yet.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from klamm.planning.kafka_rules.remark import Remark
from klamm.planning.rolling.next_roll import Partition

SKIP_SCALE_DOWN_CHECK = "strimzi.io/skip-broker-scaledown-check"
"""Annotation of the Kafka resource: take brokers away whatever they hold."""

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class NodesDecision:
    """`use` is the number for this pass; `refused` says why it is not the wanted one."""

    use: int
    refused: Remark | None = None


def takes_brokers_away(running: int, wanted: int) -> bool:
    """Whether partitions have to be looked at before the number may be used."""
    return wanted < running


def decide_brokers(
    running: int, wanted: int, partitions: Iterable[Partition] | None, *, skip_check: bool = False
) -> NodesDecision:
    """`running`: brokers of the pod set, 0 for a new cluster. `partitions` is None when no broker could tell."""
    if not takes_brokers_away(running, wanted) or skip_check:
        return NodesDecision(wanted)
    if partitions is None:
        why = "no broker tells which partitions they hold; klamm asks again"
        return NodesDecision(running, _kept(running, wanted, why))
    going = frozenset(range(wanted, running))
    held = [partition for partition in partitions if partition.replicas & going]
    if not held:
        return NodesDecision(wanted)
    why = (
        f"{_brokers(going)} replicas of {_named(held)}; move them to other brokers "
        f"(kafka-reassign-partitions.sh), or put spec.kafka.replicas back to {running}"
    )
    return NodesDecision(running, _kept(running, wanted, why))


def decide_zookeepers(running: int, wanted: int) -> NodesDecision:
    """`running`: nodes of the pod set, 0 for a new ensemble."""
    if running in (0, wanted):
        return NodesDecision(wanted)
    message = (
        f"spec.zookeeper.replicas: {wanted} is not used, the {running} nodes go on: klamm does not change the number "
        f"of ZooKeeper nodes of a running cluster yet; put it back to {running}"
    )
    return NodesDecision(running, Remark("ZooKeeperReplicas", message))


def _kept(running: int, wanted: int, why: str) -> Remark:
    message = f"spec.kafka.replicas: {wanted} is not used, the {running} brokers go on: {why}"
    return Remark("ScaleDownPreventionCheck", message)


def _brokers(ids: frozenset[int]) -> str:
    listed = ", ".join(str(one) for one in sorted(ids))
    return f"broker {listed} holds" if len(ids) == 1 else f"brokers {listed} hold"


def _named(held: Sequence[Partition]) -> str:
    names = sorted(f"{partition.topic}-{partition.number}" for partition in held)
    more = len(names) - _SHOWN
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {more} more partitions" if more > 0 else shown
