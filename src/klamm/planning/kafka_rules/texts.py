"""Texts that end in configuration files, command lines, certificates or DNS: what they may be made of.

Everything is escaped where it is written, too; these rules are there so that a mistake (or an attempt to write more
than one's own setting) is told with its place instead of breaking a broker.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from klamm.resources.custom.entity_operator import EntityOperatorSpec
from klamm.resources.custom.kafka import Kafka, KafkaClusterSpec
from klamm.resources.custom.listeners import Listener, ListenerConfiguration
from klamm.resources.custom.process import JvmOptions, Logging
from klamm.resources.custom.zookeeper import ZookeeperClusterSpec
from klamm.resources.reading import Problem

_KEY = re.compile(r"[A-Za-z0-9_$][A-Za-z0-9_.$/{}@*+,-]*")
_WORD = re.compile(r"[\x21-\x7e]*")
_OPTION = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_PART = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"(\*\.)?{_PART}(\.{_PART})*")
_LABEL_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LONGEST_HOST = 253
_LONGEST_SETTING = 65536


def text_problems(kafka: Kafka) -> list[Problem]:
    spec = kafka.spec
    zookeeper, authorization, rack = spec.zookeeper, spec.kafka.authorization, spec.kafka.rack
    found = [*_settings("spec.kafka.config", spec.kafka.config)]
    for index, listener in enumerate(spec.kafka.listeners):
        found += _listener(f"spec.kafka.listeners[{index}]", listener)
    found += _process("spec.kafka", spec.kafka)
    if zookeeper is not None:
        found += _process("spec.zookeeper", zookeeper)
        found += _settings("spec.zookeeper.config", zookeeper.config)
    found += _watched_namespaces(spec.entity_operator)
    if authorization is not None:
        found += _super_users(authorization.super_users)
    if rack is not None and rack.topology_key and not _LABEL_KEY.fullmatch(rack.topology_key):
        mend = "write the key of a label of nodes, e.g. topology.kubernetes.io/zone"
        found.append(Problem("spec.kafka.rack.topologyKey", rack.topology_key, "is no key of a label", mend))
    return found


def _process(path: str, process: KafkaClusterSpec | ZookeeperClusterSpec) -> Iterator[Problem]:
    yield from _jvm(f"{path}.jvmOptions", process.jvm_options)
    yield from _loggers(f"{path}.logging", process.logging)


def is_host(text: str) -> bool:
    """A DNS name (a wildcard too) or an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return len(text) <= _LONGEST_HOST and _HOST.fullmatch(text) is not None
    return True


def _settings(path: str, settings: Mapping[str, Any]) -> Iterator[Problem]:
    for key, value in settings.items():
        if not _KEY.fullmatch(key):
            yield Problem(path, key, "is no name of a setting", "use letters, digits, dots, '_' and '-'")
        elif isinstance(value, str) and _CONTROL.search(value):
            mend = "write it on one line"
            yield Problem(f"{path}.{key}", value, "holds a line break or another control character", mend)
        elif len(str(value)) > _LONGEST_SETTING:
            yield Problem(f"{path}.{key}", value, f"has more than {_LONGEST_SETTING} characters", "shorten it")


def _loggers(path: str, logging: Logging | None) -> Iterator[Problem]:
    if logging is not None and logging.type == "inline":
        yield from _settings(f"{path}.loggers", logging.loggers)


def _jvm(path: str, options: JvmOptions | None) -> Iterator[Problem]:
    """Options are split at spaces: one with a space inside would be two."""
    if options is None:
        return
    for name, value in options.xx.items():
        if not _OPTION.fullmatch(name):
            yield Problem(f"{path}.-XX", name, "is no option of the JVM", "write its name without -XX: and sign")
        elif not _WORD.fullmatch(value):
            yield Problem(f"{path}.-XX.{name}", value, "holds a space or a control character", "write one word")
    for index, one in enumerate(options.java_system_properties):
        place = f"{path}.javaSystemProperties[{index}]"
        if not one.name or not _KEY.fullmatch(one.name):
            rule = "is no name of a property"
            yield Problem(f"{place}.name", one.name or "", rule, "use letters, digits, dots, '_' and '-'")
        if one.value is not None and not _WORD.fullmatch(one.value):
            yield Problem(f"{place}.value", one.value, "holds a space or a control character", "write one word")


def _watched_namespaces(operators: EntityOperatorSpec | None) -> Iterator[Problem]:
    if operators is None:
        return
    for name, operator in (("topicOperator", operators.topic_operator), ("userOperator", operators.user_operator)):
        watched = operator.watched_namespace if operator else None
        if watched is not None and not _NAMESPACE.fullmatch(watched):
            path = f"spec.entityOperator.{name}.watchedNamespace"
            yield Problem(path, watched, "is no name of a namespace", "use lower-case letters, digits and '-'")


def _super_users(names: Sequence[str]) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if not name or ";" in name or _CONTROL.search(name):
            rule = "is no name of a user (they are joined by ';' in one line)"
            yield Problem(f"spec.kafka.authorization.superUsers[{index}]", name, rule, "write one name, e.g. CN=anna")


def _listener(path: str, listener: Listener) -> Iterator[Problem]:
    if listener.authentication is not None:
        yield from _settings(f"{path}.authentication.listenerConfig", listener.authentication.listener_config)
    configuration = listener.configuration or ListenerConfiguration()
    bootstrap, place = configuration.bootstrap, f"{path}.configuration"
    hosts: list[tuple[str, str | None]] = []
    if bootstrap is not None:
        hosts.append((f"{place}.bootstrap.host", bootstrap.host))
        names = enumerate(bootstrap.alternative_names)
        hosts += [(f"{place}.bootstrap.alternativeNames[{index}]", name) for index, name in names]
    for index, broker in enumerate(configuration.brokers):
        hosts.append((f"{place}.brokers[{index}].host", broker.host))
        hosts.append((f"{place}.brokers[{index}].advertisedHost", broker.advertised_host))
    for name, template in (
        ("hostTemplate", configuration.host_template),
        ("advertisedHostTemplate", configuration.advertised_host_template),
    ):
        hosts.append((f"{place}.{name}", template.replace("{nodeId}", "0") if template else None))
    for where, host in hosts:
        if host and not is_host(host):
            yield Problem(where, host, "is no host name", "write a DNS name or an IP address, without a port")
