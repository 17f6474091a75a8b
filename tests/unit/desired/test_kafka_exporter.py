"""The exporter's objects: what the resource says of it reaches its pod, and what changes makes a new one."""

from typing import Any

import pytest
from tests.builders.kafka import ABSENT, kafka, surroundings

from klamm.desired.kafka_exporter.deployment import ExporterInputs, deployment
from klamm.desired.kafka_exporter.exporter import KafkaExporter
from klamm.desired.kafka_exporter.objects import kafka_exporter_objects
from klamm.desired.secrets import Generations
from klamm.desired.surroundings import Surroundings
from klamm.resources.structure import encode


def exporter(around: Surroundings | None = None, **spec: Any) -> KafkaExporter:
    return KafkaExporter(kafka({"spec": {"kafkaExporter": spec}}), around or surroundings())


def made(described: KafkaExporter) -> dict[str, dict[str, Any]]:
    """By kind."""
    objects = [encode(block) for block in kafka_exporter_objects(described, ExporterInputs())]
    return {obj["kind"]: obj for obj in objects}


def pod(described: KafkaExporter, inputs: ExporterInputs | None = None) -> dict[str, Any]:
    template: dict[str, Any] = encode(deployment(described, inputs or ExporterInputs()))["spec"]["template"]
    return template


def container(described: KafkaExporter) -> dict[str, Any]:
    [only] = pod(described)["spec"]["containers"]
    found: dict[str, Any] = only
    return found


def environment(described: KafkaExporter) -> dict[str, str]:
    return {variable["name"]: variable.get("value") for variable in container(described)["env"]}


def test_without_the_field_nothing_of_it_is_wanted() -> None:
    assert kafka_exporter_objects(KafkaExporter(kafka(), surroundings()), ExporterInputs()) == []


def test_every_pattern_reaches_its_variable() -> None:
    patterns: dict[str, Any] = {
        "groupRegex": "g.*",
        "topicRegex": "t.*",
        "groupExcludeRegex": "old-.*",
        "topicExcludeRegex": "__.*",
    }
    found = environment(exporter(**patterns))
    assert {
        name: found[f"KAFKA_EXPORTER_{name}_REGEX"] for name in ("GROUP", "TOPIC", "GROUP_EXCLUDE", "TOPIC_EXCLUDE")
    } == {
        "GROUP": "g.*",
        "TOPIC": "t.*",
        "GROUP_EXCLUDE": "old-.*",
        "TOPIC_EXCLUDE": "__.*",
    }


def test_an_empty_resource_shows_all_and_excludes_nothing() -> None:
    assert environment(exporter()) == {
        "KAFKA_EXPORTER_LOGGING": "0",
        "KAFKA_EXPORTER_KAFKA_VERSION": "3.6.0",
        "KAFKA_EXPORTER_KAFKA_SERVER": "my-cluster-kafka-bootstrap:9091",
        "KAFKA_EXPORTER_GROUP_REGEX": ".*",
        "KAFKA_EXPORTER_TOPIC_REGEX": ".*",
        "KAFKA_EXPORTER_OFFSET_SHOW_ALL": "true",
        "KAFKA_EXPORTER_ENABLE_SARAMA": "false",
    }


@pytest.mark.parametrize(("level", "number"), [("info", "0"), ("DEBUG", "1"), ("Trace", "2"), ("loud", "0")])
def test_levels_are_numbers(level: str, number: str) -> None:
    assert environment(exporter(logging=level))["KAFKA_EXPORTER_LOGGING"] == number


def test_switches() -> None:
    found = environment(exporter(enableSaramaLogging=True, showAllOffsets=False))
    assert (found["KAFKA_EXPORTER_ENABLE_SARAMA"], found["KAFKA_EXPORTER_OFFSET_SHOW_ALL"]) == ("true", "false")


def test_the_version_is_the_operators_default_if_none_is_given() -> None:
    resource = kafka({"spec": {"kafka": {"version": ABSENT}, "kafkaExporter": {}}})
    found = environment(KafkaExporter(resource, surroundings(default_version="3.5.1")))
    assert found["KAFKA_EXPORTER_KAFKA_VERSION"] == "3.5.1"


