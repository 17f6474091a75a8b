"""Prometheus and Grafana as objects of a local cluster: what the Prometheus Operator and a chart make elsewhere.

Their images are the programs that are installed on the machine (`distribution/images.py`). They run in pods, because
only pods reach pods, and are reached from the machine by node ports, which lie on its loopback address.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from klamm.desired.fingerprints import fingerprint_of
from klamm.monitoring import discovery
from klamm.monitoring.alerts import DEFAULT, Object, Pace, rule_group
from klamm.monitoring.dashboards import boards
from klamm.monitoring.dashboards.board import dashboard
from klamm.monitoring.manifests import ACCOUNT, NAMESPACE, access, config_map
from klamm.monitoring.rules import groups
from klamm.monitoring.scraping import MONITORS, kubelet_jobs, scrape_job

PROMETHEUS = "prometheus"
GRAFANA = "grafana"
IMAGES = {PROMETHEUS: "prom/prometheus", GRAFANA: "grafana/grafana"}
_PORTS = {PROMETHEUS: 9090, GRAFANA: 3000}
_CONFIGURATION = f"/etc/{PROMETHEUS}"
_PROVISIONING = f"/etc/{GRAFANA}/provisioning"
_BOARDS = f"/var/lib/{GRAFANA}-dashboards"
_DATA = "10Gi"
_KEPT = "8GB"
"""Of series: Prometheus counts finished blocks only, and what it is writing needs room, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """`operator_image`: klamm's own, which finds the pods. `every`: seconds between two scrapes of a pod, and between
    two looks at the rules."""

    operator_image: str
    every: int = 15
    pace: Pace = DEFAULT


def prometheus_objects(watching: Watching) -> list[Object]:
    files = _prometheus_files(watching)
    arguments = [
        f"--config.file={_CONFIGURATION}/prometheus.yml",
        "--storage.tsdb.path=/prometheus",
        "--storage.tsdb.retention.time=15d",
        f"--storage.tsdb.retention.size={_KEPT}",
        f"--web.listen-address=:{_PORTS[PROMETHEUS]}",
    ]
    container = {
        **_container(PROMETHEUS),
        "args": arguments,
        "readinessProbe": {"httpGet": {"path": "/-/ready", "port": "web"}, "periodSeconds": 5},
    }
    finder = {
        "name": "discovery",
        "image": watching.operator_image,
        "command": ["/opt/strimzi/bin/prometheus_discovery_run.sh"],
    }
    volumes: Object = {
        _CONFIGURATION: {"configMap": {"name": PROMETHEUS}},
        "/prometheus": {"persistentVolumeClaim": {"claimName": PROMETHEUS}},
        discovery.FOLDER: {"emptyDir": {}},
    }
    return [
        *access(),
        config_map(PROMETHEUS, files),
        _claim(PROMETHEUS),
        _deployment(PROMETHEUS, [container, finder], volumes, {"serviceAccountName": ACCOUNT}, fingerprint_of(files)),
        _service(PROMETHEUS),
    ]


def grafana_objects() -> list[Object]:
    """Everybody who reaches it may look, and nobody may log in: it has no secret to keep, and none to guess."""
    sources, providers = _grafana_files()
    shown = {f"{board.uid}.json": json.dumps(dashboard(board)) for board in boards()}
    environment = {
        "GF_PATHS_DATA": "/var/lib/grafana",
        "GF_PATHS_LOGS": "/var/lib/grafana/log",
        "GF_PATHS_PROVISIONING": _PROVISIONING,
        "GF_AUTH_ANONYMOUS_ENABLED": "true",
        "GF_AUTH_DISABLE_LOGIN_FORM": "true",
        "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
    }
    container = {
        **_container(GRAFANA),
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "readinessProbe": {"httpGet": {"path": "/api/health", "port": "web"}, "periodSeconds": 5},
    }
    volumes: Object = {
        f"{_PROVISIONING}/datasources": {"configMap": {"name": f"{GRAFANA}-datasources"}},
        f"{_PROVISIONING}/dashboards": {"configMap": {"name": f"{GRAFANA}-providers"}},
        _BOARDS: {"configMap": {"name": f"{GRAFANA}-dashboards"}},
        "/var/lib/grafana": {"persistentVolumeClaim": {"claimName": GRAFANA}},
    }
    return [
        config_map(f"{GRAFANA}-datasources", sources),
        config_map(f"{GRAFANA}-providers", providers),
        config_map(f"{GRAFANA}-dashboards", shown),
        _claim(GRAFANA),
        _deployment(GRAFANA, [container], volumes, {}, fingerprint_of([sources, providers, shown])),
        _service(GRAFANA),
    ]


