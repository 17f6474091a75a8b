"""Every alert fires while its fault is there: Prometheus' own judge over series in the shape of live pods'."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.system.monitoring.promtool import (
    Case,
    Minutes,
    Series,
    judge,
    needs_prometheus,
    promtool,
    write_rules,
    write_test,
)

from klamm.monitoring.rules import groups

pytestmark = needs_prometheus


def of_broker(name: str, broker: int = 0, **more: str) -> str:
    return _series(name, kubernetes_pod_name=f"my-cluster-kafka-{broker}", strimzi_io_name="my-cluster-kafka", **more)


def of_zookeeper(name: str) -> str:
    pod = {"kubernetes_pod_name": "my-cluster-zookeeper-0", "strimzi_io_name": "my-cluster-zookeeper"}
    return _series(name, **pod, memberType="Leader", replicaId="1")


def of_exporter(name: str, **more: str) -> str:
    return _series(name, strimzi_io_name="my-cluster-kafka-exporter", topic="orders", partition="0", **more)


def _series(name: str, **labels: str) -> str:
    common = {"namespace": "kafka", "strimzi_io_cluster": "my-cluster", "strimzi_io_kind": "Kafka"}
    return written(name, {**common, **labels})


def written(name: str, labels: Mapping[str, str]) -> str:
    pairs = ", ".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{name}{{{pairs}}}"


def claim(name: str, of: str) -> str:
    return f'kubelet_volume_stats_{of}_bytes{{namespace="kafka", persistentvolumeclaim="{name}", node="klamm-0"}}'


def container(name: str, pod: str, run: int = 0) -> str:
    labels = f'namespace="kafka", container="{name}", pod="{pod}", id="/klamm/uid/{name}/{run}"'
    return f"container_last_seen{{{labels}}}"


OPERATOR = {"namespace": "operators", "kubernetes_pod_name": "strimzi-cluster-operator-x"}


def wants(component: str, cluster: str = "my-cluster", **of: str) -> str:
    """As the cluster operator tells it from a namespace of its own."""
    workload = f"{cluster}-{component if component in ('kafka', 'zookeeper') else 'entity-operator'}"
    what = {"exported_namespace": "kafka", "cluster": cluster, "component": component, "workload": workload}
    return written("klamm_wanted", {**OPERATOR, **what, **of})


def kafkas(in_namespace: str = "kafka", **of: str) -> str:
    """An operator of all namespaces shows "*" when there is none anywhere; one of a few shows 0 for each."""
    return written("strimzi_resources", {**OPERATOR, "exported_namespace": in_namespace, "kind": "Kafka", **of})


def resource(kind: str, **labels: str) -> str:
    every = {"name": "mine", "exported_namespace": "kafka", "namespace": "kafka", "ready": "True", **labels}
    return written(f"strimzi_{kind}_resource_info", every)


RISES_AND_FALLS = ((0, 2), (3, 3), (0, 5))
WELL = ((1, 2), (None, 18), (1, 4))
NOT_WELL = ((None, 2), (1, 18), (None, 4))
"""As long as a creation or a roll may take, and a little longer."""
ALIVE = (("now", 5), (None, 6), ("now", 5))


def while_it_lasts(series: str, values: tuple[Minutes, ...] = RISES_AND_FALLS) -> Case:
    return Case({series: values}, fires=[4], quiet=[1, 7])


def full(claimed: str, pod: str, component: str) -> Case:
    return Case(
        {
            claim(claimed, "available"): [(30, 2), (14, 3), (20, 4)],
            claim(claimed, "capacity"): [(100, 9)],
            container(component, pod): [("now", 9)],
        },
        fires=[4],
        quiet=[1, 7],
    )


def down(name: str, pod: str) -> Case:
    return Case(
        {container(name, pod): ALIVE, kafkas(): [(1, 16)], wants(name): [(1, 16)]},
        fires=[10],
        quiet=[4, 14],
    )


def unready(kind: str) -> Case:
    good, bad = resource(kind), resource(kind, ready="False")
    return Case({good: WELL, bad: NOT_WELL}, fires=[18.5], quiet=[1, 6, 16, 22])


def marked(kind: str, label: str, value: str) -> Case:
    plain, odd = resource(kind, warnings="", deprecated=""), resource(kind, **{label: value})
    return Case({plain: WELL, odd: NOT_WELL}, fires=[18.5], quiet=[1, 6, 16, 22])


def restarts(name: str, pod: str) -> Case:
    """Three containers within five minutes; the third stays."""
    runs: dict[str, tuple[Minutes, ...]] = {
        container(name, pod, 0): (("now", 3),),
        container(name, pod, 1): ((None, 3), ("now", 1)),
        container(name, pod, 2): ((None, 4), ("now", 12)),
    }
    return Case(runs, fires=[4.5], quiet=[3.5, 12])


DAY = 24 * 3600 * 1000.0
CASES = {
    "KafkaRunningOutOfSpace": full("data-0-my-cluster-kafka-0", "my-cluster-kafka-0", "kafka"),
    "ZookeeperRunningOutOfSpace": full("data-my-cluster-zookeeper-0", "my-cluster-zookeeper-0", "zookeeper"),
    "UnderReplicatedPartitions": while_it_lasts(of_broker("kafka_server_replicamanager_underreplicatedpartitions")),
    "UnderMinIsrPartitionCount": while_it_lasts(of_broker("kafka_server_replicamanager_underminisrpartitioncount")),
    "OfflinePartitions": while_it_lasts(of_broker("kafka_controller_kafkacontroller_offlinepartitionscount")),
    "OfflineLogDirectoryCount": while_it_lasts(of_broker("kafka_log_logmanager_offlinelogdirectorycount")),
    "AbnormalControllerState": Case(
        {
            of_broker("kafka_controller_kafkacontroller_activecontrollercount", 0): [(1, 9)],
            of_broker("kafka_controller_kafkacontroller_activecontrollercount", 1): [(0, 2), (1, 3), (0, 4)],
        },
        fires=[4],
        quiet=[1, 7],
    ),
    "ScrapeProblem": Case({of_broker("up"): [(1, 2), (0, 5), (1, 4)]}, fires=[6], quiet=[1, 4, 9]),
    "KafkaBrokerContainersDown": down("kafka", "my-cluster-kafka-0"),
    "ZookeeperContainersDown": down("zookeeper", "my-cluster-zookeeper-0"),
    "TopicOperatorContainerDown": down("topic-operator", "my-cluster-entity-operator-5b7d9-x"),
    "UserOperatorContainerDown": down("user-operator", "my-cluster-entity-operator-5b7d9-x"),
    "ClusterOperatorContainerDown": down("strimzi-cluster-operator", "strimzi-cluster-operator-x"),
    "KafkaContainerRestartedInTheLast5Minutes": restarts("kafka", "my-cluster-kafka-0"),
    "ZookeeperContainerRestartedInTheLast5Minutes": restarts("zookeeper", "my-cluster-zookeeper-0"),
    "AvgRequestLatency": while_it_lasts(of_zookeeper("zookeeper_avgrequestlatency"), ((9.5, 2), (12.5, 3), (1, 5))),
    "OutstandingRequests": while_it_lasts(of_zookeeper("zookeeper_outstandingrequests"), ((10, 2), (11, 3), (0, 5))),
    "CertificateExpiration": Case(
        {
            'strimzi_certificate_expiration_timestamp_ms{cluster="my-cluster", type="cluster-ca", '
            'resource_namespace="kafka", namespace="kafka"}': [(31 * DAY, 2), (29 * DAY, 8), (365 * DAY, 4)]
        },
        fires=[8],
        quiet=[1, 12],
    ),
    "UnderReplicatedPartition": while_it_lasts(of_exporter("kafka_topic_partition_under_replicated_partition")),
    "TooLargeConsumerGroupLag": Case(
        {
            of_exporter("kafka_consumergroup_lag", consumergroup="g"): [(0, 5), ("+400", 5), (0, 8)],
            of_exporter("kafka_consumergroup_current_offset", consumergroup="g"): [("+400", 5), (7600, 5), ("+900", 8)],
        },
        fires=[9.5],
        quiet=[4, 14],
    ),
    "NoMessageForTooLong": Case(
        {of_exporter("kafka_topic_partition_current_offset"): [("+10", 20), (790, 15), ("+10", 10)]},
        fires=[34],
        quiet=[19, 25, 40],
    ),
    "ConsumerGroupBeyondEnd": while_it_lasts(of_exporter("kafka_consumergroup_beyond_end", consumergroup="readers")),
    "KafkaExporterDataOld": while_it_lasts(
        written("kafka_exporter_part_age_seconds", {"namespace": "kafka", "part": "latest", "broker": "1"}),
        ((10, 2), (61, 3), (1, 5)),
    ),
    "KafkaNotReady": unready("kafka"),
    "KafkaTopicNotReady": unready("kafka_topic"),
    "KafkaUserNotReady": unready("kafka_user"),
    "KafkaWarnings": marked("kafka", "warnings", "True"),
    "KafkaTopicWarnings": marked("kafka_topic", "warnings", "True"),
    "KafkaUserWarnings": marked("kafka_user", "warnings", "True"),
    "KafkaDeprecated": marked("kafka", "deprecated", "Warning"),
    "KafkaTopicDeprecated": marked("kafka_topic", "deprecated", "Warning"),
    "KafkaUserDeprecated": marked("kafka_user", "deprecated", "Warning"),
}
MORE_CASES: dict[str, tuple[str, Case]] = {
    "no broker is left while no operator runs": (
        "KafkaBrokerContainersDown",
        Case(
            {
                container("kafka", "my-cluster-kafka-0"): [("now", 5), (None, 11)],
                kafkas(): [(1, 3), (None, 13)],
                wants("kafka"): [(1, 3), (None, 13)],
            },
            fires=[10, 15],
            quiet=[4],
        ),
    ),
    "another cluster of the namespace has brokers": (
        "KafkaBrokerContainersDown",
        Case(
            {
                container("kafka", "my-cluster-kafka-0"): ALIVE,
                container("kafka", "other-kafka-0"): [("now", 16)],
                kafkas(): [(2, 16)],
                wants("kafka"): [(1, 16)],
                wants("kafka", "other"): [(1, 16)],
            },
            fires=[10],
            quiet=[4, 14],
        ),
    ),
    "two pod monitors see the operator": (
        "KafkaBrokerContainersDown",
        Case(
            {
                container("kafka", "my-cluster-kafka-0"): ALIVE,
                wants("kafka", job="a"): [(1, 16)],
                wants("kafka", job="b"): [(1, 16)],
            },
            fires=[10],
            quiet=[4, 14],
        ),
    ),
    "two pod monitors see a controller, and there is no other": (
        "AbnormalControllerState",
        Case(
            {
                of_broker("kafka_controller_kafkacontroller_activecontrollercount", job="a"): [(1, 2), (0, 6)],
                of_broker("kafka_controller_kafkacontroller_activecontrollercount", job="b"): [(1, 2), (0, 6)],
            },
            fires=[4],
            quiet=[1],
        ),
    ),
    "a cluster's only broker filled its volume, and cannot start": (
        "KafkaRunningOutOfSpace",
        Case(
            {
                claim("data-0-my-cluster-kafka-0", "available"): [(20, 3), (1, 9)],
                claim("data-0-my-cluster-kafka-0", "capacity"): [(100, 12)],
                container("kafka", "my-cluster-kafka-0"): [("now", 4), (None, 8)],
            },
            fires=[5, 11],
            quiet=[1],
        ),
    ),
}
NO_ALERT: dict[str, tuple[str, Series]] = {
    "a busy group that is always thousands behind": (
        "TooLargeConsumerGroupLag",
        {
            of_exporter("kafka_consumergroup_lag", consumergroup="g"): [(3000, 20)],
            of_exporter("kafka_consumergroup_current_offset", consumergroup="g"): [("+1000", 20)],
        },
    ),
    "a group that has committed nothing": (
        "TooLargeConsumerGroupLag",
        {of_exporter("kafka_consumergroup_lag", consumergroup="g"): [(-1, 20)]},
    ),
    "a topic that was always idle": (
        "NoMessageForTooLong",
        {of_exporter("kafka_topic_partition_current_offset"): [(5, 20)]},
    ),
    "another application's full volume": (
        "KafkaRunningOutOfSpace",
        {claim("data-postgres-0", "available"): [(1, 20)], claim("data-postgres-0", "capacity"): [(100, 20)]},
    ),
    "a namespace that never had a ZooKeeper": (
        "ZookeeperContainersDown",
        {container("kafka", "my-cluster-kafka-0"): [("now", 20)]},
    ),
    "a cluster that was deleted": (
        "KafkaBrokerContainersDown",
        {
            container("kafka", "my-cluster-kafka-0"): [("now", 5)],
            kafkas(): [(1, 5), (0, 15)],
            wants("kafka"): [(1, 5), (0, 15)],
        },
    ),
    "a cluster that was deleted beside another one": (
        "KafkaBrokerContainersDown",
        {
            container("kafka", "my-cluster-kafka-0"): [("now", 5)],
            container("kafka", "other-kafka-0"): [("now", 20)],
            kafkas(): [(2, 5), (1, 15)],
            wants("kafka"): [(1, 5), (0, 15)],
            wants("kafka", "other"): [(1, 20)],
        },
    ),
    "one broker of three that is gone": (
        "KafkaBrokerContainersDown",
        {
            container("kafka", "my-cluster-kafka-0"): [("now", 5)],
            container("kafka", "my-cluster-kafka-1"): [("now", 20)],
            container("kafka", "my-cluster-kafka-2"): [("now", 20)],
            kafkas(): [(1, 20)],
            wants("kafka"): [(1, 20)],
        },
    ),
    "a cluster that was deleted, and its operator watches all namespaces": (
        "KafkaBrokerContainersDown",
        {
            container("kafka", "my-cluster-kafka-0"): [("now", 5)],
            kafkas(): [(1, 5), (None, 15)],
            kafkas("*"): [(None, 5), (0, 15)],
            wants("kafka"): [(1, 5), (0, 15)],
        },
    ),
    "a cluster that was deleted while its operator was started anew": (
        "KafkaBrokerContainersDown",
        {
            container("kafka", "my-cluster-kafka-0"): [("now", 5)],
            kafkas(): [(1, 5), (None, 15)],
            wants("kafka"): [(1, 5), (None, 15)],
            kafkas("*", kubernetes_pod_name="strimzi-cluster-operator-y"): [(None, 6), (0, 14)],
        },
    ),
    "a cluster that was deleted, and then its operator was, too": (
        "KafkaBrokerContainersDown",
        {
            container("kafka", "my-cluster-kafka-0"): [("now", 5)],
            kafkas("*"): [(1, 8), (None, 12)],
            wants("kafka"): [(1, 5), (0, 3), (None, 12)],
        },
    ),
    "a cluster that was deleted, and then its operator was, whose pod had been another one before": (
        "KafkaBrokerContainersDown",
        {
            container("kafka", "my-cluster-kafka-0"): [("now", 8)],
            wants("kafka"): [(1, 4), (None, 16)],
            wants("kafka", kubernetes_pod_name="strimzi-cluster-operator-y"): [(None, 4), (1, 4), (0, 3), (None, 9)],
        },
    ),
    "an operator that was taken out of the spec": (
        "UserOperatorContainerDown",
        {
            container("user-operator", "my-cluster-entity-operator-5b7d9-x"): [("now", 5)],
            kafkas(): [(1, 20)],
            wants("user-operator"): [(1, 5), (0, 15)],
        },
    ),
    "ZooKeepers after a move to KRaft": (
        "ZookeeperContainersDown",
        {
            container("zookeeper", "my-cluster-zookeeper-0"): [("now", 5)],
            kafkas(): [(1, 20)],
            wants("kafka"): [(1, 20)],
            wants("zookeeper"): [(1, 5), (0, 15)],
        },
    ),
    "a cluster that comes up for the first time": (
        "KafkaBrokerContainersDown",
        {kafkas(): [(1, 20)], wants("kafka"): [(1, 20)]},
    ),
    "a controller that two pod monitors see": (
        "AbnormalControllerState",
        {
            of_broker("kafka_controller_kafkacontroller_activecontrollercount", job="a"): [(1, 20)],
            of_broker("kafka_controller_kafkacontroller_activecontrollercount", job="b"): [(1, 20)],
        },
    ),
    "a group behind by less, seen by two exporters during their roll": (
        "TooLargeConsumerGroupLag",
        {
            of_exporter(name, consumergroup="g", kubernetes_pod_name=pod): [(600, 20)]
            for name in ("kafka_consumergroup_lag", "kafka_consumergroup_current_offset")
            for pod in ("old", "new")
        },
    ),
    "a cluster that takes ten minutes to come up": (
        "KafkaNotReady",
        {resource("kafka", ready="False"): [(1, 10), (None, 10)], resource("kafka"): [(None, 10), (1, 10)]},
    ),
    "a broker that was rolled once": (
        "KafkaContainerRestartedInTheLast5Minutes",
        {
            container("kafka", "my-cluster-kafka-0", 0): [("now", 5)],
            container("kafka", "my-cluster-kafka-0", 1): [(None, 5), ("now", 15)],
        },
    ),
}


def test_prometheus_accepts_every_rule(tmp_path: Path) -> None:
    code, said = promtool("check", "rules", str(write_rules(tmp_path)))
    assert code == 0, said
    assert f"{sum(len(group.alerts) for group in groups())} rules found" in said


def test_every_alert_has_a_case() -> None:
    assert {alert.name for group in groups() for alert in group.alerts} == set(CASES)


@pytest.mark.parametrize("alert", CASES)
def test_an_alert_fires_while_its_fault_is_there(alert: str, tmp_path: Path) -> None:
    code, said = promtool("test", "rules", str(write_test(tmp_path, alert, CASES[alert])))
    assert code == 0, said


@pytest.mark.parametrize("situation", MORE_CASES)
def test_an_alert_fires_also_when(situation: str, tmp_path: Path) -> None:
    alert, case = MORE_CASES[situation]
    code, said = promtool("test", "rules", str(write_test(tmp_path, alert, case)))
    assert code == 0, said


def test_what_is_down_is_told_with_its_cluster(tmp_path: Path) -> None:
    (alert,) = (alert for group in groups() for alert in group.alerts if alert.name == "KafkaBrokerContainersDown")
    series: Series = {container("kafka", "my-cluster-kafka-0"): [("now", 2)], wants("kafka"): [(1, 9)]}
    shown = [('{namespace="kafka", cluster="my-cluster"}', 0.0)]
    assert judge(tmp_path, series, 8, {alert.expression: shown}) == ""


def test_a_partition_without_leader_is_one_however_many_controllers_tell_it(tmp_path: Path) -> None:
    (alert,) = (alert for group in groups() for alert in group.alerts if alert.name == "OfflinePartitions")
    told = {of_broker("kafka_controller_kafkacontroller_offlinepartitionscount", each): [(1, 5)] for each in range(3)}
    shown = [('{namespace="kafka", strimzi_io_cluster="my-cluster"}', 1.0)]
    assert judge(tmp_path, told, 2, {alert.expression: shown}) == ""


@pytest.mark.parametrize("situation", NO_ALERT)
def test_what_is_no_fault_is_no_alert(situation: str, tmp_path: Path) -> None:
    alert, series = NO_ALERT[situation]
    never = Case(series, fires=[], quiet=range(1, 20))
    code, said = promtool("test", "rules", str(write_test(tmp_path, alert, never)))
    assert code == 0, said
