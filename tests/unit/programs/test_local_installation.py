"""The operator of one machine: there when its namespace is there, and out of the way of a Helm release."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.builders.small_cluster import SmallCluster, small_cluster
from tests.builders.virtual_time import in_virtual_time

from klamm.base.together import ended
from klamm.cli.settings import LocalSettings
from klamm.localkube.apiserver.local_objects import LocalObjects
from klamm.localkube.objects import DEPLOYMENTS, NAMESPACES, SECRETS, SERVICE_ACCOUNTS, Object, Resource
from klamm.programs.local_installation import operator_installation, others_may_read

NAME = "strimzi-cluster-operator"
BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", False)
OF_A_RELEASE = {"metadata": {"labels": {"heritage": "Helm", "release": "kafka-operator"}}}


@asynccontextmanager
async def a_machine(namespace: str = "kafka") -> AsyncIterator[SmallCluster]:
    async with small_cluster() as cluster:
        objects = LocalObjects(cluster.registry, "klamm")
        running = asyncio.create_task(operator_installation(objects, LocalSettings(operator_namespace=namespace)).run())
        await cluster.settled()
        try:
            yield cluster
            assert not running.done(), running
        finally:
            await ended(running)


async def make_namespace(cluster: SmallCluster, manager: str = "kubectl-create") -> None:
    LocalObjects(cluster.registry, manager).create(NAMESPACES, None, {"metadata": {"name": "kafka"}})
    await cluster.settled()


def take_over(cluster: SmallCluster, resource: Resource, namespace: str | None) -> None:
    """What `helm install` does to an object that carries its marks."""
    LocalObjects(cluster.registry, "helm").patch(resource, namespace, NAME, OF_A_RELEASE)


def release_secret(status: str) -> Object:
    labels: Mapping[str, str] = {"owner": "helm", "name": "kafka-operator", "status": status}
    return {"kind": "Secret", "metadata": {"name": "sh.helm.release.v1.kafka-operator.v1", "labels": labels}}


@in_virtual_time
async def test_the_operator_is_there_when_its_namespace_is() -> None:
    async with a_machine() as cluster:
        assert cluster.find(DEPLOYMENTS, NAME, "kafka") is None
        await make_namespace(cluster)
        assert cluster.find(DEPLOYMENTS, NAME, "kafka") is not None


@in_virtual_time
async def test_its_objects_carry_the_marks_by_which_helm_takes_them_over() -> None:
    async with a_machine() as cluster:
        await make_namespace(cluster)
        metadata = cluster.get(DEPLOYMENTS, NAME, "kafka")["metadata"]
        assert metadata["labels"]["app.kubernetes.io/managed-by"] == "Helm"
        assert metadata["annotations"]["meta.helm.sh/release-name"] == "kafka-operator"
        assert metadata["annotations"]["meta.helm.sh/release-namespace"] == "kafka"


@in_virtual_time
async def test_it_gives_way_to_the_operator_of_a_release_whose_pod_starts_beside_it() -> None:
    async with a_machine() as cluster:
        await make_namespace(cluster)
        [container] = cluster.get(DEPLOYMENTS, NAME, "kafka")["spec"]["template"]["spec"]["containers"]
        told = {variable["name"]: variable.get("value", "of its pod") for variable in container["env"]}
        assert told["KLAMM_GIVES_WAY"] == "true"
        assert told["STRIMZI_LEADER_ELECTION_ENABLED"] == "false"
        assert told["STRIMZI_LEADER_ELECTION_LEASE_NAMESPACE"] == "of its pod"


@in_virtual_time
async def test_what_a_release_does_not_take_over_goes() -> None:
    async with a_machine() as cluster:
        await make_namespace(cluster)
        assert "strimzi-cluster-operator-watched" in cluster.names(BINDINGS)
        take_over(cluster, SERVICE_ACCOUNTS, "kafka")
        await cluster.settled()
        assert "strimzi-cluster-operator-watched" in cluster.names(
            BINDINGS
        )  # Helm is at work; its Deployment comes last
        take_over(cluster, DEPLOYMENTS, "kafka")
        await cluster.settled()
        assert cluster.names(BINDINGS) == []
        assert cluster.find(SERVICE_ACCOUNTS, NAME, "kafka") is not None
        assert cluster.find(DEPLOYMENTS, NAME, "kafka") is not None


@in_virtual_time
async def test_a_release_in_another_namespace_takes_the_place_of_ours() -> None:
    async with a_machine() as cluster:
        await make_namespace(cluster)
        ours = cluster.get(DEPLOYMENTS, NAME, "kafka")
        cluster.objects.create(NAMESPACES, None, {"metadata": {"name": "operators"}})
        metadata = {"name": NAME, "labels": {"heritage": "Helm"}}
        cluster.objects.create(DEPLOYMENTS, "operators", {**ours, "metadata": metadata})
        await cluster.settled()
        assert cluster.find(DEPLOYMENTS, NAME, "kafka") is None


@in_virtual_time
async def test_a_release_that_is_there_at_the_start_is_left_alone() -> None:
    async with a_machine() as cluster:
        await make_namespace(cluster)
        take_over(cluster, DEPLOYMENTS, "kafka")
        cluster.objects.patch(DEPLOYMENTS, "kafka", NAME, {"spec": {"replicas": 2}})
        await cluster.settled()
        again = operator_installation(LocalObjects(cluster.registry, "klamm"), LocalSettings())
        running = asyncio.create_task(again.run())
        await cluster.settled()
        await ended(running)
        assert cluster.get(DEPLOYMENTS, NAME, "kafka")["spec"]["replicas"] == 2
        assert cluster.names(BINDINGS) == []


@in_virtual_time
async def test_helm_that_makes_the_namespace_goes_first() -> None:
    """`helm install --create-namespace` fails when objects appear between its look and its writing."""
    async with a_machine() as cluster:
        await make_namespace(cluster, manager="helm")
        assert cluster.find(DEPLOYMENTS, NAME, "kafka") is None
        cluster.objects.create(SECRETS, "kafka", release_secret("pending-install"))
        await cluster.settled()
        assert cluster.find(DEPLOYMENTS, NAME, "kafka") is None
        name = release_secret("deployed")["metadata"]["name"]
        cluster.objects.patch(SECRETS, "kafka", name, release_secret("deployed"))  # of something else: no operator came
        await cluster.settled()
        assert cluster.find(DEPLOYMENTS, NAME, "kafka") is not None


@in_virtual_time
async def test_a_namespace_of_helm_without_a_release_gets_the_operator_after_a_minute() -> None:
    async with a_machine() as cluster:
        await make_namespace(cluster, manager="helm")
        await cluster.passes(61)
        assert cluster.find(DEPLOYMENTS, NAME, "kafka") is not None


def test_a_checkout_that_only_root_can_read_has_its_operator_run_as_root(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert others_may_read(tmp_path)
    tmp_path.chmod(0o700)
    assert not others_may_read(tmp_path)
