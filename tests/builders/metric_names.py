"""Names that dashboards and alerts of Strimzi's users ask for: 0.38.0 (the tutorial's) and 1.2.0.

Kept by hand: they are what other people's files rely on, so nothing here may follow from our own code.
"""

JVM = frozenset(
    {
        "jvm_gc_collection_seconds_count",
        "jvm_gc_collection_seconds_sum",
        "jvm_memory_bytes_used",
        "jvm_memory_used_bytes",
        "jvm_threads_current",
        "process_cpu_seconds_total",
        "process_open_fds",
    }
)

BROKER = frozenset(
    {
        "kafka_cluster_partition_atminisr",
        "kafka_cluster_partition_replicascount",
        "kafka_cluster_partition_underminisr",
        "kafka_controller_kafkacontroller_activecontrollercount",
        "kafka_controller_kafkacontroller_offlinepartitionscount",
        "kafka_log_log_size",
        "kafka_log_logmanager_offlinelogdirectorycount",
        "kafka_network_socketserver_networkprocessoravgidle_percent",
        "kafka_server_brokertopicmetrics_bytesin_total",
        "kafka_server_brokertopicmetrics_bytesout_total",
        "kafka_server_brokertopicmetrics_failedfetchrequests_total",
        "kafka_server_brokertopicmetrics_failedproducerequests_total",
        "kafka_server_brokertopicmetrics_messagesin_total",
        "kafka_server_brokertopicmetrics_totalfetchrequests_total",
        "kafka_server_brokertopicmetrics_totalproducerequests_total",
        "kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent",
        "kafka_server_kafkaserver_linux_disk_read_bytes",
        "kafka_server_kafkaserver_linux_disk_write_bytes",
        "kafka_server_replicamanager_leadercount",
        "kafka_server_replicamanager_partitioncount",
        "kafka_server_replicamanager_underminisrpartitioncount",
        "kafka_server_replicamanager_underreplicatedpartitions",
        "kafka_server_socket_server_metrics_connection_count",
    }
)
"""Of the kafka dashboard and its alerts, with ZooKeeper or without."""

WITH_ZOOKEEPER = frozenset(
    {
        "kafka_controller_controllerstats_uncleanleaderelections_total",
        "kafka_server_zookeeperclientmetrics_zookeeperrequestlatencyms",
    }
)
"""In KRaft mode the first came with Kafka 3.7, and the second cannot exist."""

KRAFT = frozenset(
    {
        "kafka_server_raftchannelmetrics_incoming_byte_total",
        "kafka_server_raftchannelmetrics_outgoing_byte_total",
        "kafka_server_raftchannelmetrics_request_total",
        "kafka_server_raftchannelmetrics_response_total",
        "kafka_server_raftmetrics_append_records_rate",
        "kafka_server_raftmetrics_commit_latency_avg",
        "kafka_server_raftmetrics_current_epoch",
        "kafka_server_raftmetrics_current_leader",
        "kafka_server_raftmetrics_current_state",
        "kafka_server_raftmetrics_current_vote",
        "kafka_server_raftmetrics_fetch_records_rate",
        "kafka_server_raftmetrics_high_watermark",
        "kafka_server_raftmetrics_log_end_offset",
    }
)
"""Of the kraft dashboard: no cluster with ZooKeeper has them."""

ZOOKEEPER = frozenset(
    {
        "zookeeper_avgrequestlatency",
        "zookeeper_inmemorydatatree_nodecount",
        "zookeeper_inmemorydatatree_watchcount",
        "zookeeper_numaliveconnections",
        "zookeeper_outstandingrequests",
        "zookeeper_quorumsize",
    }
)

REPORTER = frozenset(
    {
        "jvm_gc_collection_seconds_count",
        "jvm_memory_used_bytes",
        "jvm_threads_current",
        "process_open_fds",
        "kafka_cluster_partition_atminisr",
        "kafka_controller_controllerstats_uncleanleaderelectionspersec_total",
        "kafka_controller_kafkacontroller_activecontrollercount",
        "kafka_log_log_size",
        "kafka_network_socketserver_networkprocessoravgidlepercent",
        "kafka_server_brokertopicmetrics_bytesinpersec_total",
        "kafka_server_brokertopicmetrics_failedproducerequestspersec_total",
        "kafka_server_brokertopicmetrics_messagesinpersec_total",
        "kafka_server_kafkarequesthandlerpool_requesthandleravgidlepercent_total",
        "kafka_server_kafkaserver_linux_disk_write_bytes",
        "kafka_server_replicamanager_leadercount",
        "kafka_server_replicamanager_underreplicatedpartitions",
        "kafka_server_socket_server_metrics_connection_count",
    }
)
"""Of the dashboards for Strimzi's metrics reporter."""

REPORTER_KRAFT = frozenset(
    {
        "kafka_server_raft_channel_metrics_incoming_byte",
        "kafka_server_raft_metrics_commit_latency_avg",
        "kafka_server_raft_metrics_current_leader",
        "kafka_server_raft_metrics_current_state_info",
        "kafka_server_raft_metrics_high_watermark",
    }
)

_PASSES = frozenset(
    {
        "strimzi_reconciliations_total",
        "strimzi_reconciliations_periodical_total",
        "strimzi_reconciliations_successful_total",
        "strimzi_reconciliations_failed_total",
        "strimzi_reconciliations_locked_total",
        "strimzi_reconciliations_already_enqueued_total",
        "strimzi_reconciliations_duration_seconds_bucket",
        "strimzi_reconciliations_duration_seconds_count",
        "strimzi_reconciliations_duration_seconds_max",
        "strimzi_reconciliations_duration_seconds_sum",
        "strimzi_resources",
        "strimzi_resources_paused",
        "strimzi_resource_state",
    }
)

PROCESS = frozenset(
    {
        "jvm_gc_pause_seconds_count",
        "jvm_gc_pause_seconds_sum",
        "jvm_memory_used_bytes",
        "process_cpu_seconds_total",
        "process_max_fds",
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "process_virtual_memory_bytes",
    }
)

CLUSTER_OPERATOR = _PASSES | {
    "strimzi_certificate_expiration_timestamp_ms",
    "strimzi_kafka_resource_info",
    "strimzi_pod_set_resource_info",
    "klamm_certificate_expiration_timestamp_seconds",
    "klamm_passes_total",
    "klamm_roll_pods",
    "klamm_step_duration_seconds_count",
    "klamm_step_duration_seconds_sum",
    "klamm_steps_total",
}

TOPIC_OPERATOR = (
    _PASSES
    | {
        f"strimzi_{what}_duration_seconds_{suffix}"
        for what in (
            "create_topics",
            "update_status",
            "list_reassignments",
            "alter_configs",
            "create_partitions",
            "describe_topics",
            "describe_configs",
            "delete_topics",
            "add_finalizer",
            "remove_finalizer",
            "cruisecontrol_topic_config",
            "cruisecontrol_user_tasks",
        )
        for suffix in ("bucket", "count", "max", "sum")
    }
    | {
        "strimzi_reconciliations_max_queue_size",
        "strimzi_reconciliations_max_batch_size",
        "strimzi_kafka_topic_resource_info",
        "klamm_passes_total",
    }
)

USER_OPERATOR = _PASSES | {"strimzi_kafka_user_resource_info", "klamm_passes_total"}
