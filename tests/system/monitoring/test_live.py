"""A real Prometheus on a live cluster of kafka-2.yaml: every panel shows data, and alerts fire when faults are made.

The walkthrough's section 5 on one machine, as `klamm up --monitoring` wires it. For faults the same rules are loaded
with shorter durations; what cannot be broken on one machine without breaking the machine is in test_rules.py.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping

import pytest
from tests.builders.cluster import READY_WITHIN
from tests.builders.local_cluster import LocalCluster, local_cluster
from tests.builders.prometheus import Chosen, Prometheus
from tests.builders.strimzi_names import asked
from tests.system.monitoring.promtool import needs_prometheus

from klamm import __version__
from klamm.distribution.images import operator_image
from klamm.monitoring.alerts import Pace
from klamm.monitoring.dashboards import boards
from klamm.monitoring.dashboards.board import dashboard
from klamm.monitoring.one_machine import Watching, prometheus_objects

pytestmark = needs_prometheus

QUICK = Watching(
    operator_image=operator_image(__version__),
    every=5,
    pace=Pace(moment="1s", while_="5s", window="60s", silence="30s", traffic="5m", memory="1h", seen="30"),
)
ALERT_WITHIN = 180.0
BOOTSTRAP = "my-cluster-kafka-bootstrap:9092"
BOARDS = {board.uid: dashboard(board) for board in boards() if board.uid != "strimzi-kraft"}
"""Without KRaft's: no cluster of this klamm runs in that mode yet."""
NOT_OF_OPERATORS_IN_PYTHON = {"jvm_gc_pause_seconds_count", "jvm_gc_pause_seconds_sum"}
"""Unless the operators tell them, they are not there to be asked for."""


class Monitored:
    """The cluster with its Prometheus."""

    def __init__(self, cluster: LocalCluster) -> None:
        self.cluster = cluster

    @property
    def prometheus(self) -> Prometheus:
        service = self.cluster.found("service", "prometheus", "-n", "monitoring") or {}
        return Prometheus(f"http://127.0.0.1:{service['spec']['ports'][0]['nodePort']}")

    def kafka(self, command: str, given: str = "", within: float = 60) -> str:
        line = f"kubectl exec -i -n kafka my-cluster-kafka-0 -- {command}"
        return self.cluster.typed(line, given=given, within=within)

    def produce(self, topic: str, records: int) -> None:
        self.kafka(
            f"kafka-producer-perf-test.sh --topic {topic} --num-records {records} --record-size 100 --throughput -1"
            f" --producer-props bootstrap.servers={BOOTSTRAP}"
        )

    def consume(self, topic: str, group: str, records: int) -> None:
        at = f"--bootstrap-server {BOOTSTRAP} --topic {topic} --group {group}"
        self.kafka(f"kafka-console-consumer.sh {at} --from-beginning --max-messages {records} > /dev/null 2>&1")

    def fires(self, *alerts: str) -> None:
        wanted = set(alerts)
        self.cluster.until(
            f"{', '.join(alerts)} fire",
            lambda: wanted <= self.prometheus.firing(),
            within=ALERT_WITHIN,
            telling=self.told,
        )

    def ends(self, *alerts: str, within: float = ALERT_WITHIN) -> None:
        gone = set(alerts)
        self.cluster.until(
            f"{', '.join(alerts)} end", lambda: not gone & self.prometheus.firing(), within=within, telling=self.told
        )

    def told(self) -> str:
        return f"firing: {sorted(self.prometheus.firing())}"

    def signal(self, pod: str, word: str, number: int) -> None:
        os.kill(self.cluster.process_of(pod, word).pid, number)


