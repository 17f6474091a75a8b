"""Transactions: what coordinators know of them, what partitions hold of them, and the end of one that hangs.

A transaction hangs when a partition waits for its end and no coordinator knows that it is there: readers of committed
records never come past it. `kafka-transactions.sh` finds and aborts such; what it asks is asked here.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from klamm.base.pieces import PIECE, in_pieces
from klamm.kafka.admin import Admin
from klamm.kafka.errors import KafkaFailure
from klamm.kafka.facts import ActiveProducer, ListedTransaction, Transaction
from klamm.kafka.offsets import LATEST, ONLOOKER, ask_offsets
from klamm.kafka.packed import Offsets, Told, TopicOffsets

PATIENCE = 15.0
"""Seconds that one broker may take."""

_AT_ONCE = 2000
"""Partitions in one request."""
_FIRST = 1  # WriteTxnMarkers 2 speaks of KIP-890's second part, which no administrator takes part in


async def list_transactions(admin: Admin, broker: int) -> list[ListedTransaction]:
    """Those that this broker coordinates, of every state."""
    from kafka.protocol.admin import ListTransactionsRequest

    doing = f"list the transactions of broker {broker}"
    request = ListTransactionsRequest(
        state_filters=[], producer_id_filters=[], duration_filter=-1, transactional_id_pattern=None
    )
    answer = await admin.ask_within(PATIENCE, doing, request, broker)
    _raise(doing, answer.error_code)
    return [
        ListedTransaction(one.transactional_id, one.producer_id, one.transaction_state, broker)
        for one in answer.transaction_states
    ]


async def describe_transactions(
    admin: Admin, broker: int, ids: Sequence[str]
) -> dict[str, "Transaction | KafkaFailure"]:
    """Of their coordinator."""
    from kafka.protocol.admin import DescribeTransactionsRequest

    if not ids:
        return {}
    doing = f"describe {len(ids)} transactions of broker {broker}"
    request = DescribeTransactionsRequest(transactional_ids=list(ids))
    answer = await admin.ask_within(PATIENCE, doing, request, broker)
    return {one.transactional_id: _transaction(one, broker) for one in answer.transaction_states}


async def perhaps_open(admin: Admin, broker: int, partitions: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """Of partitions that this broker leads, those in which a transaction may be open, and those that it does not know.

    An open transaction holds the last stable offset back, before the end of the log. The log's own end, for beyond a
    high watermark that stands still there may be one, too. It is asked for first: what is open both times began before
    it, so nothing that is open for long is missed, while other writers' records make no partition a suspect.
    """
    doing = f"look for open transactions of broker {broker}"
    told = await ask_offsets(admin, broker, partitions, LATEST, PATIENCE, doing, replica=ONLOOKER)
    stable = await ask_offsets(admin, broker, partitions, LATEST, PATIENCE, doing, committed=True)
    found: dict[str, list[int]] = {}
    async for name, of_topic, its_ends in _beside(stable, told):
        if suspects := _suspects(of_topic, its_ends):
            found[name] = suspects
    return found


async def _beside(
    stable: Iterable[TopicOffsets], ends: Iterable[TopicOffsets]
) -> AsyncIterator[tuple[str, Offsets, Offsets]]:
    """Brokers name what the request named, in an order of their own that is nearly always the same."""
    by_topic: dict[str, Offsets] = {}
    pieces: Iterable[Iterable[tuple[str, Offsets, Offsets | None]]]
    if isinstance(stable, Told) and isinstance(ends, Told):
        pieces, size = stable.beside(ends), 1
    else:
        pieces, size = ([(name, of_topic, None)] for name, of_topic in stable), PIECE
    async for some in in_pieces(pieces, size):
        for name, of_topic, its_ends in some:
            if its_ends is None:
                by_topic = by_topic or {of: one async for of, one in in_pieces(ends)}
                its_ends = by_topic.get(name, [])
            yield name, of_topic, its_ends


def _suspects(stable: Offsets, ends: Offsets) -> list[int]:
    end_of = {id: end for id, code, end in ends if not code}
    return [id for id, code, offset in stable if code or id not in end_of or offset < end_of[id]]


async def active_producers(
    admin: Admin, broker: int, partitions: Mapping[str, Sequence[int]]
) -> "list[ActiveProducer | KafkaFailure]":
    """Who writes with idempotence or transactions, of partitions that this broker leads; and what could not be read."""
    found: list[ActiveProducer | KafkaFailure] = []
    for some in _pieces(partitions):
        found += await _producers(admin, broker, some)
    return found


async def _producers(
    admin: Admin, broker: int, partitions: Mapping[str, Sequence[int]]
) -> "list[ActiveProducer | KafkaFailure]":
    from kafka.protocol.admin import DescribeProducersRequest

    from klamm.kafka.answers import failure_of

    topic = DescribeProducersRequest.TopicRequest
    request = DescribeProducersRequest(
        topics=[topic(name=name, partition_indexes=list(ids)) for name, ids in partitions.items()]
    )
    doing = f"look for producers of broker {broker}"
    answer = await admin.ask_within(PATIENCE, doing, request, broker)
    found: list[ActiveProducer | KafkaFailure] = []
    for of_topic in answer.topics:
        for one in of_topic.partitions:
            where = f"look for producers of {of_topic.name}-{one.partition_index}"
            failure = failure_of(where, one.error_code, one.error_message)
            if failure is not None:
                found.append(failure)
                continue
            found += [_producer(of_topic.name, one.partition_index, each) for each in one.active_producers]
    return found


async def abort_transaction(admin: Admin, broker: int, producer: ActiveProducer) -> None:
    """Write the marker that ends it into the partition, which `broker` leads. What it wrote there is never read by
    readers of committed records."""
    from kafka.protocol.producer import WriteTxnMarkersRequest

    marker, topic = WriteTxnMarkersRequest.WritableTxnMarker, "WritableTxnMarkerTopic"
    request = WriteTxnMarkersRequest(
        markers=[
            marker(
                producer_id=producer.producer_id,
                producer_epoch=producer.producer_epoch,
                transaction_result=False,
                topics=[getattr(marker, topic)(name=producer.topic, partition_indexes=[producer.partition])],
                # A producer that no coordinator has ended yet has none: 0, as Kafka's tool takes it.
                coordinator_epoch=max(0, producer.coordinator_epoch),
            )
        ],
        max_version=_FIRST,
    )
    doing = f"abort the transaction of producer {producer.producer_id} in {producer.topic}-{producer.partition}"
    answer = await admin.ask_within(PATIENCE, doing, request, broker)
    for one in answer.markers:
        for of_topic in one.topics:
            for partition in of_topic.partitions:
                _raise(doing, partition.error_code)


def _pieces(partitions: Mapping[str, Sequence[int]]) -> Iterable[dict[str, list[int]]]:
    some: dict[str, list[int]] = {}
    count = 0
    for topic, ids in partitions.items():
        for one in ids:
            some.setdefault(topic, []).append(one)
            count += 1
            if count == _AT_ONCE:
                yield some
                some, count = {}, 0
    if some:
        yield some


def _transaction(one: Any, broker: int) -> "Transaction | KafkaFailure":
    from klamm.kafka.answers import failure_of

    failure = failure_of(f"describe transaction {one.transactional_id}", one.error_code, None)
    if failure is not None:
        return failure
    return Transaction(
        id=one.transactional_id,
        state=one.transaction_state,
        coordinator=broker,
        producer_id=one.producer_id,
        producer_epoch=one.producer_epoch,
        timeout_ms=one.transaction_timeout_ms,
        started_ms=one.transaction_start_time_ms if one.transaction_start_time_ms > 0 else None,
        partitions={topic.topic: tuple(topic.partitions) for topic in one.topics},
    )


def _producer(topic: str, partition: int, one: Any) -> ActiveProducer:
    return ActiveProducer(
        topic=topic,
        partition=partition,
        producer_id=one.producer_id,
        producer_epoch=one.producer_epoch,
        last_sequence=one.last_sequence,
        last_ms=one.last_timestamp,
        coordinator_epoch=one.coordinator_epoch,
        open_since=one.current_txn_start_offset if one.current_txn_start_offset >= 0 else None,
    )


def _raise(doing: str, code: int) -> None:
    from klamm.kafka.answers import failure_of

    if (failure := failure_of(doing, code, None)) is not None:
        raise failure
