"""What people load into Prometheus and Grafana, made from `monitoring/`: examples, files of the chart, a table."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from klamm.cli.reference import with_part
from klamm.monitoring.dashboards import boards
from klamm.monitoring.dashboards.board import dashboard
from klamm.monitoring.manifests import (
    ADDITIONAL,
    ADDITIONAL_KEY,
    NAMESPACE,
    additional_jobs,
    pod_monitors,
    prometheus,
    prometheus_rule,
)
from klamm.monitoring.rules import groups
from klamm.monitoring.scraping import MONITORS, pod_monitor
from klamm.programs.installation_files import yaml_of

_HEADER = "# Generated from src/klamm/monitoring by make generate; do not edit.\n"
_DASHBOARDS = "grafana-dashboards"


def examples() -> dict[str, str]:
    """Path below examples/metrics → content, under the names that people know."""
    return {
        "prometheus-install/prometheus.yaml": _documents(prometheus()),
        "prometheus-install/prometheus-rules.yaml": _documents([prometheus_rule()]),
        "prometheus-install/strimzi-pod-monitor.yaml": _documents(pod_monitors()),
        f"prometheus-additional-properties/{ADDITIONAL_KEY}": _documents([_additional()]),
        "kustomization.yaml": _HEADER + yaml_of(_kustomization()),
        **_dashboards(),
    }


def chart_files() -> dict[str, str]:
    """Path below files/ of the chart → content. Templates read them, so what looks like one in an alert stays."""
    monitors = [
        {"name": one.name, "ofOperator": one.of_operator, "spec": _without_namespaces(pod_monitor(one)["spec"])}
        for one in MONITORS
    ]
    return {
        "pod-monitors.yaml": _HEADER + yaml_of({"podMonitors": monitors}),
        "prometheus-rules.yaml": _HEADER + yaml_of(prometheus_rule()["spec"]),
        **_dashboards(),
    }


def _without_namespaces(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """Which they are is the chart's to say: those that its operator looks after."""
    return {key: value for key, value in spec.items() if key != "namespaceSelector"}


def with_alerts(page: str) -> str:
    """The guide with its table of alerts made anew."""
    lines = ["| alert | fires when | what to do |", "|---|---|---|"]
    for group in groups():
        for alert in group.alerts:
            when = f"{alert.summary}, for {alert.lasts}" if alert.lasts != "0s" else alert.summary
            lines.append(f"| {alert.name} | {when} | {alert.mend.replace('|', '&#124;')} |")
    return with_part(page, "alerts", "\n".join(lines) + "\n")


def _dashboards() -> dict[str, str]:
    return {
        f"{_DASHBOARDS}/{board.uid}.json": json.dumps(dashboard(board), indent=1, ensure_ascii=False) + "\n"
        for board in boards()
    }


def _additional() -> Mapping[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": ADDITIONAL, "namespace": NAMESPACE, "labels": {"app": "strimzi"}},
        "type": "Opaque",
        "stringData": {ADDITIONAL_KEY: yaml_of(additional_jobs())},
    }


def _kustomization() -> Mapping[str, Any]:
    """For a cluster whose Prometheus and Grafana are there: monitors, rules, and a ConfigMap for each dashboard."""
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["prometheus-install/prometheus-rules.yaml", "prometheus-install/strimzi-pod-monitor.yaml"],
        "configMapGenerator": [{"name": board.uid, "files": [f"{_DASHBOARDS}/{board.uid}.json"]} for board in boards()],
        "generatorOptions": {"disableNameSuffixHash": True, "labels": {"grafana_dashboard": "1"}},
    }


def _documents(objects: Iterable[Any]) -> str:
    return _HEADER + "".join(f"---\n{yaml_of(one)}" for one in objects)
