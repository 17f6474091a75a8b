"""Settings that users may not set because an operator sets them: by prefix, with exceptions.

A reserved setting is ignored with a warning, never an error (Strimzi behaviour; the prefixes are those of Strimzi 0.38
and 1.2). One difference: capitals do not matter here. Strimzi compares a lower-cased key with prefixes such
as `dataDir`, which then never match, and a cluster breaks on what should have been ignored.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

_TLS_CHOICES = (
    "ssl.endpoint.identification.algorithm",
    "ssl.cipher.suites",
    "ssl.protocol",
    "ssl.enabled.protocols",
)
_PER_LISTENER = (
    "connections.max.reauth.ms",
    "max.connections",
    "max.connections.per.ip",
    "max.connections.per.ip.overrides",
    "max.connection.creation.rate",
)


@dataclass(frozen=True, slots=True)
class Ignored:
    """A setting that was left out, and the reserved prefix that it begins with."""

    key: str
    prefix: str

    def __str__(self) -> str:
        return f"config option {self.key} is ignored: the operator sets what begins with {self.prefix}"


@dataclass(frozen=True, slots=True)
class Reserved:
    """The reserved settings of one component."""

    prefixes: tuple[str, ...]
    exceptions: tuple[str, ...] = ()

    def prefix_of(self, key: str) -> str | None:
        """The prefix that reserves a key, None when a user may set it."""
        lower = key.lower()
        if lower in (exception.lower() for exception in self.exceptions):
            return None
        return next((prefix for prefix in self.prefixes if lower.startswith(prefix.lower())), None)

    def split(self, config: Mapping[str, Any]) -> tuple[dict[str, Any], list[Ignored]]:
        """What of a user's settings is used, and what is not."""
        used, ignored = {}, []
        for key, value in config.items():
            prefix = self.prefix_of(key)
            if prefix is None:
                used[key] = value
            else:
                ignored.append(Ignored(key, prefix))
        return used, ignored

    def with_listeners(self, listeners: Collection[str]) -> "Reserved":
        """With the settings that users may set for single listeners, named as in server.properties (`plain-9092`)."""
        named = (f"listener.name.{name}.{key}" for name in listeners for key in _PER_LISTENER)
        return Reserved(self.prefixes, (*self.exceptions, *named))


KAFKA = Reserved(
    prefixes=(
        "listeners",
        "advertised.",
        "broker.",
        "listener.",
        "host.name",
        "port",
        "inter.broker.listener.name",
        "sasl.",
        "ssl.",
        "security.",
        "password.",
        "log.dir",
        "zookeeper.connect",
        "zookeeper.set.acl",
        "zookeeper.ssl",
        "zookeeper.clientCnxnSocket",
        "zookeeper.metadata.migration.enable",
        "authorizer.",
        "super.user",
        "cruise.control.metrics.topic",
        "cruise.control.metrics.reporter.bootstrap.servers",
        "node.id",
        "process.roles",
        "controller.",
        "metadata.log.dir",
        "client.quota.callback.static.kafka.admin.",
        "client.quota.callback.static.produce",
        "client.quota.callback.static.fetch",
        "client.quota.callback.static.storage.per.volume.limit.min.available.",
        "client.quota.callback.static.excluded.principal.name.list",
        "prometheus.metrics.reporter.",
        "cordoned.log.dirs",
    ),
    exceptions=(
        "zookeeper.connection.timeout.ms",
        "sasl.server.max.receive.size",
        "ssl.cipher.suites",
        "ssl.protocol",
        "ssl.enabled.protocols",
        "ssl.secure.random.implementation",
        "cruise.control.metrics.topic.num.partitions",
        "cruise.control.metrics.topic.replication.factor",
        "cruise.control.metrics.topic.retention.ms",
        "cruise.control.metrics.topic.auto.create.retries",
        "cruise.control.metrics.topic.auto.create.timeout.ms",
        "cruise.control.metrics.topic.min.insync.replicas",
        "broker.session.timeout.ms",
        "broker.heartbeat.interval.ms",
        "controller.socket.timeout.ms",
        "controller.quorum.election.backoff.max.ms",
        "controller.quorum.election.timeout.ms",
        "controller.quorum.fetch.timeout.ms",
    ),
)

