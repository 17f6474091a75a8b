"""A transaction that hangs: records of one, in a partition whose coordinator has never heard of it.

Brokers take that where transaction.partition.verification.enable is false, as all did before Kafka 3.6 (KIP-890).
"""

from klamm.kafka.admin import Admin


async def leave_open(admin: Admin, leader: int, topic: str, partition: int, producer: int, at_ms: int) -> int:
    """Written at `at_ms` since 1970, as the records say. Returns the offset of the first."""
    from kafka.protocol.producer import ProduceRequest
    from kafka.record.default_records import DefaultRecordBatchBuilder

    batch = DefaultRecordBatchBuilder(2, 0, True, producer, 0, 0, 1 << 16)
    batch.append(0, at_ms, None, b"never ended", [])
    topic_type = ProduceRequest.TopicProduceData
    one = topic_type.PartitionProduceData
    request = ProduceRequest(
        transactional_id="hangs",
        acks=-1,
        timeout_ms=10_000,
        topic_data=[topic_type(name=topic, partition_data=[one(index=partition, records=bytes(batch.build()))])],
        max_version=9,
    )
    answer = await admin.ask(f"write to {topic}-{partition}", request, leader)
    (written,) = answer.responses[0].partition_responses
    assert written.error_code == 0, written
    return int(written.base_offset)
