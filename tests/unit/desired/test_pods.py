"""What users add to pods, and when a pod's revision changes."""

from typing import Any

import pytest
from tests.builders.kafka import kafka, kafka_with, surroundings

from klamm.desired.jvm import KAFKA_HEAP, jvm_environment
from klamm.desired.kafka.cluster import KafkaCluster
from klamm.desired.kafka.configuration import ConfigurationInputs, configuration_fingerprint
from klamm.desired.kafka.objects import kafka_budget, kafka_claims, kafka_pod_set
from klamm.desired.kafka.pods import PodInputs, broker_pod
from klamm.desired.labels import inherited_labels, label_value
from klamm.desired.logging import KAFKA_LOGGERS, appenders_fingerprint, log4j
from klamm.desired.pod_sets import REVISION, wanted_annotations
from klamm.desired.secrets import Generations
from klamm.desired.volumes import volume_name
from klamm.resources.custom.process import JvmOptions, Logging
from klamm.resources.custom.storage import Storage
from klamm.resources.native.container import Container, ResourceRequirements
from klamm.resources.native.pod import Pod
from klamm.resources.structure import decode, encode


def cluster(**spec: Any) -> KafkaCluster:
    resource = kafka_with(**spec)
    return KafkaCluster(resource, surroundings(), resource.spec.kafka.storage or Storage())


def pod(inputs: PodInputs | None = None, **spec: Any) -> Pod:
    made = cluster(**spec)
    return broker_pod(made, made.nodes[0], inputs or PodInputs())


def container(**spec: Any) -> Container:
    return pod(**spec).spec.containers[0]


def environment(made: Container) -> dict[str | None, str | None]:
    return {variable.name: variable.value for variable in made.env}


def test_a_pods_template_is_laid_over_the_pod() -> None:
    template = {
        "metadata": {"labels": {"team": "a", "strimzi.io/kind": "no"}, "annotations": {"note": "b"}},
        "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        "terminationGracePeriodSeconds": 120,
        "priorityClassName": "high",
        "imagePullSecrets": [{"name": "registry"}],
        "securityContext": {"runAsUser": 1001},
        "tmpDirSizeLimit": "100Mi",
        "volumes": [{"name": "extra", "emptyDir": {}}],
    }
    made = pod(
        template={"pod": template, "kafkaContainer": {"volumeMounts": [{"name": "extra", "mountPath": "/mnt/x"}]}}
    )
    spec = made.spec
    assert made.metadata.labels["team"] == "a"
    assert made.metadata.labels["strimzi.io/kind"] == "Kafka"
    assert made.metadata.annotations["note"] == "b"
    assert spec.tolerations[0].key == "dedicated"
    assert spec.termination_grace_period_seconds == 120
    assert spec.priority_class_name == "high"
    assert spec.image_pull_secrets[0].name == "registry"
    assert encode(spec)["securityContext"] == {"runAsUser": 1001}
    tmp = next(volume.empty_dir for volume in spec.volumes if volume.name == "strimzi-tmp")
    assert tmp is not None
    assert tmp.size_limit == "100Mi"
    assert spec.volumes[-1].name == "extra"
    assert spec.containers[0].volume_mounts[-1].mount_path == "/mnt/x"


def test_a_containers_template_adds_but_does_not_replace() -> None:
    added = [{"name": "MINE", "value": "1"}, {"name": "KAFKA_METRICS_ENABLED", "value": "true"}]
    made = container(template={"kafkaContainer": {"env": added, "securityContext": {"runAsNonRoot": True}}})
    assert environment(made)["MINE"] == "1"
    assert environment(made)["KAFKA_METRICS_ENABLED"] == "false"
    assert made.security_context is not None
    assert made.security_context.run_as_non_root


def test_probes_take_the_users_timing() -> None:
    made = container(readinessProbe={"initialDelaySeconds": 0, "timeoutSeconds": 9, "failureThreshold": 4})
    assert encode(made)["readinessProbe"] == {
        "exec": {"command": ["/opt/kafka/kafka_readiness.sh"]},
        "initialDelaySeconds": 0,
        "timeoutSeconds": 9,
        "failureThreshold": 4,
    }
    assert encode(made)["livenessProbe"]["initialDelaySeconds"] == 15


