"""What panels show of series in the shape of live pods': Prometheus' own judge over their queries."""

from pathlib import Path

from tests.builders.prometheus import Chosen, Prometheus
from tests.system.monitoring.promtool import Minutes, judge, needs_prometheus

from klamm.monitoring.dashboards import boards
from klamm.monitoring.dashboards.board import dashboard

pytestmark = needs_prometheus

CHOSEN = {
    "namespace": "kafka",
    "cluster": "my-cluster",
    "pool": ".+",
    "broker": "[0-9]+",
    "topic": ".+",
    "partition": ".*",
    "consumergroup": ".+",
}
STANDS: tuple[Minutes, ...] = ((6, 5),)


def query(uid: str, title: str, **chosen: str) -> str:
    """Of the panel's first query, as Grafana asks it."""
    (board,) = (dashboard(board) for board in boards() if board.uid == uid)
    (panel,) = (panel for panel in board["panels"] if panel["title"] == title and panel["type"] != "row")
    return Chosen(Prometheus(""), values={**CHOSEN, **chosen}).filled(panel["targets"][0]["expr"])


def broker(name: str, cluster: str, number: int, part: str = "kafka") -> str:
    pod = f"{cluster}-{part}-{number}"
    labels = (
        f'pod="{pod}", kubernetes_pod_name="{pod}", strimzi_io_cluster="{cluster}", strimzi_io_name="{cluster}-{part}"'
    )
    return f'{name}{{namespace="kafka", {labels}}}'


def of_exporter(name: str, pod: str, partition: int = 0, **more: str) -> str:
    labels = "".join(f', {key}="{value}"' for key, value in more.items())
    cluster = 'namespace="kafka", strimzi_io_cluster="my-cluster"'
    return f'{name}{{{cluster}, topic="orders", partition="{partition}", kubernetes_pod_name="{pod}"{labels}}}'


def test_the_machines_of_brokers_are_theirs_and_nobody_elses(tmp_path: Path) -> None:
    """A cluster whose name begins so, and the ZooKeepers, have pods and claims with names like the brokers'."""
    known = "kafka_server_replicamanager_leadercount"
    pods = ("my-cluster-kafka-0", "my-cluster-two-kafka-0")
    claims = ("data-0-my-cluster-kafka-0", "data-my-cluster-zookeeper-0", "data-0-my-cluster-two-kafka-0")
    series = {
        broker(known, "my-cluster", 0): STANDS,
        broker(known, "my-cluster-two", 0): STANDS,
        **{
            f'container_memory_usage_bytes{{namespace="kafka", container="kafka", pod="{pod}"}}': STANDS for pod in pods
        },
        **{
            f'container_cpu_usage_seconds_total{{namespace="kafka", container="kafka", pod="{pod}"}}': STANDS
            for pod in pods
        },
        **{
            f'kubelet_volume_stats_available_bytes{{namespace="kafka", persistentvolumeclaim="{claim}"}}': STANDS
            for claim in claims
        },
    }
    pod = '{pod="my-cluster-kafka-0"}'
    wanted = {
        query("strimzi-kafka", "CPU"): [(pod, 0.0)],
        query("strimzi-kafka", "Memory"): [(pod, 6.0)],
        query("strimzi-kafka", "Space left"): [('{persistentvolumeclaim="data-0-my-cluster-kafka-0"}', 6.0)],
    }
    assert judge(tmp_path, series, 4, wanted) == ""
    assert judge(tmp_path, series, 4, {query("strimzi-kafka", "Memory", broker="1"): []}) == ""


def test_the_machines_of_a_quorum_are_its_own(tmp_path: Path) -> None:
    known = "kafka_server_raftmetrics_current_leader"
    series = {
        broker(known, "my-cluster", 0): STANDS,
        **{
            f'container_memory_usage_bytes{{namespace="kafka", container="kafka", pod="{pod}"}}': STANDS
            for pod in ("my-cluster-kafka-0", "my-cluster-two-kafka-0")
        },
    }
    wanted = {query("strimzi-kraft", "Memory"): [('{pod="my-cluster-kafka-0"}', 6.0)]}
    assert judge(tmp_path, series, 4, wanted) == ""


def test_a_partition_without_leader_is_one_however_many_controllers_tell_it(tmp_path: Path) -> None:
    offline = "kafka_controller_kafkacontroller_offlinepartitionscount"
    series = {broker(offline, "my-cluster", number): STANDS for number in range(3)}
    assert judge(tmp_path, series, 4, {query("strimzi-kafka", "Partitions without leader"): [("{}", 6.0)]}) == ""


