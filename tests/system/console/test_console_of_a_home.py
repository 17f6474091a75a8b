"""`klamm ui` beside a real cluster whose listeners ask for a user, and kafka-ui's own image name in a pod of it."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import urlopen

import pytest
from tests.builders.local_cluster import LocalCluster, local_cluster
from tests.builders.scrapes import forwarded

CLUSTER = """
apiVersion: kafka.strimzi.io/v1beta2
kind: Kafka
metadata: {name: my-cluster}
spec:
  kafka:
    version: 3.6.0
    replicas: 1
    listeners:
      - {name: tls, port: 9093, type: internal, tls: true, authentication: {type: scram-sha-512}}
      - {name: external, port: 9094, type: nodeport, tls: true, authentication: {type: scram-sha-512}}
    config: {default.replication.factor: 1, min.insync.replicas: 1, offsets.topic.replication.factor: 1}
    storage: {type: ephemeral}
  zookeeper: {replicas: 1, storage: {type: ephemeral}}
  entityOperator: {topicOperator: {}, userOperator: {}}
---
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaTopic
metadata: {name: orders, labels: {strimzi.io/cluster: my-cluster}}
spec: {partitions: 3, replicas: 1}
---
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaUser
metadata: {name: alice, labels: {strimzi.io/cluster: my-cluster}}
spec: {authentication: {type: scram-sha-512}}
"""
# The password of the store is one of the Secret's keys, the login module's line one of the user's.
POD = """
apiVersion: v1
kind: Pod
metadata: {name: ui}
spec:
  securityContext: {runAsNonRoot: true, runAsUser: 1001}
  containers:
  - name: ui
    image: provectuslabs/kafka-ui:v0.7.2
    securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
    env:
    - {name: KAFKA_CLUSTERS_0_NAME, value: secured}
    - {name: KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS, value: "my-cluster-kafka-bootstrap.kafka.svc:9093"}
    - {name: KAFKA_CLUSTERS_0_READONLY, value: "true"}
    - {name: KAFKA_CLUSTERS_0_PROPERTIES_SECURITY_PROTOCOL, value: SASL_SSL}
    - {name: KAFKA_CLUSTERS_0_PROPERTIES_SASL_MECHANISM, value: SCRAM-SHA-512}
    - name: KAFKA_CLUSTERS_0_PROPERTIES_SASL_JAAS_CONFIG
      valueFrom: {secretKeyRef: {name: alice, key: sasl.jaas.config}}
    - {name: KAFKA_CLUSTERS_0_SSL_TRUSTSTORELOCATION, value: /certs/ca.p12}
    - name: KAFKA_CLUSTERS_0_SSL_TRUSTSTOREPASSWORD
      valueFrom: {secretKeyRef: {name: my-cluster-cluster-ca-cert, key: ca.password}}
    - {name: SERVER_SERVLET_CONTEXT_PATH, value: /ui}
    readinessProbe: {httpGet: {path: /ui/actuator/health, port: 8080}}
    volumeMounts: [{name: certs, mountPath: /certs}]
  volumes:
  - {name: certs, secret: {secretName: my-cluster-cluster-ca-cert}}
"""


@pytest.fixture(scope="module")
def home() -> Iterator[LocalCluster]:
    with local_cluster() as cluster:
        cluster.klamm("up")
        cluster.kubectl("create", "namespace", "kafka")
        cluster.kubectl("apply", "-n", "kafka", "-f", "-", given=CLUSTER)
        cluster.until_ready()
        for one in ("kafkatopic/orders", "kafkauser/alice"):
            cluster.kubectl("wait", "--for=condition=Ready", one, "-n", "kafka", "--timeout=150s", within=160)
        yield cluster


def answer(url: str) -> Any:
    with urlopen(url, timeout=60) as said:
        return json.loads(said.read())


def until_online(home: LocalCluster, url: str) -> Any:
    said: list[Any] = []

    def online() -> Any:
        (one,) = said[:] = answer(f"{url}/api/clusters")["clusters"]
        return one if one["status"] == "online" else None

    return home.until("the console has seen the cluster", online, telling=lambda: str(said))


@contextmanager
def running(home: LocalCluster, *arguments: str) -> Iterator[str]:
    """The address that `klamm ui` tells; it ends by Ctrl-C, as a person ends it."""
    process = home.start_klamm("ui", "--port", "0", *arguments)
    try:
        yield _told(process)
    finally:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said


def _told(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("klamm: http://"):
            return line.removeprefix("klamm: ").strip().rstrip("/")
    raise AssertionError(f"klamm ui told no address:\n{''.join(lines)}")


def test_listeners_that_ask_for_a_user_want_one_named(home: LocalCluster) -> None:
    said = home.klamm("ui", "--port", "0", exit_code=2)
    assert (
        "Kafka kafka/my-cluster is left out: its listeners ask for scram-sha-512; name a KafkaUser with --user" in said
    )
    assert "there is no Secret bob in kafka" in home.klamm("ui", "--port", "0", "--user", "bob", exit_code=5)


def test_this_home_s_cluster_is_found_and_shown_over_tls_as_a_user(home: LocalCluster) -> None:
    with running(home, "--user", "alice") as url:
        seen = until_online(home, url)
        assert (seen["name"], seen["brokerCount"]) == ("my-cluster", 1)
        topics = answer(f"{url}/api/clusters/my-cluster/topics")["topics"]
        assert "orders" in {one["name"] for one in topics}


def test_kafka_ui_s_image_is_the_console_with_java_s_stores_and_settings(home: LocalCluster) -> None:
    home.kubectl("apply", "-n", "kafka", "-f", "-", given=POD)
    home.kubectl("wait", "--for=condition=Ready", "pod/ui", "-n", "kafka", "--timeout=150s", within=160)
    with forwarded(home, "pod/ui", 8080) as port:
        seen = until_online(home, f"http://127.0.0.1:{port}/ui")
        assert (seen["name"], seen["brokerCount"], seen["readOnly"]) == ("secured", 1, True)
    logged = home.kubectl("logs", "ui", "-n", "kafka")
    assert "password=" not in logged
    home.kubectl("delete", "pod", "ui", "-n", "kafka")