def _prometheus_files(watching: Watching) -> Mapping[str, str]:
    """JSON is YAML: no writer of YAML is needed."""
    every = f"{watching.every}s"
    configuration = {
        # A broker on a busy machine may need longer than the usual 10 s, and late numbers are better than none.
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [f"{_CONFIGURATION}/rules.yml"],
        "scrape_configs": [
            *(scrape_job(monitor, _found_in(discovery.PODS_FILE)) for monitor in MONITORS),
            *kubelet_jobs(_found_in(discovery.NODES_FILE)),
        ],
    }
    rules = {"groups": [rule_group(group) for group in groups(watching.pace)]}
    return {"prometheus.yml": json.dumps(configuration, indent=1), "rules.yml": json.dumps(rules, indent=1)}


def _found_in(file: str) -> Object:
    return {"file_sd_configs": [{"files": [f"{discovery.FOLDER}/{file}"]}]}


def _grafana_files() -> tuple[Mapping[str, str], Mapping[str, str]]:
    source = {
        "name": "Prometheus",
        "uid": PROMETHEUS,
        "type": "prometheus",
        "access": "proxy",
        "url": f"http://{PROMETHEUS}.{NAMESPACE}.svc:{_PORTS[PROMETHEUS]}",
        "isDefault": True,
    }
    provider = {"name": "klamm", "type": "file", "folder": "Strimzi", "options": {"path": _BOARDS}}
    return (
        {"prometheus.yaml": json.dumps({"apiVersion": 1, "datasources": [source]})},
        {"klamm.yaml": json.dumps({"apiVersion": 1, "providers": [provider]})},
    )


def _labels(name: str) -> Mapping[str, str]:
    return {"app": "strimzi", "app.kubernetes.io/name": name}


def _metadata(name: str) -> Object:
    return {"name": name, "namespace": NAMESPACE, "labels": _labels(name)}


def _claim(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": _metadata(name),
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": _DATA}}},
    }


def _container(name: str) -> Object:
    # Whatever is installed: there is no newer one to pull.
    image = {"image": IMAGES[name], "imagePullPolicy": "IfNotPresent"}
    return {"name": name, **image, "ports": [{"name": "web", "containerPort": _PORTS[name]}]}


def _deployment(
    name: str, containers: Sequence[Object], volumes: Mapping[str, Object], pod: Object, files: str
) -> Object:
    """All containers see all volumes. `files`: fingerprint of what its ConfigMaps hold; another one starts it anew, as
    neither program reads them again."""
    mounts = [{"name": f"volume-{index}", "mountPath": path} for index, path in enumerate(volumes)]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(name),
        "spec": {
            "replicas": 1,
            # Two at a time would write into one folder.
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
            "template": {
                "metadata": {"labels": _labels(name), "annotations": {"klamm.dev/files": files}},
                "spec": {
                    **pod,
                    "containers": [{**container, "volumeMounts": mounts} for container in containers],
                    "volumes": [{"name": f"volume-{index}", **source} for index, source in enumerate(volumes.values())],
                },
            },
        },
    }


def _service(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(name),
        "spec": {
            "type": "NodePort",
            "selector": {"app.kubernetes.io/name": name},
            "ports": [{"name": "web", "port": _PORTS[name], "targetPort": "web"}],
        },
    }
