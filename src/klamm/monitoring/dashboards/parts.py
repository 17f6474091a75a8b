"""What several dashboards share: the choice of a cluster, and how its processes do."""

from klamm.monitoring.dashboards.board import Panel, Row, Variable, graph

RATE = "$__rate_interval"


def of_cluster(metric: str) -> tuple[Variable, Variable]:
    """Namespace and cluster, as far as they have `metric`."""
    return (
        Variable("namespace", "Namespace", f"label_values({metric}, namespace)"),
        Variable("cluster", "Cluster", f'label_values({metric}{{namespace="$namespace"}}, strimzi_io_cluster)'),
    )


def machine(container: str, known: str, picked: str) -> Row:
    """What the containers take. `known`: a series of each pod that is shown; `picked` selects their other series.

    The kubelet knows pods and claims by name only, and names tell too little: those of my-cluster-two begin as
    my-cluster's do, and a ZooKeeper's claim looks like a broker's.
    """
    of_container = f'namespace="$namespace", container="{container}"'
    shown = f"and on (pod) {known}"
    free = (
        'label_replace(kubelet_volume_stats_available_bytes{namespace="$namespace"},'
        ' "pod", "$2", "persistentvolumeclaim", "data(-[0-9]+)?-(.+)")'
    )
    return Row(
        "Machine",
        (
            graph(
                "CPU",
                f"sum by (pod) (rate(container_cpu_usage_seconds_total{{{of_container}}}[{RATE}])) {shown}",
                "{{pod}}",
                "Cores in use. Near the container's limit everything gets slower at once.",
            ),
            graph(
                "Memory",
                f"sum by (pod) (container_memory_usage_bytes{{{of_container}}}) {shown}",
                "{{pod}}",
                "What the container holds, heap and everything beside it.",
                "bytes",
            ),
            graph(
                "Space left",
                f"min by (persistentvolumeclaim) ({free} {shown})",
                "{{persistentvolumeclaim}}",
                "Free bytes of each volume.",
                "bytes",
            ),
            graph(
                "Open files",
                f"sum by (kubernetes_pod_name) (process_open_fds{{{picked}}})",
                "{{kubernetes_pod_name}}",
                "Descriptors: connections and segments of logs. A steady growth is a leak.",
                width=12,
            ),
            _threads(picked),
        ),
    )


def _threads(picked: str) -> Panel:
    return graph(
        "Threads",
        f"sum by (kubernetes_pod_name) (jvm_threads_current{{{picked}}})",
        "{{kubernetes_pod_name}}",
        "Threads of the Java machine.",
        width=12,
    )


def java(picked: str) -> Row:
    """Heap and garbage collection. Newer metrics agents call the memory's series otherwise than older ones."""
    by_pod = "sum by (kubernetes_pod_name)"
    return Row(
        "Java",
        (
            graph(
                "Java memory",
                f"{by_pod} (jvm_memory_used_bytes{{{picked}}} or jvm_memory_bytes_used{{{picked}}})",
                "{{kubernetes_pod_name}}",
                "Heap and non-heap in use, as Java counts it.",
                "bytes",
            ),
            graph(
                "Time in garbage collection",
                f"{by_pod} (rate(jvm_gc_collection_seconds_sum{{{picked}}}[{RATE}]))",
                "{{kubernetes_pod_name}}",
                "Share of a second that is spent collecting. More than a tenth for long: the heap is too small.",
                "percentunit",
            ),
            graph(
                "Garbage collections",
                f"{by_pod} (rate(jvm_gc_collection_seconds_count{{{picked}}}[{RATE}]))",
                "{{kubernetes_pod_name}}",
                "Collections a second.",
                "ops",
            ),
        ),
    )
