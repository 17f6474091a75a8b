"""Where the Kubernetes API is, for a console in a pod: its service account's files, as the kubelet puts them."""

from collections.abc import Mapping
from pathlib import Path

from klamm.console.settings import KubernetesSettings
from klamm.kube.connection import IN_CLUSTER, BadConnection, in_cluster

NAMESPACES = "KLAMM_NAMESPACES"
"""Namespaces whose resources are shown, with commas between; "*": all; by default the pod's own."""


def of_pod(environment: Mapping[str, str], folder: Path = IN_CLUSTER) -> KubernetesSettings | None:
    """None outside of Kubernetes, or where the pod has no token (automountServiceAccountToken: false): then the console
    has no operator's view."""
    host = environment.get("KUBERNETES_SERVICE_HOST")
    if not host or not (folder / "token").exists():
        return None
    try:
        connection = in_cluster(host, environment.get("KUBERNETES_SERVICE_PORT", "443"), folder)
    except BadConnection:
        return None
    given = [one.strip() for one in environment.get(NAMESPACES, "").split(",") if one.strip()]
    if "*" in given:
        return KubernetesSettings(connection)
    return KubernetesSettings(connection, tuple(given) or (connection.namespace,))
