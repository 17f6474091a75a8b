"""Offsets committed for a group without members: what a consumer leaves behind, without a consumer."""

import asyncio
from collections.abc import Mapping

from klamm.kafka.admin import Admin

_TRIES = 200


async def commit(admin: Admin, group: str, offsets: Mapping[str, Mapping[int, int]]) -> int:
    """By topic and partition. Returns the id of the group's coordinator, which is found by asking every broker."""
    from kafka.protocol.consumer import OffsetCommitRequest

    topic = OffsetCommitRequest.OffsetCommitRequestTopic
    one = topic.OffsetCommitRequestPartition
    brokers = [broker.id for broker in (await admin.describe_cluster()).brokers]
    for turn in range(_TRIES):
        broker = brokers[turn % len(brokers)]
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
        answer = await admin.ask(f"commit for {group}", request, broker)
        codes = {partition.error_code for each in answer.topics for partition in each.partitions}
        if codes == {0}:
            return broker
        await asyncio.sleep(0.1)  # the first commit makes the topic of offsets
    raise AssertionError(f"nobody takes commits of {group}: {answer}")
