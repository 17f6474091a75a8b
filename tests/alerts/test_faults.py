"""Faults are made on a live cluster, and each one's alerts fire, and end when it is mended.

The same rules as people get, with shorter durations and scrapes, and the faster configuration of the brokers' metrics:
with the tutorial's, scrapes that often take most of a small machine. Brokers have two volumes; one of them, and those
of ZooKeepers, are small disks that can be filled and frozen, which takes root.

One of all alerts has no fault here: of a KafkaTopic no field is deprecated, so nothing can make KafkaTopicDeprecated
fire. tests/system/monitoring/test_rules.py has it, and every other, on written series.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest
import yaml
from kafka import KafkaConsumer, TopicPartition
from tests.builders.cluster import EXAMPLES, READY_WITHIN
from tests.builders.disks import Disk, needs_disks, small_disk
from tests.builders.local_cluster import LocalCluster
from tests.builders.monitored import BOOTSTRAP, Monitored, apply, monitored_cluster
from tests.system.monitoring.promtool import needs_prometheus

from klamm import __version__
from klamm.distribution.images import operator_image
from klamm.monitoring.alerts import Pace
from klamm.monitoring.one_machine import Watching, prometheus_objects

pytestmark = needs_prometheus
Here = Monitored[LocalCluster]

QUICK = Watching(
    operator_image=operator_image(__version__),
    every=5,
    pace=Pace(
        moment="1s", while_="5s", settled="10s", window="60s", silence="30s", traffic="5m", memory="1h", seen="30"
    ),
)

BROKERS_DISK = "data-0-my-cluster-kafka-0"
ZOOKEEPERS = tuple(f"my-cluster-zookeeper-{number}" for number in range(3))
DISK_MEGABYTES = 256

Disks = Mapping[str, Disk]
"""By the claims of their volumes."""


@pytest.fixture(scope="module")
def disks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disks]:
    folder = tmp_path_factory.mktemp("disks")
    with ExitStack() as mounted:
        wanted = (BROKERS_DISK, *map(disk_of, ZOOKEEPERS)) if os.geteuid() == 0 else ()
        yield {claim: mounted.enter_context(small_disk(folder / claim, DISK_MEGABYTES)) for claim in wanted}


@pytest.fixture(scope="module")
def monitored(disks: Disks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    manifest = tmp_path_factory.mktemp("manifest") / "kafka-2.yaml"
    manifest.write_text(yaml.safe_dump_all(on_disks(disks)))
    with monitored_cluster(str(manifest)) as found:
        kubectl = found.cluster.kubectl
        fast = yaml.safe_load((EXAMPLES / "metrics/kafka-metrics-fast.yaml").read_text())["data"]
        kubectl("patch", "configmap/kafka-metrics", "-n", "kafka", "--type=merge", "-p", json.dumps({"data": fast}))
        apply(found.cluster, prometheus_objects(QUICK))
        kubectl("rollout", "status", "deploy/prometheus", "-n", "monitoring", "--timeout=150s", within=160)
        # What comes before the first scrape is no traffic for it.
        orders = 'kafka_topic_partition_current_offset{topic="orders"}'
        found.cluster.until("Prometheus has seen the topic", lambda: bool(found.prometheus.query(orders)))
        yield found


def test_a_group_that_stops_reading(monitored: Here) -> None:
    monitored.produce("orders", 3000)
    monitored.fires("TooLargeConsumerGroupLag")
    monitored.consume("orders", "readers", 3000)
    monitored.ends("TooLargeConsumerGroupLag")


def test_a_topic_that_goes_quiet(monitored: Here) -> None:
    monitored.fires("NoMessageForTooLong")
    monitored.produce("orders", 10)
    monitored.ends("NoMessageForTooLong")


def test_a_topic_that_kafka_refuses(monitored: Here) -> None:
    offer(monitored, resource("KafkaTopic", "too-many", {"partitions": 1, "replicas": 7}))
    monitored.fires("KafkaTopicNotReady")
    monitored.cluster.kubectl("delete", "kafkatopic/too-many", "-n", "kafka")
    monitored.ends("KafkaTopicNotReady")


def test_a_kafka_that_is_refused(monitored: Here) -> None:
    storage = {"type": "ephemeral"}
    spec = {"kafka": {"version": "0.1.0", "replicas": 1, "storage": storage, "listeners": LISTENERS}}
    offer(monitored, resource("Kafka", "wrong", {**spec, "zookeeper": {"replicas": 1, "storage": storage}}))
    monitored.fires("KafkaNotReady")
    monitored.cluster.kubectl("delete", "kafka/wrong", "-n", "kafka")
    monitored.ends("KafkaNotReady")


def test_a_kafka_with_a_field_that_nobody_knows(monitored: Here) -> None:
    change_kafka(monitored, {"kafka": {"replica": 3}})
    monitored.fires("KafkaWarnings")
    assert "KafkaDeprecated" not in monitored.prometheus.firing()
    change_kafka(monitored, {"kafka": {"replica": None}})
    monitored.ends("KafkaWarnings")


def test_a_kafka_with_a_deprecated_field(monitored: Here) -> None:
    """One without effect: no pod is restarted."""
    change_kafka(monitored, {"kafka": {"template": {"statefulset": {"metadata": {"labels": {"team": "a"}}}}}})
    monitored.fires("KafkaDeprecated", "KafkaWarnings")
    change_kafka(monitored, {"kafka": {"template": {"statefulset": None}}})
    monitored.ends("KafkaDeprecated", "KafkaWarnings")


def test_a_user_that_is_refused_for_a_deprecated_rule(monitored: Here) -> None:
    """The cluster keeps no ACLs: the user asks for what it cannot have, in words of long ago."""
    acl = {"resource": {"type": "topic", "name": "orders"}, "operation": "Read"}
    wrong = {"authentication": {"type": "tls"}, "authorization": {"type": "simple", "acls": [acl]}}
    offer(monitored, resource("KafkaUser", "wrong", wrong))
    monitored.fires("KafkaUserNotReady", "KafkaUserWarnings", "KafkaUserDeprecated")
    monitored.cluster.kubectl("delete", "kafkauser/wrong", "-n", "kafka")
    monitored.ends("KafkaUserNotReady", "KafkaUserWarnings", "KafkaUserDeprecated")


def test_a_topic_with_a_field_that_nobody_knows(monitored: Here) -> None:
    offer(monitored, resource("KafkaTopic", "odd", {"partition": 1}))
    monitored.fires("KafkaTopicWarnings")
    monitored.cluster.kubectl("delete", "kafkatopic/odd", "-n", "kafka")
    monitored.ends("KafkaTopicWarnings")


def test_a_topic_that_is_made_anew_while_a_group_reads_it(monitored: Here) -> None:
    """A consumer that was busy meanwhile commits how far it had read, which the new topic does not have."""
    topics = f"kafka-topics.sh --bootstrap-server {BOOTSTRAP} --topic anew"
    monitored.kafka(f"{topics} --create --partitions 1")
    monitored.produce("anew", 100)
    with_group = {"bootstrap_servers": monitored.from_outside(), "group_id": "busy", "enable_auto_commit": False}
    consumer = KafkaConsumer(**with_group, auto_offset_reset="earliest")
    consumer.assign([TopicPartition("anew", 0)])
    monitored.cluster.until("100 records are read", lambda: how_far(consumer, "anew") == 100, within=60)
    monitored.kafka(f"{topics} --delete")
    monitored.cluster.until("the topic is gone", lambda: "anew" not in monitored.kafka(LIST_TOPICS))
    monitored.kafka(f"{topics} --create --partitions 1")
    consumer.commit()
    consumer.close()
    monitored.fires("ConsumerGroupBeyondEnd")
    reset = "--group busy --topic anew --reset-offsets --to-latest --execute"
    monitored.kafka(f"kafka-consumer-groups.sh --bootstrap-server {BOOTSTRAP} {reset}")
    monitored.ends("ConsumerGroupBeyondEnd")


def test_an_authority_that_ends_soon(monitored: Here) -> None:
    """Of a cluster whose pods have no volumes, so that the new one restarts nobody."""
    storage = {"type": "persistent-claim", "size": "1Gi", "class": "missing", "deleteClaim": True}
    soon = {"validityDays": 20, "renewalDays": 10}
    spec = {"kafka": {"replicas": 1, "storage": storage, "listeners": LISTENERS}, "clientsCa": soon}
    offer(monitored, resource("Kafka", "short", {**spec, "zookeeper": {"replicas": 1, "storage": storage}}))
    monitored.fires("CertificateExpiration")
    longer = json.dumps({"spec": {"clientsCa": {"validityDays": 365}}})
    kubectl = monitored.cluster.kubectl
    kubectl("patch", "kafka/short", "-n", "kafka", "--type=merge", "-p", longer)
    kubectl("annotate", "secret/short-clients-ca-cert", "-n", "kafka", "strimzi.io/force-renew=true")
    monitored.ends("CertificateExpiration")
    kubectl("delete", "kafka/short", "-n", "kafka")
    monitored.ends("KafkaNotReady")


@needs_disks
@pytest.mark.parametrize(
    ("alert", "claim"),
    [("KafkaRunningOutOfSpace", BROKERS_DISK), ("ZookeeperRunningOutOfSpace", "data-my-cluster-zookeeper-0")],
)
def test_a_disk_that_fills(alert: str, claim: str, disks: Disks, monitored: Here) -> None:
    with disks[claim].filled(90):
        monitored.fires(alert, persistentvolumeclaim=claim)
        assert monitored.prometheus.firing(persistentvolumeclaim=claim) == {alert}
    monitored.ends(alert, persistentvolumeclaim=claim)


@needs_disks
def test_zookeepers_whose_disks_hang(disks: Disks, monitored: Here) -> None:
    """The leader's and another one's: two of three are needed for each write. (If it were not the leader's, it would
    drop those who do not note what it tells them, and none could be elected.) Twelve clients come meanwhile; each
    one's session is a write. Latency is an average since the last reset."""
    leader = pod_of(monitored, 'zookeeper_outstandingrequests{memberType="Leader"}')
    another = next(pod for pod in ZOOKEEPERS if pod != leader)
    with disks[disk_of(leader)].frozen(), disks[disk_of(another)].frozen():
        in_pod = ("kubectl", "exec", "-n", "kafka", leader, "--", "bash", "-ec")
        clients = monitored.cluster.started(*in_pod, TWELVE_SESSIONS)
        monitored.fires("OutstandingRequests")
    assert clients.wait(timeout=60) == 0, "every client is answered at last"
    monitored.ends("OutstandingRequests")
    monitored.fires("AvgRequestLatency")
    for pod in ZOOKEEPERS:
        reset = "exec 3<>/dev/tcp/127.0.0.1/12181; printf srst >&3; cat <&3"
        monitored.cluster.kubectl("exec", "-n", "kafka", pod, "--", "bash", "-ec", reset)
    monitored.ends("AvgRequestLatency")


