"""The images as a strict administrator runs them: not as root, and with nothing that can be written to but volumes."""

from collections.abc import Iterator

import pytest
from tests.builders.cluster import is_true
from tests.builders.real_cluster import RealCluster, real_cluster

from klamm import __version__
from klamm.distribution.images import kafka_image

STRICT = (
    "{readOnlyRootFilesystem: true, runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}"
)
KAFKA = f"""
apiVersion: kafka.strimzi.io/v1beta2
kind: Kafka
metadata: {{name: strict}}
spec:
  kafka:
    version: 3.6.0
    replicas: 1
    listeners: [{{name: plain, port: 9092, type: internal, tls: false}}]
    config: {{offsets.topic.replication.factor: 1, min.insync.replicas: 1, default.replication.factor: 1}}
    storage: {{type: ephemeral}}
    rack: {{topologyKey: topology.kubernetes.io/zone}}
    template:
      kafkaContainer: {{securityContext: {STRICT}}}
      initContainer: {{securityContext: {STRICT}}}
  zookeeper:
    replicas: 1
    storage: {{type: ephemeral}}
    template:
      zookeeperContainer: {{securityContext: {STRICT}}}
  entityOperator:
    topicOperator: {{}}
    userOperator: {{}}
    template:
      topicOperatorContainer: {{securityContext: {STRICT}}}
      userOperatorContainer: {{securityContext: {STRICT}}}
"""
OTHER_VERSIONS = ("3.5.1", "4.3.1")
TOOL = f"""
apiVersion: v1
kind: Pod
metadata: {{name: NAME}}
spec:
  restartPolicy: Never
  containers:
  - name: tool
    image: IMAGE
    command: [kafka-topics.sh, --version]
    securityContext: {STRICT}
"""
BROKER = "kubectl exec strict-kafka-0 -c kafka --"


@pytest.fixture(scope="module")
def strict() -> Iterator[RealCluster]:
    with real_cluster(others=OTHER_VERSIONS) as cluster:
        cluster.kubectl("create", "namespace", "kafka")
        cluster.install_operator()
        cluster.kubectl("apply", "-f", "-", given=KAFKA)
        cluster.until_ready("strict")
        yield cluster


def test_everything_runs_as_user_1001_with_a_root_that_cannot_be_written(strict: RealCluster) -> None:
    for name, pod in strict.pods().items():
        for container in pod["spec"]["containers"]:
            exec_there = f"kubectl exec {name} -c {container['name']} --"
            assert strict.typed(f"{exec_there} id -u") == "1001\n", name
            refused = strict.typed(f"{exec_there} touch /opt/written", exit_code=1)
            assert "Read-only file system" in refused, name
        assert [one["restartCount"] for one in pod["status"]["containerStatuses"]] == [0] * len(
            pod["spec"]["containers"]
        )
    assert is_true(strict.found("kafka", "strict") or {}, "Ready")


def test_kafka_s_tools_are_on_the_path_and_in_their_folder(strict: RealCluster) -> None:
    assert strict.typed(f"{BROKER} sh -c 'command -v kafka-topics.sh'") == "/opt/kafka/bin/kafka-topics.sh\n"
    assert strict.typed(f"{BROKER} kafka-topics.sh --version 2>/dev/null").endswith("3.6.0\n")
    listed = strict.typed(f"{BROKER} ls /opt/kafka/bin")
    assert {"kafka-console-producer.sh", "kafka-configs.sh", "zookeeper-shell.sh"} <= set(listed.split())


@pytest.mark.parametrize("version", OTHER_VERSIONS)
def test_tools_of_every_line_of_versions_run_as_strictly(version: str, strict: RealCluster) -> None:
    name = f"tool-{version.replace('.', '-')}"
    text = TOOL.replace("NAME", name).replace("IMAGE", f"docker.io/{kafka_image(__version__, version)}")
    strict.kubectl("apply", "-f", "-", given=text)

    def phase() -> str | None:
        found = strict.found("pod", name)
        return found["status"]["phase"] if found and found["status"]["phase"] in ("Succeeded", "Failed") else None

    assert strict.until(f"{name} has ended", phase) == "Succeeded", strict.typed(f"kubectl logs {name}")
    assert version in strict.typed(f"kubectl logs {name}")


def test_the_jvm_maps_the_image_s_class_archive(strict: RealCluster) -> None:
    """Dates of jars and of Java survived the image's layers; the JVM would go on without it and say nothing."""
    assert "/opt/kafka/archives/classes.jsa" in strict.typed(f"{BROKER} cat /proc/1/maps")
