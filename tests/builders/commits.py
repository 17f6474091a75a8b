"""Offsets committed for a group without members: what a consumer leaves behind, without a consumer."""

from collections.abc import Mapping

from klamm.base.deadlines import until
from klamm.kafka.admin import Admin

_WITHIN = 180.0


async def commit(admin: Admin, group: str, offsets: Mapping[str, Mapping[int, int]]) -> int:
    """By topic and partition. Returns the id of the group's coordinator."""
    from kafka.protocol.consumer import OffsetCommitRequest
    from kafka.protocol.metadata import FindCoordinatorRequest

    topic = OffsetCommitRequest.OffsetCommitRequestTopic
    one = topic.OffsetCommitRequestPartition
    coordinator = -1

    async def reason_not() -> str | None:
        nonlocal coordinator
        # The first who asks has the topic of offsets made.
        finding = FindCoordinatorRequest(key_type=0, coordinator_keys=[group], min_version=4)
        found = (await admin.ask(f"find the coordinator of {group}", finding)).coordinators[0]
        if found.error_code:
            return f"it has no coordinator: {found.error_code}"
        coordinator = found.node_id
        request = OffsetCommitRequest(
            group_id=group,
            generation_id_or_member_epoch=-1,
            member_id="",
            group_instance_id=None,
            topics=[
                topic(
                    name=name,
                    partitions=[
                        one(partition_index=number, committed_offset=offset, committed_metadata="")
                        for number, offset in of_topic.items()
                    ],
                )
                for name, of_topic in offsets.items()
            ],
            max_version=9,  # the last that speaks of topics by name
        )
        answer = await admin.ask(f"commit for {group}", request, coordinator)
        codes = {partition.error_code for each in answer.topics for partition in each.partitions}
        return None if codes == {0} else f"errors {codes}"

    await until(_WITHIN, f"the commit of {group}", reason_not, every=0.2)
    return coordinator
