"""A real Prometheus on a live cluster of kafka-2.yaml: every name is there, every panel shows data, no alert fires.

The walkthrough's section 5: on one machine as `klamm up --monitoring` wires it, and with `--on=kubernetes` on three
real nodes. Faults are made in tests/alerts.
"""

from collections.abc import Iterator, Mapping

import pytest
from tests.builders.cluster import READY_WITHIN, Cluster
from tests.builders.local_cluster import LocalCluster
from tests.builders.monitored import Monitored, monitored_cluster, monitored_kubernetes
from tests.builders.prometheus import empty_queries
from tests.builders.strimzi_names import asked
from tests.system.monitoring.promtool import needs_prometheus

from klamm.monitoring.dashboards import boards
from klamm.monitoring.dashboards.board import dashboard

pytestmark = needs_prometheus
OnAnything = Monitored[Cluster]

BOARDS = {board.uid: dashboard(board) for board in boards() if board.uid != "strimzi-kraft"}
"""Without KRaft's, for which test_broker_metrics.py has a broker."""
BY_TOPIC_AFTER_A_FAILURE = {
    "kafka_server_brokertopicmetrics_failedfetchrequests_total",
    "kafka_server_brokertopicmetrics_failedproducerequests_total",
}
"""Brokers make these of a topic with its first failure; until then there is the one of all topics, without a label."""
VOLUMES = {"kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes"}


@pytest.fixture(scope="module")
def monitored(request: pytest.FixtureRequest) -> Iterator[OnAnything]:
    on_kubernetes = request.config.getoption("--on") == "kubernetes"
    with monitored_kubernetes() if on_kubernetes else monitored_cluster() as found:
        yield found


def unmeasured(cluster: Cluster) -> set[str]:
    """Series that are not there for a reason that is the nodes' own."""
    return set() if isinstance(cluster, LocalCluster) else VOLUMES


def test_prometheus_reaches_every_target(monitored: OnAnything) -> None:
    def targets() -> Mapping[str, str]:
        found = monitored.prometheus.ask("targets")["activeTargets"]
        return {one["labels"].get("pod", one["labels"]["instance"]) + one["scrapeUrl"]: one["health"] for one in found}

    def well() -> bool:
        found = targets()
        # Brokers, ZooKeepers and the exporter; topic, user and cluster operator; two pages of each node's kubelet.
        return len(found) == 7 + 3 + 6 and set(found.values()) == {"up"}

    monitored.cluster.until("every target is up", well, telling=lambda: str(targets()))


def test_no_rule_fails(monitored: OnAnything) -> None:
    def judged() -> list[Mapping[str, str]]:
        return [rule for group in monitored.prometheus.ask("rules")["groups"] for rule in group["rules"]]

    monitored.cluster.until("every rule was looked at", lambda: all(rule["health"] != "unknown" for rule in judged()))
    assert {rule["name"]: rule.get("lastError") for rule in judged() if rule["health"] != "ok"} == {}


@pytest.mark.parametrize("name", [one.name for one in asked() if not one.only_in_kraft_mode])
def test_every_name_that_strimzis_dashboards_ask_for_has_data(name: str, monitored: OnAnything) -> None:
    (one,) = [one for one in asked() if one.name == name]
    if name in unmeasured(monitored.cluster):
        pytest.skip("kubelet does not measure volumes of the kind that the nodes of tests have (hostPath)")

    later = {"topic"} if name in BY_TOPIC_AFTER_A_FAILURE else set()
    wanted = one.labels - {"kubernetes_namespace"} - later

    def labels() -> set[str]:
        found = monitored.prometheus.query(name)
        return set().union(*(sample.labels for sample in found)) if found else set()

    # A scrape from before the cluster was in use has none by topic.
    monitored.cluster.until(
        f"{name} has data with {sorted(wanted)}",
        lambda: (found := labels()) and wanted <= found,
        telling=lambda: f"there are {labels()}",
    )


@pytest.mark.parametrize("uid", BOARDS)
def test_every_query_of_every_panel_returns_data(uid: str, monitored: OnAnything) -> None:
    def empty() -> str:
        found = empty_queries(BOARDS[uid], monitored.prometheus).values()
        return "\n".join(one for one in found if not any(name in one for name in unmeasured(monitored.cluster)))

    monitored.cluster.until(f"no panel of {uid} is empty", lambda: not empty(), telling=empty)


def test_nothing_is_wrong_with_a_cluster_that_is_well(monitored: OnAnything) -> None:
    monitored.ends("UnderReplicatedPartitions", "OfflinePartitions", "AbnormalControllerState", "ScrapeProblem")
    # This machine's disk and load are its own affair.
    odd = {"AvgRequestLatency", "OutstandingRequests", "KafkaRunningOutOfSpace", "ZookeeperRunningOutOfSpace"}
    assert monitored.prometheus.firing() - odd == set()


def test_down_ends_prometheus_and_up_brings_it_back_with_its_data(monitored: OnAnything) -> None:
    cluster = monitored.cluster
    if not isinstance(cluster, LocalCluster):
        pytest.skip("`klamm down` is one machine's")
    before = monitored.prometheus.query('count_over_time(up{job="kubelet"}[1h])')[0].value
    cluster.klamm("down")
    assert [one for one in cluster.processes() if "prometheus" in one.command] == []
    cluster.klamm("up", "--monitoring", within=READY_WITHIN + 60)
    assert monitored.prometheus.query('count_over_time(up{job="kubelet"}[1h])')[0].value >= before
