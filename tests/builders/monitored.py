"""A live cluster of kafka-2.yaml with the Prometheus that `klamm up --monitoring` gives it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from tests.builders.cluster import READY_WITHIN
from tests.builders.local_cluster import LocalCluster, local_cluster
from tests.builders.prometheus import Prometheus

ALERT_WITHIN = 180.0
BOOTSTRAP = "my-cluster-kafka-bootstrap:9092"


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


@contextmanager
def monitored_cluster() -> Iterator[Monitored]:
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
        yield found
