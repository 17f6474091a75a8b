"""Consumer groups, each described by the request of its type.

The classic request answers "no such group" or "Dead" for a group of the newer protocols (KIP-848, KIP-932), which is
why tools that know only that one show them without members.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from klamm.kafka.admin import Admin
from klamm.kafka.errors import KafkaFailure, TooOld
from klamm.kafka.facts import DescribedGroup, ListedGroup, Member

CLASSIC, CONSUMER, SHARE = "classic", "consumer", "share"

_TYPES = {CLASSIC: CLASSIC, CONSUMER: CONSUMER, SHARE: SHARE, "streams": "streams"}
_AT_ONCE = 500
_DEAD = "Dead"
_OF_CONSUMERS = "consumer"
"""The protocol type whose members' assignments are in Kafka's own form; Connect's, say, are not."""


async def list_groups(admin: Admin, broker: int, seconds: float) -> dict[str, ListedGroup]:
    """The groups that this broker coordinates. Raises while it still loads them."""
    from kafka.protocol.admin import ListGroupsRequest

    from klamm.kafka.answers import failure_of

    doing = f"list the groups of broker {broker}"
    answer = await admin.ask_within(seconds, doing, ListGroupsRequest(states_filter=[], types_filter=[]), broker)
    failure = failure_of(doing, answer.error_code, None)
    if failure is not None:
        raise failure
    return {one.group_id: _listed(one) for one in answer.groups}


def _listed(one: Any) -> ListedGroup:
    kind = (one.group_type or CLASSIC).lower()
    return ListedGroup(one.group_id, _TYPES.get(kind, kind), one.group_state or "", one.protocol_type or "")


async def describe_groups(
    admin: Admin, coordinator: int, groups: Collection[ListedGroup], seconds: float
) -> dict[str, "DescribedGroup | KafkaFailure"]:
    """Members and state of each group, or why its coordinator does not say. Other types are left out."""
    outcomes: dict[str, DescribedGroup | KafkaFailure] = {}
    for kind, describe in ((CLASSIC, _classic), (CONSUMER, _consumer), (SHARE, _share)):
        names = sorted(group.name for group in groups if group.type == kind)
        for first in range(0, len(names), _AT_ONCE):
            some = names[first : first + _AT_ONCE]
            doing = f"describe {len(some)} {kind} groups of broker {coordinator}"
            try:
                outcomes |= await describe(admin, coordinator, some, doing, seconds)
            except TooOld as failure:
                outcomes |= dict.fromkeys(some, failure)
    return outcomes


async def _classic(
    admin: Admin, coordinator: int, names: Sequence[str], doing: str, seconds: float
) -> dict[str, "DescribedGroup | KafkaFailure"]:
    from kafka.protocol.admin import DescribeGroupsRequest

    request = DescribeGroupsRequest(groups=list(names), include_authorized_operations=False)
    answer = await admin.ask_within(seconds, doing, request, coordinator)
    return {
        group.group_id: _failure(group)
        or _unknown(group)
        or DescribedGroup(
            group.group_state,
            group.protocol_data,
            tuple(_member(member, _classic_assignment(group.protocol_type, member)) for member in group.members),
        )
        for group in answer.groups
    }


async def _consumer(
    admin: Admin, coordinator: int, names: Sequence[str], doing: str, seconds: float
) -> dict[str, "DescribedGroup | KafkaFailure"]:
    from klamm.kafka.group_messages import ConsumerGroupDescribeRequest

    request = ConsumerGroupDescribeRequest(group_ids=list(names), include_authorized_operations=False)
    return _newer(await admin.ask_within(seconds, doing, request, coordinator))


async def _share(
    admin: Admin, coordinator: int, names: Sequence[str], doing: str, seconds: float
) -> dict[str, "DescribedGroup | KafkaFailure"]:
    from klamm.kafka.group_messages import ShareGroupDescribeRequest

    request = ShareGroupDescribeRequest(group_ids=list(names), include_authorized_operations=False)
    return _newer(await admin.ask_within(seconds, doing, request, coordinator))


def _newer(answer: Any) -> dict[str, "DescribedGroup | KafkaFailure"]:
    return {
        group.group_id: _failure(group)
        or DescribedGroup(
            group.group_state,
            group.assignor_name,
            tuple(_member(member, _newer_assignment(member.assignment)) for member in group.members),
        )
        for group in answer.groups
    }


def _failure(group: Any) -> KafkaFailure | None:
    from klamm.kafka.answers import failure_of

    return failure_of(f"describe group {group.group_id}", group.error_code, group.error_message)


def _unknown(group: Any) -> KafkaFailure | None:
    """Before Kafka 4 "Dead" without an error: a group of a newer type, or one that has just gone. Not zero members."""
    if group.group_state != _DEAD:
        return None
    return KafkaFailure(f"describe group {group.group_id}", "its coordinator knows no classic group of this name")


def _member(member: Any, assigned: Mapping[str, tuple[int, ...]]) -> Member:
    return Member(member.member_id, member.client_id, member.client_host.lstrip("/"), assigned)


def _newer_assignment(assignment: Any) -> dict[str, tuple[int, ...]]:
    return {one.topic_name: tuple(one.partitions) for one in assignment.topic_partitions}


def _classic_assignment(protocol_type: str, member: Any) -> dict[str, tuple[int, ...]]:
    """Written by a client, not by the broker: what cannot be read is no assignment."""
    from struct import error as TooShort

    from kafka.protocol.consumer.metadata import ConsumerProtocolAssignment

    if protocol_type != _OF_CONSUMERS or not member.member_assignment:
        return {}
    try:
        read = ConsumerProtocolAssignment.decode(bytes(member.member_assignment))
    except (ValueError, IndexError, TooShort):
        return {}
    # Both lists may be null.
    return {one.topic: tuple(one.partitions or ()) for one in read.assigned_partitions or ()}
