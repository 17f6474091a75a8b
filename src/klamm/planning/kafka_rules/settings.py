"""Rules for `spec.kafka.config` and `spec.zookeeper.config`: what cannot work, and what should be told."""

import re
from collections.abc import Iterator
from typing import Any

from klamm.desired.kafka.cluster import protocol_version
from klamm.desired.kafka.user_settings import (
    INTER_BROKER_PROTOCOL,
    MESSAGE_FORMAT,
    reserved_listener_settings,
    reserved_settings,
)
from klamm.planning.kafka_rules.remark import Remark
from klamm.releases.reserved import ZOOKEEPER, Ignored
from klamm.releases.settings import as_text, broker_settings
from klamm.resources.custom.kafka import Kafka
from klamm.resources.reading import Problem

_AT_MOST_BROKERS = (
    "default.replication.factor",
    "offsets.topic.replication.factor",
    "transaction.state.log.replication.factor",
    "transaction.state.log.min.isr",
)
_VERSION = re.compile(r"^(\d+)\.(\d+)")


def setting_problems(kafka: Kafka, version: str) -> list[Problem]:
    """Settings with which brokers would not start, or no topic could be made."""
    config, replicas = kafka.spec.kafka.config, kafka.spec.kafka.replicas or 0
    found: list[Problem] = []
    for key in _AT_MOST_BROKERS:
        if key in config:
            found += _copies(f"spec.kafka.config.{key}", config[key], replicas)
    for path, given in (("spec.kafka", config), ("spec.zookeeper", _zookeeper_config(kafka))):
        found += [
            Problem(f"{path}.config.{key}", value, "is a map; a setting has one value", "write it as text")
            for key, value in given.items()
            if isinstance(value, dict)
        ]
    found += _wrong_values(kafka, version)
    protocol = config.get(INTER_BROKER_PROTOCOL)
    if protocol is not None and _ordered(as_text(protocol)) > _ordered(protocol_version(version)):
        rule = f"is higher than what Kafka {version} speaks"
        mend = f"write {protocol_version(version)!r}, or remove it"
        found.append(Problem(f"spec.kafka.config.{INTER_BROKER_PROTOCOL}", protocol, rule, mend))
    return found


def setting_remarks(kafka: Kafka, version: str) -> list[Remark]:
    """What is left out, and what is unwise."""
    return [*_left_out(kafka), *_unwise(kafka), *_version_remarks(kafka, version)]


def _left_out(kafka: Kafka) -> Iterator[Remark]:
    """Settings that klamm makes itself; each is named, since a setting that does nothing misleads."""
    places: list[tuple[str, list[Ignored]]] = [
        ("spec.kafka.config", reserved_settings(kafka).split(kafka.spec.kafka.config)[1]),
        ("spec.zookeeper.config", ZOOKEEPER.split(_zookeeper_config(kafka))[1]),
    ]
    for index, listener in enumerate(kafka.spec.kafka.listeners):
        given = listener.authentication.listener_config if listener.authentication else {}
        path = f"spec.kafka.listeners[{index}].authentication.listenerConfig"
        places.append((path, reserved_listener_settings(kafka).split(given)[1]))
    for path, ignored in places:
        for setting in ignored:
            yield Remark("ForbiddenConfiguration", f"{path}: {setting}; remove it")


def _unwise(kafka: Kafka) -> Iterator[Remark]:
    config, replicas = kafka.spec.kafka.config, kafka.spec.kafka.replicas or 0
    if replicas < 2:
        return
    if "default.replication.factor" not in config:
        yield Remark(
            "KafkaDefaultReplicationFactor",
            "spec.kafka.config lacks default.replication.factor: topics made without a factor have one copy "
            f"of their data; set it to 3 or, with {replicas} brokers, to {min(3, replicas)}",
        )
    if "min.insync.replicas" not in config:
        yield Remark(
            "KafkaMinInsyncReplicas",
            "spec.kafka.config lacks min.insync.replicas: an acknowledged record may be on one broker only; "
            "set it to one less than the replication factor, at least 1",
        )


def _version_remarks(kafka: Kafka, version: str) -> Iterator[Remark]:
    config, own = kafka.spec.kafka.config, protocol_version(version)
    for key, reason in (
        (INTER_BROKER_PROTOCOL, "KafkaInterBrokerProtocolVersion"),
        (MESSAGE_FORMAT, "KafkaLogMessageFormatVersion"),
    ):
        given = config.get(key)
        if given is not None and not as_text(given).startswith(own):
            yield Remark(
                reason,
                f"spec.kafka.config.{key} is {as_text(given)} while Kafka {version} speaks {own}: an upgrade is not "
                f"finished; set it to {own!r}, or remove it",
            )


def _wrong_values(kafka: Kafka, version: str) -> Iterator[Problem]:
    """Values that Kafka of this version would refuse at its start; settings of plugins are not known and pass."""
    known = broker_settings(version)
    used, _ = reserved_settings(kafka).split(kafka.spec.kafka.config)
    for key, value in used.items():
        setting = known.get(key)
        if setting is None or value is None or isinstance(value, dict) or key in _AT_MOST_BROKERS:
            continue
        complaint = setting.complaint(value)
        if complaint is not None:
            yield Problem(f"spec.kafka.config.{key}", value, complaint, f"correct it (Kafka {version})")


def _copies(path: str, value: Any, replicas: int) -> Iterator[Problem]:
    text = as_text(value)
    if not text.isdigit() or int(text) < 1:
        yield Problem(path, value, "is no number of copies", "write a whole number from 1")
    elif int(text) > replicas:
        rule = f"is more than the {replicas} brokers of spec.kafka.replicas"
        yield Problem(path, value, rule, f"lower it to at most {replicas}, or add brokers")


def _zookeeper_config(kafka: Kafka) -> dict[str, Any]:
    return kafka.spec.zookeeper.config if kafka.spec.zookeeper else {}


def _ordered(version: str) -> tuple[int, int]:
    match = _VERSION.match(version)
    return (int(match[1]), int(match[2])) if match else (0, 0)
