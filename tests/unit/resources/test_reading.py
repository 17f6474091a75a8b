"""What users get wrong is answered with the place, the value, the rule and the mend."""

import copy
from typing import Any

import pytest

from klamm.resources import reading
from klamm.resources.custom.kafka import Kafka
from klamm.resources.custom.user import KafkaUser
from klamm.resources.reading import Invalid


def manifest() -> dict[str, Any]:
    """A Kafka that is right, with ZooKeeper, as a user writes it."""
    return {
        "apiVersion": "kafka.strimzi.io/v1beta2",
        "kind": "Kafka",
        "metadata": {"name": "my-cluster", "creationTimestamp": None},
        "spec": {
            "kafka": {
                "version": "3.6.0",
                "replicas": 3,
                "listeners": [{"name": "plain", "port": 9092, "type": "internal", "tls": False}],
                "config": {"min.insync.replicas": 2},
                "storage": {"type": "jbod", "volumes": [{"id": 0, "type": "persistent-claim", "size": "10Gi"}]},
            },
            "zookeeper": {"replicas": 3, "storage": {"type": "ephemeral"}},
            "entityOperator": {"topicOperator": {}, "userOperator": {}},
        },
    }


def changed(path: str, value: Any) -> dict[str, Any]:
    """The manifest with another value at a path such as `spec.kafka.listeners.0.port`."""
    obj = copy.deepcopy(manifest())
    *way, last = path.split(".")
    node: Any = obj
    for step in way:
        node = node[int(step)] if step.isdigit() else node.setdefault(step, {})
    node[int(last) if last.isdigit() else last] = value
    return obj


def test_a_right_manifest_becomes_a_typed_resource() -> None:
    kafka = reading.decode(Kafka, manifest())
    assert isinstance(kafka, Kafka)
    assert kafka.spec.kafka.replicas == 3
    assert kafka.spec.kafka.listeners[0].port == 9092
    assert kafka.spec.kafka.storage is not None
    assert kafka.spec.kafka.storage.volumes[0].size == "10Gi"
    assert kafka.spec.zookeeper is not None
    assert kafka.spec.entity_operator is not None
    assert kafka.spec.entity_operator.topic_operator is not None
    assert kafka.spec.kafka.config == {"min.insync.replicas": 2}


WRONG = [
    (
        "spec.kafka.version",
        3.6,
        'spec.kafka.version: 3.6 must be a string; put it in quotes: "3.6"',
    ),
    (
        "spec.kafka.replicas",
        "3",
        "spec.kafka.replicas: '3' must be an integer; write it without quotes: 3",
    ),
    (
        "spec.kafka.replicas",
        "three",
        "spec.kafka.replicas: 'three' must be an integer; write for example 3",
    ),
    (
        "spec.kafka.replicas",
        0,
        "spec.kafka.replicas: 0 must be at least 1; write 1 or more",
    ),
    (
        "spec.kafka.replicas",
        True,
        "spec.kafka.replicas: True must be an integer; write for example 3",
    ),
    (
        "spec.kafka.replicas",
        {"min": 3},
        "spec.kafka.replicas: {'min': 3} must be an integer; write a single value",
    ),
    (
        "spec.kafka.listeners.0.tls",
        "false",
        "spec.kafka.listeners[0].tls: 'false' must be true or false; write it without quotes: false",
    ),
    (
        "spec.kafka.listeners.0.name",
        "Plain_1",
        "spec.kafka.listeners[0].name: 'Plain_1' must match ^[a-z0-9]{1,11}$; write for example external1",
    ),
    (
        "spec.kafka.listeners.0.type",
        "nodePort",
        "spec.kafka.listeners[0].type: 'nodePort' must be one of internal, route, tlsroute, loadbalancer, "
        "nodeport, ingress, cluster-ip; write nodeport",
    ),
    (
        "spec.kafka.listeners",
        [],
        "spec.kafka.listeners: [] must have at least 1 item; add one, or leave the field out",
    ),
    (
        "spec.kafka.listeners",
        {"name": "plain"},
        "spec.kafka.listeners: {'name': 'plain'} must be a list; write each item on a line that begins with a dash",
    ),
    (
        "spec.zookeeper",
        "none",
        "spec.zookeeper: 'none' must be an object; write fields below it, one `name: value` a line",
    ),
    (
        "spec.kafka.jvmOptions.-Xmx",
        "1 GB",
        "spec.kafka.jvmOptions.-Xmx: '1 GB' must match ^[0-9]+[mMgG]?$; write for example 512m",
    ),
    (
        "spec.kafka.jvmOptions.-XX.Flags",
        ["a"],
        "spec.kafka.jvmOptions.-XX.Flags: ['a'] must be a string; write a single value",
    ),
    (
        "spec.kafka.resources.limits.memory",
        [],
        "spec.kafka.resources.limits.memory: [] must be a quantity; write for example 500m or 2Gi",
    ),
    (
        "spec.cruiseControl.brokerCapacity.cpuUtilization",
        101,
        "spec.cruiseControl.brokerCapacity.cpuUtilization: 101 must be at most 100; write 100 or less",
    ),
    (
        "spec.kafka.template.pod.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution",
        {},
        "spec.kafka.template.pod.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution: "
        "{} must be a list; write each item on a line that begins with a dash",
    ),
    (
        "spec.kafka.metricsConfig.type",
        "jmx",
        "spec.kafka.metricsConfig.type: 'jmx' must be one of jmxPrometheusExporter, strimziMetricsReporter; choose one",
    ),
]


