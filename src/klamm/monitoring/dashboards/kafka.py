"""Brokers: health, traffic, topics, machine."""

from klamm.monitoring.dashboards.board import Board, Panel, Query, Row, Variable, graph, number
from klamm.monitoring.dashboards.parts import RATE, java, machine, of_cluster

_CLUSTER = 'namespace="$namespace", strimzi_io_cluster="$cluster"'
_BROKERS = "$cluster-$pool-$broker"
_PICKED = f'{_CLUSTER}, strimzi_io_name="$cluster-kafka", kubernetes_pod_name=~"{_BROKERS}"'
_PARTITION = f'{_PICKED}, topic=~"$topic", partition=~"$partition"'
_BY_BROKER = "sum by (kubernetes_pod_name)"
_BROKER = "{{kubernetes_pod_name}}"
_KNOWN_BY = "kafka_server_replicamanager_leadercount"
_TOPIC_METRICS = "kafka_server_brokertopicmetrics"


def kafka() -> Board:
    return Board(
        "strimzi-kafka",
        "Strimzi Kafka",
        "Brokers of one Kafka cluster.",
        _variables(),
        (
            Row("Health", _health()),
            Row("Traffic", _traffic()),
            Row("Requests", _requests()),
            Row("Topics", _topics()),
            machine("kafka", f"{_KNOWN_BY}{{{_PICKED}}}", _PICKED),
            Row("Disk and ZooKeeper", _beneath()),
            java(_PICKED),
        ),
    )


def _variables() -> tuple[Variable, ...]:
    of_brokers = f'{_CLUSTER}, strimzi_io_name="$cluster-kafka"'
    pods = f"label_values({_KNOWN_BY}{{{of_brokers}}}, kubernetes_pod_name)"
    topics = f'kafka_cluster_partition_replicascount{{{of_brokers}, topic=~"$topic"}}'
    return (
        *of_cluster(_KNOWN_BY),
        Variable("pool", "Pool", pods, "/^$cluster-(.+)-[0-9]+$/", ".+"),
        Variable("broker", "Broker", pods, "/-([0-9]+)$/", "[0-9]+"),
        Variable(
            "topic",
            "Topic",
            f"label_values(kafka_cluster_partition_replicascount{{{of_brokers}}}, topic)",
            all_matches=".+",
        ),
        Variable("partition", "Partition", f"label_values({topics}, partition)", all_matches=".*"),
    )


def _health() -> tuple[Panel, ...]:
    return (
        number("Brokers", f"count({_KNOWN_BY}{{{_PICKED}}})", "Brokers that tell their metrics.", below=1),
        number(
            "Controllers",
            f"sum(max by (kubernetes_pod_name) (kafka_controller_kafkacontroller_activecontrollercount{{{_PICKED}}}))",
            "Exactly one is right.",
            below=1,
            above=2,
        ),
        number(
            "Partitions without leader",
            f"max(kafka_controller_kafkacontroller_offlinepartitionscount{{{_PICKED}}})",
            "They can be neither written nor read.",
            above=1,
        ),
        number(
            "Under-replicated partitions",
            f"sum(kafka_server_replicamanager_underreplicatedpartitions{{{_PICKED}}})",
            "A follower lags or is away.",
            above=1,
        ),
        number(
            "Partitions at min.insync.replicas",
            f"sum(kafka_cluster_partition_atminisr{{{_PARTITION}}})",
            "One more replica away, and they refuse acks=all.",
        ),
        number(
            "Partitions below min.insync.replicas",
            f"sum(kafka_cluster_partition_underminisr{{{_PARTITION}}})",
            "They refuse writes with acks=all.",
            above=1,
        ),
        graph(
            "Leaders",
            f"{_BY_BROKER} ({_KNOWN_BY}{{{_PICKED}}})",
            _BROKER,
            "Partitions that each broker leads: even lines are an even load.",
        ),
        graph(
            "Replicas",
            f"{_BY_BROKER} (kafka_server_replicamanager_partitioncount{{{_PICKED}}})",
            _BROKER,
            "Replicas that each broker holds.",
        ),
        graph(
            "Unclean elections",
            f"{_BY_BROKER} (rate(kafka_controller_controllerstats_uncleanleaderelections_total{{{_PICKED}}}[{RATE}]))",
            _BROKER,
            "Leaders that were not in sync: each may have lost records.",
            "ops",
        ),
    )


