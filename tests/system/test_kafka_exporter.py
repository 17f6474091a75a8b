"""examples/kafka-2.yaml as it stands on one machine: metrics of brokers and ZooKeepers, and the exporter.

One cluster for all tests, which build on one another in this order.
"""

import json
import re
from collections.abc import Iterator
from urllib.error import HTTPError

import pytest
from tests.builders.cluster import CLOCK, READY_WITHIN, is_ready_pod, restarts_of
from tests.builders.local_cluster import LocalCluster, local_cluster
from tests.builders.scrapes import Page, forwarded, scraped

EXPORTER = "my-cluster-kafka-exporter"
BOOTSTRAP = "my-cluster-kafka-bootstrap:9092"
PORT = 9404
NAMES = {
    "kafka_brokers",
    "kafka_broker_info",
    "kafka_topic_partitions",
    "kafka_topic_partition_current_offset",
    "kafka_topic_partition_oldest_offset",
    "kafka_topic_partition_in_sync_replica",
    "kafka_topic_partition_leader",
    "kafka_topic_partition_leader_is_preferred",
    "kafka_topic_partition_replicas",
    "kafka_topic_partition_under_replicated_partition",
    "kafka_consumergroup_current_offset",
    "kafka_consumergroup_current_offset_sum",
    "kafka_consumergroup_lag",
    "kafka_consumergroup_lag_sum",
    "kafka_consumergroup_members",
    "kafka_exporter_build_info",
}
"""All of kafka_exporter's, but the one for groups that ZooKeeper keeps, of which Kafka has had none for years."""
SEEN_WITHIN = 180.0
"""What happened is on the page after at most 15 s; here more runs than an exporter."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with local_cluster() as cluster:
        begun = CLOCK.monotonic()
        cluster.klamm("up", "kafka-2.yaml", "-n", "kafka", "--timeout", str(READY_WITHIN))
        print(f"{CLOCK.monotonic() - begun:6.1f} s until klamm up has ended")
        yield cluster


def exporter_pod(cluster: LocalCluster) -> str | None:
    """The only one, when it is ready."""
    pods = {name: pod for name, pod in cluster.pods().items() if name.startswith(EXPORTER)}
    return next(iter(pods)) if len(pods) == 1 and all(map(is_ready_pod, pods.values())) else None


def page_of(cluster: LocalCluster, what: str) -> Page:
    with forwarded(cluster, what, PORT) as port:
        return scraped(port)


def tool(cluster: LocalCluster, line: str) -> str:
    """A line of Kafka's tools in a broker's pod."""
    return cluster.typed(f'kubectl exec -i -n kafka my-cluster-kafka-0 -c kafka -- sh -c "{line}" 2>&1')


def test_every_pod_with_metrics_has_the_port_that_scrapers_look_for(cluster: LocalCluster) -> None:
    cluster.until_ready()
    found = {
        pod["metadata"]["labels"]["strimzi.io/name"]
        for pod in cluster.pods().values()
        for container in pod["spec"]["containers"]
        for port in container.get("ports", ())
        if (port.get("name"), port["containerPort"]) == ("tcp-prometheus", PORT)
    }
    assert found == {"my-cluster-kafka", "my-cluster-zookeeper", EXPORTER}


def test_brokers_and_zookeepers_show_the_metrics_of_their_rules(cluster: LocalCluster) -> None:
    broker, zookeeper = (page_of(cluster, f"pod/my-cluster-{part}-0") for part in ("kafka", "zookeeper"))
    assert broker.values("kafka_server_replicamanager_leadercount")
    assert broker.values("kafka_network_requestmetrics_requests_total")
    assert zookeeper.value("zookeeper_quorumsize") == 3


def test_a_topic_and_a_group_are_on_the_exporters_page_under_every_name(cluster: LocalCluster) -> None:
    at = f"--bootstrap-server {BOOTSTRAP}"
    tool(cluster, f"kafka-topics.sh {at} --create --topic orders --partitions 3 --replication-factor 3")
    tool(cluster, f"seq 100 | kafka-console-producer.sh {at} --topic orders")
    tool(
        cluster,
        f"kafka-console-consumer.sh {at} --topic orders --group readers --from-beginning --max-messages 40"
        " --timeout-ms 120000",
    )
    with forwarded(cluster, f"deploy/{EXPORTER}", PORT) as port:

        def read_and_left() -> Page | None:
            """A look between its last commit and its farewell still sees the member."""
            page = scraped(port)
            lag = page.value("kafka_consumergroup_lag_sum", consumergroup="readers", topic="orders")
            members = page.value("kafka_consumergroup_members", consumergroup="readers")
            return page if (lag, members) == (60, 0) else None

        page = cluster.until(
            "the group's lag is 60 on the page, and it has no member",
            read_and_left,
            within=SEEN_WITHIN,
            telling=lambda: str([one for one in scraped(port).series if "group" in one[0]]),
        )
    assert page.names() >= NAMES
    assert page.value("kafka_brokers") == 3
    assert page.value("kafka_topic_partitions", topic="orders") == 3
    assert sum(page.values("kafka_topic_partition_current_offset", topic="orders")) == 100
    assert page.values("kafka_topic_partition_in_sync_replica", topic="orders") == [3, 3, 3]
    assert page.values("kafka_topic_partition_under_replicated_partition", topic="orders") == [0, 0, 0]
    assert page.value("kafka_consumergroup_current_offset_sum", consumergroup="readers", topic="orders") == 40


def test_changed_rules_are_in_a_brokers_page_without_a_restart(cluster: LocalCluster) -> None:
    before = {name: (pod["metadata"]["uid"], restarts_of(pod)) for name, pod in cluster.pods().items()}
    rule = {"pattern": "kafka.server<type=ReplicaManager, name=LeaderCount><>Value", "name": "leaders"}
    data = {"kafka-metrics-config.yml": json.dumps({"rules": [rule]})}
    cluster.kubectl(
        "patch", "configmap", "kafka-metrics", "-n", "kafka", "--type=merge", "-p", json.dumps({"data": data})
    )
    with forwarded(cluster, "pod/my-cluster-kafka-1", PORT) as port:
        cluster.until("the new rule's name is shown", lambda: scraped(port).values("leaders"))
        assert scraped(port).values("kafka_server_replicamanager_leadercount") == []
    assert {name: (pod["metadata"]["uid"], restarts_of(pod)) for name, pod in cluster.pods().items()} == before


def test_the_exporter_answers_while_a_broker_is_restarted(cluster: LocalCluster) -> None:
    pod = cluster.until("the exporter is ready", lambda: exporter_pod(cluster))
    before = {name: one["metadata"]["uid"] for name, one in cluster.pods().items()}
    broker = "my-cluster-kafka-1"
    cluster.kubectl("annotate", "pod", broker, "-n", "kafka", "strimzi.io/manual-rolling-update=true")
    with forwarded(cluster, f"pod/{pod}", PORT) as port:

        def has_come_back() -> bool:
            lags = scraped(port).values("kafka_consumergroup_lag", consumergroup="readers")  # raises without an answer
            assert all(0 <= lag <= 100 for lag in lags), lags
            found = cluster.pods().get(broker)
            return found is not None and found["metadata"]["uid"] != before[broker] and is_ready_pod(found)

        cluster.until(f"{broker} is a new one", has_come_back)
        cluster.until(
            "the page shows a whole cluster",
            lambda: (
                scraped(port).value("kafka_brokers") == 3
                and scraped(port).values("kafka_topic_partition_in_sync_replica", topic="orders") == [3, 3, 3]
            ),
            within=SEEN_WITHIN,
        )
    after = cluster.pods()[pod]
    assert (after["metadata"]["uid"], restarts_of(after)) == (before[pod], 0)
    cluster.until_ready()


def test_a_renewed_authority_gives_a_new_exporter_that_goes_on(cluster: LocalCluster) -> None:
    """Every other pod is made anew, too, one after another."""
    before = cluster.until("the exporter is ready", lambda: exporter_pod(cluster))
    cluster.kubectl("annotate", "secret", "my-cluster-cluster-ca-cert", "-n", "kafka", "strimzi.io/force-renew=true")
    cluster.until("the exporter's pod is a new one", lambda: exporter_pod(cluster) not in (None, before))
    cluster.until_ready()
    with forwarded(cluster, f"deploy/{EXPORTER}", PORT) as port:
        cluster.until("the new page shows three brokers and the group", lambda: _is_whole(port), within=SEEN_WITHIN)
    assert restarts_of(cluster.pods()[cluster.until("the exporter is ready", lambda: exporter_pod(cluster))]) == 0


def _is_whole(port: int) -> bool:
    try:
        page = scraped(port)
    except HTTPError as error:
        if error.code != 503:  # said until the cluster was read once
            raise
        return False
    lag = page.value("kafka_consumergroup_lag_sum", consumergroup="readers", topic="orders")
    return page.value("kafka_brokers") == 3 and lag == 60


def test_without_the_field_all_of_it_goes(cluster: LocalCluster) -> None:
    cluster.typed('kubectl patch kafka my-cluster -n kafka --type=merge -p \'{"spec": {"kafkaExporter": null}}\'')
    kinds = "deployment,pod,secret,serviceaccount,networkpolicy,pdb"

    def left() -> list[str]:
        shown = cluster.typed(f"kubectl get {kinds} -n kafka -o name")
        return re.findall(rf"\S*{EXPORTER}\S*", shown)

    cluster.until("nothing of the exporter is left", lambda: not left(), telling=lambda: str(left()))
    cluster.until_ready()
