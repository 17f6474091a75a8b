"""`spec.kafka.config`: which settings of the user's go into server.config, and what is added to them."""

from collections.abc import Mapping
from typing import Any

from klamm.desired.kafka.cluster import KafkaCluster, protocol_version
from klamm.desired.properties import ForbiddenKeys, text_of

KAFKA_KEYS = ForbiddenKeys(
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
        "broker.session.timeout.ms",
        "broker.heartbeat.interval.ms",
        "controller.socket.timeout.ms",
        "cruise.control.metrics.topic.num.partitions",
        "cruise.control.metrics.topic.replication.factor",
        "cruise.control.metrics.topic.retention.ms",
        "cruise.control.metrics.topic.auto.create.retries",
        "cruise.control.metrics.topic.auto.create.timeout.ms",
        "cruise.control.metrics.topic.min.insync.replicas",
        "controller.quorum.election.backoff.max.ms",
        "controller.quorum.election.timeout.ms",
        "controller.quorum.fetch.timeout.ms",
    ),
)

# Settings of a listener of type custom are written by the user under the listener's own prefix; the stores and
# their passwords stay ours.
LISTENER_KEYS = ForbiddenKeys(
    prefixes=("ssl.keystore.", "ssl.truststore.", "ssl.key.password"),
    exceptions=(),
)

INTER_BROKER_PROTOCOL = "inter.broker.protocol.version"
MESSAGE_FORMAT = "log.message.format.version"


def user_settings(cluster: KafkaCluster) -> dict[str, Any]:
    """The user's settings that are taken over, with the versions of protocol and message format.

    From protocol 3.0 on Kafka ignores the message format, which then only mirrors the protocol (KIP-724).
    """
    settings = KAFKA_KEYS.allowed(cluster.spec.config)
    return settings | versions(settings, cluster.version)


def versions(settings: Mapping[str, Any], version: str) -> dict[str, str]:
    """Protocol and message format: the user's, else those of the release."""
    protocol = text_of(settings.get(INTER_BROKER_PROTOCOL, protocol_version(version)))
    return {INTER_BROKER_PROTOCOL: protocol, MESSAGE_FORMAT: text_of(settings.get(MESSAGE_FORMAT, protocol))}