@pytest.mark.parametrize(("path", "value", "sentence"), WRONG, ids=[f"{p}={v}" for p, v, _ in WRONG])
def test_a_wrong_value_is_answered(path: str, value: Any, sentence: str) -> None:
    answer = reading.decode(Kafka, changed(path, value))
    assert isinstance(answer, Invalid)
    assert [str(problem) for problem in answer.problems] == [sentence]


def test_all_problems_are_told_at_once() -> None:
    obj = manifest()
    obj["spec"]["kafka"] |= {"version": 3.6, "replicas": "3"}
    answer = reading.decode(Kafka, obj)
    assert isinstance(answer, Invalid)
    assert [problem.path for problem in answer.problems] == ["spec.kafka.version", "spec.kafka.replicas"]


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (
            "spec.kafka.replcas",
            3,
            "spec.kafka.replcas is not a known field and is ignored (did you mean replicas?)",
        ),
        ("spec.moon", {"a": 1}, "spec.moon is not a known field and is ignored"),
    ],
)
def test_an_unknown_field_is_a_remark_and_no_problem(path: str, value: Any, sentence: str) -> None:
    obj = changed(path, value)
    assert isinstance(reading.decode(Kafka, obj), Kafka)
    assert [str(field) for field in reading.unknown_fields(Kafka, obj)] == [sentence]


def test_metadata_and_open_nodes_have_no_unknown_fields() -> None:
    obj = manifest()
    obj["metadata"] |= {"managedFields": [], "selfLink": "x"}
    obj["spec"]["kafka"]["config"]["some.plugin.setting"] = "x"
    assert reading.unknown_fields(Kafka, obj) == []


@pytest.mark.parametrize(
    ("status", "cluster_id"),
    [
        ({"clusterId": "abc", "newer": 1}, "abc"),
        ({"clusterId": "abc", "listeners": "none"}, None),
        (None, None),
        ("Ready", None),
    ],
)
def test_nobody_is_blamed_for_a_status(status: Any, cluster_id: str | None) -> None:
    reading_of = reading.read(Kafka, manifest() | {"status": status})
    assert (reading_of.problems, reading_of.unknown) == ([], [])
    kafka = reading.decode(Kafka, manifest() | {"status": status})
    assert isinstance(kafka, Kafka)
    assert (kafka.status.cluster_id if kafka.status else None) == cluster_id


def test_a_deprecated_field_is_named_with_what_to_write_instead() -> None:
    user = {"spec": {"authorization": {"type": "simple", "acls": [{"operation": "Read", "resource": {}}]}}}
    assert [str(field) for field in reading.deprecated_fields(KafkaUser, user)] == [
        "spec.authorization.acls[0].operation is deprecated: write operations: [...]"
    ]


def test_what_v1_lacks_is_deprecated_only_for_those_who_read_v1() -> None:
    obj = changed("spec.entityOperator.topicOperator", {"reconciliationIntervalSeconds": 60})
    assert reading.deprecated_fields(Kafka, obj) == []
    assert [str(field) for field in reading.deprecated_fields(Kafka, obj | {"apiVersion": "kafka.strimzi.io/v1"})] == [
        "spec.entityOperator.topicOperator.reconciliationIntervalSeconds is deprecated: "
        "write reconciliationIntervalMs in API version v1"
    ]


def test_what_both_versions_require_is_missed() -> None:
    obj = manifest()
    del obj["spec"]["kafka"]["listeners"][0]["name"]
    del obj["spec"]["zookeeper"]["storage"]
    assert [str(problem) for problem in reading.missing_fields(Kafka, obj)] == [
        "spec.kafka.listeners[0].name must be given; add name: name, unique in the cluster",
        "spec.zookeeper.storage must be given; add storage: where the data lies",
    ]


def test_scalars_in_maps_of_strings_become_text_as_people_expect() -> None:
    options = {"UseG1GC": True, "MaxGCPauseMillis": 20, "Other": "x"}
    kafka = reading.decode(Kafka, changed("spec.kafka.jvmOptions.-XX", options))
    assert isinstance(kafka, Kafka)
    assert kafka.spec.kafka.jvm_options is not None
    assert kafka.spec.kafka.jvm_options.xx == {"UseG1GC": "true", "MaxGCPauseMillis": "20", "Other": "x"}


def test_null_counts_as_not_given() -> None:
    kafka = reading.decode(Kafka, changed("spec.kafka.template", None))
    assert isinstance(kafka, Kafka)
    assert kafka.spec.kafka.template is None
    assert reading.missing_fields(Kafka, changed("spec.kafka.listeners", None))[0].path == "spec.kafka.listeners"


@pytest.mark.parametrize("obj", [{}, {"spec": None}, {"metadata": "x"}, {"spec": []}, {"spec": {"kafka": {}}}])
def test_nothing_that_is_missing_breaks_the_reading(obj: dict[str, Any]) -> None:
    assert isinstance(reading.decode(Kafka, obj), (Kafka, Invalid))