def test_the_image_is_the_resources_or_the_settings_or_the_operators() -> None:
    around = surroundings(kafka_exporter_image="mirror/exporter:1")
    images = [exporter(around, image="own:1"), exporter(around), exporter()]
    assert [container(one)["image"] for one in images] == ["own:1", "mirror/exporter:1", "klamm/operator:1.0.0"]


def test_resources_and_probes() -> None:
    amounts = {"requests": {"memory": "64Mi"}, "limits": {"memory": "128Mi"}}
    found = container(exporter(resources=amounts, readinessProbe={"initialDelaySeconds": 1, "periodSeconds": 2}))
    assert found["resources"] == amounts
    asked = {"httpGet": {"path": "/healthz", "port": "tcp-prometheus"}}
    assert found["readinessProbe"] == {**asked, "initialDelaySeconds": 1, "timeoutSeconds": 15, "periodSeconds": 2}
    assert found["livenessProbe"] == {**asked, "initialDelaySeconds": 15, "timeoutSeconds": 15}


def test_templates_reach_their_objects() -> None:
    mark = {"metadata": {"labels": {"team": "a"}, "annotations": {"note": "b"}}}
    template = {
        "deployment": {**mark, "deploymentStrategy": "Recreate"},
        "pod": {**mark, "priorityClassName": "high", "tolerations": [{"operator": "Exists"}], "tmpDirSizeLimit": "9Mi"},
        "container": {"env": [{"name": "MINE", "value": "1"}, {"name": "KAFKA_EXPORTER_LOGGING", "value": "9"}]},
        "serviceAccount": mark,
        "podDisruptionBudget": {**mark, "maxUnavailable": 0},
        "service": mark,
    }
    objects = made(exporter(template=template))
    assert set(objects) == {"ServiceAccount", "NetworkPolicy", "PodDisruptionBudget", "Deployment"}
    for kind in ("Deployment", "ServiceAccount", "PodDisruptionBudget"):
        metadata = objects[kind]["metadata"]
        assert (metadata["labels"]["team"], metadata["annotations"]["note"]) == ("a", "b"), kind
    assert objects["Deployment"]["spec"]["strategy"] == {"type": "Recreate"}
    assert objects["PodDisruptionBudget"]["spec"]["minAvailable"] == 1
    made_of = objects["Deployment"]["spec"]["template"]
    assert made_of["metadata"]["labels"]["team"] == "a"
    assert made_of["spec"]["priorityClassName"] == "high"
    assert made_of["spec"]["tolerations"] == [{"operator": "Exists"}]
    assert made_of["spec"]["volumes"][0]["emptyDir"]["sizeLimit"] == "9Mi"
    found = environment(exporter(template=template))
    assert (found["MINE"], found["KAFKA_EXPORTER_LOGGING"]) == ("1", "0")


def test_policies_and_budgets_are_made_only_where_the_operator_makes_any() -> None:
    around = surroundings(network_policies=False, disruption_budgets=False)
    assert set(made(exporter(around))) == {"ServiceAccount", "Deployment"}


def test_a_changed_certificate_or_trust_makes_a_new_pod() -> None:
    inputs = [
        ExporterInputs(Generations(), "a"),
        ExporterInputs(Generations(), "b"),
        ExporterInputs(Generations(cluster_ca_key=1), "a"),
        ExporterInputs(Generations(cluster_ca_cert=1), "a"),
        ExporterInputs(Generations(old_cluster_ca=True), "a"),
    ]
    described = exporter()
    different = {str(pod(described, one)["metadata"]["annotations"]) for one in inputs}
    assert len(different) == len(inputs)


def test_pods_carry_what_dashboards_select_on() -> None:
    labels = pod(exporter())["metadata"]["labels"]
    assert {key: labels[f"strimzi.io/{key}"] for key in ("cluster", "kind", "name")} == {
        "cluster": "my-cluster",
        "kind": "Kafka",
        "name": "my-cluster-kafka-exporter",
    }
