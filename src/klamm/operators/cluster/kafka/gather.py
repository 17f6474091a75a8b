"""Everything a pass over one Kafka resource knows before it decides: one frozen value."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from klamm.base import faults
from klamm.kube import errors, requests
from klamm.kube.catalogue import KAFKAS
from klamm.kube.client import Client
from klamm.kube.kinds import Name
from klamm.kube.native import CONFIG_MAPS, SECRETS
from klamm.operators.cluster.hands import Hands
from klamm.operators.cluster.pod_sets import BY_POD_SET
from klamm.resources.custom.kafka import Kafka
from klamm.resources.custom.pod_set import StrimziPodSet
from klamm.resources.custom.process import Logging, MetricsConfig
from klamm.resources.native.configuration import Secret
from klamm.resources.native.pod import Pod
from klamm.resources.native.workloads import Deployment
from klamm.resources.reading import Reading, read
from klamm.resources.structure import decode

_ENVELOPE = ("apiVersion", "kind", "metadata", "status")


class TextMissing(faults.Invalid):
    """A ConfigMap or its entry that the resource names is not there."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Contents of ConfigMaps that the resource refers to; None where it refers to none."""

    kafka_logging: str | None = None
    kafka_metrics: str | None = None
    zookeeper_logging: str | None = None
    zookeeper_metrics: str | None = None
    topic_operator_logging: str | None = None
    user_operator_logging: str | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """`pods`: by pod set's name and pod's name. `secrets`: the cluster's, by name."""

    resource: Kafka
    secrets: Mapping[str, Secret]
    texts: Texts
    pods: Mapping[str, Mapping[str, Pod]]
    pod_sets: Mapping[str, StrimziPodSet]
    entity_operator: Deployment | None

    def pods_of(self, pod_set: str) -> Mapping[str, Pod]:
        return self.pods.get(pod_set, {})


async def read_resource(hands: Hands, name: Name) -> tuple[Kafka, Reading] | None:
    """The resource as the API has it now, and what is to be said of its fields; None when it is gone.

    When its values cannot be read (`Reading.problems`), only its metadata and status are what they are.
    """
    try:
        body = await hands.client.raw(requests.get(KAFKAS, name))
    except errors.NotFound:
        return None
    reading = read(Kafka, msgspec.json.decode(body))
    if reading.problems:
        return decode(Kafka, {key: reading.cleaned[key] for key in _ENVELOPE if key in reading.cleaned}), reading
    return decode(Kafka, reading.cleaned), reading


async def gather(hands: Hands, resource: Kafka) -> Observed:
    """Read what is not in a cache: Secrets (never cached: they are secrets) and the ConfigMaps that are referred to."""
    namespace, name = resource.metadata.namespace or "", resource.metadata.name or ""
    secrets, texts = await asyncio.gather(
        hands.client.list(SECRETS, namespace, {"strimzi.io/cluster": name, "strimzi.io/kind": "Kafka"}),
        _texts(hands.client, namespace, resource),
    )
    names = [f"{name}-kafka", f"{name}-zookeeper"]
    return Observed(
        resource=resource,
        secrets={secret.metadata.name or "": secret for secret in secrets.items},
        texts=texts,
        pods={one: _pods(hands, Name(namespace, one)) for one in names},
        pod_sets={one: found for one in names if (found := hands.pod_sets.get(Name(namespace, one)))},
        entity_operator=hands.deployments.get(Name(namespace, f"{name}-entity-operator")),
    )


def _pods(hands: Hands, pod_set: Name) -> dict[str, Pod]:
    return {pod.metadata.name or "": pod for pod in hands.pods.under(BY_POD_SET, str(pod_set))}


async def _texts(client: Client, namespace: str, resource: Kafka) -> Texts:
    kafka, zookeeper = resource.spec.kafka, resource.spec.zookeeper
    operators = resource.spec.entity_operator
    topic = operators.topic_operator if operators else None
    user = operators.user_operator if operators else None
    reader = _Reader(client, namespace)
    return Texts(
        kafka_logging=await reader.logging(kafka.logging, "spec.kafka.logging"),
        kafka_metrics=await reader.metrics(kafka.metrics_config, "spec.kafka.metricsConfig"),
        zookeeper_logging=await reader.logging(zookeeper.logging if zookeeper else None, "spec.zookeeper.logging"),
        zookeeper_metrics=await reader.metrics(
            zookeeper.metrics_config if zookeeper else None, "spec.zookeeper.metricsConfig"
        ),
        topic_operator_logging=await reader.logging(
            topic.logging if topic else None, "spec.entityOperator.topicOperator.logging"
        ),
        user_operator_logging=await reader.logging(
            user.logging if user else None, "spec.entityOperator.userOperator.logging"
        ),
    )


class _Reader:
    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    async def logging(self, logging: Logging | None, field: str) -> str | None:
        if logging is None or logging.type != "external":
            return None
        return await self._entry(logging.value_from and logging.value_from.config_map_key_ref, field)

    async def metrics(self, metrics: MetricsConfig | None, field: str) -> str | None:
        """The YAML of the ConfigMap as JSON, which the metrics agent reads just as well (and users' tools expect)."""
        if metrics is None or metrics.type != "jmxPrometheusExporter":
            return None
        text = await self._entry(metrics.value_from and metrics.value_from.config_map_key_ref, field)
        return _json(text, f"{field}.valueFrom.configMapKeyRef")

    async def _entry(self, reference: Any, field: str) -> str:
        path = f"{field}.valueFrom.configMapKeyRef"
        if reference is None or not reference.name or not reference.key:
            raise TextMissing(f"{path} is not given; name a ConfigMap and a key in it")
        found = await self._client.find(CONFIG_MAPS, Name(self._namespace, reference.name))
        if found is None:
            raise TextMissing(f"{path}: there is no ConfigMap {self._namespace}/{reference.name}; create it")
        if reference.key not in found.data:
            keys = ", ".join(sorted(found.data)) or "none"
            raise TextMissing(
                f"{path}: ConfigMap {self._namespace}/{reference.name} has no key {reference.key!r} (it has: {keys})"
            )
        text: str = found.data[reference.key]
        return text


def _json(text: str, path: str) -> str:
    import yaml

    try:
        return json.dumps(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError as error:
        raise TextMissing(f"{path}: the content is not YAML: {error}") from error