def test_a_log_directory_that_is_gone(monitored: Here) -> None:
    """As when a volume is unmounted under a broker: it goes on with its other one, and takes this one at a restart."""
    pod, folder = "my-cluster-kafka-0", "/var/lib/kafka/data-1/kafka-log0"
    in_pod = ("exec", "-n", "kafka", pod, "--")
    monitored.cluster.kubectl(*in_pod, "mv", folder, f"{folder}.away")
    monitored.fires("OfflineLogDirectoryCount")
    monitored.cluster.kubectl(*in_pod, "mv", f"{folder}.away", folder)
    monitored.cluster.kubectl("delete", "pod", pod, "-n", "kafka", within=90)
    monitored.cluster.until_ready()
    monitored.ends("OfflineLogDirectoryCount", "UnderReplicatedPartitions", "UnderReplicatedPartition")


def test_a_pod_that_hangs(monitored: Here) -> None:
    """Stopped, not killed: it still runs, and answers nobody. Its kubelet restarts it when probes have failed often."""
    send(signal.SIGSTOP, monitored, "my-cluster-zookeeper-2", "QuorumPeerMain")
    monitored.fires("ScrapeProblem")
    send(signal.SIGCONT, monitored, "my-cluster-zookeeper-2", "QuorumPeerMain")
    monitored.ends("ScrapeProblem")


