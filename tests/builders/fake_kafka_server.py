"""Brokers that speak Kafka's protocol over real sockets and hold only what a collector reads. No data, no JVM.

In a thread of its own, with as many topics as a test likes, and with the faults that it likes: a broker that hangs, a
coordinator that is loading, a topic that is gone. tests/system/exporter compares it with a real broker.
"""

import asyncio
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from kafka.protocol import admin, consumer, metadata, sasl
from tests.builders import fake_administration
from tests.builders.fake_administration import FakeProducer, FakeTransaction

from klamm.base.together import ended
from klamm.kafka import group_messages

_REQUESTS: dict[int, tuple[Any, Any]] = {
    request.API_KEY: (request, response)
    for request, response in (
        (metadata.ApiVersionsRequest, metadata.ApiVersionsResponse),
        (metadata.MetadataRequest, metadata.MetadataResponse),
        (sasl.SaslHandshakeRequest, sasl.SaslHandshakeResponse),
        (sasl.SaslAuthenticateRequest, sasl.SaslAuthenticateResponse),
        (consumer.ListOffsetsRequest, consumer.ListOffsetsResponse),
        (consumer.OffsetFetchRequest, consumer.OffsetFetchResponse),
        (consumer.OffsetCommitRequest, consumer.OffsetCommitResponse),
        (metadata.FindCoordinatorRequest, metadata.FindCoordinatorResponse),
        (consumer.OffsetDeleteRequest, consumer.OffsetDeleteResponse),
        (admin.DeleteGroupsRequest, admin.DeleteGroupsResponse),
        (admin.DeleteTopicsRequest, admin.DeleteTopicsResponse),
        (admin.ListGroupsRequest, admin.ListGroupsResponse),
        (admin.DescribeGroupsRequest, admin.DescribeGroupsResponse),
        (admin.DescribeLogDirsRequest, admin.DescribeLogDirsResponse),
        (group_messages.ConsumerGroupDescribeRequest, group_messages.ConsumerGroupDescribeResponse),
        (group_messages.ShareGroupDescribeRequest, group_messages.ShareGroupDescribeResponse),
    )
} | fake_administration.REQUESTS
_API_VERSIONS, _METADATA, _LIST_OFFSETS, _OFFSET_FETCH = 18, 3, 2, 9
_DELETE_TOPICS, _LIST_GROUPS, _DESCRIBE_GROUPS, _LOG_DIRS, _CONSUMER_GROUPS, _SHARE_GROUPS = 20, 16, 15, 35, 69, 77
_SASL_HANDSHAKE, _SASL_AUTHENTICATE = 17, 36
_OFFSET_COMMIT, _FIND_COORDINATOR, _OFFSET_DELETE, _DELETE_GROUPS = 8, 10, 47, 42
_UNKNOWN_ID = 100
_UNKNOWN_MEMBER, _NON_EMPTY, _SUBSCRIBED = 25, 68, 86
_UNKNOWN_TOPIC, _NOT_LEADER, _LOADING, _NOT_COORDINATOR, _NO_GROUP = 3, 6, 14, 16, 69
_NO_MECHANISM, _NOT_AUTHENTICATED = 33, 58
_EARLIEST = -2
_CONSUMER = -1
_SOME_ID = UUID(int=7)
_SAME_OF_ALL = frozenset({_METADATA, *fake_administration.SAME_OF_ALL})
"""Whichever broker is asked, this is the answer."""
_ANY = -1
_WITH_PATIENCE, _PATIENCE = 10, 5
"""ListOffsets: since that version it ends with how long one would wait, in so many bytes. It changes no answer."""
_WITHIN = 10.0


@dataclass
class FakeTopic:
    """Each partition is led by the broker at its place in `leaders`; None: by nobody. Offsets are `start` to `ends`."""

    ends: list[int]
    leaders: list[int | None]
    start: int = 0
    replicas: tuple[int, ...] | None = None
    error: int = 0
    """Why it cannot be told of."""
    id: UUID = _SOME_ID
    unreplicated: int = 0
    """So many records are in each log beyond the ends that readers see."""
    producers: dict[int, list[FakeProducer]] = field(default_factory=dict)
    """By partition; an open transaction holds the last stable offset back."""

    def offset(self, partition: int, asked: int, isolation: int, replica: int) -> int:
        if asked == _EARLIEST:
            return self.start
        end = self.ends[partition]
        if replica != _CONSUMER:
            return end + self.unreplicated
        opened = [one.since for one in self.producers.get(partition, ()) if one.since is not None]
        return min(end, *opened) if isolation and opened else end


