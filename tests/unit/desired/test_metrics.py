"""What pods with metrics are given: the exporter's configuration, or the reporter's settings."""

from typing import Any

from tests.builders.kafka import kafka_with, surroundings

from klamm.desired.jmx_exporter import exporter_configuration, memory_only
from klamm.desired.kafka.cluster import KafkaCluster
from klamm.desired.kafka.listeners import Addresses
from klamm.desired.kafka.pods import PodInputs, broker_pod
from klamm.desired.kafka.server_config import server_config
from klamm.resources.custom.storage import Storage

RULE = {"pattern": "kafka.*"}


def memory_names(configuration: dict[str, Any]) -> list[tuple[str, str]]:
    return [(rule["name"], rule["labels"]["area"]) for rule in configuration["rules"] if "name" in rule]


def test_the_users_rules_go_first_and_memory_gets_the_name_of_the_other_generation() -> None:
    old = exporter_configuration({"lowercaseOutputName": True, "rules": [RULE]}, "3.6.0")
    assert old["lowercaseOutputName"] is True
    assert old["rules"][0] == RULE
    assert memory_names(old) == [("jvm_memory_used_bytes", "heap"), ("jvm_memory_used_bytes", "nonheap")]
    new = exporter_configuration({"rules": [RULE]}, "4.3.1")
    assert memory_names(new) == [("jvm_memory_bytes_used", "heap"), ("jvm_memory_bytes_used", "nonheap")]


def test_without_rules_everything_is_still_shown() -> None:
    assert exporter_configuration({}, "3.6.0")["rules"][-1] == {}


def test_a_key_without_a_value_is_left_out() -> None:
    made = exporter_configuration({"lowercaseOutputName": None, "rules": None}, "3.6.0")
    assert "lowercaseOutputName" not in made
    assert made["rules"][-1] == {}


def test_object_names_that_are_chosen_leave_room_for_the_memory() -> None:
    chosen = exporter_configuration({"includeObjectNames": ["kafka.server:*"], "rules": [RULE]}, "3.6.0")
    assert chosen["includeObjectNames"] == ["kafka.server:*", "java.lang:type=Memory"]
    assert "whitelistObjectNames" not in chosen


def test_pods_start_without_a_configuration_that_can_be_used() -> None:
    assert memory_names(memory_only("3.6.0")) == [
        ("jvm_memory_used_bytes", "heap"),
        ("jvm_memory_used_bytes", "nonheap"),
    ]


def test_the_reporter_is_configured_beside_the_users_own() -> None:
    users = {"metric.reporters": "com.example.Mine", "num.io.threads": 5}
    metrics = {"type": "strimziMetricsReporter", "values": {"allowList": ["kafka_log.*", "kafka_server.*"]}}
    made = cluster(metricsConfig=metrics, config=users)
    config = settings(made)
    assert config["metric.reporters"] == "com.example.Mine,io.strimzi.kafka.metrics.KafkaPrometheusMetricsReporter"
    assert config["kafka.metrics.reporters"] == "io.strimzi.kafka.metrics.YammerPrometheusMetricsReporter"
    assert config["prometheus.metrics.reporter.listener"] == "http://:9404"
    assert config["prometheus.metrics.reporter.allowlist"] == "kafka_log.*,kafka_server.*"
    assert config["num.io.threads"] == "5"
    container = broker_pod(made, made.nodes[0], PodInputs()).spec.containers[0]
    assert {one.name: one.value for one in container.env}["KAFKA_METRICS_ENABLED"] == "false", "it is no agent"
    assert 9404 in [one.container_port for one in container.ports]


def test_without_a_list_the_reporter_shows_what_dashboards_ask_for() -> None:
    config = settings(cluster(metricsConfig={"type": "strimziMetricsReporter"}))
    assert "kafka_server_replicamanager.*" in config["prometheus.metrics.reporter.allowlist"].split(",")


def cluster(**spec: Any) -> KafkaCluster:
    resource = kafka_with(**spec)
    return KafkaCluster(resource, surroundings(), resource.spec.kafka.storage or Storage())


def settings(made: KafkaCluster) -> dict[str, str]:
    lines = server_config(made, made.nodes[0], Addresses()).splitlines()
    return dict(line.split("=", 1) for line in lines if line and line[0] != "#")
