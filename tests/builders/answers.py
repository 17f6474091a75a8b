"""What klamm answers to a manifest: the API's validation, the operators' reading and rules, and what they would build.

`Answer.by` is "API", "NotReady", "Warning" or "nobody". Nothing is stored.
"""

import itertools
import json
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from tests.builders.definitions import Standing, store_with
from tests.builders.kafka import surroundings

from klamm.desired.entity_operator.deployment import EntityOperatorInputs
from klamm.desired.entity_operator.objects import entity_operator_objects
from klamm.desired.entity_operator.operators import EntityOperator
from klamm.desired.kafka import certificate_subjects
from klamm.desired.kafka.cluster import KafkaCluster
from klamm.desired.kafka.configuration import ConfigurationInputs
from klamm.desired.kafka.listeners import Addresses
from klamm.desired.kafka.objects import kafka_objects
from klamm.desired.kafka.pods import PodInputs
from klamm.desired.kafka_exporter.deployment import ExporterInputs
from klamm.desired.kafka_exporter.exporter import KafkaExporter
from klamm.desired.kafka_exporter.objects import kafka_exporter_objects
from klamm.desired.zookeeper.ensemble import Ensemble, EnsembleInputs
from klamm.desired.zookeeper.objects import zookeeper_objects
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.apiserver.write_rules import WriteOptions
from klamm.localkube.objects import NAMESPACES, SERVICE_ACCOUNTS, Refused
from klamm.planning import topics, users
from klamm.planning.kafka_rules import cluster as kafka_rules
from klamm.resources.custom.kafka import Kafka
from klamm.resources.custom.storage import Storage as KafkaStorage
from klamm.resources.custom.topic import KafkaTopic
from klamm.resources.custom.user import KafkaUser
from klamm.resources.reading import Reading, read
from klamm.resources.structure import Block, decode, encode

KINDS: dict[str, tuple[str, type[Any]]] = {
    "Kafka": ("kafkas", Kafka),
    "KafkaTopic": ("kafkatopics", KafkaTopic),
    "KafkaUser": ("kafkausers", KafkaUser),
}


@dataclass(frozen=True)
class Answer:
    by: str
    text: str = ""


class NotMakeable(AssertionError):
    """The rules let a resource through whose objects the API refuses: a rule is missing."""


@cache
def api() -> Registry:
    """One for all: nothing but definitions, a namespace and accounts is ever stored in it."""
    uids = (f"uid-{n}" for n in itertools.count(1))
    definitions = ("kafkas.kafka", "kafkatopics.kafka", "kafkausers.kafka", "strimzipodsets.core")
    registry = Registry(store_with(definitions), Standing(), Random(1), lambda: next(uids))
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kafka"}}
    registry.create(registry.kind_of(NAMESPACES), None, namespace, WriteOptions("test"))
    return registry


def answer_to(manifest: dict[str, Any]) -> Answer:
    options = WriteOptions("test", dry_run=True)
    try:
        stored = _created(manifest, options)
    except Refused as refused:
        return Answer("API", f"{refused.message} {json.dumps(refused.details)}")
    read_as = operator_answer(stored)
    if read_as.by == "nobody" and options.warnings:
        return Answer("Warning", "; ".join(options.warnings))
    if read_as.by == "Warning":
        return Answer("Warning", "; ".join([*options.warnings, read_as.text]))
    return read_as


def _created(manifest: dict[str, Any], options: WriteOptions) -> dict[str, Any]:
    group, _, version = str(manifest.get("apiVersion", "")).partition("/")
    plural, _ = KINDS[manifest["kind"]]
    kind = api().kind(group, version, plural)
    if kind is None:
        raise Refused(404, "NotFound", f"no matches for kind {manifest['kind']} in version {manifest['apiVersion']}")
    return api().create(kind, "kafka", manifest, options)


