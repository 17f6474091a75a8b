"""Cluster, topic and user operators: what they look after, how it goes, and how long it takes."""

from klamm.monitoring.dashboards.board import Board, Panel, Row, Variable, graph, number
from klamm.monitoring.dashboards.parts import RATE

_PICKED = 'namespace="$namespace"'
_BY_KIND = "sum by (kind)"
_KIND = "{{kind}}"


def operators() -> Board:
    return Board(
        "strimzi-operators",
        "Strimzi Operators",
        "Operators of one namespace.",
        (Variable("namespace", "Namespace", "label_values(strimzi_reconciliations_total, namespace)"),),
        (
            Row("Resources", (*_resources(), *_certificates())),
            Row("Passes", _passes()),
            Row("Rolls", _rolls()),
            Row("Processes", _processes()),
        ),
    )


def _resources() -> tuple[Panel, ...]:
    return tuple(
        number(title, f'sum(strimzi_resources{{{_PICKED}, kind="{kind}"}})', f"Resources of kind {kind} looked after.")
        for title, kind in (("Kafkas", "Kafka"), ("Topics", "KafkaTopic"), ("Users", "KafkaUser"))
    )


def _certificates() -> tuple[Panel, ...]:
    left = (
        f"min by (resource_namespace, cluster, type) (strimzi_certificate_expiration_timestamp_ms{{{_PICKED}}}) / 1000"
    )
    return (
        graph(
            "Certificate authorities end in",
            f"{left} - time()",
            "{{cluster}} {{type}}",
            "They are renewed 30 days before by default.",
            "s",
            12,
        ),
    )


def _passes() -> tuple[Panel, ...]:
    return (
        _counted("Passes", "total", "Begun a second: by changes and by the timer."),
        _counted("Passes that ended well", "successful_total", "A second."),
        _counted("Passes that failed", "failed_total", "A second. They are tried again."),
        _counted("Passes by the timer", "periodical_total", "A second; with 120 s between them 0.008 for a resource."),
        _counted("Passes that waited", "locked_total", "A second: another pass of the same resource ran."),
        graph(
            "Longest pass",
            f"max by (kind) (strimzi_reconciliations_duration_seconds_max{{{_PICKED}}})",
            _KIND,
            "Seconds that the longest took.",
            "s",
        ),
    )


def _counted(title: str, metric: str, about: str) -> Panel:
    return graph(
        title, f"{_BY_KIND} (rate(strimzi_reconciliations_{metric}{{{_PICKED}}}[{RATE}]))", _KIND, about, "ops"
    )


def _processes() -> tuple[Panel, ...]:
    picked = f'{_PICKED}, container=~"strimzi-cluster-operator|topic-operator|user-operator"'
    return (
        graph(
            "CPU",
            f"sum by (container) (rate(container_cpu_usage_seconds_total{{{picked}}}[{RATE}]))",
            "{{container}}",
            "Cores in use.",
            width=12,
        ),
        graph(
            "Memory",
            f"sum by (container) (container_memory_usage_bytes{{{picked}}})",
            "{{container}}",
            "What the container holds.",
            "bytes",
            12,
        ),
    )


def _rolls() -> tuple[Panel, ...]:
    left = f"min by (cluster, secret) (klamm_certificate_expiration_timestamp_seconds{{{_PICKED}}}) - time()"
    return (
        graph(
            "Pods of a roll",
            f"sum by (pod_set, state) (klamm_roll_pods{{{_PICKED}}})",
            "{{pod_set}} {{state}}",
            "Pods that are as wanted, that are to be restarted, and that are missing.",
            width=12,
        ),
        graph("Certificates end in", left, "{{secret}}", "Of brokers, ZooKeepers and operators.", "s", 12),
    )
