"""Who is asked for metrics: the same for the Prometheus Operator and for a Prometheus alone."""

import re
from typing import Any

from tests.builders.kafka import kafka, surroundings

from klamm.desired.entity_operator.operators import EntityOperator
from klamm.monitoring.discovery import node_targets, pod_targets
from klamm.monitoring.scraping import MONITORS, kubelet_jobs, pod_monitor, scrape_job
from klamm.resources.native.cluster import Node, NodeAddress, NodeStatus
from klamm.resources.native.container import Container, ContainerPort
from klamm.resources.native.metadata import ObjectMeta
from klamm.resources.native.pod import Pod, PodSpec, PodStatus

BROKER_LABELS = {
    "strimzi.io/kind": "Kafka",
    "strimzi.io/cluster": "my-cluster",
    "strimzi.io/name": "my-cluster-kafka",
    "app.kubernetes.io/name": "kafka",
}


def pod(labels: dict[str, str], *ports: dict[str, int], ip: str | None = "10.1.0.7", phase: str = "Running") -> Pod:
    """`ports` of each container."""
    containers = [
        Container(
            name="kafka", ports=[ContainerPort(name=name, container_port=number) for name, number in each.items()]
        )
        for each in ports
    ]
    return Pod(
        metadata=ObjectMeta(name="my-cluster-kafka-0", namespace="kafka", labels=labels),
        spec=PodSpec(node_name="klamm-0", containers=containers),
        status=PodStatus(phase=phase, pod_ip=ip, host_ip="127.0.0.1"),
    )


def relabelled(job: dict[str, Any], target: dict[str, Any]) -> dict[str, str] | None:
    """Labels after the job's rules, as far as they are of these kinds; None when the target is dropped."""
    labels = {"__address__": target["targets"][0], **target["labels"]}
    for rule in job["relabel_configs"]:
        value = ";".join(labels.get(name, "") for name in rule.get("source_labels", ()))
        action, pattern = rule.get("action", "replace"), rule.get("regex", "(.*)")
        matches = re.fullmatch(pattern, value)
        if (action == "keep" and not matches) or (action == "drop" and matches):
            return None
        if action == "labelmap":
            found = {m[1]: each for name, each in labels.items() if (m := re.fullmatch(pattern, name))}
            labels |= found
        elif action == "replace" and matches:
            template = rule.get("replacement", "$1").replace("$1", r"\1")
            labels[rule["target_label"]] = matches.expand(template) if r"\1" in template else template
    return {name: value for name, value in labels.items() if not name.startswith("__meta")}


def labels_of(found: Pod) -> list[dict[str, str]]:
    jobs = [scrape_job(monitor) for monitor in MONITORS]
    kept = (relabelled(job, target) for job in jobs for target in pod_targets([found]))
    return [labels for labels in kept if labels is not None]


def test_a_broker_is_asked_on_its_metrics_port_and_labelled_by_its_pod() -> None:
    assert labels_of(pod(BROKER_LABELS, {"tcp-replication": 9091, "tcp-prometheus": 9404})) == [
        {
            "__address__": "10.1.0.7:9404",
            "namespace": "kafka",
            "pod": "my-cluster-kafka-0",
            "container": "kafka",
            "kubernetes_pod_name": "my-cluster-kafka-0",
            "node_name": "klamm-0",
            "node_ip": "127.0.0.1",
            "strimzi_io_kind": "Kafka",
            "strimzi_io_cluster": "my-cluster",
            "strimzi_io_name": "my-cluster-kafka",
        }
    ]


def test_operators_are_asked_on_their_own_ports() -> None:
    entity = {"app.kubernetes.io/name": "entity-operator", "strimzi.io/kind": "Kafka"}
    found = labels_of(pod(entity, {"healthcheck": 8080}, {"healthcheck": 8081}))
    assert [labels["__address__"] for labels in found] == ["10.1.0.7:8080", "10.1.0.7:8081"]
    found = labels_of(pod({"strimzi.io/kind": "cluster-operator"}, {"http": 8080}))
    assert [labels["__address__"] for labels in found] == ["10.1.0.7:8080"]


def test_both_operators_have_the_port_that_the_pod_monitor_of_strimzi_0_38_asks() -> None:
    ports = {part.container: part.port_name for part in EntityOperator(kafka(), surroundings()).parts}
    assert ports == {"topic-operator": "healthcheck", "user-operator": "healthcheck"}


def test_others_and_pods_that_have_ended_are_not_asked() -> None:
    assert labels_of(pod({"app": "web"}, {"http": 80})) == []
    assert labels_of(pod(BROKER_LABELS, {"tcp-prometheus": 9404}, phase="Succeeded")) == []
    assert labels_of(pod(BROKER_LABELS, {"tcp-prometheus": 9404}, ip=None)) == []


def test_pod_monitors_have_the_names_that_people_know_and_say_the_same() -> None:
    made = {monitor.name: pod_monitor(monitor)["spec"] for monitor in MONITORS}
    assert list(made) == ["cluster-operator-metrics", "entity-operator-metrics", "kafka-resources-metrics"]
    (expression,) = made["kafka-resources-metrics"]["selector"]["matchExpressions"]
    assert (expression["key"], expression["values"][0]) == ("strimzi.io/kind", "Kafka")
    (endpoint,) = made["kafka-resources-metrics"]["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("tcp-prometheus", "/metrics")
    assert [rule.get("targetLabel") for rule in endpoint["relabelings"]] == [
        None,
        "namespace",
        "kubernetes_pod_name",
        "node_name",
        "node_ip",
    ]


def test_kubelets_are_asked_through_the_api() -> None:
    node = Node(
        metadata=ObjectMeta(name="klamm-1"),
        status=NodeStatus(addresses=[NodeAddress(type="InternalIP", address="127.0.0.1")]),
    )
    (target,) = node_targets([node])
    paths = [(relabelled(job, target) or {})["__metrics_path__"] for job in kubelet_jobs()]
    assert paths == [
        "/api/v1/nodes/klamm-1/proxy/metrics",
        "/api/v1/nodes/klamm-1/proxy/metrics/cadvisor",
    ]
