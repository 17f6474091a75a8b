"""The controllers' quorum (KRaft), the cluster's features, and elections of leaders."""

from collections.abc import Mapping, Sequence
from typing import Any

from klamm.kafka.admin import Admin
from klamm.kafka.errors import KafkaFailure, TooOld
from klamm.kafka.facts import Features, Quorum, QuorumMember

_METADATA = "__cluster_metadata"
_PREFERRED, _UNCLEAN = 0, 1  # ElectionType
_NOT_NEEDED = 84  # ELECTION_NOT_NEEDED
_WITH_TYPE = 1  # ElectLeaders 1 takes the type (KIP-460)
_WITH_FEATURES = 3  # ApiVersions 3 tells of them (KIP-584)
_ALL_FEATURES = 4  # 3 leaves out those that can be off


async def describe_quorum(admin: Admin) -> Quorum:
    """Raises `TooOld` where controllers are elected with ZooKeeper."""
    from kafka.protocol.admin import DescribeQuorumRequest

    doing = "describe the controllers' quorum"
    topic = DescribeQuorumRequest.TopicData
    request = DescribeQuorumRequest(
        topics=[topic(topic_name=_METADATA, partitions=[topic.PartitionData(partition_index=0)])]
    )
    answer = await admin.ask(doing, request)
    _raise(doing, answer)
    one = answer.topics[0].partitions[0]
    _raise(doing, one)
    addresses = {
        node.node_id: tuple(f"{each.host}:{each.port}" for each in node.listeners) for node in answer.nodes or ()
    }
    voters = tuple(_member(each, addresses) for each in one.current_voters)
    observers = tuple(_member(each, addresses) for each in one.observers)
    return Quorum(
        one.leader_id if one.leader_id >= 0 else None, one.leader_epoch, one.high_watermark, voters, observers
    )


def _member(one: Any, addresses: Mapping[int, tuple[str, ...]]) -> QuorumMember:
    return QuorumMember(
        id=one.replica_id,
        end=one.log_end_offset,
        fetched_ms=one.last_fetch_timestamp if one.last_fetch_timestamp > 0 else None,
        caught_up_ms=one.last_caught_up_timestamp if one.last_caught_up_timestamp > 0 else None,
        addresses=addresses.get(one.replica_id, ()),
    )


async def features(admin: Admin) -> Features:
    """As one broker tells them."""
    try:
        answer = await _api_versions(admin, _ALL_FEATURES)
    except TooOld:
        answer = await _api_versions(admin, _WITH_FEATURES)
    return Features(
        epoch=answer.finalized_features_epoch if answer.finalized_features_epoch >= 0 else None,
        finalized={one.name: one.max_version_level for one in answer.finalized_features or ()},
        supported={one.name: (one.min_version, one.max_version) for one in answer.supported_features or ()},
    )


async def _api_versions(admin: Admin, version: int) -> Any:
    """The library takes an older one than it could, if it is left to it."""
    from kafka.protocol.metadata import ApiVersionsRequest

    request = ApiVersionsRequest(
        client_software_name="klamm", client_software_version="1", min_version=version, max_version=version
    )
    return await admin.ask("read the features", request)


async def elect_leaders(
    admin: Admin, partitions: Mapping[str, Sequence[int]] | None, unclean: bool = False
) -> "dict[tuple[str, int], KafkaFailure | None]":
    """Make the preferred replicas leaders, of all partitions or of these; where they are already is left out.

    `unclean`: give those that have no leader one that was not in sync. What only the others had is lost.
    """
    from kafka.protocol.admin import ElectLeadersRequest

    one = ElectLeadersRequest.TopicPartitions
    request = ElectLeadersRequest(
        election_type=_UNCLEAN if unclean else _PREFERRED,
        topic_partitions=None
        if partitions is None
        else [one(topic=name, partitions=list(ids)) for name, ids in partitions.items()],
        timeout_ms=admin.timeout_ms,
        min_version=_WITH_TYPE,
    )
    doing = f"elect {'unclean' if unclean else 'preferred'} leaders"
    answer = await admin.ask_controller(doing, request, lambda answer: [answer.error_code])
    _raise(doing, answer)
    return {
        (topic.topic, each.partition_id): _failure(f"{doing} of {topic.topic}-{each.partition_id}", each)
        for topic in answer.replica_election_results
        for each in topic.partition_result
        if each.error_code != _NOT_NEEDED
    }


def _failure(doing: str, item: Any) -> KafkaFailure | None:
    from klamm.kafka.answers import failure_of

    return failure_of(doing, item.error_code, getattr(item, "error_message", None))


def _raise(doing: str, item: Any) -> None:
    if (failure := _failure(doing, item)) is not None:
        raise failure
