"""What the resource refers to: entries of ConfigMaps (logging, metrics) and the user's certificates for listeners.

Metrics are no reason to stop: when their configuration is missing or wrong, pods keep the one that they have (new ones
show the JVM's memory and no more), everything else goes on, and the resource says what is to be mended.
"""

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from klamm.base import faults
from klamm.base.together import side_by_side
from klamm.certificates.read import UnreadableCertificate, read_certificate
from klamm.desired.jmx_exporter import METRICS_CONFIG, exporter_configuration, memory_only
from klamm.kube.client import Client
from klamm.kube.kinds import Name, name_of
from klamm.kube.native import CONFIG_MAPS, SECRETS
from klamm.planning.jmx_exporter.rules import exporter_problems, unknown_keys
from klamm.resources.custom.kafka import Kafka
from klamm.resources.custom.listeners import Listener
from klamm.resources.custom.process import Logging, MetricsConfig
from klamm.resources.custom.secrets import ConfigMapValue


class ReferenceMissing(faults.Invalid):
    """A ConfigMap or Secret that the resource names, or the entry in it, is not there or cannot be used."""


class MetricsUnusable(faults.Invalid):
    """The configuration of metrics is missing or wrong; pods keep the one that they have."""


@dataclass(frozen=True, slots=True)
class ExporterConfiguration:
    """What is mounted for the JMX exporter (None: there is none), and what is to be said of the user's words."""

    text: str | None = None
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


NO_EXPORTER = ExporterConfiguration()

_MOST = 10
"""So many problems are told; nobody mends more at a time."""


@dataclass(frozen=True, slots=True)
class References:
    """Contents; None where the resource refers to nothing. `certificates`: thumbprints by listener identifier."""

    kafka_logging: str | None = None
    zookeeper_logging: str | None = None
    topic_operator_logging: str | None = None
    user_operator_logging: str | None = None
    certificates: Mapping[str, str] = field(default_factory=dict)
    kafka_metrics: ExporterConfiguration = NO_EXPORTER
    zookeeper_metrics: ExporterConfiguration = NO_EXPORTER

    @property
    def metrics_problems(self) -> tuple[str, ...]:
        return self.kafka_metrics.problems + self.zookeeper_metrics.problems

    @property
    def metrics_remarks(self) -> tuple[str, ...]:
        return self.kafka_metrics.remarks + self.zookeeper_metrics.remarks


async def read_references(client: Client, resource: Kafka, kafka_version: str) -> References:
    """Raises `ReferenceMissing`, whose message names the field and what to create."""
    kafka, zookeeper, operators = resource.spec.kafka, resource.spec.zookeeper, resource.spec.entity_operator
    topic = operators.topic_operator if operators else None
    user = operators.user_operator if operators else None
    reader = _Reader(client, name_of(resource).namespace)
    entity = "spec.entityOperator"
    texts = await side_by_side(
        reader.logging(kafka.logging, "spec.kafka.logging"),
        reader.logging(zookeeper.logging if zookeeper else None, "spec.zookeeper.logging"),
        reader.logging(topic.logging if topic else None, f"{entity}.topicOperator.logging"),
        reader.logging(user.logging if user else None, f"{entity}.userOperator.logging"),
    )
    of_kafka, of_zookeeper, of_topics, of_users = texts
    name, before = resource.metadata.name or "", zookeeper.metrics_config if zookeeper else None
    return References(
        of_kafka,
        of_zookeeper,
        of_topics,
        of_users,
        certificates=await reader.certificates(kafka.listeners),
        kafka_metrics=await reader.metrics(
            kafka.metrics_config, "spec.kafka.metricsConfig", kafka_version, f"{name}-kafka-0"
        ),
        zookeeper_metrics=await reader.metrics(
            before, "spec.zookeeper.metricsConfig", kafka_version, f"{name}-zookeeper-config"
        ),
    )


