"""Helm beside `klamm up`: real pods, a real cluster with a topic and a user, and all of it taken away in any order."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.builders.cluster import GONE_WITHIN, is_true
from tests.builders.local_cluster import LocalCluster, local_cluster
from tests.helm.program import helm_program
from tests.helm.release import CHART, OF_AN_INSTALLATION

MANIFEST = Path(__file__).parent / "small.yaml"
OPERATOR = ("deployment", "strimzi-cluster-operator", "-n", "kafka")
INSTALL = f"install kafka-operator {CHART} -n kafka --set defaultImageTag=local --wait --timeout 240s"
OPERATOR_IMAGE = "klamm/operator:local"
TAKES = 260.0


@pytest.fixture
def machine() -> Iterator[LocalCluster]:
    """`klamm up` with the small cluster, all ready."""
    with local_cluster() as cluster:
        cluster.klamm("up", str(MANIFEST), "-n", "kafka")
        yield cluster


def helm(cluster: LocalCluster, line: str, exit_code: int = 0) -> str:
    return cluster.typed(f"{helm_program()} {line}", within=TAKES, exit_code=exit_code)


def install(cluster: LocalCluster) -> None:
    """Helm's operator has the release's image for the entity operator, too, so that rolls once: then all is at rest."""
    helm(cluster, INSTALL)
    cluster.until(
        "the entity operator is that of the release", lambda: operator_images(cluster) == [OPERATOR_IMAGE] * 2
    )
    cluster.until_ready()


def operator_images(cluster: LocalCluster) -> list[str]:
    found = [pod for name, pod in cluster.pods().items() if "entity-operator" in name]
    return [container["image"] for pod in found for container in pod["spec"]["containers"]]


def kafka_pods(cluster: LocalCluster) -> dict[str, str]:
    """Of broker and ZooKeeper: name → uid, which another pod of the name would not have."""
    return {
        name: pod["metadata"]["uid"]
        for name, pod in cluster.pods().items()
        if name.endswith(("kafka-0", "zookeeper-0"))
    }


def level(cluster: LocalCluster) -> str:
    return cluster.kubectl("get", "cm", "strimzi-cluster-operator", "-n", "kafka", "-o", "jsonpath={.data}")


def test_a_release_takes_klamms_own_operator_over_and_kafka_runs_on(machine: LocalCluster) -> None:
    before = kafka_pods(machine)
    assert len(before) == 2

    assert "STATUS: deployed" in helm(machine, INSTALL)
    bindings = machine.typed("kubectl get clusterrolebindings -l app=strimzi -o name")
    assert "strimzi-cluster-operator-watched" not in bindings  # klamm's own watched all namespaces
    images = machine.typed("kubectl describe deploy -n kafka | grep KAFKA_IMAGES: -A3")
    assert [version for version in ("3.5.0", "3.5.1", "3.6.0") if f"{version}=klamm/kafka:local" in images] == [
        "3.5.0",
        "3.5.1",
        "3.6.0",
    ]

    helm(machine, f"upgrade kafka-operator {CHART} -n kafka --reuse-values --set logLevel=DEBUG --wait --timeout 240s")
    assert "DEBUG" in level(machine)
    machine.klamm("down")
    machine.klamm("up")
    assert "DEBUG" in level(machine)  # klamm leaves a release alone
    machine.kubectl("rollout", "status", *OPERATOR[:2], "-n", "kafka", "--timeout=150s", within=160)
    helm(machine, "rollback kafka-operator 1 -n kafka --wait --timeout 240s")
    assert "INFO" in level(machine)
    assert "deployed" in helm(machine, "list -n kafka")

    machine.kubectl("patch", "kafkatopic", "orders", "-n", "kafka", "--type=merge", "-p", '{"spec":{"partitions":4}}')
    machine.until("the topic has its fourth partition", lambda: _is_looked_at(machine, "kafkatopic", "orders"))
    machine.until_ready()
    assert kafka_pods(machine) == before


def _is_looked_at(cluster: LocalCluster, kind: str, name: str) -> bool:
    found = cluster.found(kind, name, "-n", "kafka")
    if found is None or not is_true(found, "Ready"):
        return False
    return bool(found["status"]["observedGeneration"] == found["metadata"]["generation"])


UNINSTALL = "HELM uninstall kafka-operator -n kafka --wait --timeout 240s"
DELETE_NAMESPACE = "kubectl delete namespace kafka --timeout=240s"
ORDERS = {
    "release, namespace": (UNINSTALL, DELETE_NAMESPACE),
    "resources, release, namespace": (
        "kubectl delete kafkatopics,kafkausers,kafkas --all -n kafka --timeout=240s",
        UNINSTALL,
        DELETE_NAMESPACE,
    ),
    "cluster and release at once, namespace": (
        f"kubectl delete kafka my-cluster -n kafka --wait=false; {UNINSTALL}",
        DELETE_NAMESPACE,
    ),
}


@pytest.mark.parametrize("order", ORDERS)
def test_everything_goes_in_any_order_and_nothing_hangs(order: str, machine: LocalCluster) -> None:
    install(machine)
    for line in ORDERS[order]:
        machine.typed(line.replace("HELM", str(helm_program())), within=TAKES)
    machine.until("every pod is gone", lambda: machine.pods() == {}, within=GONE_WITHIN)
    nothing_is_left(machine)


def test_a_namespace_that_goes_first_leaves_only_what_helm_cannot_know(machine: LocalCluster) -> None:
    """The release is noted in the namespace. Its cluster-wide roles are found by their label."""
    install(machine)
    machine.typed(DELETE_NAMESPACE, within=TAKES)
    machine.until("only cluster-wide roles are left", lambda: kinds(left(machine)) == CLUSTER_WIDE)
    assert "release: not found" in helm(machine, "uninstall kafka-operator -n kafka", exit_code=1)
    machine.typed("kubectl delete clusterroles,clusterrolebindings -l app=strimzi")
    nothing_is_left(machine)


CLUSTER_WIDE = {"clusterrole", "clusterrolebinding"}


def kinds(names: list[str]) -> set[str]:
    return {name.split("/")[0].split(".")[0] for name in names}


def nothing_is_left(cluster: LocalCluster) -> None:
    """What is collected goes a moment after its owner."""
    cluster.until("nothing is left", lambda: not left(cluster), within=GONE_WITHIN, telling=lambda: str(left(cluster)))


def left(cluster: LocalCluster) -> list[str]:
    """Objects of klamm, by either label, in any namespace and in none."""
    by_release = cluster.typed(f"kubectl get {OF_AN_INSTALLATION} -A -l app=strimzi -o name").split()
    everything = f"{OF_AN_INSTALLATION},all,pvc,pv,secrets,networkpolicies,kafkas,kafkatopics,kafkausers,strimzipodsets"
    by_cluster = cluster.typed(f"kubectl get {everything} -A -l strimzi.io/cluster -o name").split()
    return sorted({*by_release, *by_cluster})
