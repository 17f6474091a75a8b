"""A live cluster of kafka-2.yaml with a Prometheus: on this machine, or the same objects on a real Kubernetes."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from tests.builders.cluster import COMMAND_WITHIN, READY_WITHIN, Cluster
from tests.builders.local_cluster import LocalCluster, local_cluster
from tests.builders.prometheus import Prometheus
from tests.builders.real_cluster import RealCluster, real_cluster
from tests.builders.scrapes import forwarded
from tests.kubernetes.node import images

from klamm import __version__
from klamm.distribution.images import operator_image
from klamm.monitoring.one_machine import Watching, prometheus_objects

AnyCluster = TypeVar("AnyCluster", bound=Cluster, covariant=True)

ALERT_WITHIN = 300.0
BOOTSTRAP = "my-cluster-kafka-bootstrap:9092"


class Monitored(Generic[AnyCluster]):
    """The cluster with its Prometheus, which listens on the port of this machine that `port` tells."""

    def __init__(self, cluster: AnyCluster, port: Callable[[], int]) -> None:
        self.cluster = cluster
        self._port = port

    @property
    def prometheus(self) -> Prometheus:
        return Prometheus(f"http://127.0.0.1:{self._port()}")

    def kafka(self, command: str, given: str = "", within: float = COMMAND_WITHIN) -> str:
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

    def from_outside(self) -> str:
        """Where clients on this machine begin."""
        kafka = self.cluster.found("kafka", "my-cluster", "-n", "kafka") or {}
        told: dict[str, str] = {one["name"]: one["bootstrapServers"] for one in kafka["status"]["listeners"]}
        return told["external"]

    def fires(self, *alerts: str, **of: str) -> None:
        """With these labels."""
        wanted = set(alerts)
        self.cluster.until(
            f"{', '.join(alerts)} fire",
            lambda: wanted <= self.prometheus.firing(**of),
            within=ALERT_WITHIN,
            telling=self.told,
        )

    def ends(self, *alerts: str, within: float = ALERT_WITHIN, **of: str) -> None:
        gone = set(alerts)
        self.cluster.until(
            f"{', '.join(alerts)} end",
            lambda: not gone & self.prometheus.firing(**of),
            within=within,
            telling=self.told,
        )

    def told(self) -> str:
        return f"firing: {sorted(self.prometheus.firing())}"

    def use(self) -> None:
        """A topic with records, a group that reads it, and a user."""
        self.cluster.kubectl("apply", "-n", "kafka", "-f", "topic.yaml", "-f", "user-tls.yaml")
        self.cluster.kubectl(
            "wait", "--for=condition=Ready", "kafkatopic/orders", "-n", "kafka", "--timeout=150s", within=160
        )
        self.produce("orders", 300)
        self.consume("orders", "readers", 100)


@contextmanager
def monitored_cluster(manifest: str = "kafka-2.yaml") -> Iterator[Monitored[LocalCluster]]:
    """kafka-2.yaml on this machine, in use; or a `manifest` that differs in what a test is about."""
    with local_cluster() as cluster:
        said = cluster.klamm("up", manifest, "--monitoring", "--namespace", "kafka", within=READY_WITHIN + 120)
        assert "Prometheus   http://127.0.0.1:" in said

        def port() -> int:
            service = cluster.found("service", "prometheus", "-n", "monitoring") or {}
            return int(service["spec"]["ports"][0]["nodePort"])

        found = Monitored(cluster, port)
        found.use()
        yield found


@contextmanager
def monitored_kubernetes() -> Iterator[Monitored[RealCluster]]:
    """kafka-2.yaml on three real nodes, in use, with Debian's Prometheus in a pod.

    Its objects are one machine's: they say the same as the pod monitors do to a Prometheus Operator.
    """
    with real_cluster(programs=[images.prometheus()]) as cluster:
        for namespace in ("kafka", "monitoring"):
            cluster.kubectl("create", "namespace", namespace)
        cluster.install_operator()
        cluster.kubectl("apply", "-n", "kafka", "-f", "kafka-2.yaml")
        apply(cluster, prometheus_objects(Watching(operator_image=operator_image(__version__))))
        cluster.until_ready()
        cluster.kubectl("rollout", "status", "deploy/prometheus", "-n", "monitoring", "--timeout=150s", within=160)
        with forwarded(cluster, "deploy/prometheus", 9090, "monitoring") as port:
            found = Monitored(cluster, lambda: port)
            found.use()
            yield found


def apply(cluster: Cluster, objects: Sequence[Mapping[str, Any]]) -> None:
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", given=listed)