@dataclass
class FakeGroup:
    committed: dict[str, dict[int, int]]
    coordinator: int = 1
    type: str = "classic"
    state: str = "Stable"
    members: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    """What each member is assigned."""
    written: bytes | None = None
    """What the group's leader wrote as everybody's assignment, if not that."""


@dataclass
class FakeServers:
    brokers: list[int]
    topics: dict[str, FakeTopic] = field(default_factory=dict)
    groups: dict[str, FakeGroup] = field(default_factory=dict)
    hung: set[int] = field(default_factory=set)
    """They take requests and answer none."""
    absent: set[int] = field(default_factory=set)
    """They listen, and the others have not heard of them."""
    loading: set[int] = field(default_factory=set)
    """They have not loaded the groups that they coordinate."""
    newest: Mapping[int, int] = field(default_factory=dict)
    """The highest version of a request that these brokers know, where it is not the newest; -1: none."""
    asked: list[tuple[int, int]] = field(default_factory=list)
    """(broker, request's key)"""
    gone_for_offsets: set[str] = field(default_factory=set)
    """Topics that are still in the metadata and of which no broker knows offsets any more."""
    ports: dict[int, int] = field(default_factory=dict)
    administered: bool = False
    """They know the requests of fake_administration.py, too, and say what is below."""
    transactions: dict[str, FakeTransaction] = field(default_factory=dict)
    searched: list[tuple[str, int]] = field(default_factory=list)
    """(topic, partition) whose producers were asked for."""
    topic_configs: Mapping[str, str] = field(default_factory=dict)
    broker_configs: Mapping[str, str] = field(default_factory=dict)
    """Of each alike."""
    moving: dict[str, dict[int, tuple[list[int], int]]] = field(default_factory=dict)
    """By topic and partition: on which brokers it is, and to which it moves."""
    readers: list[tuple[str, str]] = field(default_factory=list)
    """(principal, topic): who may read."""
    users: list[str] = field(default_factory=list)
    """Each has a SCRAM password and a quota."""

    @property
    def bootstrap(self) -> tuple[str, ...]:
        return tuple(f"127.0.0.1:{port}" for port in self.ports.values())

    @cached_property
    def remembered(self) -> dict[tuple[int, int, int, bytes], bytes]:
        """Answers that do not change, of tests with very many partitions; empty it to change something."""
        return {}

    remember: bool = False

    def answer(self, broker: int, key: int, version: int, body: bytes) -> bytes:
        self.asked.append((broker, key))
        asked = body[:-_PATIENCE] if key == _LIST_OFFSETS and version >= _WITH_PATIENCE else body
        place = (_ANY if key in _SAME_OF_ALL else broker, key, version, asked)
        if place in self.remembered:
            return self.remembered[place]
        request_type, response_type = _REQUESTS[key]
        if key == _API_VERSIONS:
            return self._api_versions(response_type, version)
        request = request_type.decode(body, version=version)
        if key in fake_administration.ANSWERS:
            answer = fake_administration.ANSWERS[key](self, broker, request, response_type)
        else:
            answer = getattr(self, _ANSWERS[key])(broker, request, response_type, version)
        encoded = bytes(answer.encode(version=version))
        if self.remember:
            self.remembered[place] = encoded
        return encoded

    def _api_versions(self, response: Any, version: int) -> bytes:
        one = response.ApiVersion
        keys = [
            one(api_key=key, min_version=0, max_version=most)
            for key, (request, _) in _REQUESTS.items()
            if (most := self._newest(key, request.max_version)) >= 0
        ]
        return bytes(response(error_code=0, api_keys=keys, throttle_time_ms=0).encode(version=version))

    def _newest(self, key: int, known: int) -> int:
        if key in fake_administration.REQUESTS:
            known = fake_administration.NAMES_UNTIL.get(key, known) if self.administered else -1
        return self.newest.get(key, known)

    def _metadata(self, _: int, request: Any, response: Any, version: int) -> Any:
        one = response.MetadataResponseBroker
        brokers = [
            one(node_id=id, host="127.0.0.1", port=self.ports[id], rack=None)
            for id in self.brokers
            if id not in self.absent
        ]
        named = list(self.topics) if request.topics is None else [topic.name for topic in request.topics]
        topics = [self._topic(response, name) for name in named]
        return response(
            throttle_time_ms=0, brokers=brokers, cluster_id="fake", controller_id=self.brokers[0], topics=topics
        )

    def _topic(self, response: Any, name: str) -> Any:
        topic_type = response.MetadataResponseTopic
        topic = self.topics.get(name)
        if topic is None:
            return topic_type(
                error_code=_UNKNOWN_TOPIC, name=name, topic_id=UUID(int=0), is_internal=False, partitions=[]
            )
        partitions = [
            topic_type.MetadataResponsePartition(
                error_code=0,
                partition_index=number,
                leader_id=-1 if leader is None else leader,
                leader_epoch=0,
                replica_nodes=list(topic.replicas or ([leader] if leader is not None else [1])),
                isr_nodes=[] if leader is None else [leader],
                offline_replicas=[],
            )
            for number, leader in enumerate(topic.leaders)
        ]
        return topic_type(
            error_code=topic.error, name=name, topic_id=topic.id, is_internal=False, partitions=partitions
        )

    def _sasl_handshake(self, _: int, request: Any, response: Any, version: int) -> Any:
        return response(error_code=0 if request.mechanism == "PLAIN" else _NO_MECHANISM, mechanisms=["PLAIN"])

    def _sasl_authenticate(self, _: int, request: Any, response: Any, version: int) -> Any:
        """Whoever shows the password `secret` is let in."""
        is_wrong = not bytes(request.auth_bytes).endswith(b"\0secret")
        return response(
            error_code=_NOT_AUTHENTICATED if is_wrong else 0,
            error_message="Invalid username or password" if is_wrong else None,
            auth_bytes=b"",
            session_lifetime_ms=0,
        )

    def _delete_topics(self, _: int, request: Any, response: Any, version: int) -> Any:
        names = {topic.id: name for name, topic in self.topics.items()}
        results = []
        for asked in request.topics:
            name = names.get(asked.topic_id) if asked.name is None else asked.name
            is_there = self.topics.pop(name or "", None) is not None
            results.append(
                response.DeletableTopicResult(
                    name=name,
                    topic_id=asked.topic_id,
                    error_code=0 if is_there else _UNKNOWN_ID if asked.name is None else _UNKNOWN_TOPIC,
                    error_message=None,
                )
            )
        return response(throttle_time_ms=0, responses=results)

    def _list_offsets(self, broker: int, request: Any, response: Any, version: int) -> Any:
        topic_type = response.ListOffsetsTopicResponse
        return response(
            throttle_time_ms=0,
            topics=[
                topic_type(
                    name=topic.name,
                    partitions=[
                        self._offset(topic_type.ListOffsetsPartitionResponse, broker, topic.name, one, request)
                        for one in topic.partitions
                    ],
                )
                for topic in request.topics
            ],
        )

    def _offset(self, one: Any, broker: int, name: str, asked: Any, request: Any) -> Any:
        topic, number = self.topics.get(name), asked.partition_index
        code, offset = 0, -1
        if topic is None or name in self.gone_for_offsets or number >= len(topic.ends):
            code = _UNKNOWN_TOPIC
        elif topic.leaders[number] != broker:
            code = _NOT_LEADER
        else:
            offset = topic.offset(number, asked.timestamp, request.isolation_level, request.replica_id)
        return one(partition_index=number, error_code=code, timestamp=-1, offset=offset, leader_epoch=0)

    def _list_groups(self, broker: int, request: Any, response: Any, version: int) -> Any:
        if broker in self.loading:
            return response(throttle_time_ms=0, error_code=_LOADING, groups=[])
        groups = [
            response.ListedGroup(
                group_id=name,
                protocol_type="share" if group.type == "share" else "consumer",
                group_state=group.state,
                group_type=group.type,
            )
            for name, group in self.groups.items()
            if group.coordinator == broker
        ]
        return response(throttle_time_ms=0, error_code=0, groups=groups)

    def _describe_classic(self, broker: int, request: Any, response: Any, version: int) -> Any:
        from kafka.protocol.consumer.metadata import ConsumerProtocolAssignment

        def assignment(assigned: Mapping[str, list[int]]) -> bytes:
            partitions = [(topic, ids) for topic, ids in assigned.items()]
            return bytes(ConsumerProtocolAssignment(0, assigned_partitions=partitions, user_data=b"").encode())

        one = response.DescribedGroup
        groups = []
        for name in request.groups:
            group = self.groups.get(name)
            if group is None or group.type != "classic":
                groups.append(
                    one(
                        error_code=_NO_GROUP if version >= 6 else 0,
                        group_id=name,
                        group_state="Dead",
                        protocol_type="",
                        protocol_data="",
                        members=[],
                    )
                )
                continue
            members = [
                one.DescribedGroupMember(
                    member_id=member,
                    group_instance_id=None,
                    client_id=member,
                    client_host="/127.0.0.1",
                    member_metadata=b"",
                    member_assignment=assignment(assigned) if group.written is None else group.written,
                )
                for member, assigned in group.members.items()
            ]
            groups.append(
                one(
                    error_code=0,
                    group_id=name,
                    group_state=group.state,
                    protocol_type="consumer",
                    protocol_data="range",
                    members=members,
                )
            )
        return response(throttle_time_ms=0, groups=groups)

    def _describe_newer(self, broker: int, request: Any, response: Any, version: int) -> Any:
        one = response.DescribedGroup
        member_type = one.Member
        fields = {"target_assignment"} & set(member_type.fields)

        def assignment(assigned: Mapping[str, list[int]], of: Any) -> Any:
            return of(
                topic_partitions=[
                    of.TopicPartitions(topic_id=_SOME_ID, topic_name=name, partitions=ids)
                    for name, ids in assigned.items()
                ]
            )

        groups = []
        for name in request.group_ids:
            group = self.groups[name]
            members = []
            for member, assigned in group.members.items():
                more = {key: assignment(assigned, member_type.TargetAssignment) for key in fields}
                members.append(
                    member_type(
                        member_id=member,
                        rack_id=None,
                        member_epoch=1,
                        client_id=member,
                        client_host="/127.0.0.1",
                        subscribed_topic_names=[],
                        assignment=assignment(assigned, member_type.Assignment),
                        **more,
                    )
                )
            groups.append(
                one(
                    error_code=0,
                    error_message=None,
                    group_id=name,
                    group_state=group.state,
                    group_epoch=1,
                    assignment_epoch=1,
                    assignor_name="uniform",
                    members=members,
                )
            )
        return response(throttle_time_ms=0, groups=groups)

    def _offset_fetch(self, broker: int, request: Any, response: Any, version: int) -> Any:
        if version < 8:
            code, topics = self._commits(
                response.OffsetFetchResponseTopic, "OffsetFetchResponsePartition", broker, request.group_id
            )
            return response(throttle_time_ms=0, topics=topics, error_code=code)
        one = response.OffsetFetchResponseGroup
        groups = []
        for asked in request.groups:
            code, topics = self._commits(
                one.OffsetFetchResponseTopics, "OffsetFetchResponsePartitions", broker, asked.group_id
            )
            groups.append(one(group_id=asked.group_id, topics=topics, error_code=code))
        return response(throttle_time_ms=0, groups=groups)

    def _commits(self, topic_type: Any, partition: str, broker: int, name: str) -> tuple[int, list[Any]]:
        group = self.groups.get(name)
        if broker in self.loading:
            return _LOADING, []
        if group is None:
            return 0, []
        if group.coordinator != broker:
            return _NOT_COORDINATOR, []
        one = getattr(topic_type, partition)
        return 0, [
            topic_type(
                name=topic,
                partitions=[
                    one(
                        partition_index=number,
                        committed_offset=offset,
                        committed_leader_epoch=-1,
                        metadata="",
                        error_code=0,
                    )
                    for number, offset in committed.items()
                ],
            )
            for topic, committed in group.committed.items()
        ]

    def _find_coordinator(self, _: int, request: Any, response: Any, version: int) -> Any:
        """A group that is not there yet comes to the first broker."""
        keys = request.coordinator_keys if version >= 4 else [request.key]
        found = [
            {"node_id": node, "host": "127.0.0.1", "port": self.ports[node], "error_code": 0, "error_message": None}
            for node in (self.groups[key].coordinator if key in self.groups else self.brokers[0] for key in keys)
        ]
        if version < 4:
            return response(throttle_time_ms=0, **found[0])
        many = [response.Coordinator(key=key, **one) for key, one in zip(keys, found, strict=True)]
        return response(throttle_time_ms=0, coordinators=many)

    def _offset_commit(self, broker: int, request: Any, response: Any, version: int) -> Any:
        """On behalf of a group that nobody is in."""
        group = self.groups.setdefault(request.group_id, FakeGroup({}, coordinator=broker, state="Empty"))
        code = _UNKNOWN_MEMBER if group.members else _NO_GROUP if group.type == "share" else 0
        for topic in () if code else request.topics:
            at = {one.partition_index: one.committed_offset for one in topic.partitions}
            group.committed.setdefault(topic.name, {}).update(at)
        return response(throttle_time_ms=0, topics=_per_partition(response.OffsetCommitResponseTopic, request, code))

    def _offset_delete(self, broker: int, request: Any, response: Any, version: int) -> Any:
        group = self.groups.get(request.group_id)
        if group is None:
            return response(error_code=_NO_GROUP, throttle_time_ms=0, topics=[])
        code = _SUBSCRIBED if group.members else 0
        for topic in () if code else request.topics:
            kept = group.committed.get(topic.name, {})
            for one in topic.partitions:
                kept.pop(one.partition_index, None)
        topics = _per_partition(response.OffsetDeleteResponseTopic, request, code)
        return response(error_code=0, throttle_time_ms=0, topics=topics)

    def _delete_groups(self, broker: int, request: Any, response: Any, version: int) -> Any:
        results = []
        for name in request.groups_names:
            group = self.groups.get(name)
            code = _NO_GROUP if group is None else _NON_EMPTY if group.members else 0
            if not code:
                del self.groups[name]
            results.append(response.DeletableGroupResult(group_id=name, error_code=code))
        return response(throttle_time_ms=0, results=results)

    def _log_dirs(self, broker: int, request: Any, response: Any, version: int) -> Any:
        one = response.DescribeLogDirsResult
        topics = [
            one.DescribeLogDirsTopic(
                name=name,
                partitions=[
                    one.DescribeLogDirsTopic.DescribeLogDirsPartition(
                        partition_index=number, partition_size=10 * end, offset_lag=0, is_future_key=False
                    )
                    for number, end in enumerate(topic.ends)
                    if topic.leaders[number] == broker
                ],
            )
            for name, topic in self.topics.items()
        ]
        result = one(error_code=0, log_dir="/data", topics=topics, total_bytes=1000, usable_bytes=400)
        return response(throttle_time_ms=0, error_code=0, results=[result])


