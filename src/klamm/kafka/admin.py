"""Administration of a Kafka cluster, asynchronous: topics, configurations, brokers.

kafka-python carries the bytes: connections, versions of requests, who the controller is. What is asked and how
answers are read stands here, in the protocol's own requests: the library's convenient methods drop error codes and
topic ids, copy every answer into dictionaries (four times the CPU for 500 topics), send SCRAM changes to a broker that
is not the controller, and one of them (describe_cluster in 3.0.12) breaks on older brokers.

The library blocks, so each call runs in a worker thread, and the operator's loop never waits. Bulk calls answer
per item: one topic's failure is that topic's failure, and only a failure of the whole request is raised. The library is
imported on first connection: an operator that waits for brokers does not pay for it.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import Any, Self, TypeVar

from klamm.base.pieces import in_pieces
from klamm.base.together import side_by_side
from klamm.kafka import configs
from klamm.kafka.errors import KafkaFailure, NotNow, TooOld, UnknownTopic, Unreachable
from klamm.kafka.facts import (
    Broker,
    Cluster,
    ConfigChange,
    ConfigValue,
    Created,
    NewTopic,
    Partition,
    Topic,
)
from klamm.kafka.packed import METADATA_VERSIONS, Answer, Packed, metadata_in
from klamm.kafka.wide import take_much_at_once

T = TypeVar("T")

Codes = Callable[[Any], Iterable[int]]
"""The error codes in an answer, among which "not the controller" is looked for."""

CLOSING = 2.0
"""Seconds that closing may take: calls that hang on brokers that are gone are left behind."""

GRACE = 0.1
"""Seconds after which we end a request ourselves that the library did not: one that waits for a connection, say."""

_CLOSED = "the connection was closed"
_TOPIC, _BROKER = 2, 4  # ConfigResource.Type
_SET, _DELETE = 0, 1  # AlterConfigOp.OpType


@dataclass(frozen=True, slots=True)
class Sasl:
    """Who we are, for listeners that ask for SASL. `mechanism` as Kafka spells it: PLAIN, SCRAM-SHA-512, GSSAPI, …"""

    mechanism: str
    username: str = ""
    password: str = field(default="", repr=False)
    kerberos_service: str = "kafka"


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a cluster: "host:port" pairs, and a TLS context for listeners that speak TLS."""

    bootstrap: tuple[str, ...]
    tls: ssl.SSLContext | None = None
    sasl: Sasl | None = None
    request_timeout: float = 30.0
    connect_timeout: float = 10.0
    client_id: str = "klamm"