@pytest.mark.parametrize(
    ("pod", "word", "alert"),
    [
        ("my-cluster-zookeeper-1", "QuorumPeerMain", "ZookeeperContainerRestartedInTheLast5Minutes"),
        ("my-cluster-kafka-1", "kafka.Kafka", "KafkaContainerRestartedInTheLast5Minutes"),
    ],
)
def test_a_container_that_dies_again_and_again(pod: str, word: str, alert: str, monitored: Here) -> None:
    for restarts in (1, 2):
        monitored.cluster.until(f"{word} runs in {pod}", running(monitored, pod, word))
        seen_by_prometheus(monitored, pod, restarts)
        send(signal.SIGKILL, monitored, pod, word)
    monitored.fires(alert)
    monitored.ends(alert)


def test_without_operators(monitored: Here) -> None:
    scale(monitored, "strimzi-cluster-operator", 0)
    monitored.fires("ClusterOperatorContainerDown")
    scale(monitored, "my-cluster-entity-operator", 0)
    monitored.fires("TopicOperatorContainerDown", "UserOperatorContainerDown")


def test_without_a_broker(monitored: Here) -> None:
    """The controller is killed: for a session's length there is none. Nobody makes the pod anew without an operator."""
    make = f"kafka-topics.sh --bootstrap-server {BOOTSTRAP} --create --topic"
    controller = broker_that_is_controller(monitored)
    # One in sync is enough for it: else it would be under its minimum for ever.
    monitored.kafka(f"{make} alone --replica-assignment {controller} --config min.insync.replicas=1")
    monitored.cluster.kubectl(
        "delete", "pod", f"my-cluster-kafka-{controller}", "-n", "kafka", "--grace-period=0", "--force"
    )
    monitored.fires("AbnormalControllerState")
    monitored.fires("UnderReplicatedPartitions", "OfflinePartitions", "UnderReplicatedPartition")
    monitored.ends("AbnormalControllerState")


