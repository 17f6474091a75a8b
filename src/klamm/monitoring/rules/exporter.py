"""What the Kafka exporter sees: topics and consumer groups."""

from klamm.monitoring.alerts import Alert, Group, Pace

_MANY_MESSAGES = 1000
_OLD_SECONDS = 60
_OF_TOPIC = "namespace, strimzi_io_cluster, topic"
_OF_GROUP = f"{_OF_TOPIC}, consumergroup"
_OF_POD = "namespace, strimzi_io_cluster, kubernetes_pod_name"
ASKED_ALWAYS = 'part=~"groups|committed|latest"'
"""What every collection asks; brokers and topics, and the sizes of logs, are read seldom."""
_TOPIC = "Topic {{ $labels.topic }} of {{ $labels.strimzi_io_cluster }} in {{ $labels.namespace }}"


def exporter(pace: Pace) -> Group:
    return Group("kafkaExporter", (_under_replicated(pace), _lag(pace), _beyond(pace), _silence(pace), _old(pace)))


def _under_replicated(pace: Pace) -> Alert:
    return Alert(
        "UnderReplicatedPartition",
        "kafka_topic_partition_under_replicated_partition > 0",
        pace.moment,
        "warning",
        "A topic lacks replicas that are in sync",
        f"{_TOPIC} has fewer replicas in sync than replicas in partition {{{{ $labels.partition }}}}.",
        "As UnderReplicatedPartitions, which names the broker; this one names the topic.",
    )


def _lag(pace: Pace) -> Alert:
    """Messages alone say little: a busy group is always thousands behind. So it also has to be further behind than
    what it read in the window; a group that stands still has read nothing. -1 (nothing committed) is no lag.
    While the exporter is rolled there are two of it, which tell the same partitions."""
    lag = f"sum by ({_OF_GROUP}) (max by ({_OF_GROUP}, partition) (kafka_consumergroup_lag > 0))"
    committed = f"clamp_min(delta(kafka_consumergroup_current_offset[{pace.window}]), 0)"
    read = f"sum by ({_OF_GROUP}) (max by ({_OF_GROUP}, partition) ({committed}))"
    return Alert(
        "TooLargeConsumerGroupLag",
        f"({lag} > {_MANY_MESSAGES})\n> {read}",
        pace.moment,
        "warning",
        "A consumer group does not keep up",
        f"Group {{{{ $labels.consumergroup }}}} is {{{{ $value }}}} messages behind. {_TOPIC}.",
        "See whether its consumers run (kafka-consumer-groups.sh --describe); add some, up to one a partition.",
    )


def _beyond(pace: Pace) -> Alert:
    """Such a group has no lag, and so no other alert."""
    return Alert(
        "ConsumerGroupBeyondEnd",
        f"max by ({_OF_GROUP}) (kafka_consumergroup_beyond_end) > 0",
        pace.moment,
        "warning",
        "A consumer group is beyond the end of a topic",
        f"Group {{{{ $labels.consumergroup }}}} committed {{{{ $value }}}} records beyond the end. {_TOPIC}.",
        "The topic lost records or was made anew. Its consumers begin anew, skip, or fail, as their auto.offset.reset "
        "says; see theirs, and set the offsets (kafka-consumer-groups.sh --reset-offsets).",
    )


def _silence(pace: Pace) -> Alert:
    """Only for topics that had records before: others are idle, which is no fault."""
    offsets = 'kafka_topic_partition_current_offset{topic!~"__.+"}'
    return Alert(
        "NoMessageForTooLong",
        f"(sum by ({_OF_TOPIC}) (clamp_min(delta({offsets}[{pace.silence}]), 0)) == 0)\n"
        f"and sum by ({_OF_TOPIC}) (clamp_min(delta({offsets}[{pace.traffic}] offset {pace.silence}), 0)) > 0",
        pace.moment,
        "warning",
        "A topic went quiet",
        f"{_TOPIC} got records within the last hour, but none for ten minutes.",
        "See whether its producers run; if it is meant to be quiet, silence this alert for the topic.",
    )


def _old(pace: Pace) -> Alert:
    return Alert(
        "KafkaExporterDataOld",
        f"max by ({_OF_POD}) (kafka_exporter_part_age_seconds{{{ASKED_ALWAYS}}}) > {_OLD_SECONDS}",
        pace.moment,
        "warning",
        "The exporter shows old data",
        "What {{ $labels.kubernetes_pod_name }} in {{ $labels.namespace }} tells is {{ humanizeDuration $value }} old.",
        "See its log for the broker or coordinator that does not answer; lags stand still until it does.",
    )
