"""ZooKeepers."""

from klamm.monitoring.alerts import Alert, Group, Pace
from klamm.monitoring.rules.parts import OF_SETS, containers_down, restarted, running_out_of_space

_SLOW_MILLISECONDS = 10
_MANY_REQUESTS = 10
_SERVER = "{{ $labels.kubernetes_pod_name }} in {{ $labels.namespace }}"


def zookeeper(pace: Pace) -> Group:
    return Group(
        "zookeeper",
        (
            Alert(
                "AvgRequestLatency",
                f"zookeeper_avgrequestlatency > {_SLOW_MILLISECONDS}",
                pace.moment,
                "warning",
                "A ZooKeeper answers slowly",
                f"{_SERVER} takes {{{{ printf `%.1f` $value }}}} ms for a request on average since its start.",
                "Look at the latency of its disk first: every write waits for one fsync. What is mended shows in the "
                "average slowly, or at once when the pod is restarted.",
            ),
            Alert(
                "OutstandingRequests",
                f"zookeeper_outstandingrequests > {_MANY_REQUESTS}",
                pace.moment,
                "warning",
                "Requests queue at a ZooKeeper",
                f"{{{{ $value }}}} requests wait at {_SERVER}.",
                "See its CPU, its garbage collections and its disk; a leader election makes a short queue, too.",
            ),
            running_out_of_space("ZookeeperRunningOutOfSpace", "zookeeper", "A ZooKeeper", pace),
            restarted(
                "ZookeeperContainerRestartedInTheLast5Minutes",
                ".+-zookeeper-[0-9]+",
                "zookeeper",
                "ZooKeeper",
                pace,
            ),
            containers_down(
                "ZookeeperContainersDown",
                "zookeeper",
                OF_SETS,
                "ZooKeeper",
                "Brokers go on, but no controller can be elected: see the pods of <cluster>-zookeeper and their logs.",
                pace,
            ),
        ),
    )
