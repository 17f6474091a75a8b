"""What the brokers of fake_kafka_server.py say to those who administer a cluster, or read records.

Only when a test asks for it (`FakeServers.administered`): other brokers know no such request, as old ones do.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from kafka.protocol import admin, consumer

if TYPE_CHECKING:
    from tests.builders.fake_kafka_server import FakeServers

REQUESTS: dict[int, tuple[Any, Any]] = {
    request.API_KEY: (request, response)
    for request, response in (
        (consumer.FetchRequest, consumer.FetchResponse),
        (admin.DescribeAclsRequest, admin.DescribeAclsResponse),
        (admin.DescribeConfigsRequest, admin.DescribeConfigsResponse),
        (admin.ListPartitionReassignmentsRequest, admin.ListPartitionReassignmentsResponse),
        (admin.DescribeClientQuotasRequest, admin.DescribeClientQuotasResponse),
        (admin.DescribeUserScramCredentialsRequest, admin.DescribeUserScramCredentialsResponse),
        (admin.DescribeQuorumRequest, admin.DescribeQuorumResponse),
        (admin.DescribeProducersRequest, admin.DescribeProducersResponse),
        (admin.DescribeTransactionsRequest, admin.DescribeTransactionsResponse),
        (admin.ListTransactionsRequest, admin.ListTransactionsResponse),
    )
}
FETCH, ACLS, CONFIGS, REASSIGNMENTS, QUOTAS, SCRAM, QUORUM = 1, 29, 32, 46, 48, 50, 55
PRODUCERS, DESCRIBE_TRANSACTIONS, LIST_TRANSACTIONS = 61, 65, 66
SAME_OF_ALL = (ACLS, CONFIGS, REASSIGNMENTS, QUOTAS, SCRAM, QUORUM)
"""Whichever broker is asked."""
NAMES_UNTIL = {FETCH: 12}  # later versions speak of topics' ids, of which these have one for all
_NOT_LEADER, _UNKNOWN_TOPIC, _NO_TRANSACTION = 6, 3, 105
_READ, _ALLOW, _LITERAL, _TOPIC = 3, 3, 3, 2  # of ACLs, and of configurations
_DEFAULT = 5  # of where a configuration's value comes
_SHA_512 = 2
_RECORDS = 500


@dataclass(frozen=True)
class FakeProducer:
    """`since`: the first offset of its open transaction; None without one. `at_ms`: when it wrote last, since 1970."""

    id: int
    since: int | None = None
    at_ms: int = 0


@dataclass
class FakeTransaction:
    """As its coordinator knows it."""

    producer: int
    coordinator: int
    state: str = "Ongoing"
    partitions: dict[str, list[int]] = field(default_factory=dict)


def _producers(servers: "FakeServers", broker: int, request: Any, response: Any) -> Any:
    topic_type = response.TopicResponse
    one = topic_type.PartitionResponse
    servers.searched += [(topic.name, id) for topic in request.topics for id in topic.partition_indexes]

    def of(name: str, id: int) -> Any:
        topic = servers.topics.get(name)
        code = _UNKNOWN_TOPIC if topic is None else 0 if topic.leaders[id] == broker else _NOT_LEADER
        producers = [
            one.ProducerState(
                producer_id=known.id,
                producer_epoch=0,
                last_sequence=1,
                last_timestamp=known.at_ms,
                coordinator_epoch=0,
                current_txn_start_offset=-1 if known.since is None else known.since,
            )
            for known in (topic.producers.get(id, ()) if topic is not None and not code else ())
        ]
        return one(partition_index=id, error_code=code, error_message=None, active_producers=producers)

    topics = [
        topic_type(name=topic.name, partitions=[of(topic.name, id) for id in topic.partition_indexes])
        for topic in request.topics
    ]
    return response(throttle_time_ms=0, topics=topics)


def _list_transactions(servers: "FakeServers", broker: int, request: Any, response: Any) -> Any:
    states = [
        response.TransactionState(transactional_id=name, producer_id=one.producer, transaction_state=one.state)
        for name, one in servers.transactions.items()
        if one.coordinator == broker
    ]
    return response(throttle_time_ms=0, error_code=0, unknown_state_filters=[], transaction_states=states)


def _describe_transactions(servers: "FakeServers", broker: int, request: Any, response: Any) -> Any:
    one = response.TransactionState

    def of(name: str) -> Any:
        known = servers.transactions.get(name)
        return one(
            error_code=_NO_TRANSACTION if known is None else 0,
            transactional_id=name,
            transaction_state=known.state if known else "",
            transaction_timeout_ms=60_000,
            transaction_start_time_ms=0,
            producer_id=known.producer if known else -1,
            producer_epoch=0,
            topics=[one.TopicData(topic=topic, partitions=ids) for topic, ids in known.partitions.items()]
            if known
            else [],
        )

    return response(throttle_time_ms=0, transaction_states=[of(name) for name in request.transactional_ids])


def _configs(servers: "FakeServers", broker: int, request: Any, response: Any) -> Any:
    one = response.DescribeConfigsResult
    entry = one.DescribeConfigsResourceResult

    def of(asked: Any) -> Any:
        is_topic = asked.resource_type == _TOPIC
        is_there = not is_topic or asked.resource_name in servers.topics
        configs = [
            entry(
                name=name,
                value=value,
                read_only=False,
                config_source=_DEFAULT,
                is_sensitive=False,
                synonyms=[],
                config_type=2,
                documentation=None,
            )
            for name, value in (servers.topic_configs if is_topic else servers.broker_configs).items()
            if asked.configuration_keys is None or name in asked.configuration_keys
        ]
        return one(
            error_code=0 if is_there else _UNKNOWN_TOPIC,
            error_message=None,
            resource_type=asked.resource_type,
            resource_name=asked.resource_name,
            configs=configs if is_there else [],
        )

    return response(throttle_time_ms=0, results=[of(asked) for asked in request.resources])


def _reassignments(servers: "FakeServers", broker: int, request: Any, response: Any) -> Any:
    topic_type = response.OngoingTopicReassignment
    asked = None if request.topics is None else {topic.name for topic in request.topics}
    topics = [
        topic_type(
            name=name,
            partitions=[
                topic_type.OngoingPartitionReassignment(
                    partition_index=id, replicas=[*on, to], adding_replicas=[to], removing_replicas=on
                )
                for id, (on, to) in moving.items()
            ],
        )
        for name, moving in servers.moving.items()
        if asked is None or name in asked
    ]
    return response(throttle_time_ms=0, error_code=0, error_message=None, topics=topics)


def _acls(servers: "FakeServers", broker: int, request: Any, response: Any) -> Any:
    one = response.DescribeAclsResource
    resources = [
        one(
            resource_type=_TOPIC,
            resource_name=topic,
            pattern_type=_LITERAL,
            acls=[one.AclDescription(principal=user, host="*", operation=_READ, permission_type=_ALLOW)],
        )
        for user, topic in servers.readers
        if request.principal_filter in (None, user)
    ]
    return response(throttle_time_ms=0, error_code=0, error_message=None, resources=resources)


def _quotas(servers: "FakeServers", broker: int, request: Any, response: Any) -> Any:
    one = response.EntryData
    entries = [
        one(
            entity=[one.EntityData(entity_type="user", entity_name=user)],
            values=[one.ValueData(key="producer_byte_rate", value=1024.0)],
        )
        for user in servers.users
    ]
    return response(throttle_time_ms=0, error_code=0, error_message=None, entries=entries)


def _scram(servers: "FakeServers", broker: int, request: Any, response: Any) -> Any:
    one = response.DescribeUserScramCredentialsResult
    results = [
        one(
            user=user,
            error_code=0,
            error_message=None,
            credential_infos=[one.CredentialInfo(mechanism=_SHA_512, iterations=4096)],
        )
        for user in servers.users
    ]
    return response(throttle_time_ms=0, error_code=0, error_message=None, results=results)


def _quorum(servers: "FakeServers", broker: int, request: Any, response: Any) -> Any:
    """Every broker is a voter, and has everything."""
    topic_type = response.TopicData
    partition = topic_type.PartitionData
    voters = [
        partition.ReplicaState(replica_id=one, log_end_offset=1000, last_fetch_timestamp=1, last_caught_up_timestamp=1)
        for one in servers.brokers
    ]
    told = partition(
        partition_index=0,
        error_code=0,
        error_message=None,
        leader_id=servers.brokers[0],
        leader_epoch=1,
        high_watermark=1000,
        current_voters=voters,
        observers=[],
    )
    topics = [topic_type(topic_name=topic.topic_name, partitions=[told]) for topic in request.topics]
    return response(error_code=0, error_message=None, topics=topics, nodes=[])


def _fetch(servers: "FakeServers", broker: int, request: Any, response: Any) -> Any:
    """Of each partition a batch, from the offset that is asked for."""
    topic_type = response.FetchableTopicResponse

    def of(name: str, asked: Any) -> Any:
        topic = servers.topics[name]
        end, offset = topic.ends[asked.partition], asked.fetch_offset
        return topic_type.PartitionData(
            partition_index=asked.partition,
            error_code=0 if topic.leaders[asked.partition] == broker else _NOT_LEADER,
            high_watermark=end,
            last_stable_offset=end,
            log_start_offset=topic.start,
            aborted_transactions=[],
            preferred_read_replica=-1,
            records=_batch(offset, min(_RECORDS, end - offset)) if offset < end else b"",
        )

    responses = [
        topic_type(topic=topic.topic, partitions=[of(topic.topic, one) for one in topic.partitions])
        for topic in request.topics
    ]
    return response(throttle_time_ms=0, error_code=0, session_id=0, responses=responses)


def _batch(offset: int, count: int) -> bytes:
    batch = bytearray(_batch_of(count))
    struct.pack_into(">q", batch, 0, offset)  # the checksum does not cover it
    return bytes(batch)


@lru_cache
def _batch_of(count: int) -> bytes:
    from kafka.record.default_records import DefaultRecordBatchBuilder

    batch = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1 << 20)
    for number in range(count):
        batch.append(number, 1_700_000_000_000 + number, b"key %d" % number, b'{"order": %d}' % number, [])
    return bytes(batch.build())


Answer = Callable[["FakeServers", int, Any, Any], Any]
ANSWERS: Mapping[int, Answer] = {
    FETCH: _fetch,
    ACLS: _acls,
    CONFIGS: _configs,
    REASSIGNMENTS: _reassignments,
    QUOTAS: _quotas,
    SCRAM: _scram,
    QUORUM: _quorum,
    PRODUCERS: _producers,
    DESCRIBE_TRANSACTIONS: _describe_transactions,
    LIST_TRANSACTIONS: _list_transactions,
}