@pytest.fixture(scope="module")
def monitored() -> Iterator[Monitored]:
    """kafka-2.yaml, a topic with records, and a group that reads it."""
    with local_cluster() as cluster:
        said = cluster.klamm("up", "kafka-2.yaml", "--monitoring", "--namespace", "kafka", within=READY_WITHIN + 120)
        assert "Prometheus   http://127.0.0.1:" in said
        found = Monitored(cluster)
        cluster.kubectl("apply", "-n", "kafka", "-f", "topic.yaml", "-f", "user-tls.yaml")
        cluster.kubectl(
            "wait", "--for=condition=Ready", "kafkatopic/orders", "-n", "kafka", "--timeout=150s", within=160
        )
        found.produce("orders", 300)
        found.consume("orders", "readers", 100)
        quick = json.dumps({"apiVersion": "v1", "kind": "List", "items": prometheus_objects(QUICK)})
        cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", given=quick)
        cluster.kubectl("rollout", "status", "deploy/prometheus", "-n", "monitoring", "--timeout=150s", within=160)
        yield found


# What Strimzi's users see


def test_prometheus_reaches_every_target(monitored: Monitored) -> None:
    def targets() -> Mapping[str, str]:
        found = monitored.prometheus.ask("targets")["activeTargets"]
        return {one["labels"].get("pod", one["labels"]["instance"]) + one["scrapeUrl"]: one["health"] for one in found}

    def well() -> bool:
        found = targets()
        # Brokers, ZooKeepers and the exporter; topic, user and cluster operator; two pages of each node's kubelet.
        return len(found) == 7 + 3 + 6 and set(found.values()) == {"up"}

    monitored.cluster.until("every target is up", well, telling=lambda: str(targets()))


def test_no_rule_fails(monitored: Monitored) -> None:
    def judged() -> list[Mapping[str, str]]:
        return [rule for group in monitored.prometheus.ask("rules")["groups"] for rule in group["rules"]]

    monitored.cluster.until("every rule was looked at", lambda: all(rule["health"] != "unknown" for rule in judged()))
    assert {rule["name"]: rule.get("lastError") for rule in judged() if rule["health"] != "ok"} == {}


@pytest.mark.parametrize("name", [one.name for one in asked() if not one.only_in_kraft_mode])
def test_every_name_that_strimzis_dashboards_ask_for_has_data(name: str, monitored: Monitored) -> None:
    if name in NOT_OF_OPERATORS_IN_PYTHON:
        pytest.skip("pauses of a garbage collector of Java: operators are none")
    (one,) = [one for one in asked() if one.name == name]

    def series() -> set[str]:
        found = monitored.prometheus.query(name)
        return set().union(*(sample.labels for sample in found)) if found else set()

    found = monitored.cluster.until(f"{name} has data", series, within=60)
    assert one.labels - {"kubernetes_namespace"} <= found


@pytest.mark.parametrize("uid", BOARDS)
def test_every_query_of_every_panel_returns_data(uid: str, monitored: Monitored) -> None:
    prometheus, board = monitored.prometheus, BOARDS[uid]
    chosen = Chosen.of(board, prometheus)

    def empty() -> list[str]:
        expressions = [
            (panel["title"], chosen.filled(target["expr"]))
            for panel in board["panels"]
            for target in panel.get("targets", ())
        ]
        return [f"{title}: {expression}" for title, expression in expressions if not prometheus.query(expression)]

    monitored.cluster.until(
        f"no panel of {uid} is empty", lambda: not empty(), within=90, telling=lambda: "\n".join(empty())
    )


# Faults


def test_nothing_is_wrong_with_a_cluster_that_is_well(monitored: Monitored) -> None:
    monitored.ends("UnderReplicatedPartitions", "OfflinePartitions", "AbnormalControllerState", "ScrapeProblem")
    # This machine's disk and load are its own affair.
    odd = {"AvgRequestLatency", "OutstandingRequests", "KafkaRunningOutOfSpace", "ZookeeperRunningOutOfSpace"}
    assert monitored.prometheus.firing() - odd == set()