class Admin:
    """An open connection; use as `async with await Admin.connect(...)`, or call `close`."""

    def __init__(self, client: Any, threads: ThreadPoolExecutor, timeout: float = 30.0) -> None:
        self._client = client
        self._threads = threads
        self._timeout_ms = int(timeout * 1000)

    @classmethod
    async def connect(cls, connection: Connection) -> Self:
        """Raises `KafkaFailure` when no broker let us in within `connect_timeout`.

        `Unreachable`: nobody listens, the connection is cut, a broker takes our request and does not answer, or the TLS
        handshake fails or hangs (a certificate that is not trusted, say). `Denied`: a password is wrong. `Refused`: the
        broker does not know the SASL mechanism.
        """
        threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="kafka-admin")
        unwanted = Event()
        carriers: list[Any] = []
        opened: list[Any] = []
        doing = f"connect to {','.join(connection.bootstrap)}"
        try:
            client = await _in_thread(threads, doing, _open, connection, unwanted, carriers, opened)
        except BaseException as error:
            unwanted.set()
            if isinstance(error, asyncio.CancelledError):
                # Else it would try until its time is over, and a process that ends would wait for its threads.
                for one in carriers:
                    one._manager.call_soon(one._manager.close)
                for one in opened:  # it was there in the moment in which its caller went
                    threads.submit(one.close)
            threads.shutdown(wait=False)
            raise
        return cls(client, threads, connection.request_timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """What waits for a thread or for an answer ends with `Unreachable`."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        # In a thread of its own: all others may wait for a broker that hangs.
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kafka-admin-close")
        closing = asyncio.get_running_loop().run_in_executor(thread, self._client.close)
        await asyncio.wait([closing], timeout=CLOSING)
        thread.shutdown(wait=False)

    @property
    def timeout_ms(self) -> int:
        """How long brokers may take for what they do themselves."""
        return self._timeout_ms

    async def ask(self, doing: str, request: Any, node: int | None = None) -> Any:
        """Any request of the protocol (kafka.protocol.admin), to some broker or to the one named."""
        carrier = self._client._manager
        with self._learning():
            return await _in_thread(self._threads, doing, carrier.run, carrier.send, request, node)

    async def ask_within(self, seconds: float, doing: str, request: Any, node: int | None = None) -> Any:
        """The same with an end of its own, and without a thread that waits: for whoever asks every broker at once.

        A broker that does not answer in time loses its connection, and with it all that was asked over it.
        """
        carrier = self._client._manager
        if node is not None:
            take_much_at_once(carrier, node)
        with self._learning():
            return await _awaited(
                doing, lambda: carrier.call_soon(carrier.send, request, node, int(seconds * 1000)), seconds
            )

    def look_for_brokers(self) -> None:
        """Where brokers are is looked up anew, soon: one that we do not know was named to us."""
        cluster = self._client._manager.cluster
        self._client._manager.call_soon(cluster.request_update)

    @contextmanager
    def _learning(self) -> Iterator[None]:
        """Who was named to us and is not known is known the next time."""
        try:
            yield
        except NotNow as failure:
            from kafka.errors import UnknownBrokerIdError

            if isinstance(failure.__cause__, UnknownBrokerIdError):
                self.look_for_brokers()
            raise

    async def ask_controller(self, doing: str, request: Any, codes: Codes) -> Any:
        """The same to the controller, which is looked for anew when the one known no longer is it."""

        def errors_in(answer: Any) -> list[type]:
            from kafka.errors import for_code

            return [for_code(code) for code in codes(answer)]

        run, send = self._client._manager.run, self._client._send_request_to_controller
        with self._learning():
            return await _in_thread(self._threads, doing, run, send, request, errors_in, False)

    async def describe_cluster(self) -> Cluster:
        from kafka.protocol.metadata import MetadataRequest

        answer = await self.ask("describe the cluster", MetadataRequest(topics=[]))
        controller = answer.controller_id if answer.controller_id >= 0 else None
        return Cluster(answer.cluster_id, controller, broker_facts(answer.brokers))

    async def topic_names(self) -> frozenset[str]:
        return frozenset(await self.describe_topics())

    async def describe_topics(self, names: Sequence[str] | None = None, node: int | None = None) -> dict[str, Topic]:
        """The topics by name, all or the named ones; those that do not exist are left out.

        One broker (`node`, or any) answers from what the controller told it last: a topic that was made or deleted a
        moment ago may look otherwise, and a broker that has just started may know none at all.
        """
        from kafka.protocol.metadata import MetadataRequest

        if names is not None and not names:
            return {}
        doing = "describe all topics" if names is None else f"describe {len(names)} topics"
        one = MetadataRequest.MetadataRequestTopic
        request = partial(
            MetadataRequest,
            topics=None if names is None else [one(name=name) for name in names],
            allow_auto_topic_creation=False,
            include_cluster_authorized_operations=False,
            include_topic_authorized_operations=False,
        )
        answer = await self._ask_in_bulk(doing, request, METADATA_VERSIONS, node)
        items = metadata_in(answer).topics if isinstance(answer, Answer) else answer.topics
        return {name: topic async for name, topic in in_pieces(_topics(items))}

    async def topic_configs(
        self, names: Iterable[str], keys: Sequence[str] | None = None
    ) -> dict[str, dict[str, ConfigValue]]:
        """Configuration values (all, or those of `keys`) of the topics that exist."""
        return await self._configs(_TOPIC, list(names), keys)

    async def broker_configs(self, ids: Iterable[int]) -> dict[int, dict[str, ConfigValue]]:
        """Each broker is asked itself: nobody else knows its static settings."""
        answers = await side_by_side(*(self._configs(_BROKER, [str(broker)], None, broker) for broker in ids))
        return {int(name): values for answer in answers for name, values in answer.items()}

    async def create_topics(self, topics: Sequence[NewTopic]) -> "dict[str, Created | KafkaFailure]":
        """Creates in one request; the answer has each name with what was made, or why not."""
        from kafka.protocol.admin import CreateTopicsRequest

        request = CreateTopicsRequest(
            topics=[_creatable(CreateTopicsRequest.CreatableTopic, topic) for topic in topics],
            timeout_ms=self._timeout_ms,
            validate_only=False,
        )
        answer = await self.ask_controller(f"create {len(topics)} topics", request, _codes_of("topics"))
        return {item.name: _created(item) for item in answer.topics}

    async def grow_topics(self, partitions: Mapping[str, int]) -> dict[str, KafkaFailure | None]:
        """Raise the number of partitions to the given totals."""
        from kafka.protocol.admin import CreatePartitionsRequest

        one = CreatePartitionsRequest.CreatePartitionsTopic
        request = CreatePartitionsRequest(
            topics=[one(name=name, count=count, assignments=None) for name, count in partitions.items()],
            timeout_ms=self._timeout_ms,
            validate_only=False,
        )
        doing = f"add partitions to {len(partitions)} topics"
        answer = await self.ask_controller(doing, request, _codes_of("results"))
        return _failures("add partitions to topic", answer.results)

    async def delete_topics(self, names: Sequence[str]) -> dict[str, KafkaFailure | None]:
        """Whatever has these names when the controller comes to it."""
        answer = await self._delete([{"name": name} for name in names])
        return _failures("delete topic", answer.responses)

    async def delete_topics_by_id(self, ids: Sequence[str]) -> dict[str, KafkaFailure | None]:
        """Exactly these, never one that was made anew under a name (KIP-516; brokers since 2.8). `UnknownTopic`: no
        topic has the id any more, or ever had it.
        """
        known = {one: found for one in ids if (found := _uuid(one))}
        unknown = {one: UnknownTopic(f"delete topic {one}", "No id looks so.") for one in ids if one not in known}
        if not known:
            return dict(unknown)
        answer = await self._delete([{"name": None, "topic_id": found} for found in known.values()], min_version=6)
        outcomes = {item.topic_id: item for item in answer.responses}
        named = [(one, outcomes[found]) for one, found in known.items() if found in outcomes]
        return unknown | {one: _failure(f"delete topic {item.name or one}", item) for one, item in named}

    async def _delete(self, topics: Sequence[Mapping[str, Any]], min_version: int | None = None) -> Any:
        from kafka.protocol.admin import DeleteTopicsRequest

        one = DeleteTopicsRequest.DeleteTopicState
        request = DeleteTopicsRequest(
            topics=[one(**topic) for topic in topics], timeout_ms=self._timeout_ms, min_version=min_version
        )
        return await self.ask_controller(f"delete {len(topics)} topics", request, _codes_of("responses"))

    async def change_topic_configs(self, changes: Mapping[str, ConfigChange]) -> dict[str, KafkaFailure | None]:
        return await self._change_configs(_TOPIC, changes)

    async def change_broker_configs(self, changes: Mapping[int, ConfigChange]) -> dict[int, KafkaFailure | None]:
        answers = await side_by_side(
            *(self._change_configs(_BROKER, {str(broker): change}, broker) for broker, change in changes.items())
        )
        return {int(name): failure for answer in answers for name, failure in answer.items()}

    async def _configs(
        self, kind: int, names: list[str], keys: Sequence[str] | None, node: int | None = None
    ) -> dict[str, dict[str, ConfigValue]]:
        from kafka.protocol.admin import DescribeConfigsRequest

        if not names:
            return {}

        request = partial(
            DescribeConfigsRequest,
            resources=[(kind, name, None if keys is None else list(keys)) for name in names],
            include_synonyms=False,
            include_documentation=False,
        )
        doing = f"read the configuration of {_several(kind, names)}"
        return await configs.config_values(doing, await self._ask_in_bulk(doing, request, configs.VERSIONS, node))

    async def _ask_in_bulk(
        self, doing: str, request: Callable[..., Any], versions: tuple[int, int], node: int | None
    ) -> Any:
        """What comes back is an `Answer` of one of these versions; of a broker that is older than they are, what the
        library made of it."""
        oldest, newest = versions
        try:
            return await self.ask(doing, Packed(request(min_version=oldest, max_version=newest)), node)
        except TooOld:
            return await self.ask(doing, request(), node)

    async def _change_configs(
        self, kind: int, changes: Mapping[str, ConfigChange], node: int | None = None
    ) -> dict[str, KafkaFailure | None]:
        from kafka.protocol.admin import IncrementalAlterConfigsRequest

        request = IncrementalAlterConfigsRequest(
            resources=[
                (
                    kind,
                    name,
                    [(key, _SET, value) for key, value in change.set.items()]
                    + [(key, _DELETE, None) for key in sorted(change.delete)],
                )
                for name, change in changes.items()
            ],
            validate_only=False,
        )
        doing = f"change the configuration of {_several(kind, list(changes))}"
        answer = await self.ask(doing, request, node)
        return _failures("change the configuration of", answer.responses, name="resource_name")


def _open(connection: Connection, unwanted: Event, carriers: list[Any], opened: list[Any]) -> Any:
    """`unwanted`: nobody waits for the connection any more. `carriers` gets what opens it, as soon as that begins, and
    `opened` what it became.
    """
    from kafka import KafkaAdminClient
    from kafka.errors import Cancelled, KafkaTimeoutError

    failures: list[Exception] = []

    def carrier(**settings: Any) -> Any:
        carriers.append(KafkaAdminClient.DEFAULT_CONFIG["kafka_client"](**settings))
        _watch_first_connections(carriers[-1]._manager, connection.connect_timeout, failures)
        if unwanted.is_set():  # whoever set it may have looked at the carriers before
            raise Cancelled("nobody waits for the connection any more")
        return carriers[-1]

    # Brokers that go are told as errors with stacks, several times a second; our failures say it once.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    try:
        client = KafkaAdminClient(
            bootstrap_servers=list(connection.bootstrap),
            client_id=connection.client_id,
            security_protocol=("SASL_" if connection.sasl else "") + ("SSL" if connection.tls else "PLAINTEXT"),
            ssl_context=connection.tls,
            **_sasl_settings(connection.sasl),
            request_timeout_ms=int(connection.request_timeout * 1000),
            bootstrap_timeout_ms=int(connection.connect_timeout * 1000),
            reconnect_backoff_max_ms=1000,
            kafka_client=carrier,
        )
    except BaseException as error:
        # Its thread runs before a broker answers, and when none does, nobody ends it.
        why = _most_telling(failures)
        for one in carriers:
            one.close()
        # It says only that no broker was found.
        if isinstance(error, KafkaTimeoutError) and why is not None:
            raise why from error
        raise
    for one in carriers:
        del one._manager.get_connection
    opened.append(client)
    if unwanted.is_set():  # whoever set it may have looked before
        client.close()
    # Else it grows with each failure, and a broker that hung for long is found half a minute after it went on.
    setup = int(connection.connect_timeout * 1000)
    client._manager.config.update(
        socket_connection_setup_timeout_ms=setup, socket_connection_setup_timeout_max_ms=setup
    )
    return client


def _watch_first_connections(manager: Any, seconds: float, failures: list[Exception]) -> None:
    """Until `get_connection` is deleted.

    The library tells the failures of its first connections to its log alone. And its TLS handshake has no end of its
    own: with a broker that hangs (its kernel takes the connection) it would last for ever, whatever time was given.
    """
    from kafka.errors import KafkaConnectionError

    get_connection = manager.get_connection

    def watched(*arguments: Any, **more: Any) -> Any:
        connection = get_connection(*arguments, **more)
        connection.init_future.add_errback(failures.append)
        left = (more.get("timeout_ms") or seconds * 1000) / 1000
        manager._net.call_later(left + GRACE, lambda: end(connection))
        return connection

    def end(connection: Any) -> None:
        if not connection.init_future.is_done:
            connection.close(KafkaConnectionError(f"no answer within {seconds:g} s"))

    manager.get_connection = watched


def _most_telling(failures: Sequence[Exception]) -> Exception | None:
    """A wrong password, say; else the first one, for the last is cut short by the end of the time."""
    from kafka.errors import RetriableError

    return next((one for one in failures if not isinstance(one, RetriableError)), next(iter(failures), None))


def _sasl_settings(sasl: Sasl | None) -> dict[str, str | None]:
    if sasl is None:
        return {}
    return {
        "sasl_mechanism": sasl.mechanism,
        "sasl_plain_username": sasl.username,
        "sasl_plain_password": sasl.password,
        "sasl_kerberos_service_name": sasl.kerberos_service,
    }


async def _in_thread(threads: ThreadPoolExecutor, doing: str, function: Callable[..., T], *arguments: object) -> T:
    from klamm.kafka.answers import translated

    try:
        answer = asyncio.get_running_loop().run_in_executor(threads, function, *arguments)
    except RuntimeError as error:  # its threads take nothing any more
        raise Unreachable(doing, _CLOSED) from error
    try:
        return await answer
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # Who closed the connection cancelled what waited for a thread, and not whoever waits for the answer.
        raise Unreachable(doing, _CLOSED) from error
    except Exception as error:
        raise translated(doing, error) from error


async def _awaited(doing: str, send: Callable[[], Any], seconds: float) -> Any:
    """The outcome of the library's future, which ends in the library's own thread."""
    from klamm.kafka.answers import translated

    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Any] = loop.create_future()

    def end(value: Any) -> None:
        if not ended.done():
            ended.set_exception(value) if isinstance(value, BaseException) else ended.set_result(value)

    def hand_over(value: Any) -> None:
        with suppress(RuntimeError):  # the loop is gone: so is whoever asked
            loop.call_soon_threadsafe(end, value)

    try:
        send().add_both(hand_over)
        async with asyncio.timeout(seconds + GRACE):
            return await ended
    except Exception as error:
        raise translated(doing, error) from error


def _codes_of(items: str) -> Codes:
    return lambda answer: [item.error_code for item in getattr(answer, items)]


def _several(kind: int, names: list[str]) -> str:
    what = "topic" if kind == _TOPIC else "broker"
    return f"{what} {names[0]}" if len(names) == 1 else f"{len(names)} {what}s"


def _failures(doing: str, items: Iterable[Any], name: str = "name") -> dict[str, KafkaFailure | None]:
    named = ((getattr(item, name), item) for item in items)
    return {one: _failure(f"{doing} {one}", item) for one, item in named}


def _failure(doing: str, item: Any) -> KafkaFailure | None:
    from klamm.kafka.answers import failure_of

    return failure_of(doing, item.error_code, item.error_message)


def _creatable(type_: Any, topic: NewTopic) -> Any:
    return type_(
        name=topic.name,
        num_partitions=-1 if topic.partitions is None else topic.partitions,
        replication_factor=-1 if topic.replication_factor is None else topic.replication_factor,
        assignments=[],
        configs=[type_.CreatableTopicConfig(name=key, value=value) for key, value in topic.config.items()],
    )


def _created(item: Any) -> "Created | KafkaFailure":
    from klamm.kafka.answers import from_code

    if item.error_code:
        return from_code(f"create topic {item.name}", item.error_code, item.error_message)
    return Created(_base64(item.topic_id))


def _topics(items: Iterable[Any]) -> Iterable[tuple[str, Topic]]:
    from klamm.kafka.answers import from_code

    for item in items:
        if item.error_code in configs.ABSENT:
            continue
        if item.error_code:
            raise from_code(f"describe topic {item.name}", item.error_code, None)
        yield item.name, topic_facts(item)


def broker_facts(items: Iterable[Any]) -> tuple[Broker, ...]:
    brokers = (Broker(one.node_id, one.host, one.port, one.rack) for one in items)
    return tuple(sorted(brokers, key=lambda broker: broker.id))


def topic_facts(item: Any, shared: Callable[[tuple[int, ...]], tuple[int, ...]] = lambda ids: ids) -> Topic:
    """A topic of an answer to MetadataRequest. `shared` may give one tuple for all equal ones."""
    return Topic(
        name=item.name,
        id=_base64(item.topic_id),
        internal=bool(item.is_internal),
        partitions=tuple(
            Partition(
                item.name,
                partition.partition_index,
                partition.leader_id if partition.leader_id >= 0 else None,
                shared(tuple(partition.replica_nodes)),
                shared(tuple(partition.isr_nodes)),
            )
            for partition in sorted(item.partitions, key=lambda one: int(one.partition_index))
        ),
    )


def _base64(identifier: Any) -> str | None:
    """A topic's id as Kafka's tools print it; None when the broker is too old to give one."""
    from base64 import urlsafe_b64encode

    if identifier is None or not identifier.int:
        return None
    return urlsafe_b64encode(identifier.bytes).rstrip(b"=").decode("ascii")


def _uuid(identifier: str) -> Any:
    """The same back; None for what is no id."""
    from base64 import urlsafe_b64decode
    from uuid import UUID

    with suppress(ValueError):
        return UUID(bytes=urlsafe_b64decode(identifier + "=="))
    return None
