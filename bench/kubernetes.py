"""On a real Kubernetes: from `kubectl apply -f kafka-1.yaml` to Ready, and what the operator's pod takes then.

`python -m bench.kubernetes [ROUNDS]`. The manifest asks for 15 s before the first probe, and a kubelet probes at
multiples of the period (10 s) from when it took the pod, so no pod of Kafka or ZooKeeper is Ready before its 20th
second: that is the floor.
"""

import statistics
import sys
import time
from datetime import UTC, datetime

from tests.builders.cluster import GONE_WITHIN, Cluster
from tests.builders.real_cluster import real_cluster

FLOOR = 20.0
IDLE_SECONDS = 60.0
_PARTS = ("zookeeper", "kafka", "entity-operator")
_TICKS = 100.0


def measure(rounds: int) -> list[str]:
    seconds: list[float] = []
    parts: dict[str, list[float]] = {part: [] for part in _PARTS}
    with real_cluster() as cluster:
        cluster.typed("kubectl create namespace kafka")
        cluster.install_operator()
        for number in range(rounds):
            begun, at = time.monotonic(), datetime.now(UTC)
            cluster.typed("kubectl apply -f kafka-1.yaml -n kafka")
            cluster.until_ready()
            seconds.append(time.monotonic() - begun)
            for part, when in _ready_at(cluster).items():
                parts[part].append((when - at).total_seconds())
            if number == rounds - 1:
                idle = _idle(cluster)
            cluster.typed("kubectl delete -f kafka-1.yaml -n kafka", within=GONE_WITHIN)
            cluster.until("its pods are gone", lambda: len(cluster.pods()) == 1, within=GONE_WITHIN)
    told = ", ".join(f"{part} {statistics.median(values):.0f}" for part, values in parts.items())
    return [
        f"  apply to Ready               median {statistics.median(seconds):5.2f} s"
        f"  (min {min(seconds):5.2f}, max {max(seconds):5.2f}; floor {FLOOR:.0f})",
        f"  last pod Ready, seconds after apply: {told}",
        idle,
    ]


def _ready_at(cluster: Cluster) -> dict[str, datetime]:
    """When the last pod of each part became Ready (to the second: so the API tells it)."""
    found: dict[str, datetime] = {}
    for name, pod in cluster.pods().items():
        part = next((part for part in _PARTS if name.startswith(f"my-cluster-{part}-")), None)
        ready = next(one for one in pod["status"]["conditions"] if one["type"] == "Ready")
        when = datetime.fromisoformat(ready["lastTransitionTime"])
        if part and when > found.get(part, datetime.min.replace(tzinfo=UTC)):
            found[part] = when
    return found


def _idle(cluster: Cluster) -> str:
    before = _operator_cpu(cluster)
    time.sleep(IDLE_SECONDS)
    used = _operator_cpu(cluster) - before
    text = _in_operator(cluster, "grep ^Pss: /proc/1/smaps_rollup")
    megabytes = int(text.split()[1]) / 1024
    return f"  operator beside one Kafka    {megabytes:5.1f} MB  CPU {100 * used / IDLE_SECONDS:4.2f} % of a core"


def _operator_cpu(cluster: Cluster) -> float:
    fields = _in_operator(cluster, "cat /proc/1/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _in_operator(cluster: Cluster, command: str) -> str:
    return cluster.typed(f"kubectl exec deploy/strimzi-cluster-operator -n kafka -- {command}")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print(f"a real Kubernetes: until Ready, {rounds} rounds", flush=True)
    print("\n".join(measure(rounds)))


if __name__ == "__main__":
    main()
