"""`spec.kafka.config`: which settings of the user's go into server.config, and what is added to them."""

from collections.abc import Mapping
from typing import Any

from klamm.desired.kafka.cluster import KafkaCluster, protocol_version
from klamm.releases.reserved import CUSTOM_LISTENER_V1, CUSTOM_LISTENER_V1BETA2, KAFKA, Reserved
from klamm.releases.settings import as_text
from klamm.resources.custom.kafka import Kafka

INTER_BROKER_PROTOCOL = "inter.broker.protocol.version"
MESSAGE_FORMAT = "log.message.format.version"


def reserved_settings(kafka: Kafka) -> Reserved:
    """What users may not set in spec.kafka.config; a few settings of their own listeners they may."""
    return KAFKA.with_listeners([f"{listener.name}-{listener.port}" for listener in kafka.spec.kafka.listeners])


def reserved_listener_settings(kafka: Kafka) -> Reserved:
    """What users may not set in listenerConfig of a listener with custom authentication."""
    return CUSTOM_LISTENER_V1 if kafka.api_version.endswith("/v1") else CUSTOM_LISTENER_V1BETA2


def user_settings(cluster: KafkaCluster) -> dict[str, Any]:
    """The user's settings that are taken over, with the versions of protocol and message format.

    From protocol 3.0 on Kafka ignores the message format, which then only mirrors the protocol (KIP-724).
    """
    used, _ = reserved_settings(cluster.resource).split(cluster.spec.config)
    settings = {key: value for key, value in used.items() if value is not None}
    return settings | versions(settings, cluster.version)


def versions(settings: Mapping[str, Any], version: str) -> dict[str, str]:
    """Protocol and message format: the user's, else those of the release."""
    protocol = as_text(settings.get(INTER_BROKER_PROTOCOL, protocol_version(version)))
    return {INTER_BROKER_PROTOCOL: protocol, MESSAGE_FORMAT: as_text(settings.get(MESSAGE_FORMAT, protocol))}