def test_clusters_of_one_name_in_two_namespaces_are_two(tmp_path: Path) -> None:
    operator = 'namespace="kafka", cluster="my-cluster"'
    leaf = "klamm_certificate_expiration_timestamp_seconds"
    series = {}
    for namespace in ("team-a", "team-b"):
        place = f'{operator}, exported_namespace="{namespace}"'
        series[f'{leaf}{{{place}, secret="certs", certificate="a"}}'] = STANDS
        series[f'klamm_roll_pods{{{place}, pod_set="my-cluster-kafka", state="missing"}}'] = STANDS
    certificates = query("strimzi-operators", "Certificates end in")
    wanted = {
        certificates: [
            (f'{{exported_namespace="{namespace}", cluster="my-cluster", secret="certs"}}', 6.0 - 4 * 60)
            for namespace in ("team-a", "team-b")
        ],
        query("strimzi-operators", "Pods of a roll"): [
            (f'{{exported_namespace="{namespace}", pod_set="my-cluster-kafka", state="missing"}}', 6.0)
            for namespace in ("team-a", "team-b")
        ],
    }
    assert judge(tmp_path, series, 4, wanted) == ""


def test_what_clusters_wait_for_is_named_and_nothing_is_too(tmp_path: Path) -> None:
    waiting = query("strimzi-operators", "What clusters wait for")
    place = 'exported_namespace="team-a", cluster="my-cluster", step="ready", reason="PodsNotReady"'
    series: dict[str, tuple[Minutes, ...]] = {
        f'klamm_waiting{{namespace="kafka", outcome="again", {place}}}': ((1, 2), (None, 3))
    }
    assert judge(tmp_path, series, 1, {waiting: [(f"{{{place}}}", 1.0), ('{step="nothing"}', 0.0)]}) == ""
    assert judge(tmp_path, series, 4, {waiting: [('{step="nothing"}', 0.0)]}) == ""


def test_two_exporters_during_their_roll_are_not_added_up(tmp_path: Path) -> None:
    names = (
        "kafka_topic_partitions",
        "kafka_topic_partition_replicas",
        "kafka_topic_partition_in_sync_replica",
        "kafka_topic_partition_under_replicated_partition",
        "kafka_cluster_partition_atminisr",
        "kafka_cluster_partition_underminisr",
        "kafka_topic_partition_current_offset",
    )
    series = {of_exporter(name, pod): STANDS for name in names for pod in ("old", "new")}
    for pod in ("old", "new"):
        series[of_exporter("kafka_topic_partition_oldest_offset", pod)] = ((2, 5),)
        series[of_exporter("kafka_topic_partition_leader_is_preferred", pod)] = ((0, 5),)
        for name in ("kafka_consumergroup_lag", "kafka_consumergroup_current_offset"):
            series[of_exporter(name, pod, consumergroup="g")] = STANDS
        series[f'kafka_broker_info{{namespace="kafka", strimzi_io_cluster="my-cluster", id="0", pod="{pod}"}}'] = STANDS
    group = 'consumergroup="g", topic="orders"'
    shown = {
        "Topics": [("{}", 1.0)],
        "Partitions": [("{}", 6.0)],
        "Replicas": [("{}", 6.0)],
        "Replicas in sync": [("{}", 6.0)],
        "Under-replicated partitions": [("{}", 6.0)],
        "Leaders elsewhere": [("{}", 1.0)],
        "Brokers": [("{}", 1.0)],
        "Partitions at min.insync.replicas": [("{}", 6.0)],
        "Partitions below min.insync.replicas": [("{}", 6.0)],
        "Messages kept": [('{topic="orders"}', 4.0)],
        "Lag": [(f"{{{group}}}", 6.0)],
        "Offsets": [(f'{{{group}, partition="0"}}', 6.0)],
        "Lag by partition": [(f'{{{group}, partition="0"}}', 6.0)],
        "Replicas missing by topic": [('{topic="orders"}', 0.0)],
        "Partitions by topic": [('{topic="orders"}', 6.0)],
    }
    wanted = {query("strimzi-kafka-exporter", title): samples for title, samples in shown.items()}
    assert judge(tmp_path, series, 4, wanted) == ""