class _Reader:
    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    async def logging(self, logging: Logging | None, field: str) -> str | None:
        if logging is None or logging.type != "external":
            return None
        return await self._entry(logging.value_from, field)

    async def metrics(
        self, metrics: MetricsConfig | None, field: str, kafka_version: str, mounted: str
    ) -> ExporterConfiguration:
        """The YAML of the ConfigMap as JSON, which the exporter reads just as well (and users' tools expect).

        `mounted`: the ConfigMap in which pods have theirs already.
        """
        if metrics is None or metrics.type != "jmxPrometheusExporter":
            return NO_EXPORTER
        try:
            text = await self._entry(metrics.value_from, field)
            given = _yaml(text, f"{field}.valueFrom.configMapKeyRef")
        except ReferenceMissing as error:
            return ExporterConfiguration(await self._mounted(mounted, kafka_version), problems=(str(error),))
        reference = metrics.value_from.config_map_key_ref if metrics.value_from else None
        place = f"{field} (ConfigMap {reference.name}, {reference.key})" if reference else field
        if problems := exporter_problems(given, place):
            told = tuple(str(problem) for problem in problems[:_MOST])
            return ExporterConfiguration(await self._mounted(mounted, kafka_version), problems=told)
        remarks = tuple(str(unknown) for unknown in unknown_keys(given, place)[:_MOST])
        return ExporterConfiguration(_json(exporter_configuration(given, kafka_version)), remarks=remarks)

    async def _mounted(self, name: str, kafka_version: str) -> str:
        found = await self._client.find(CONFIG_MAPS, Name(self._namespace, name))
        kept = found.data.get(METRICS_CONFIG) if found else None
        return kept or _json(memory_only(kafka_version))

    async def certificates(self, listeners: list[Listener]) -> dict[str, str]:
        """Thumbprints of the certificates that users brought for listeners; a changed one restarts the brokers."""
        found = {}
        for index, listener in enumerate(listeners):
            given = listener.configuration.broker_cert_chain_and_key if listener.configuration else None
            if given is None or not listener.tls:
                continue
            path = f"spec.kafka.listeners[{index}].configuration.brokerCertChainAndKey"
            entries = await self._secret(given.secret_name or "", (given.certificate, given.key), path)
            try:
                thumbprint = read_certificate(entries[0]).thumbprint
            except UnreadableCertificate as error:
                raise ReferenceMissing(f"{path}.certificate: {error}; store a certificate as PEM") from error
            found[f"{listener.name}-{listener.port}"] = thumbprint
        return found

    async def _secret(self, name: str, keys: tuple[str | None, ...], path: str) -> list[bytes]:
        where = Name(self._namespace, name)
        found = await self._client.find(SECRETS, where) if name else None
        if found is None:
            raise ReferenceMissing(f"{path}.secretName: there is no Secret {where}; create it")
        for key in keys:
            if key not in found.data:
                has = ", ".join(sorted(found.data)) or "none"
                raise ReferenceMissing(f"{path}: Secret {where} has no key {key!r} (it has: {has})")
        return [b64decode(found.data[key or ""]) for key in keys]

    async def _entry(self, source: ConfigMapValue | None, field: str) -> str:
        path, reference = f"{field}.valueFrom.configMapKeyRef", source.config_map_key_ref if source else None
        if reference is None or not reference.name or not reference.key:
            raise ReferenceMissing(f"{path} is not given; name a ConfigMap and a key in it")
        where = Name(self._namespace, reference.name)
        found = await self._client.find(CONFIG_MAPS, where)
        if found is None:
            raise ReferenceMissing(f"{path}: there is no ConfigMap {where}; create it")
        if reference.key not in found.data:
            keys = ", ".join(sorted(found.data)) or "none"
            raise ReferenceMissing(f"{path}: ConfigMap {where} has no key {reference.key!r} (it has: {keys})")
        return found.data[reference.key]


def _yaml(text: str, path: str) -> Any:
    import yaml  # only for those who show metrics

    from klamm.base import documents

    try:
        given = documents.read(text)
        _json(given)
    except (yaml.YAMLError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())
        raise ReferenceMissing(f"{path}: the content is not YAML that fits JSON ({said}); correct it") from error
    return given


def _json(content: Any) -> str:
    return json.dumps(content)