def test_without_a_majority_of_brokers(monitored: Here) -> None:
    monitored.cluster.kubectl("delete", "pod", f"my-cluster-kafka-{others(monitored)[0]}", "-n", "kafka", within=90)
    monitored.fires("UnderMinIsrPartitionCount")


def test_without_any_broker_or_zookeeper(monitored: Here) -> None:
    pods = [
        name for name in monitored.cluster.pods() if name.startswith(("my-cluster-kafka-", "my-cluster-zookeeper-"))
    ]
    left = [name for name in pods if "exporter" not in name]
    monitored.cluster.kubectl("delete", "pod", *left, "-n", "kafka", "--grace-period=1", within=120)
    monitored.fires("KafkaBrokerContainersDown", "ZookeeperContainersDown", "KafkaExporterDataOld")


def test_everything_ends_when_the_operator_is_back(monitored: Here) -> None:
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


LIST_TOPICS = f"kafka-topics.sh --bootstrap-server {BOOTSTRAP} --list"
TWELVE_SESSIONS = r"""
new_session='\0\0\0\054\0\0\0\0\0\0\0\0\0\0\0\0\0\0\165\060\0\0\0\0\0\0\0\0\0\0\0\020\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
for number in {10..21}; do
  eval "exec $number<>/dev/tcp/127.0.0.1/12181"
  printf "$new_session" >&$number
done
for number in {10..21}; do
  head -c 4 <&$number > /dev/null
done
"""
"""The request of ZooKeeper's protocol by which a client begins: its length, version 0, no change seen yet, 30 000 ms,
no session and no password of one."""
LISTENERS = [{"name": "plain", "port": 9092, "type": "internal", "tls": False}]


