"""Administration of a Kafka cluster, asynchronous.

kafka-python has an event loop of its own in a thread and blocking calls; each call here runs in a worker
thread, so that the operator's loop never waits. Bulk calls answer per item: one topic's failure is that topic's
failure, and only a failure of the whole request is raised. The library is imported on first connection: an
operator that waits for brokers does not pay for it.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from klamm.kafka.facts import Broker, Cluster, ConfigChange, ConfigValue, NewTopic, Partition, Topic

if TYPE_CHECKING:
    from klamm.kafka.errors import KafkaFailure

T = TypeVar("T")

_DYNAMIC_TOPIC_CONFIG = "DYNAMIC_TOPIC_CONFIG"
_DYNAMIC_BROKER_CONFIG = "DYNAMIC_BROKER_CONFIG"


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a cluster: "host:port" pairs, and a TLS context for listeners that speak TLS."""

    bootstrap: tuple[str, ...]
    tls: ssl.SSLContext | None = None
    request_timeout: float = 30.0
    connect_timeout: float = 10.0
    client_id: str = "klamm"


class Admin:
    """An open connection; use as `async with await Admin.connect(...)`, or call `close`."""

    def __init__(self, client: Any, threads: ThreadPoolExecutor) -> None:
        self.client = client
        self._threads = threads

    @classmethod
    async def connect(cls, connection: Connection) -> Self:
        """Raises `Unreachable` when no broker answers within `connect_timeout`."""
        threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="kafka-admin")
        try:
            client = await _in_thread(
                threads, f"connect to {','.join(connection.bootstrap)}", _open, connection
            )
        except BaseException:
            threads.shutdown(wait=False)
            raise
        return cls(client, threads)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, self.client.close)
        self._threads.shutdown(wait=False)

    async def describe_cluster(self) -> Cluster:
        answer = await self.call("describe the cluster", self.client.describe_cluster)
        brokers = tuple(
            Broker(entry["broker_id"], entry["host"], entry["port"], entry.get("rack"))
            for entry in sorted(answer["brokers"], key=lambda entry: int(entry["broker_id"]))
        )
        controller = answer.get("controller_id", -1)
        return Cluster(answer["cluster_id"], controller if controller >= 0 else None, brokers)

    async def topic_names(self) -> frozenset[str]:
        return frozenset(await self.call("list topics", self.client.list_topics))

    async def describe_topics(self, names: Sequence[str] | None = None) -> dict[str, Topic]:
        """The topics by name, all or the named ones; those that do not exist are left out."""
        if names is not None and not names:
            return {}
        doing = "describe all topics" if names is None else f"describe {len(names)} topics"
        answer = await self.call(doing, self.client.describe_topics, None if names is None else list(names))
        return {entry["name"]: _topic(entry) for entry in answer if not entry.get("error_code")}

    async def topic_configs(self, names: Iterable[str]) -> dict[str, dict[str, ConfigValue]]:
        """All configuration values of the topics that exist."""
        return await self._configs("TOPIC", list(names))

    async def broker_configs(self, ids: Iterable[int]) -> dict[int, dict[str, ConfigValue]]:
        answer = await self._configs("BROKER", [str(broker) for broker in ids])
        return {int(name): values for name, values in answer.items()}

    async def create_topics(self, topics: Sequence[NewTopic]) -> dict[str, "KafkaFailure | None"]:
        """Creates in one request; the answer has each name with None or why not."""
        wanted = {
            topic.name: {
                "num_partitions": -1 if topic.partitions is None else topic.partitions,
                "replication_factor": -1 if topic.replication_factor is None else topic.replication_factor,
                "configs": dict(topic.config),
            }
            for topic in topics
        }
        answer = await self.call(
            f"create {len(wanted)} topics", self.client.create_topics, wanted, raise_errors=False
        )
        return _failures("create topic", answer["topics"])

    async def grow_topics(self, partitions: Mapping[str, int]) -> dict[str, "KafkaFailure | None"]:
        """Raise the number of partitions to the given totals."""
        answer = await self.call(
            f"add partitions to {len(partitions)} topics",
            self.client.create_partitions,
            dict(partitions),
            raise_errors=False,
        )
        return _failures("add partitions to topic", answer.to_dict()["results"])

    async def delete_topics(self, names: Sequence[str]) -> dict[str, "KafkaFailure | None"]:
        answer = await self.call(
            f"delete {len(names)} topics", self.client.delete_topics, list(names), raise_errors=False
        )
        return _failures("delete topic", answer["topics"])

    async def change_topic_configs(
        self, changes: Mapping[str, ConfigChange]
    ) -> dict[str, "KafkaFailure | None"]:
        return await self._change_configs("TOPIC", changes)

    async def change_broker_configs(
        self, changes: Mapping[int, ConfigChange]
    ) -> dict[int, "KafkaFailure | None"]:
        answer = await self._change_configs(
            "BROKER", {str(broker): change for broker, change in changes.items()}
        )
        return {int(name): failure for name, failure in answer.items()}

    async def call(self, doing: str, function: Callable[..., T], *arguments: object, **options: object) -> T:
        """Run one blocking call of the library in a worker thread; errors come out as ours."""
        return await _in_thread(self._threads, doing, function, *arguments, **options)

    async def _configs(self, kind: str, names: list[str]) -> dict[str, dict[str, ConfigValue]]:
        from kafka.admin import ConfigResource, ConfigResourceType

        if not names:
            return {}
        resources = [ConfigResource(ConfigResourceType[kind], name) for name in names]
        answer = await self.call(
            f"read the configuration of {len(names)} {kind.lower()}s",
            self.client.describe_configs,
            resources,
            config_filter="all",
        )
        return {
            name: {key: _config_value(entry) for key, entry in entries.items()}
            for name, entries in answer.get(kind.lower(), {}).items()
        }

    async def _change_configs(
        self, kind: str, changes: Mapping[str, ConfigChange]
    ) -> dict[str, "KafkaFailure | None"]:
        from kafka.admin import ConfigResource, ConfigResourceType

        from klamm.kafka.errors import Refused

        resources = [
            ConfigResource(
                ConfigResourceType[kind],
                name,
                {key: ("SET", value) for key, value in change.set.items()}
                | {key: ("DELETE", None) for key in change.delete},
            )
            for name, change in changes.items()
        ]
        answer = await self.call(
            f"change the configuration of {len(changes)} {kind.lower()}s",
            self.client.alter_configs,
            resources,
            raise_on_unknown=False,
            incremental=True,
        )
        doing = f"change the configuration of {kind.lower()}"
        return {
            name: None if outcome == "OK" else Refused(f"{doing} {name}", outcome)
            for name, outcome in answer.get(kind.lower(), {}).items()
        }


