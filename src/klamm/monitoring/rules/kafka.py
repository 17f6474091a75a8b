"""Brokers."""

from klamm.monitoring.alerts import Alert, Group, Pace
from klamm.monitoring.rules.parts import OF_SETS, containers_down, restarted, running_out_of_space

_OF_CLUSTER = "namespace, strimzi_io_cluster"
_CLUSTER = "{{ $labels.strimzi_io_cluster }} in {{ $labels.namespace }}"
_BROKER = "Broker {{ $labels.kubernetes_pod_name }} in {{ $labels.namespace }}"
BROKER_PODS = ".+-[0-9]+"


def kafka(pace: Pace) -> Group:
    return Group(
        "kafka",
        (
            running_out_of_space("KafkaRunningOutOfSpace", "kafka", "A broker", pace),
            *_partitions(pace),
            *_brokers(pace),
        ),
    )


def _partitions(pace: Pace) -> tuple[Alert, ...]:
    return (
        Alert(
            "UnderReplicatedPartitions",
            "kafka_server_replicamanager_underreplicatedpartitions > 0",
            pace.moment,
            "warning",
            "Partitions lack replicas that are in sync",
            f"{_BROKER} leads {{{{ $value }}}} partitions of which a follower lags or is away.",
            "See which broker is down or slow; while one restarts this is normal and ends by itself.",
        ),
        Alert(
            "AbnormalControllerState",
            # A pod that two pod monitors see counts once.
            f"sum by ({_OF_CLUSTER}) (max by ({_OF_CLUSTER}, kubernetes_pod_name)"
            " (kafka_controller_kafkacontroller_activecontrollercount)) != 1",
            pace.moment,
            "warning",
            "A cluster has not exactly one controller",
            f"{_CLUSTER} has {{{{ $value }}}} active controllers.",
            "With 0 see whether ZooKeeper (or the controllers' quorum) has a majority; with 2 restart the older one.",
        ),
        Alert(
            "OfflinePartitions",
            # In KRaft mode every controller tells all of them.
            f"max by ({_OF_CLUSTER}) (kafka_controller_kafkacontroller_offlinepartitionscount) > 0",
            pace.moment,
            "warning",
            "Partitions have no leader",
            f"{{{{ $value }}}} partitions of {_CLUSTER} can be neither written nor read.",
            "Bring the brokers back that hold their replicas; kafka-topics.sh --unavailable-partitions lists them.",
        ),
        Alert(
            "UnderMinIsrPartitionCount",
            "kafka_server_replicamanager_underminisrpartitioncount > 0",
            pace.moment,
            "warning",
            "Partitions refuse writes with acks=all",
            f"{_BROKER} leads {{{{ $value }}}} partitions with fewer replicas in sync than min.insync.replicas.",
            "Bring the missing brokers back: until then producers with acks=all get NotEnoughReplicas.",
        ),
        Alert(
            "OfflineLogDirectoryCount",
            "kafka_log_logmanager_offlinelogdirectorycount > 0",
            pace.moment,
            "warning",
            "A broker lost a log directory",
            f"{_BROKER} has {{{{ $value }}}} log directories that it cannot use.",
            "Look for I/O errors in its log, mend or replace the volume, then restart the broker.",
        ),
    )


def _brokers(pace: Pace) -> tuple[Alert, ...]:
    return (
        Alert(
            "ScrapeProblem",
            'up{kubernetes_pod_name!="", strimzi_io_kind!=""} == 0',
            pace.while_,
            "major",
            "A pod gives no metrics",
            "Prometheus cannot scrape {{ $labels.kubernetes_pod_name }} ({{ $labels.instance }}).",
            "See whether the pod is ready, and what Prometheus says about it under Status, Targets.",
        ),
        containers_down(
            "KafkaBrokerContainersDown",
            "kafka",
            OF_SETS,
            "Kafka broker",
            "See the pods (kubectl get pods -l strimzi.io/kind=Kafka) and the operator's log.",
            pace,
        ),
        restarted("KafkaContainerRestartedInTheLast5Minutes", BROKER_PODS, "kafka", "broker", pace),
    )