_ANSWERS = {
    _METADATA: "_metadata",
    _SASL_HANDSHAKE: "_sasl_handshake",
    _SASL_AUTHENTICATE: "_sasl_authenticate",
    _DELETE_TOPICS: "_delete_topics",
    _LIST_OFFSETS: "_list_offsets",
    _LIST_GROUPS: "_list_groups",
    _DESCRIBE_GROUPS: "_describe_classic",
    _CONSUMER_GROUPS: "_describe_newer",
    _SHARE_GROUPS: "_describe_newer",
    _OFFSET_FETCH: "_offset_fetch",
    _LOG_DIRS: "_log_dirs",
    _FIND_COORDINATOR: "_find_coordinator",
    _OFFSET_COMMIT: "_offset_commit",
    _OFFSET_DELETE: "_offset_delete",
    _DELETE_GROUPS: "_delete_groups",
}


def _per_partition(topic_type: Any, request: Any, code: int) -> list[Any]:
    """The same answer for each partition that a request names."""
    one = getattr(topic_type, topic_type.__name__.removesuffix("Topic") + "Partition")
    return [
        topic_type(
            name=topic.name,
            partitions=[one(partition_index=each.partition_index, error_code=code) for each in topic.partitions],
        )
        for topic in request.topics
    ]


def response_of(key: int) -> Any:
    """The library's type of the answers to a request."""
    return _REQUESTS[key][1]