HEAPS = [
    ("nothing said", {}, None, {"KAFKA_HEAP_OPTS": "-Xms128M"}),
    ("both sizes", {"-Xms": "1g", "-Xmx": "2g"}, None, {"KAFKA_HEAP_OPTS": "-Xms1g -Xmx2g"}),
    ("the start only", {"-Xms": "1g"}, None, {"KAFKA_HEAP_OPTS": "-Xms1g"}),
    (
        "a memory limit",
        {},
        "2Gi",
        {"STRIMZI_DYNAMIC_HEAP_PERCENTAGE": "50", "STRIMZI_DYNAMIC_HEAP_MAX": "5368709120"},
    ),
    ("a memory limit and a size", {"-Xmx": "1g"}, "2Gi", {"KAFKA_HEAP_OPTS": "-Xmx1g"}),
]


@pytest.mark.parametrize(("options", "limit", "wanted"), [row[1:] for row in HEAPS], ids=[row[0] for row in HEAPS])
def test_heap(options: dict[str, str], limit: str | None, wanted: dict[str, str]) -> None:
    resources = ResourceRequirements(limits={"memory": limit}) if limit else None
    made = {v.name: v.value for v in jvm_environment(decode(JvmOptions, options), resources, KAFKA_HEAP)}
    assert made.pop("STRIMZI_KAFKA_GC_LOG_ENABLED") == "false"
    assert made == wanted


def test_jvm_flags_and_properties() -> None:
    options = {
        "-XX": {"UseG1GC": "true", "MaxGCPauseMillis": "20", "UseNUMA": "false"},
        "gcLoggingEnabled": True,
        "javaSystemProperties": [{"name": "a.b", "value": "c"}],
    }
    made = {v.name: v.value for v in jvm_environment(decode(JvmOptions, options), None, KAFKA_HEAP)}
    assert made["KAFKA_JVM_PERFORMANCE_OPTS"] == "-XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:-UseNUMA"
    assert made["STRIMZI_JAVA_SYSTEM_PROPERTIES"] == "-Da.b=c"
    assert made["STRIMZI_KAFKA_GC_LOG_ENABLED"] == "true"


def test_metrics_open_their_port() -> None:
    reference = {"configMapKeyRef": {"name": "m", "key": "k"}}
    made = container(metricsConfig={"type": "jmxPrometheusExporter", "valueFrom": reference})
    assert environment(made)["KAFKA_METRICS_ENABLED"] == "true"
    assert ("tcp-prometheus", 9404) in [(port.name, port.container_port) for port in made.ports]


def test_a_rack_is_read_by_the_init_container() -> None:
    made = pod(rack={"topologyKey": "topology.kubernetes.io/zone"})
    assert made.spec.init_containers[0].env[1].value == "topology.kubernetes.io/zone"
    assert "EXTERNAL_ADDRESS" not in environment(made.spec.init_containers[0])


def test_no_init_container_without_need() -> None:
    assert pod().spec.init_containers == []


SAME = PodInputs(certificates={"my-cluster-kafka-0": "a"})
CHANGES: list[tuple[str, PodInputs, dict[str, Any]]] = [
    ("another certificate", PodInputs(certificates={"my-cluster-kafka-0": "b"}), {}),
    (
        "another generation of the authority",
        PodInputs(certificates=SAME.certificates, generations=Generations(cluster_ca_cert=1)),
        {},
    ),
    ("another setting", SAME, {"config": {"num.io.threads": 9}}),
    ("another image", SAME, {"image": "other"}),
    ("more memory", SAME, {"resources": {"limits": {"memory": "1Gi"}}}),
    (
        "another listener",
        SAME,
        {"listeners": [{"name": "other", "port": 9095, "type": "internal", "tls": False}]},
    ),
]


