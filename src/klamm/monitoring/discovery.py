"""Pods and nodes as Prometheus' targets, with the labels that its own discovery of Kubernetes gives them.

Debian builds Prometheus without that discovery. So on one machine a process beside it writes these as files, and the
rules about labels (`scraping`) stay the same for both.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from klamm.monitoring.alerts import Object
from klamm.resources.native.cluster import Node
from klamm.resources.native.container import Container, ContainerPort
from klamm.resources.native.pod import Pod

FOLDER = "/etc/prometheus-targets"
PODS_FILE = "pods.json"
NODES_FILE = "nodes.json"
META = "__meta_kubernetes"
"""What discovery's own labels begin with."""


def pod_targets(pods: Iterable[Pod]) -> list[Object]:
    """One for each port of each container; pods without an address have none."""
    return [
        {"targets": [f"{address}:{port.container_port}"], "labels": {**of_pod, **_of_port(container, port)}}
        for pod in pods
        if (address := pod.status.pod_ip if pod.status else None)
        for of_pod in [_of_pod(pod)]
        for container, port in _ports(pod)
    ]


def node_targets(nodes: Iterable[Node]) -> list[Object]:
    return [
        {"targets": [address.address], "labels": {f"{META}_node_name": node.metadata.name or ""}}
        for node in nodes
        for address in node.status.addresses
        if address.type == "InternalIP"
    ]


def _ports(pod: Pod) -> Iterator[tuple[Container, ContainerPort]]:
    for container in pod.spec.containers:
        for port in container.ports:
            yield container, port


def _of_pod(pod: Pod) -> Mapping[str, str]:
    status = pod.status
    labels = {f"{META}_pod_label_{label_name(key)}": value for key, value in (pod.metadata.labels or {}).items()}
    return {
        **labels,
        f"{META}_namespace": pod.metadata.namespace or "",
        f"{META}_pod_name": pod.metadata.name or "",
        f"{META}_pod_node_name": pod.spec.node_name or "",
        f"{META}_pod_phase": (status and status.phase) or "",
        f"{META}_pod_host_ip": (status and status.host_ip) or "",
    }


def _of_port(container: Container, port: ContainerPort) -> Mapping[str, str]:
    return {
        f"{META}_pod_container_name": container.name,
        f"{META}_pod_container_port_name": port.name or "",
    }


def label_name(label: str) -> str:
    """A Kubernetes label as it stands in the names of Prometheus' labels."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", label)