ZOOKEEPER = Reserved(
    prefixes=(
        "server.",
        "dataDir",
        "dataLogDir",
        "clientPort",
        "authProvider",
        "quorum.auth",
        "requireClientAuthScheme",
        "snapshot.trust.empty",
        "standaloneEnabled",
        "reconfigEnabled",
        "4lw.commands.whitelist",
        "secureClientPort",
        "ssl.",
        "serverCnxnFactory",
        "sslQuorum",
    ),
    exceptions=(
        "ssl.protocol",
        "ssl.quorum.protocol",
        "ssl.enabledProtocols",
        "ssl.quorum.enabledProtocols",
        "ssl.ciphersuites",
        "ssl.quorum.ciphersuites",
        "ssl.hostnameVerification",
        "ssl.quorum.hostnameVerification",
    ),
)

_CONNECT_WORKERS = (
    "ssl.",
    "sasl.",
    "security.",
    "listeners",
    "plugin.path",
    "rest.",
    "bootstrap.servers",
    "consumer.interceptor.classes",
    "producer.interceptor.classes",
)
_CONNECT_TOPICS = ("group.id", "config.storage.topic", "offset.storage.topic", "status.storage.topic")

CONNECT_V1BETA2 = Reserved(_CONNECT_WORKERS, _TLS_CHOICES)
"""In v1beta2 the group and the topics of the workers are settings; in v1 they are fields of the resource."""
CONNECT_V1 = Reserved((*_CONNECT_TOPICS, *_CONNECT_WORKERS, "prometheus.metrics.reporter."), _TLS_CHOICES)
MIRROR_MAKER_2_V1BETA2 = CONNECT_V1BETA2
MIRROR_MAKER_2_V1 = Reserved((*_CONNECT_TOPICS, *_CONNECT_WORKERS), _TLS_CHOICES)
CONNECTOR = Reserved(("connector.class", "tasks.max", "connector.plugin.version"))

_CLIENT = ("ssl.", "bootstrap.servers", "sasl.", "security.")
BRIDGE_ADMIN_CLIENT = Reserved(_CLIENT, _TLS_CHOICES)
BRIDGE_PRODUCER = Reserved(_CLIENT, _TLS_CHOICES)
BRIDGE_CONSUMER = Reserved((*_CLIENT, "group.id"), _TLS_CHOICES)
MIRROR_MAKER_PRODUCER = Reserved((*_CLIENT, "interceptor.classes"), _TLS_CHOICES)
MIRROR_MAKER_CONSUMER = Reserved((*_CLIENT, "group.id", "interceptor.classes"), _TLS_CHOICES)

CRUISE_CONTROL = Reserved(
    prefixes=(
        "bootstrap.servers",
        "client.id",
        "zookeeper.",
        "network.",
        "security.",
        "failed.brokers.zk.path",
        "webserver.http.",
        "webserver.api.urlprefix",
        "webserver.session.path",
        "webserver.accesslog.",
        "two.step.",
        "request.reason.required",
        "metric.reporter.sampler.bootstrap.servers",
        "capacity.config.file",
        "self.healing.",
        "ssl.",
        "kafka.broker.failure.detection.enable",
        "topic.config.provider.class",
    ),
    exceptions=(
        "ssl.cipher.suites",
        "ssl.protocol",
        "ssl.enabled.protocols",
        "webserver.http.cors.enabled",
        "webserver.http.cors.origin",
        "webserver.http.cors.exposeheaders",
        "webserver.security.enable",
        "webserver.ssl.enable",
    ),
)

CUSTOM_LISTENER_V1BETA2 = Reserved(("ssl.",))
"""`listenerConfig` of a listener with custom authentication."""
CUSTOM_LISTENER_V1 = Reserved(("ssl.keystore.",))