def test_a_group_that_stops_reading(monitored: Monitored) -> None:
    monitored.produce("orders", 3000)
    monitored.fires("TooLargeConsumerGroupLag")
    monitored.consume("orders", "readers", 3000)
    monitored.ends("TooLargeConsumerGroupLag")


def test_a_topic_that_goes_quiet(monitored: Monitored) -> None:
    monitored.fires("NoMessageForTooLong")
    monitored.produce("orders", 10)
    monitored.ends("NoMessageForTooLong")


def test_a_topic_that_kafka_refuses(monitored: Monitored) -> None:
    apply(monitored, resource("KafkaTopic", "too-many", {"partitions": 1, "replicas": 7}))
    monitored.fires("KafkaTopicNotReady")
    monitored.cluster.kubectl("delete", "kafkatopic/too-many", "-n", "kafka")
    monitored.ends("KafkaTopicNotReady")


def test_a_kafka_that_is_refused(monitored: Monitored) -> None:
    storage = {"type": "ephemeral"}
    spec = {"kafka": {"version": "0.1.0", "replicas": 1, "storage": storage, "listeners": LISTENERS}}
    apply(monitored, resource("Kafka", "wrong", {**spec, "zookeeper": {"replicas": 1, "storage": storage}}))
    monitored.fires("KafkaNotReady")
    monitored.cluster.kubectl("delete", "kafka/wrong", "-n", "kafka")
    monitored.ends("KafkaNotReady")


def test_a_pod_that_hangs(monitored: Monitored) -> None:
    """Stopped, not killed: it still runs, and answers nobody. Its kubelet restarts it when probes have failed often."""
    monitored.signal("my-cluster-zookeeper-2", "QuorumPeerMain", signal.SIGSTOP)
    monitored.fires("ScrapeProblem")
    monitored.signal("my-cluster-zookeeper-2", "QuorumPeerMain", signal.SIGCONT)
    monitored.ends("ScrapeProblem")


@pytest.mark.parametrize(
    ("pod", "word", "alert"),
    [
        ("my-cluster-zookeeper-1", "QuorumPeerMain", "ZookeeperContainerRestartedInTheLast5Minutes"),
        ("my-cluster-kafka-1", "kafka.Kafka", "KafkaContainerRestartedInTheLast5Minutes"),
    ],
)
def test_a_container_that_dies_again_and_again(pod: str, word: str, alert: str, monitored: Monitored) -> None:
    for restarts in (1, 2):
        monitored.cluster.until(f"{word} runs in {pod}", running(monitored, pod, word))
        seen_by_prometheus(monitored, pod, restarts)
        monitored.signal(pod, word, signal.SIGKILL)
    monitored.fires(alert)
    monitored.ends(alert)


def test_without_operators(monitored: Monitored) -> None:
    scale(monitored, "strimzi-cluster-operator", 0)
    monitored.fires("ClusterOperatorContainerDown")
    scale(monitored, "my-cluster-entity-operator", 0)
    monitored.fires("TopicOperatorContainerDown", "UserOperatorContainerDown")


def test_without_a_broker(monitored: Monitored) -> None:
    """The controller is killed: for a session's length there is none. Nobody makes the pod anew without an operator."""
    make = f"kafka-topics.sh --bootstrap-server {BOOTSTRAP} --create --topic"
    controller = broker_that_is_controller(monitored)
    monitored.kafka(f"{make} alone --replica-assignment {controller}")
    monitored.cluster.kubectl(
        "delete", "pod", f"my-cluster-kafka-{controller}", "-n", "kafka", "--grace-period=0", "--force"
    )
    monitored.fires("AbnormalControllerState")
    monitored.fires("UnderReplicatedPartitions", "OfflinePartitions", "UnderReplicatedPartition")
    monitored.ends("AbnormalControllerState")


def test_without_a_majority_of_brokers(monitored: Monitored) -> None:
    monitored.cluster.kubectl("delete", "pod", f"my-cluster-kafka-{others(monitored)[0]}", "-n", "kafka", within=90)
    monitored.fires("UnderMinIsrPartitionCount")


