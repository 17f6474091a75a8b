"""Topics and consumer groups as the Kafka exporter sees them.

While the exporter is rolled there are two of it, which tell the same: before anything is summed the larger counts.
"""

from klamm.monitoring.dashboards.board import Board, Panel, Query, Row, Variable, graph, number
from klamm.monitoring.dashboards.parts import RATE, of_cluster
from klamm.monitoring.rules.exporter import ASKED_ALWAYS

_CLUSTER = 'namespace="$namespace", strimzi_io_cluster="$cluster"'
_TOPIC = f'{_CLUSTER}, topic=~"$topic"'
_GROUP = f'{_TOPIC}, consumergroup=~"$consumergroup"'
_BY_TOPIC = "sum by (topic)"
_BY_GROUP = "sum by (consumergroup, topic)"
_OFFSET = "kafka_topic_partition_current_offset"


def _topics(metric: str) -> str:
    return f"max by (topic) ({metric}{{{_TOPIC}}})"


def _partitions(metric: str) -> str:
    return f"max by (topic, partition) ({metric}{{{_TOPIC}}})"


def _commits(expression: str) -> str:
    return f"max by (consumergroup, topic, partition) ({expression})"


def exporter() -> Board:
    groups = f"label_values(kafka_consumergroup_current_offset{{{_CLUSTER}}}, consumergroup)"
    return Board(
        "strimzi-kafka-exporter",
        "Strimzi Kafka Exporter",
        "Topics and consumer groups of one Kafka cluster.",
        (
            *of_cluster("kafka_broker_info"),
            Variable("consumergroup", "Consumer group", groups, all_matches=".+"),
            Variable("topic", "Topic", f"label_values(kafka_topic_partitions{{{_CLUSTER}}}, topic)", all_matches=".+"),
        ),
        (
            Row("Cluster", _cluster()),
            Row("Messages", _messages()),
            Row("Groups", _groups()),
            Row("Replicas", _replicas()),
            Row("Exporter", _itself()),
        ),
    )


def _cluster() -> tuple[Panel, ...]:
    return (
        number("Topics", f"count({_topics('kafka_topic_partitions')})", "Topics that were chosen."),
        number("Partitions", f"sum({_topics('kafka_topic_partitions')})", "Their partitions."),
        number("Replicas", f"sum({_partitions('kafka_topic_partition_replicas')})", "Their replicas."),
        number(
            "Replicas in sync",
            f"sum({_partitions('kafka_topic_partition_in_sync_replica')})",
            "Best: all of them.",
        ),
        number(
            "Under-replicated partitions",
            f"sum({_partitions('kafka_topic_partition_under_replicated_partition')})",
            "A follower lags or is away.",
            above=1,
        ),
        number(
            "Leaders elsewhere",
            f"sum({_partitions('kafka_topic_partition_leader_is_preferred')} == bool 0)",
            "Partitions that are not led by their first replica: after a restart Kafka moves them back.",
        ),
        number(
            "Brokers",
            f"count(max by (id) (kafka_broker_info{{{_CLUSTER}}}))",
            "Brokers in the cluster's metadata.",
            below=1,
        ),
        number(
            "Partitions at min.insync.replicas",
            f"sum({_partitions('kafka_cluster_partition_atminisr')})",
            "One more replica away, and they refuse acks=all.",
        ),
        number(
            "Partitions below min.insync.replicas",
            f"sum({_partitions('kafka_cluster_partition_underminisr')})",
            "They refuse writes with acks=all.",
            above=1,
        ),
    )


def _messages() -> tuple[Panel, ...]:
    """Offsets are gauges; a topic that is made anew starts at 0, which is no negative rate."""
    written = f"max by (topic, partition) (clamp_min(deriv({_OFFSET}{{{_TOPIC}}}[{RATE}]), 0))"
    read = _commits(f"clamp_min(deriv(kafka_consumergroup_current_offset{{{_GROUP}}}[{RATE}]), 0)")
    return (
        graph("Messages in by topic", f"{_BY_TOPIC} ({written})", "{{topic}}", "Records written a second.", "ops"),
        graph(
            "Messages read by group",
            f"{_BY_GROUP} ({read})",
            "{{consumergroup}} {{topic}}",
            "Records committed a second.",
            "ops",
        ),
        graph(
            "Messages kept",
            f"{_BY_TOPIC} ({_partitions(_OFFSET)} - {_partitions('kafka_topic_partition_oldest_offset')})",
            "{{topic}}",
            "Between first and last offset; less where a topic is compacted.",
        ),
    )


def _groups() -> tuple[Panel, ...]:
    lag = _commits(f"kafka_consumergroup_lag{{{_GROUP}}}")
    pace = f"clamp_min({_BY_TOPIC} (max by (topic, partition) (deriv({_OFFSET}{{{_TOPIC}}}[{RATE}]))), 0.001)"
    return (
        graph(
            "Lag",
            f"{_BY_GROUP} (clamp_min({lag}, 0))",
            "{{consumergroup}} {{topic}}",
            "Messages that a group has not read yet. A line that only rises does not keep up.",
            width=12,
        ),
        graph(
            "Time behind",
            f"max by (consumergroup, topic) (kafka_consumergroup_lag_seconds{{{_GROUP}}})\n"
            f"or {_BY_GROUP} (clamp_min({lag}, 0)) / on (topic) group_left {pace}",
            "{{consumergroup}} {{topic}}",
            "Age of the oldest record that the group has not read. Other exporters do not tell it: then it is how long "
            "the topic takes to write as much, at its present pace.",
            "s",
            12,
        ),
        Panel(
            "Offsets",
            (Query(_commits(f"kafka_consumergroup_current_offset{{{_GROUP}}}")),),
            "What each group has committed.",
            look="table",
            width=12,
        ),
        Panel(
            "Lag by partition",
            (Query(lag),),
            "-1: the group has committed nothing there.",
            look="table",
            width=12,
        ),
    )


def _replicas() -> tuple[Panel, ...]:
    replicas, in_sync = "kafka_topic_partition_replicas", "kafka_topic_partition_in_sync_replica"
    return (
        graph(
            "Replicas missing by topic",
            f"{_BY_TOPIC} ({_partitions(replicas)} - {_partitions(in_sync)})",
            "{{topic}}",
            "Replicas that are not in sync.",
            width=12,
        ),
        graph(
            "Partitions by topic",
            _topics("kafka_topic_partitions"),
            "{{topic}}",
            "How many there are.",
            width=12,
        ),
    )


def _itself() -> tuple[Panel, ...]:
    """klamm's exporter answers from what it collected last, so how old that is belongs to every number above."""
    return (
        graph(
            "Age of the data",
            f"max by (kubernetes_pod_name) (kafka_exporter_part_age_seconds{{{_CLUSTER}, {ASKED_ALWAYS}}})",
            "{{kubernetes_pod_name}}",
            "Since groups, commits or ends were read of the broker that is longest silent.",
            "s",
        ),
        graph(
            "Length of a collection",
            f"max by (kubernetes_pod_name) (kafka_exporter_collection_seconds{{{_CLUSTER}}})",
            "{{kubernetes_pod_name}}",
            "Asking all brokers and coordinators once.",
            "s",
        ),
        graph(
            "Series",
            f"max by (kubernetes_pod_name) (kafka_exporter_series{{{_CLUSTER}}})",
            "{{kubernetes_pod_name}}",
            "What a scrape holds of the cluster.",
        ),
    )
