"""Which pods Prometheus asks for their metrics, and the labels that every series gets from its pod.

The labels are an interface: rules and dashboards, Strimzi's and ours, select by `namespace`, `kubernetes_pod_name` and
`strimzi_io_cluster`, which come from here and nowhere else.

Two forms of the same: `pod_monitor` for the Prometheus Operator, `scrape_job` for a Prometheus without one. The job
repeats what the Prometheus Operator adds by itself (ended pods are left out; namespace, pod and container are labels).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from klamm.monitoring.alerts import Object
from klamm.monitoring.discovery import META, label_name

_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"
_API = "kubernetes.default.svc"
_POD = f"{META}_pod_"


@dataclass(frozen=True, slots=True)
class Monitor:
    """Pods whose label `label` has one of `values`, asked on the container ports of this name.

    `of_operator`: they stand in the namespace of the cluster operator, and not where clusters are.
    """

    name: str
    label: str
    values: tuple[str, ...]
    port: str
    of_operator: bool = False


MONITORS = (
    Monitor("cluster-operator-metrics", "strimzi.io/kind", ("cluster-operator",), "http", of_operator=True),
    Monitor("entity-operator-metrics", "app.kubernetes.io/name", ("entity-operator",), "healthcheck"),
    Monitor(
        "kafka-resources-metrics",
        "strimzi.io/kind",
        ("Kafka", "KafkaConnect", "KafkaMirrorMaker", "KafkaMirrorMaker2"),
        "tcp-prometheus",
    ),
)

OF_PODS: Object = {"kubernetes_sd_configs": [{"role": "pod"}]}
OF_NODES: Object = {"kubernetes_sd_configs": [{"role": "node"}]}
"""Discovery as Prometheus itself has it."""

_FROM_POD = {
    "namespace": "namespace",
    "kubernetes_pod_name": "pod_name",
    "node_name": "pod_node_name",
    "node_ip": "pod_host_ip",
}
"""Label of the series → what discovery knows of the pod, after `META`."""


def pod_monitor(monitor: Monitor) -> Object:
    """The `PodMonitor` in whatever namespace it is applied to, for pods of all namespaces."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": {"name": monitor.name, "labels": {"app": "strimzi"}},
        "spec": {
            "selector": {
                "matchExpressions": [{"key": monitor.label, "operator": "In", "values": list(monitor.values)}]
            },
            "namespaceSelector": {"any": True},
            "podMetricsEndpoints": [
                {
                    "port": monitor.port,
                    "path": "/metrics",
                    "relabelings": [_in_camel_case(one) for one in _labels_of_pod()],
                }
            ],
        },
    }


def scrape_job(monitor: Monitor, pods: Object = OF_PODS) -> Object:
    """The same as a job of prometheus.yml. `pods`: how pods are discovered."""
    return {
        "job_name": monitor.name,
        **pods,
        "relabel_configs": [
            {"source_labels": [f"{_POD}phase"], "regex": "Failed|Succeeded", "action": "drop"},
            {
                "source_labels": [f"{_POD}label_{label_name(monitor.label)}"],
                "regex": "|".join(monitor.values),
                "action": "keep",
            },
            {"source_labels": [f"{_POD}container_port_name"], "regex": monitor.port, "action": "keep"},
            {"source_labels": [f"{_POD}name"], "target_label": "pod"},
            {"source_labels": [f"{_POD}container_name"], "target_label": "container"},
            *_labels_of_pod(),
        ],
    }


def kubelet_jobs(nodes: Object = OF_NODES) -> list[Object]:
    """CPU and memory of containers and the space of volumes, from every node's kubelet through the API server."""
    return [_kubelet_job("kubelet", "metrics", nodes), _kubelet_job("kubelet-cadvisor", "metrics/cadvisor", nodes)]


def _labels_of_pod() -> Sequence[Mapping[str, Any]]:
    by_name = [
        {"source_labels": [f"{META}_{source}"], "target_label": target, "action": "replace"}
        for target, source in _FROM_POD.items()
    ]
    return [{"regex": f"{_POD}label_(strimzi_io_.+)", "replacement": "$1", "action": "labelmap"}, *by_name]


def _in_camel_case(relabelling: Mapping[str, Any]) -> Object:
    """The Prometheus Operator's spelling of the same fields."""
    spelled = {"source_labels": "sourceLabels", "target_label": "targetLabel"}
    return {spelled.get(key, key): value for key, value in relabelling.items()}


def _kubelet_job(name: str, path: str, nodes: Object) -> Object:
    """Through the API server, because its certificate and right to speak are known, and a kubelet's mostly are not."""
    node = f"{META}_node_name"
    return {
        "job_name": name,
        "scheme": "https",
        "honor_timestamps": False,
        **nodes,
        "authorization": {"credentials_file": f"{_TOKEN}/token"},
        "tls_config": {"ca_file": f"{_TOKEN}/ca.crt", "server_name": _API},
        "relabel_configs": [
            {"target_label": "__address__", "replacement": f"{_API}:443"},
            {
                "source_labels": [node],
                "target_label": "__metrics_path__",
                "replacement": f"/api/v1/nodes/$1/proxy/{path}",
            },
            {"source_labels": [node], "target_label": "node"},
            {"source_labels": [node], "target_label": "instance"},
        ],
    }