def _traffic() -> tuple[Panel, ...]:
    return (
        _total("Bytes in", "bytesin", "Written by producers, all brokers together and each.", "Bps"),
        _total("Bytes out", "bytesout", "Read by consumers.", "Bps"),
        _total("Messages in", "messagesin", "Records a second.", "ops"),
        _by_topic("Bytes in by topic", "bytesin", "Bps"),
        _by_topic("Bytes out by topic", "bytesout", "Bps"),
        _by_topic("Messages in by topic", "messagesin", "ops"),
    )


def _total(title: str, metric: str, about: str, unit: str) -> Panel:
    """Series without a topic are what the broker counts over all of them."""
    return graph(title, f"{_BY_BROKER} ({_rate(metric, ' ', '=')})", _BROKER, about, unit)


def _by_topic(title: str, metric: str, unit: str) -> Panel:
    expression = f"sum by (topic) ({_rate(metric, '$topic', '=~')})"
    return graph(title, expression, "{{topic}}", "The topics that were chosen, all brokers together.", unit)


def _rate(metric: str, topic: str, operator: str) -> str:
    return f'rate({_TOPIC_METRICS}_{metric}_total{{{_PICKED}, topic{operator}"{topic.strip()}"}}[{RATE}])'


def _requests() -> tuple[Panel, ...]:
    handlers = "kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent"
    return (
        _with_failures("Produce requests", "totalproducerequests", "failedproducerequests"),
        _with_failures("Fetch requests", "totalfetchrequests", "failedfetchrequests"),
        graph(
            "Connections",
            f"sum by (listener) (kafka_server_socket_server_metrics_connection_count{{{_PICKED}}})",
            "{{listener}}",
            "Open connections of each listener.",
        ),
        graph(
            "Idle network threads",
            f"avg by (kubernetes_pod_name) (kafka_network_socketserver_networkprocessoravgidle_percent{{{_PICKED}}})",
            _BROKER,
            "1 is idle. Below 0.3 more network threads help (num.network.threads).",
            "percentunit",
            12,
        ),
        graph(
            "Idle request handlers",
            f"avg by (kubernetes_pod_name) ({handlers}{{{_PICKED}}})",
            _BROKER,
            "1 is idle. Below 0.3 the broker is at its limit (num.io.threads, disks).",
            "percentunit",
            12,
        ),
    )


def _with_failures(title: str, total: str, failed: str) -> Panel:
    return Panel(
        title,
        (Query(f"sum({_rate(total, ' ', '=')})", "all"), Query(f"sum({_rate(failed, ' ', '=')})", "failed")),
        "Requests a second, and those of them that were refused.",
        "reqps",
    )


def _topics() -> tuple[Panel, ...]:
    return (
        graph(
            "Log size by topic",
            f"sum by (topic) (kafka_log_log_size{{{_PARTITION}}})",
            "{{topic}}",
            "Bytes on disk, all replicas together.",
            "bytes",
            12,
        ),
        graph(
            "Replicas by topic",
            f"sum by (topic) (kafka_cluster_partition_replicascount{{{_PARTITION}}})",
            "{{topic}}",
            "Replicas of the topic's partitions, counted at their leaders.",
            width=12,
        ),
    )


def _beneath() -> tuple[Panel, ...]:
    return (
        graph(
            "Disk reads",
            f"{_BY_BROKER} (rate(kafka_server_kafkaserver_linux_disk_read_bytes{{{_PICKED}}}[{RATE}]))",
            _BROKER,
            "From the disk itself: consumers that keep up read from memory.",
            "Bps",
        ),
        graph(
            "Disk writes",
            f"{_BY_BROKER} (rate(kafka_server_kafkaserver_linux_disk_write_bytes{{{_PICKED}}}[{RATE}]))",
            _BROKER,
            "To the disk itself, once the kernel writes it out.",
            "Bps",
        ),
        graph(
            "ZooKeeper requests",
            "max by (kubernetes_pod_name) (kafka_server_zookeeperclientmetrics_zookeeperrequestlatencyms"
            f'{{{_PICKED}, quantile="0.99"}})',
            _BROKER,
            "The slowest hundredth of the broker's requests to ZooKeeper. Empty in KRaft mode.",
            "ms",
        ),
    )