def on_disks(disks: Disks) -> list[Mapping[str, Any]]:
    """kafka-2.yaml with two volumes for each broker, and these disks."""
    kafka, *others = yaml.safe_load_all((EXAMPLES / "kafka-2.yaml").read_text())
    size = f"{DISK_MEGABYTES}Mi"
    of_brokers, of_zookeepers = kafka["spec"]["kafka"]["storage"], kafka["spec"]["zookeeper"]["storage"]
    of_brokers["volumes"] = [{**of_brokers["volumes"][0], "id": number, "size": size} for number in range(2)]
    of_zookeepers["size"] = size
    return [*(disk.volume(claim, size) for claim, disk in disks.items()), *others, kafka]


def how_far(consumer: KafkaConsumer, topic: str) -> int:
    """Its position, once it has read what there is."""
    consumer.poll(500)
    return int(consumer.position(TopicPartition(topic, 0)))


def resource(kind: str, name: str, spec: Mapping[str, object]) -> Mapping[str, object]:
    labels = {"strimzi.io/cluster": "my-cluster"}
    metadata = {"name": name, "namespace": "kafka", "labels": labels}
    return {"apiVersion": "kafka.strimzi.io/v1beta2", "kind": kind, "metadata": metadata, "spec": spec}


def offer(monitored: Here, given: Mapping[str, object]) -> None:
    monitored.cluster.kubectl("apply", "--validate=false", "-f", "-", given=json.dumps(given))


def change_kafka(monitored: Here, spec: Mapping[str, object]) -> None:
    """Merge into the spec of my-cluster; None takes a field away."""
    change = json.dumps({"spec": spec})
    monitored.cluster.kubectl("patch", "kafka/my-cluster", "-n", "kafka", "--type=merge", "-p", change)


def send(number: int, monitored: Here, pod: str, word: str) -> None:
    """A signal to the process of a pod whose command has this word."""
    os.kill(monitored.cluster.process_of(pod, word).pid, number)


def scale(monitored: Here, deployment: str, replicas: int) -> None:
    monitored.cluster.kubectl("scale", f"deployment/{deployment}", "-n", "kafka", f"--replicas={replicas}")


def running(monitored: Here, pod: str, word: str) -> Callable[[], bool]:
    return lambda: any(one.host == pod and word in one.command for one in monitored.cluster.processes())


def seen_by_prometheus(monitored: Here, pod: str, containers: int) -> None:
    """A container that came and went between two scrapes is none for it."""
    counted = f'count(count by (id) (count_over_time(container_last_seen{{pod="{pod}"}}[60s])))'

    def enough() -> bool:
        found = monitored.prometheus.query(counted)
        return bool(found) and found[0].value >= containers

    monitored.cluster.until(f"{containers} containers of {pod} were scraped", enough)


def broker_that_is_controller(monitored: Here) -> int:
    return int(pod_of(monitored, "kafka_controller_kafkacontroller_activecontrollercount == 1").rpartition("-")[2])


def pod_of(monitored: Here, series: str) -> str:
    return monitored.prometheus.query(series)[0].labels["kubernetes_pod_name"]


def disk_of(zookeeper: str) -> str:
    """The claim of its volume."""
    return f"data-{zookeeper}"


def others(monitored: Here) -> list[int]:
    """Brokers that still run, by their ids."""
    pods = monitored.cluster.pods()
    return [number for number in range(3) if f"my-cluster-kafka-{number}" in pods]
