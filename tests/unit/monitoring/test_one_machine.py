"""Prometheus and Grafana as objects of a local cluster."""

import json
from typing import Any

from klamm.monitoring.alerts import Pace
from klamm.monitoring.dashboards import boards
from klamm.monitoring.one_machine import Watching, grafana_objects, prometheus_objects
from klamm.monitoring.rules import groups

WATCHING = Watching(operator_image="klamm/operator:1")


def by_name(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {f"{one['kind']} {one['metadata']['name']}": one for one in objects}


def test_prometheus_gets_jobs_rules_and_a_place_for_its_data() -> None:
    found = by_name(prometheus_objects(WATCHING))
    files = found["ConfigMap prometheus"]["data"]
    jobs = [job["job_name"] for job in json.loads(files["prometheus.yml"])["scrape_configs"]]
    assert jobs == [
        "cluster-operator-metrics",
        "entity-operator-metrics",
        "kafka-resources-metrics",
        "kubelet",
        "kubelet-cadvisor",
    ]
    names = {rule["alert"] for group in json.loads(files["rules.yml"])["groups"] for rule in group["rules"]}
    assert names == {alert.name for group in groups() for alert in group.alerts}
    pod = found["Deployment prometheus"]["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "prometheus-server"
    assert [container["image"] for container in pod["containers"]] == ["prom/prometheus", "klamm/operator:1"]
    assert found["Service prometheus"]["spec"]["type"] == "NodePort"


def test_prometheus_keeps_less_than_its_volume_holds() -> None:
    found = by_name(prometheus_objects(WATCHING))
    claimed = found["PersistentVolumeClaim prometheus"]["spec"]["resources"]["requests"]["storage"]
    prometheus = found["Deployment prometheus"]["spec"]["template"]["spec"]["containers"][0]
    (kept,) = (word for word in prometheus["args"] if word.startswith("--storage.tsdb.retention.size="))
    assert (claimed, kept) == ("10Gi", "--storage.tsdb.retention.size=8GB")


def test_other_rules_start_prometheus_anew() -> None:
    def mark(watching: Watching) -> str:
        deployment = by_name(prometheus_objects(watching))["Deployment prometheus"]
        return str(deployment["spec"]["template"]["metadata"]["annotations"]["klamm.dev/files"])

    shorter = Watching(operator_image="klamm/operator:1", pace=Pace(moment="1s"))
    assert mark(WATCHING) == mark(Watching(operator_image="klamm/operator:1"))
    assert mark(WATCHING) != mark(shorter)


def test_prometheus_may_read_pods_and_nodes_and_nothing_else() -> None:
    rules = by_name(prometheus_objects(WATCHING))["ClusterRole prometheus-server"]["rules"]
    assert {(resource, *rule["verbs"]) for rule in rules for resource in rule["resources"]} == {
        ("pods", "get", "list", "watch"),
        ("nodes", "get", "list", "watch"),
        ("nodes/proxy", "get"),
    }


def test_grafana_finds_prometheus_and_every_dashboard() -> None:
    found = by_name(grafana_objects())
    (source,) = json.loads(found["ConfigMap grafana-datasources"]["data"]["prometheus.yaml"])["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus.monitoring.svc:9090")
    (provider,) = json.loads(found["ConfigMap grafana-providers"]["data"]["klamm.yaml"])["providers"]
    mounts = found["Deployment grafana"]["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    assert provider["options"]["path"] in {mount["mountPath"] for mount in mounts}
    assert set(found["ConfigMap grafana-dashboards"]["data"]) == {f"{board.uid}.json" for board in boards()}


def test_nobody_can_log_in_to_grafana() -> None:
    container = by_name(grafana_objects())["Deployment grafana"]["spec"]["template"]["spec"]["containers"][0]
    environment = {each["name"]: each["value"] for each in container["env"]}
    assert environment["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"
    assert environment["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