def operator_answer(stored: dict[str, Any]) -> Answer:
    """What the operators say of an object that the API has taken. Raises only for what is a bug."""
    kind = KINDS[stored["kind"]][1]
    reading = read(kind, stored)
    if reading.problems:
        return Answer("NotReady", "\n".join(map(str, reading.problems)))
    resource = decode(kind, reading.cleaned)
    problems = _problems(resource)
    if problems:
        return Answer("NotReady", "\n".join(problems))
    if isinstance(resource, Kafka):
        build(resource)
    told = [*_told(reading), *_remarks(resource)]
    return Answer("Warning", "; ".join(told)) if told else Answer("nobody")


def _problems(resource: Any) -> list[str]:
    if isinstance(resource, Kafka):
        return [str(problem) for problem in kafka_rules.problems(resource)]
    if isinstance(resource, KafkaUser):
        return users.problems(resource, acls_supported=True)
    wanted = topics.Wanted(resource.spec.topic_name or resource.metadata.name or "")
    refused = topics.illegal_name(wanted.topic)
    return [refused.message] if refused else []


def _told(reading: Reading) -> list[str]:
    return [*map(str, reading.unknown), *map(str, reading.deprecated)]


_UNWISE = {"KafkaDefaultReplicationFactor", "KafkaMinInsyncReplicas"}
"""Told of the valid manifest too."""


def _remarks(resource: Any) -> list[str]:
    if not isinstance(resource, Kafka):
        return []
    return [remark.message for remark in kafka_rules.remarks(resource) if remark.reason not in _UNWISE]


def build(kafka: Kafka) -> list[Block]:
    """All objects of a Kafka resource; the API must take each of them."""
    spec, around = kafka.spec, surroundings()
    cluster = KafkaCluster(kafka, around, spec.kafka.storage or KafkaStorage())
    ensemble = Ensemble(kafka, around, spec.zookeeper.storage if spec.zookeeper else KafkaStorage())
    addresses = known(cluster)
    for node in cluster.nodes[:3]:
        certificate_subjects.alternative_names(cluster, node, addresses)
    objects = [
        *zookeeper_objects(ensemble, EnsembleInputs()),
        *kafka_objects(cluster, PodInputs(ConfigurationInputs(addresses))),
        *entity_operator_objects(EntityOperator(kafka, around), EntityOperatorInputs()),
        *kafka_exporter_objects(KafkaExporter(kafka, around), ExporterInputs()),
    ]
    for one in objects:
        _take(encode(one))
    return objects


def known(cluster: KafkaCluster) -> Addresses:
    """As if the API had given every external listener its ports and addresses."""
    places = [
        (listener.identifier, node)
        for listener in cluster.listeners
        for node in [None, *(each.id for each in cluster.nodes)]
    ]
    return Addresses(dict.fromkeys(places, 30000), dict.fromkeys(places, "host.example"))


def _as_pod(pod: dict[str, Any]) -> dict[str, Any]:
    """Which classes of priority there are is the cluster's: here are none, and any may be named."""
    rest = {name: value for name, value in pod["spec"].items() if name != "priorityClassName"}
    return {"apiVersion": "v1", "kind": "Pod", **pod, "spec": rest}


def _take(obj: dict[str, Any]) -> None:
    bodies = [obj, *map(_as_pod, obj.get("spec", {}).get("pods", ()))]
    for body in bodies:
        group, _, version = body["apiVersion"].rpartition("/")
        kind = next(
            each
            for each in api().kinds()
            if (each.resource.group, each.resource.version, each.resource.kind) == (group, version, body["kind"])
        )
        namespace = "kafka" if kind.resource.namespaced else None
        if body["metadata"].get("namespace", "kafka") != "kafka":
            continue  # in a namespace that an operator is to watch; the one here has no others
        account = kind.resource == SERVICE_ACCOUNTS
        if account and api().storage.find(kind.storage_key, "kafka", body["metadata"]["name"]) is not None:
            continue
        try:
            # Pods are refused whose account is not there.
            api().create(kind, namespace, body, WriteOptions("test", dry_run=not account))
        except Refused as refused:
            raise NotMakeable(f"{body['kind']} {body['metadata']['name']}: {refused.message}") from refused
