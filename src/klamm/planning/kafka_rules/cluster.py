"""All rules for a Kafka resource that need more than its schema: what is wrong, and what should be told.

Nothing raises: each problem names the field's path, the value, the rule and the mend, so that the user sees all of them
at once in the resource's status. A resource with problems is not acted upon; a running cluster goes on as it is.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from klamm.desired.kafka.metrics_reporter import REPORTER
from klamm.desired.labels import CLUSTER, DOMAIN
from klamm.planning.java_patterns import reason_java_cannot_read
from klamm.planning.kafka_rules.additions import addition_problems, addition_remarks
from klamm.planning.kafka_rules.kafka_exporter import exporter_problems, exporter_remarks
from klamm.planning.kafka_rules.listeners import listener_problems
from klamm.planning.kafka_rules.placement import placement_problems
from klamm.planning.kafka_rules.remark import Remark
from klamm.planning.kafka_rules.settings import setting_problems, setting_remarks
from klamm.planning.kafka_rules.storage import heap_problems, resource_problems, storage_problems
from klamm.planning.kafka_rules.texts import text_problems
from klamm.planning.maintenance_windows import UnreadableWindow, parse_window
from klamm.releases.versions import DEFAULT_WITH_ZOOKEEPER, SUPPORTED
from klamm.resources.custom.kafka import CertificateAuthority, Kafka
from klamm.resources.custom.process import Logging, MetricsConfig
from klamm.resources.reading import Problem

KRAFT = "strimzi.io/kraft"
NODE_POOLS = "strimzi.io/node-pools"

_NAME = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
# The longest name made from a cluster's is a certificate's `<cluster>-entity-topic-operator`, of at most 64 characters.
_LONGEST_NAME = 64 - len("-entity-topic-operator")
_MOST_BROKERS = 1000
"""Ids above belong to brokers without one of their own (reserved.broker.max.id)."""
_MOST_ZOOKEEPERS = 255
"""A node's id is one byte (ZooKeeper Administrator's Guide)."""
_LONGEST_VALIDITY = 36500
"""Days: a date after the year 9999 cannot be written into a certificate."""
_LATER = "klamm does not do this yet"


@dataclass(frozen=True, slots=True)
class SupportedVersions:
    """Kafka versions that can run, by what keeps their metadata."""

    default: str
    with_zookeeper: Sequence[str]
    with_kraft: Sequence[str] = ()


RELEASED = SupportedVersions(
    default=DEFAULT_WITH_ZOOKEEPER,
    with_zookeeper=tuple(release.version for release in SUPPORTED if release.runs_with_zookeeper),
    with_kraft=tuple(release.version for release in SUPPORTED if not release.runs_with_zookeeper),
)
"""All that klamm knows; an operator that has images for fewer says so."""


def problems(kafka: Kafka, versions: SupportedVersions = RELEASED) -> list[Problem]:
    """Everything that keeps the resource from being acted upon, in the order of its fields."""
    spec = kafka.spec
    version = spec.kafka.version or versions.default
    return [
        *_identity(kafka),
        *_mode(kafka),
        *_version(version, spec.kafka.version, versions),
        *_required(kafka),
        *listener_problems(spec.kafka.listeners, spec.kafka.replicas or 0),
        *setting_problems(kafka, version),
        *placement_problems(kafka),
        *text_problems(kafka),
        *addition_problems(kafka),
        *_security(kafka),
        *_processes(kafka),
        *exporter_problems(kafka.spec.kafka_exporter),
        *_authority("spec.clusterCa", spec.cluster_ca),
        *_authority("spec.clientsCa", spec.clients_ca),
        *_windows(spec.maintenance_time_windows),
    ]


def remarks(kafka: Kafka, versions: SupportedVersions = RELEASED) -> list[Remark]:
    """What becomes a Warning condition."""
    version = kafka.spec.kafka.version or versions.default
    return [
        *setting_remarks(kafka, version),
        *_zookeeper_remarks(kafka),
        *_storage_remarks(kafka),
        *exporter_remarks(kafka.spec.kafka_exporter),
        *_not_yet(kafka),
        *addition_remarks(kafka),
    ]


def _identity(kafka: Kafka) -> Iterator[Problem]:
    name = kafka.metadata.name or ""
    if not _NAME.match(name):
        mend = "begin with a letter and use lower-case letters, digits and '-' (Services are named after it)"
        yield Problem("metadata.name", name, "cannot name a cluster", mend)
    if len(name) > _LONGEST_NAME:
        rule = f"has {len(name)} characters"
        mend = f"use at most {_LONGEST_NAME}, since certificates and Services are named after it"
        yield Problem("metadata.name", name, rule, mend)
    for label, value in kafka.metadata.labels.items():
        if label.startswith(DOMAIN) and not label.startswith(CLUSTER):
            yield Problem(f"metadata.labels[{label}]", value, "is klamm's own label", "remove it")


def _mode(kafka: Kafka) -> Iterator[Problem]:
    """ZooKeeper-based clusters without node pools are what this klamm runs."""
    for annotation in (KRAFT, NODE_POOLS):
        value = kafka.metadata.annotations.get(annotation)
        if value == "enabled":
            mend = "remove the annotation and give spec.kafka.replicas, spec.kafka.storage and spec.zookeeper"
            yield Problem(f"metadata.annotations[{annotation}]", value, f"asks for what {_LATER}", mend)
    if kafka.spec.zookeeper is None:
        rule = f"is missing, so the cluster would run in KRaft mode; {_LATER}"
        yield Problem("spec.zookeeper", None, rule, "add spec.zookeeper with replicas and storage")


def _version(version: str, given: str | None, versions: SupportedVersions) -> Iterator[Problem]:
    if version in versions.with_zookeeper:
        return
    choices = f"choose one of {', '.join(versions.with_zookeeper)}"
    if version in versions.with_kraft:
        yield Problem("spec.kafka.version", given, f"has no ZooKeeper, and KRaft is later: {_LATER}", choices)
    else:
        yield Problem("spec.kafka.version", given, "is not supported", choices)


def _required(kafka: Kafka) -> Iterator[Problem]:
    """What one of the two generations of the API leaves out, and a ZooKeeper-based cluster needs."""
    spec, zookeeper = kafka.spec.kafka, kafka.spec.zookeeper
    yield from _count("spec.kafka.replicas", spec.replicas, "brokers", _MOST_BROKERS)
    yield from storage_problems("spec.kafka.storage", spec.storage, jbod=True)
    if zookeeper is not None:
        yield from _count("spec.zookeeper.replicas", zookeeper.replicas, "ZooKeeper nodes", _MOST_ZOOKEEPERS)
        yield from storage_problems("spec.zookeeper.storage", zookeeper.storage, jbod=False)


def _count(path: str, replicas: int | None, what: str, most: int) -> Iterator[Problem]:
    if replicas is None:
        yield Problem(path, None, "is missing", f"write how many {what} to run, e.g. 3")
    elif replicas < 1:
        yield Problem(path, replicas, f"is no number of {what}", "write at least 1")
    elif replicas > most:
        yield Problem(path, replicas, f"is more than the {most} {what} that there can be", f"write at most {most}")


def _security(kafka: Kafka) -> Iterator[Problem]:
    spec = kafka.spec.kafka
    authorization, rack = spec.authorization, spec.rack
    path = "spec.kafka.authorization"
    if authorization is not None and authorization.type in ("opa", "keycloak"):
        rule = "needs a library that klamm's Kafka images do not hold"
        mend = "use type: custom with authorizerClass and an image that holds it, or type: simple"
        yield Problem(f"{path}.type", authorization.type, rule, mend)
    elif authorization is not None and authorization.type == "custom" and not authorization.authorizer_class:
        yield Problem(f"{path}.authorizerClass", None, "is missing", "write the class of the authorizer")
    elif authorization is not None and authorization.type not in ("simple", "custom"):
        yield Problem(f"{path}.type", authorization.type, "is no authorization", "choose simple or custom")
    if rack is not None and rack.type == "environment-variable":
        mend = "use topologyKey with a label of the nodes"
        yield Problem("spec.kafka.rack.type", rack.type, f"is not possible: {_LATER}", mend)
    elif rack is not None and not rack.topology_key:
        mend = "write a label of the nodes, e.g. topology.kubernetes.io/zone"
        yield Problem("spec.kafka.rack.topologyKey", None, "is missing", mend)


def _processes(kafka: Kafka) -> Iterator[Problem]:
    """CPU, memory, heap, logging and metrics of every process."""
    kafka_spec, zookeeper, entity = kafka.spec.kafka, kafka.spec.zookeeper, kafka.spec.entity_operator
    jvms = [("spec.kafka", kafka_spec)] + ([("spec.zookeeper", zookeeper)] if zookeeper else [])
    for path, process in jvms:
        yield from resource_problems(f"{path}.resources", process.resources)
        yield from heap_problems(f"{path}.jvmOptions", process.jvm_options)
        yield from _logging(f"{path}.logging", process.logging)
        yield from _metrics(f"{path}.metricsConfig", process.metrics_config)
    operators = [
        ("spec.entityOperator.topicOperator", entity.topic_operator if entity else None),
        ("spec.entityOperator.userOperator", entity.user_operator if entity else None),
    ]
    for path, operator in operators:
        if operator is not None:
            yield from resource_problems(f"{path}.resources", operator.resources)
            yield from _logging(f"{path}.logging", operator.logging)


def _logging(path: str, logging: Logging | None) -> Iterator[Problem]:
    if logging is None or logging.type != "external":
        return
    reference = logging.value_from.config_map_key_ref if logging.value_from else None
    if reference is None or not reference.name or not reference.key:
        mend = "name the ConfigMap and its key: {configMapKeyRef: {name: …, key: …}}"
        yield Problem(f"{path}.valueFrom", None, "is missing for external logging", mend)


def _metrics(path: str, metrics: MetricsConfig | None) -> Iterator[Problem]:
    if metrics is None:
        return
    if metrics.type == REPORTER:
        yield from _reporter(path, metrics)
        return
    if metrics.type != "jmxPrometheusExporter":
        mend = f"choose jmxPrometheusExporter or {REPORTER}"
        yield Problem(f"{path}.type", metrics.type, "is no exporter of metrics", mend)
        return
    reference = metrics.value_from.config_map_key_ref if metrics.value_from else None
    if reference is None or not reference.name or not reference.key:
        mend = "name the ConfigMap and its key: {configMapKeyRef: {name: …, key: …}}"
        yield Problem(f"{path}.valueFrom", None, "is missing", mend)


def _reporter(path: str, metrics: MetricsConfig) -> Iterator[Problem]:
    if path.startswith("spec.zookeeper"):
        rule = "is a plug-in of Kafka, which ZooKeeper cannot load"
        yield Problem(f"{path}.type", metrics.type, rule, "use jmxPrometheusExporter")
    for index, pattern in enumerate(metrics.values.allow_list if metrics.values else ()):
        place = f"{path}.values.allowList[{index}]"
        if "," in pattern:
            yield Problem(place, pattern, "has a comma, at which the reporter would cut it", "write two patterns")
        elif (why := reason_java_cannot_read(pattern)) is not None:
            yield Problem(place, pattern, f"is no regular expression ({why})", "correct it")


def _authority(path: str, authority: CertificateAuthority | None) -> Iterator[Problem]:
    given = authority or CertificateAuthority()
    validity, renewal = given.validity_days or 365, given.renewal_days or 30
    if validity > _LONGEST_VALIDITY:
        yield Problem(f"{path}.validityDays", validity, "is too long", f"write at most {_LONGEST_VALIDITY} days")
    if renewal >= validity:
        rule = f"is not less than validityDays {validity}, so the authority would be renewed in every pass"
        yield Problem(f"{path}.renewalDays", renewal, rule, "lower renewalDays or raise validityDays")


def _windows(windows: Sequence[str]) -> Iterator[Problem]:
    for index, text in enumerate(windows):
        try:
            parse_window(text)
        except UnreadableWindow as error:
            yield Problem(f"spec.maintenanceTimeWindows[{index}]", text, f"is no window ({error})", "correct it")


def _zookeeper_remarks(kafka: Kafka) -> Iterator[Remark]:
    replicas = (kafka.spec.zookeeper.replicas or 0) if kafka.spec.zookeeper else 0
    if replicas == 2:
        message = "spec.zookeeper.replicas is 2: when either node stops, both stop serving; use 1 or 3"
        yield Remark("ZooKeeperReplicas", message)
    elif replicas and replicas % 2 == 0:
        message = (
            f"spec.zookeeper.replicas is {replicas}: an even number tolerates no more failures than {replicas - 1}; "
            "use an odd one"
        )
        yield Remark("ZooKeeperReplicas", message)


def _storage_remarks(kafka: Kafka) -> Iterator[Remark]:
    """Ephemeral storage of a single node: its first restart loses everything."""
    spec, zookeeper = kafka.spec.kafka, kafka.spec.zookeeper
    if spec.replicas == 1 and spec.storage is not None and spec.storage.type == "ephemeral":
        yield Remark("KafkaStorage", "one broker with ephemeral storage loses all topics at its first restart")
    if zookeeper and zookeeper.replicas == 1 and zookeeper.storage.type == "ephemeral":
        message = "one ZooKeeper node with ephemeral storage loses the whole cluster at its first restart"
        yield Remark("ZooKeeperStorage", message)


def _not_yet(kafka: Kafka) -> Iterator[Remark]:
    """Parts of the specification that are accepted and have no effect yet."""
    spec = kafka.spec
    given = {
        "spec.cruiseControl": spec.cruise_control,
        "spec.jmxTrans": spec.jmx_trans,
        "spec.kafka.quotas": spec.kafka.quotas,
        "spec.kafka.tieredStorage": spec.kafka.tiered_storage,
        "spec.kafka.metadataVersion": spec.kafka.metadata_version,
    }
    for path, value in given.items():
        if value is not None:
            yield Remark("NotSupportedYet", f"{path} has no effect: {_LATER}")
