"""What the Prometheus Operator takes: rules, a Prometheus of one's own with its rights, the kubelets' jobs."""

from collections.abc import Mapping, Sequence

from klamm.monitoring.alerts import Object, rule_group
from klamm.monitoring.rules import groups
from klamm.monitoring.scraping import MONITORS, kubelet_jobs, pod_monitor

ACCOUNT = "prometheus-server"
NAMESPACE = "monitoring"
ADDITIONAL = "additional-scrape-configs"
ADDITIONAL_KEY = "prometheus-additional.yaml"


def prometheus_rule() -> Object:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "prometheus-k8s-rules", "labels": {"role": "alert-rules", "app": "strimzi"}},
        "spec": {"groups": [rule_group(group) for group in groups()]},
    }


def pod_monitors() -> list[Object]:
    return [pod_monitor(monitor) for monitor in MONITORS]


def access() -> list[Object]:
    """An account for a Prometheus, with what its discovery and the kubelets' jobs read, and no more."""
    rules = [
        {"apiGroups": [""], "resources": ["nodes", "pods"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["nodes/proxy"], "verbs": ["get"]},
    ]
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(ACCOUNT, NAMESPACE)},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": _metadata(ACCOUNT),
            "rules": rules,
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": _metadata(ACCOUNT),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ACCOUNT},
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}],
        },
    ]


def prometheus() -> Sequence[Object]:
    """For a cluster that has the Prometheus Operator and no Prometheus yet."""
    chosen = {"matchLabels": {"app": "strimzi"}}
    return [
        *access(),
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "Prometheus",
            "metadata": _metadata("prometheus", NAMESPACE),
            "spec": {
                "replicas": 1,
                "serviceAccountName": ACCOUNT,
                "podMonitorSelector": chosen,
                "podMonitorNamespaceSelector": {},
                "ruleSelector": {"matchLabels": {"role": "alert-rules", "app": "strimzi"}},
                "ruleNamespaceSelector": {},
                "resources": {"requests": {"memory": "400Mi"}},
                "enableAdminAPI": False,
                "additionalScrapeConfigs": {"name": ADDITIONAL, "key": ADDITIONAL_KEY},
            },
        },
    ]


def additional_jobs() -> list[Object]:
    """The content of the Secret `additional-scrape-configs`: what no PodMonitor can say."""
    return kubelet_jobs()


def config_map(name: str, files: Mapping[str, str]) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(name, NAMESPACE), "data": dict(files)}


def _metadata(name: str, namespace: str | None = None) -> Object:
    return {"name": name, "labels": {"app": "strimzi"}, **({"namespace": namespace} if namespace else {})}