def _open(connection: Connection) -> Any:
    from kafka import KafkaAdminClient

    return KafkaAdminClient(
        bootstrap_servers=list(connection.bootstrap),
        client_id=connection.client_id,
        security_protocol="SSL" if connection.tls else "PLAINTEXT",
        ssl_context=connection.tls,
        request_timeout_ms=int(connection.request_timeout * 1000),
        bootstrap_timeout_ms=int(connection.connect_timeout * 1000),
        reconnect_backoff_max_ms=1000,
    )


async def _in_thread(
    threads: ThreadPoolExecutor, doing: str, function: Callable[..., T], *arguments: object, **options: object
) -> T:
    from klamm.kafka.errors import translated

    try:
        return await asyncio.get_running_loop().run_in_executor(
            threads, lambda: function(*arguments, **options)
        )
    except Exception as error:
        raise translated(doing, error) from error


def _failures(doing: str, items: Iterable[Mapping[str, Any]]) -> dict[str, "KafkaFailure | None"]:
    from klamm.kafka.errors import from_code

    return {
        item["name"]: from_code(f"{doing} {item['name']}", item["error_code"], item.get("error_message"))
        if item["error_code"]
        else None
        for item in items
    }


def _topic(entry: Mapping[str, Any]) -> Topic:
    identifier = entry.get("topic_id")
    return Topic(
        name=entry["name"],
        id=_base64(identifier) if isinstance(identifier, UUID) and identifier.int else None,
        internal=bool(entry.get("is_internal")),
        partitions=tuple(
            Partition(
                entry["name"],
                partition["partition_index"],
                partition["leader_id"] if partition["leader_id"] >= 0 else None,
                tuple(partition["replica_nodes"]),
                tuple(partition["isr_nodes"]),
            )
            for partition in sorted(
                entry["partitions"], key=lambda partition: int(partition["partition_index"])
            )
        ),
    )


def _base64(identifier: UUID) -> str:
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(identifier.bytes).rstrip(b"=").decode("ascii")


def _config_value(entry: Mapping[str, Any]) -> ConfigValue:
    return ConfigValue(
        value=entry.get("value"),
        set_here=entry.get("config_source") in (_DYNAMIC_TOPIC_CONFIG, _DYNAMIC_BROKER_CONFIG),
        read_only=bool(entry.get("read_only")),
        sensitive=bool(entry.get("is_sensitive")),
    )