@contextmanager
def fake_servers(servers: FakeServers) -> Iterator[FakeServers]:
    """Listening on free ports of the loopback."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="fake-kafka", daemon=True)
    thread.start()
    listening: list[asyncio.Server] = []
    try:
        for broker in servers.brokers:
            server = asyncio.run_coroutine_threadsafe(_listen(servers, broker), loop).result(_WITHIN)
            listening.append(server)
            servers.ports[broker] = int(server.sockets[0].getsockname()[1])
        yield servers
    finally:
        asyncio.run_coroutine_threadsafe(_end(listening), loop).result(_WITHIN)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_WITHIN)
        loop.close()


async def _end(listening: list[asyncio.Server]) -> None:
    for server in listening:
        server.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    await ended(*others)


async def _listen(servers: FakeServers, broker: int) -> asyncio.Server:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                (length,) = struct.unpack(">i", await reader.readexactly(4))
                frame = await reader.readexactly(length)
                if broker not in servers.hung:
                    writer.write(_answered(servers, broker, frame))
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(converse, "127.0.0.1", 0)


def _answered(servers: FakeServers, broker: int, frame: bytes) -> bytes:
    key, version, correlation, named = struct.unpack_from(">hhih", frame)
    body = 10 + max(0, named)
    flexible = _REQUESTS[key][0].flexible_version_q(version)
    if flexible:
        body += 1  # the header's tagged fields: none
    answer = servers.answer(broker, key, version, frame[body:])
    head = struct.pack(">i", correlation) + (b"\0" if flexible and key != _API_VERSIONS else b"")
    return struct.pack(">i", len(head) + len(answer)) + head + answer
