"""The status of a Kafka resource, as facts of a pass become conditions and fields."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from klamm import __version__
from klamm.control import status as conditions
from klamm.control.results import DONE, Blocked
from klamm.control.steps import Outcome
from klamm.desired.kafka.cluster import KafkaCluster
from klamm.desired.kafka.listeners import Addresses
from klamm.kube import errors
from klamm.kube.catalogue import KAFKAS
from klamm.kube.kinds import Name
from klamm.kube.native import NODES
from klamm.operators.cluster.hands import Hands
from klamm.operators.cluster.kafka import addresses as external
from klamm.operators.cluster.kafka.gather import Observed
from klamm.operators.cluster.kafka.trust import Trust
from klamm.resources.custom.kafka import Kafka, KafkaStatus
from klamm.resources.custom.listeners import ListenerStatus
from klamm.resources.custom.status import Condition
from klamm.resources.reading import Problem

CREATING = conditions.not_ready("Creating", "Kafka cluster is being deployed")


_MOST_PROBLEMS = 40
"""So many are told; nobody mends more at a time, and a status has a limit."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a pass found, beside the resource itself."""

    warnings: Sequence[Condition]
    outcome: Outcome
    listeners: Sequence[ListenerStatus]
    cluster_id: str | None


async def write_creating(hands: Hands, resource: Kafka) -> None:
    await _write(hands, resource, _with(resource, [CREATING]))


async def write_paused(hands: Hands, resource: Kafka) -> None:
    """Only the condition: what was observed stays as it was observed last (Strimzi behaviour)."""
    old = resource.status or KafkaStatus()
    await _write(hands, resource, msgspec.structs.replace(old, conditions=[conditions.paused()]))


async def write_problems(
    hands: Hands, resource: Kafka, problems: Sequence[Problem], warnings: Sequence[Condition] = ()
) -> Blocked:
    """All of them at once, so that the user need not find them one by one."""
    told = [str(problem) for problem in problems[:_MOST_PROBLEMS]]
    if len(problems) > _MOST_PROBLEMS:
        told.append(f"and {len(problems) - _MOST_PROBLEMS} more problems")
    message = "\n".join(told)
    wrong = conditions.not_ready("InvalidResourceException", message)
    await _write(hands, resource, _with(resource, [wrong, *warnings]))
    return Blocked(f"{', '.join(problem.path for problem in problems[:_MOST_PROBLEMS])} must be mended")


async def write_outcome(hands: Hands, resource: Kafka, findings: Findings) -> KafkaStatus:
    first = conditions.ready() if findings.outcome.result == DONE else _not_ready(resource, findings.outcome)
    new = _with(resource, [first, *findings.warnings])
    if findings.listeners:
        new.listeners = list(findings.listeners)
    new.cluster_id = findings.cluster_id or new.cluster_id
    new.kafka_metadata_state = "ZooKeeper"
    if first.type == "Ready":
        new.kafka_version = resource.spec.kafka.version or hands.surroundings.default_version
        new.operator_last_successful_version = __version__
    await _write(hands, resource, new)
    return new


def _not_ready(resource: Kafka, outcome: Outcome) -> Condition:
    """A failed step gives its error as the reason; a cluster that was never ready is being created."""
    message = str(getattr(outcome.result, "because", ""))
    if outcome.failed:
        return conditions.not_ready(type(outcome.failed[0].error).__name__, message)
    if resource.status is None or not resource.status.kafka_version:
        return conditions.not_ready("Creating", message)
    return conditions.not_ready("NotYetAsWanted", message)


def _with(resource: Kafka, new: Sequence[Condition]) -> KafkaStatus:
    old = resource.status or KafkaStatus()
    return msgspec.structs.replace(old, conditions=list(new), observed_generation=resource.metadata.generation)


async def _write(hands: Hands, resource: Kafka, new: KafkaStatus) -> None:
    hands.measures.told(resource, new)
    try:
        await conditions.write(hands.client, KAFKAS, resource, resource.status, new, hands.clock.now())
    except errors.NotFound:
        return


async def listener_statuses(
    hands: Hands, cluster: KafkaCluster, observed: Observed, known: Addresses, trust: Trust
) -> list[ListenerStatus]:
    """Nothing before brokers run somewhere: an address that leads nowhere is worse than none."""
    places = {pod.spec.node_name for pod in observed.pods_of(cluster.kafka).values() if pod.spec.node_name}
    if trust.authorities is None or not places:
        return []
    found = (
        [await hands.client.find(NODES, Name("", place)) for place in sorted(places)] if cluster.has_node_ports else []
    )
    nodes = [node for node in found if node is not None]
    authority = trust.authorities.cluster.authority.certificate.decode("ascii")
    return external.listener_statuses(cluster, known, nodes, authority)
