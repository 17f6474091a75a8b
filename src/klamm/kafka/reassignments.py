"""Where replicas are to be, and what is on its way there (KIP-455; Kafka 2.4 and later)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from klamm.kafka.admin import Admin
from klamm.kafka.errors import KafkaFailure

_TIMEOUT_MS = 30_000


@dataclass(frozen=True, slots=True)
class Reassignment:
    """One partition that is being moved. `replicas`: all that hold it now, old and new."""

    topic: str
    partition: int
    replicas: tuple[int, ...]
    adding: tuple[int, ...]
    removing: tuple[int, ...]


async def reassign(
    admin: Admin, wanted: Mapping[tuple[str, int], Sequence[int] | None]
) -> dict[tuple[str, int], KafkaFailure | None]:
    """By topic and partition: the brokers that are to have it; None ends what is under way and goes back.

    Returns as soon as it is begun; data moves afterwards.
    """
    from kafka.protocol.admin import AlterPartitionReassignmentsRequest

    from klamm.kafka.answers import failure_of

    by_topic = defaultdict(list)
    topic_of = AlterPartitionReassignmentsRequest.ReassignableTopic
    for (topic, partition), replicas in wanted.items():
        one = topic_of.ReassignablePartition(
            partition_index=partition, replicas=None if replicas is None else list(replicas)
        )
        by_topic[topic].append(one)
    request = AlterPartitionReassignmentsRequest(
        timeout_ms=_TIMEOUT_MS, topics=[topic_of(name=name, partitions=of) for name, of in by_topic.items()]
    )
    doing = f"reassign {len(wanted)} partitions"
    answer = await admin.ask_controller(doing, request, lambda said: [said.error_code])
    failure = failure_of(doing, answer.error_code, answer.error_message)
    if failure is not None:
        raise failure
    return {
        (topic.name, one.partition_index): failure_of(
            f"reassign {topic.name}-{one.partition_index}", one.error_code, one.error_message
        )
        for topic in answer.responses
        for one in topic.partitions
    }


async def under_way(admin: Admin, topics: Mapping[str, Sequence[int]] | None = None) -> list[Reassignment]:
    """All that are under way, or those among these partitions."""
    from kafka.protocol.admin import ListPartitionReassignmentsRequest

    from klamm.kafka.answers import failure_of

    one = ListPartitionReassignmentsRequest.ListPartitionReassignmentsTopics
    request = ListPartitionReassignmentsRequest(
        timeout_ms=_TIMEOUT_MS,
        topics=None
        if topics is None
        else [one(name=name, partition_indexes=list(partitions)) for name, partitions in topics.items()],
    )
    doing = "list reassignments"
    answer = await admin.ask_controller(doing, request, lambda said: [said.error_code])
    failure = failure_of(doing, answer.error_code, answer.error_message)
    if failure is not None:
        raise failure
    return [
        Reassignment(
            topic.name,
            part.partition_index,
            tuple(part.replicas),
            tuple(part.adding_replicas),
            tuple(part.removing_replicas),
        )
        for topic in answer.topics
        for part in topic.partitions
    ]