def test_without_any_broker_or_zookeeper(monitored: Monitored) -> None:
    pods = [
        name for name in monitored.cluster.pods() if name.startswith(("my-cluster-kafka-", "my-cluster-zookeeper-"))
    ]
    left = [name for name in pods if "exporter" not in name]
    monitored.cluster.kubectl("delete", "pod", *left, "-n", "kafka", "--grace-period=1", within=120)
    monitored.fires("KafkaBrokerContainersDown", "ZookeeperContainersDown", "KafkaExporterDataOld")


def test_everything_ends_when_the_operator_is_back(monitored: Monitored) -> None:
    scale(monitored, "strimzi-cluster-operator", 1)
    monitored.cluster.until_ready(within=READY_WITHIN + 60)
    monitored.ends(
        "ClusterOperatorContainerDown",
        "TopicOperatorContainerDown",
        "UserOperatorContainerDown",
        "KafkaBrokerContainersDown",
        "ZookeeperContainersDown",
        "UnderReplicatedPartitions",
        "UnderReplicatedPartition",
        "OfflinePartitions",
        "UnderMinIsrPartitionCount",
        "AbnormalControllerState",
        "KafkaExporterDataOld",
        "ScrapeProblem",
        within=READY_WITHIN,
    )


def test_down_ends_prometheus_and_up_brings_it_back_with_its_data(monitored: Monitored) -> None:
    cluster = monitored.cluster
    before = monitored.prometheus.query('count_over_time(up{job="kubelet"}[1h])')[0].value
    cluster.klamm("down")
    assert [one for one in cluster.processes() if "prometheus" in one.command] == []
    cluster.klamm("up", "--monitoring", within=READY_WITHIN)
    assert monitored.prometheus.query('count_over_time(up{job="kubelet"}[1h])')[0].value >= before


LISTENERS = [{"name": "plain", "port": 9092, "type": "internal", "tls": False}]


def resource(kind: str, name: str, spec: Mapping[str, object]) -> Mapping[str, object]:
    labels = {"strimzi.io/cluster": "my-cluster"}
    metadata = {"name": name, "namespace": "kafka", "labels": labels}
    return {"apiVersion": "kafka.strimzi.io/v1beta2", "kind": kind, "metadata": metadata, "spec": spec}


def apply(monitored: Monitored, *resources: Mapping[str, object]) -> None:
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(resources)})
    monitored.cluster.kubectl("apply", "--validate=false", "-f", "-", given=listed)


def scale(monitored: Monitored, deployment: str, replicas: int) -> None:
    monitored.cluster.kubectl("scale", f"deployment/{deployment}", "-n", "kafka", f"--replicas={replicas}")


def running(monitored: Monitored, pod: str, word: str) -> Callable[[], bool]:
    return lambda: any(one.host == pod and word in one.command for one in monitored.cluster.processes())


def seen_by_prometheus(monitored: Monitored, pod: str, containers: int) -> None:
    """A container that came and went between two scrapes is none for it."""
    counted = f'count(count by (id) (count_over_time(container_last_seen{{pod="{pod}"}}[60s])))'

    def enough() -> bool:
        found = monitored.prometheus.query(counted)
        return bool(found) and found[0].value >= containers

    monitored.cluster.until(f"{containers} containers of {pod} were scraped", enough)


def broker_that_is_controller(monitored: Monitored) -> int:
    found = monitored.prometheus.query("kafka_controller_kafkacontroller_activecontrollercount == 1")
    return int(found[0].labels["kubernetes_pod_name"].rpartition("-")[2])


def others(monitored: Monitored) -> list[int]:
    """Brokers that still run, by their ids."""
    pods = monitored.cluster.pods()
    return [number for number in range(3) if f"my-cluster-kafka-{number}" in pods]
