"""What is done to groups: offsets set on a group's behalf and taken away, groups deleted; and offsets by time.

A commit without a member and a generation is what Kafka's own admin sends: the coordinator takes it only while nobody
is in the group, of classic groups, of KIP-848's and of Streams'. Share groups (KIP-932) keep no offsets of this kind.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from klamm.kafka.admin import Admin
from klamm.kafka.errors import KafkaFailure
from klamm.kafka.facts import Offsets
from klamm.kafka.offsets import ask_offsets, offsets_of

PATIENCE = 10.0
"""Seconds that one broker may take."""

OffsetsOf = Mapping[str, Mapping[int, int]]
Outcomes = dict[tuple[str, int], "KafkaFailure | None"]
"""By topic and partition."""

_NAMES_UNTIL = 9  # OffsetCommit 10 speaks of topics' ids
_GROUP = 0  # FindCoordinator's key type
_ACTIVE = "Somebody is in the group, or has just been: stop its consumers, and try again."
_SAID = {
    22: _ACTIVE,  # ILLEGAL_GENERATION
    25: _ACTIVE,  # UNKNOWN_MEMBER_ID
    27: _ACTIVE,  # REBALANCE_IN_PROGRESS
    113: _ACTIVE,  # STALE_MEMBER_EPOCH
    68: "Somebody is in the group: stop its consumers, and try again.",
    69: "The coordinator knows no such group, or not of a type that keeps offsets.",
    86: "The group reads this topic now: stop its consumers, and try again.",
}


async def coordinator_of(admin: Admin, group: str) -> int:
    """The broker that coordinates this group, or would if there were one."""
    return await find_coordinator(admin, group, _GROUP, f"find the coordinator of group {group}")


async def find_coordinator(admin: Admin, key: str, kind: int, doing: str) -> int:
    """`kind`: 0 of a group, 1 of a transactional id."""
    from kafka.protocol.metadata import FindCoordinatorRequest

    answer = await admin.ask(doing, FindCoordinatorRequest(key=key, key_type=kind, coordinator_keys=[key]))
    # Version 4 and later take many keys (KIP-699).
    found = answer.coordinators[0] if answer.coordinators else answer
    _raise(doing, found.error_code, found.error_message)
    return int(found.node_id)


async def commit_offsets(admin: Admin, coordinator: int, group: str, offsets: OffsetsOf) -> Outcomes:
    """Set what an empty group has committed; other partitions stay as they are."""
    from kafka.protocol.consumer import OffsetCommitRequest

    topic, partition = OffsetCommitRequest.OffsetCommitRequestTopic, "OffsetCommitRequestPartition"
    one = getattr(topic, partition)
    request = OffsetCommitRequest(
        group_id=group,
        generation_id_or_member_epoch=-1,
        member_id="",
        group_instance_id=None,
        retention_time_ms=-1,
        topics=[
            topic(
                name=name,
                partitions=[
                    one(partition_index=id, committed_offset=at, committed_leader_epoch=-1, committed_metadata="")
                    for id, at in of_topic.items()
                ],
            )
            for name, of_topic in offsets.items()
        ],
        max_version=_NAMES_UNTIL,
    )
    answer = await admin.ask_within(PATIENCE, f"set offsets of group {group}", request, coordinator)
    return _outcomes(f"set the offset of group {group} in", answer.topics)


async def delete_offsets(
    admin: Admin, coordinator: int, group: str, partitions: Mapping[str, Sequence[int]]
) -> Outcomes:
    """Forget what the group committed there. A group that is active may lose topics that it does not read now."""
    from kafka.protocol.consumer import OffsetDeleteRequest

    topic = OffsetDeleteRequest.OffsetDeleteRequestTopic
    one = topic.OffsetDeleteRequestPartition
    request = OffsetDeleteRequest(
        group_id=group,
        topics=[
            topic(name=name, partitions=[one(partition_index=id) for id in ids]) for name, ids in partitions.items()
        ],
    )
    doing = f"delete offsets of group {group}"
    answer = await admin.ask_within(PATIENCE, doing, request, coordinator)
    _raise(doing, answer.error_code)
    return _outcomes(f"delete the offset of group {group} in", answer.topics)


async def delete_group(admin: Admin, coordinator: int, group: str) -> None:
    """With all that it committed. Refused while somebody is in it."""
    from kafka.protocol.admin import DeleteGroupsRequest

    doing = f"delete group {group}"
    answer = await admin.ask_within(PATIENCE, doing, DeleteGroupsRequest(groups_names=[group]), coordinator)
    for result in answer.results:
        _raise(doing, result.error_code)


async def offsets_at(admin: Admin, broker: int, partitions: Mapping[str, Sequence[int]], millis: int) -> Offsets:
    """The first record of each partition that is as old as this (milliseconds since 1970) or younger; -1: there is
    none. The broker's word on partitions that it leads."""
    doing = f"look for offsets by time on broker {broker}"
    return await offsets_of(await ask_offsets(admin, broker, partitions, millis, PATIENCE, doing))


def _outcomes(doing: str, topics: Sequence[Any]) -> Outcomes:
    return {
        (topic.name, one.partition_index): _failure(f"{doing} {topic.name}-{one.partition_index}", one.error_code)
        for topic in topics
        for one in topic.partitions
    }


def _failure(doing: str, code: int, message: str | None = None) -> KafkaFailure | None:
    from klamm.kafka.answers import failure_of

    return failure_of(doing, code, message or _SAID.get(code))


def _raise(doing: str, code: int, message: str | None = None) -> None:
    if (failure := _failure(doing, code, message)) is not None:
        raise failure
