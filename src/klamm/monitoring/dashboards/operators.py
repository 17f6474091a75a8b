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
            Row("Resources", _resources()),
            Row("Passes", _passes()),
            Row("Rolls", _rolls()),
            Row("Certificates", _certificates()),
            Row("Processes", _processes()),
        ),
    )


def _resources() -> tuple[Panel, ...]:
    kinds = {"Kafkas": "Kafka", "Topics": "KafkaTopic", "Users": "KafkaUser", "Pod sets": "StrimziPodSet"}
    return (
        *(
            number(title, f'sum(strimzi_resources{{{_PICKED}, kind="{kind}"}})', f"Resources of kind {kind}.")
            for title, kind in kinds.items()
        ),
        number(
            "Paused", f"sum(strimzi_resources_paused{{{_PICKED}}})", "By their annotation: nothing is done to them."
        ),
        number(
            "Not ready",
            f"sum(strimzi_resource_state{{{_PICKED}}} == bool 0)",
            "Their conditions say why: kubectl describe.",
            above=1,
        ),
    )


def _certificates() -> tuple[Panel, ...]:
    authority, leaf = "strimzi_certificate_expiration_timestamp_ms", "klamm_certificate_expiration_timestamp_seconds"
    return (
        graph(
            "Certificate authorities end in",
            f"min by (resource_namespace, cluster, type) ({authority}{{{_PICKED}}}) / 1000 - time()",
            "{{resource_namespace}} {{cluster}} {{type}}",
            "They are renewed 30 days before by default.",
            "s",
            12,
        ),
        graph(
            "Certificates end in",
            f"min by (exported_namespace, cluster, secret) ({leaf}{{{_PICKED}}}) - time()",
            "{{exported_namespace}} {{secret}}",
            "Of brokers, ZooKeepers and operators.",
            "s",
            12,
        ),
    )


def _passes() -> tuple[Panel, ...]:
    return (
        _counted("Passes", "total", "Begun a second: by changes and by the timer."),
        _counted("Passes that ended well", "successful_total", "A second."),
        _counted("Passes that failed", "failed_total", "A second. They are tried again."),
        _counted(
            "Passes by the timer",
            "periodical_total",
            "A second: one every 120 s in each namespace, which is 0.008, however many resources it has.",
        ),
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
    return (
        graph(
            "Pods of a roll",
            f"sum by (exported_namespace, pod_set, state) (klamm_roll_pods{{{_PICKED}}})",
            "{{exported_namespace}} {{pod_set}} {{state}}",
            "Pods that are as wanted, that are to be restarted, and that are missing.",
            width=12,
        ),
        graph(
            "What clusters wait for",
            f"sum by (exported_namespace, cluster, step, reason) (klamm_waiting{{{_PICKED}}})\n"
            'or label_replace(vector(0), "step", "nothing", "", "")',
            "{{exported_namespace}} {{cluster}} {{step}} {{reason}}",
            "Steps of each cluster's last pass that are not done, and why. The status says it in a sentence.",
            width=12,
        ),
    )