@pytest.mark.parametrize(("inputs", "spec"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_a_revision_changes_with(inputs: PodInputs, spec: dict[str, Any]) -> None:
    assert pod(inputs, **spec).metadata.annotations[REVISION] != pod(SAME).metadata.annotations[REVISION]


KEPT: list[tuple[str, dict[str, Any]]] = [
    ("nothing", {}),
    ("more brokers", {"replicas": 5}),
    ("a logger's level", {"logging": {"type": "inline", "loggers": {"log4j.logger.kafka": "DEBUG"}}}),
    ("a Service's annotations", {"template": {"bootstrapService": {"metadata": {"annotations": {"a": "b"}}}}}),
]


@pytest.mark.parametrize("spec", [row[1] for row in KEPT], ids=[row[0] for row in KEPT])
def test_a_revision_stays_with(spec: dict[str, Any]) -> None:
    assert pod(SAME, **spec).metadata.annotations[REVISION] == pod(SAME).metadata.annotations[REVISION]


def test_live_settings_restart_nobody() -> None:
    before, after = cluster(config={"num.io.threads": 8}), cluster(config={"num.io.threads": 9})
    live = ConfigurationInputs(live_settings={"num.io.threads"})
    node = before.nodes[0]
    assert configuration_fingerprint(before, node, live) == configuration_fingerprint(after, node, live)


def test_the_pod_set_tells_the_roller_what_is_wanted() -> None:
    made = cluster()
    wanted = wanted_annotations(kafka_pod_set(made, SAME))
    assert list(wanted) == ["my-cluster-kafka-0", "my-cluster-kafka-1", "my-cluster-kafka-2"]
    assert wanted["my-cluster-kafka-0"][REVISION] == pod(SAME).metadata.annotations[REVISION]


def test_claims_that_stay_have_no_owner() -> None:
    volumes = [
        {"id": 0, "type": "persistent-claim", "size": "1Gi", "deleteClaim": True},
        {"id": 1, "type": "persistent-claim", "size": "2Gi", "overrides": [{"broker": 0, "class": "fast"}]},
        {"id": 2, "type": "ephemeral"},
    ]
    made = kafka_claims(cluster(replicas=1, storage={"type": "jbod", "volumes": volumes}))
    assert [claim.metadata.name for claim in made] == ["data-0-my-cluster-kafka-0", "data-1-my-cluster-kafka-0"]
    goes, stays = made
    assert goes.metadata.owner_references[0].name == "my-cluster"
    assert goes.metadata.annotations == {"strimzi.io/delete-claim": "true"}
    assert stays.metadata.owner_references == []
    assert stays.spec.storage_class_name == "fast"


def test_budget() -> None:
    assert kafka_budget(cluster()).spec.min_available == 2
    loose = {"template": {"podDisruptionBudget": {"maxUnavailable": 5}}}
    assert kafka_budget(cluster(**loose)).spec.min_available == 0


def test_labels_of_the_resource_are_inherited_but_for_those_of_other_tools() -> None:
    labels = {"team": "a", "app.kubernetes.io/instance": "argo", "app.kubernetes.io/part-of": "shop"}
    labels |= {"kustomize.toolkit.fluxcd.io/name": "x", "strimzi.io/kind": "x", "strimzi.io/cluster-tier": "gold"}
    assert inherited_labels(labels) == {
        "team": "a",
        "app.kubernetes.io/part-of": "shop",
        "strimzi.io/cluster-tier": "gold",
    }
    resource = kafka({"metadata": {"labels": {"team": "a"}}})
    made = KafkaCluster(resource, surroundings(), resource.spec.kafka.storage or Storage())
    assert broker_pod(made, made.nodes[0], PodInputs()).metadata.labels["team"] == "a"


def test_label_values_are_cut_to_what_kubernetes_takes() -> None:
    assert label_value("a" * 62 + "-" + "b") == "a" * 62


def test_logging_inline_and_external() -> None:
    inline = decode(Logging, {"type": "inline", "loggers": {"log4j.logger.kafka": "DEBUG"}})
    external = decode(Logging, {"type": "external"})
    assert "log4j.logger.kafka=DEBUG\n" in log4j(KAFKA_LOGGERS, inline, None)
    assert log4j(KAFKA_LOGGERS, external, "mine") == "mine"
    assert appenders_fingerprint(log4j(KAFKA_LOGGERS, inline, None)) == appenders_fingerprint(
        log4j(KAFKA_LOGGERS, None, None)
    )
    layout = decode(Logging, {"type": "inline", "loggers": {"log4j.appender.CONSOLE.layout": "x"}})
    assert appenders_fingerprint(log4j(KAFKA_LOGGERS, layout, None)) != appenders_fingerprint(
        log4j(KAFKA_LOGGERS, None, None)
    )


def test_volume_names_are_dns_labels() -> None:
    assert volume_name("data-0") == "data-0"
    odd = volume_name("Custom.Certs_" + "x" * 70)
    assert len(odd) <= 63
    assert odd == odd.lower()
