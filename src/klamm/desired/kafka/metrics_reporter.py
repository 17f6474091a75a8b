"""Strimzi's metrics reporter in a broker (`metricsConfig.type: strimziMetricsReporter`).

It is a plug-in and no agent: it reads Kafka's registries themselves, without JMX and without rules, so it answers
sooner; names are other ones. Which are shown is a list of patterns; it is read when a broker starts.
"""

from collections.abc import Mapping
from typing import Any

from klamm.desired.kafka.listeners import METRICS_PORT
from klamm.resources.custom.process import MetricsConfig

REPORTER = "strimziMetricsReporter"

_PREFIX = "prometheus.metrics.reporter."
_CLASSES = {
    "metric.reporters": "io.strimzi.kafka.metrics.KafkaPrometheusMetricsReporter",
    "kafka.metrics.reporters": "io.strimzi.kafka.metrics.YammerPrometheusMetricsReporter",
}
"""Kafka has two registries, and a setting for each."""

ALLOWED = (
    "kafka_cluster_partition.*",
    "kafka_controller_kafkacontroller.*",
    "kafka_controller_controllerstats_uncleanleaderelectionspersec",
    "kafka_log_log_size",
    "kafka_log_logmanager_offlinelogdirectorycount",
    "kafka_network_requestmetrics.*",
    "kafka_network_socketserver_networkprocessoravgidlepercent",
    "kafka_server_app_info.*",
    "kafka_server_brokertopicmetrics.*",
    "kafka_server_kafkarequesthandlerpool_requesthandleravgidlepercent",
    "kafka_server_kafkaserver_brokerstate",
    "kafka_server_kafkaserver_clusterid",
    "kafka_server_kafkaserver_linux.*",
    "kafka_server_raft.*",
    "kafka_server_replicamanager.*",
    "kafka_server_request_queue_size",
    "kafka_server_socket_server.*",
)
"""What dashboards and alerts for this reporter ask of brokers; taken when the user gives no list."""


def is_reporter(metrics: MetricsConfig | None) -> bool:
    return metrics is not None and metrics.type == REPORTER


def reporter_settings(metrics: MetricsConfig, users: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of the broker; reporters that the user has of his own stay beside this one."""
    allowed = metrics.values.allow_list if metrics.values and metrics.values.allow_list else ALLOWED
    return {
        **{key: _with(str(users.get(key, "")), name) for key, name in _CLASSES.items()},
        f"{_PREFIX}listener.enable": True,
        f"{_PREFIX}listener": f"http://:{METRICS_PORT}",
        f"{_PREFIX}allowlist": ",".join(allowed),
    }


def _with(given: str, ours: str) -> str:
    others = [name for one in given.split(",") if (name := one.strip()) and name != ours]
    return ",".join([*others, ours])
