"""Controllers that are stopped and started again find everything as it is."""

from tests.builders.small_cluster import claim, daemon_set, deployment, pod, service, small_cluster
from tests.builders.virtual_time import in_virtual_time

from klamm.localkube.objects import DEPLOYMENTS, PERSISTENT_VOLUMES, PODS, REPLICA_SETS


@in_virtual_time
async def test_a_restart_changes_nothing() -> None:
    async with small_cluster(nodes=2) as cluster:
        for obj in (deployment("web", replicas=3), daemon_set("client"), claim("data"), service("web"), pod("alone")):
            cluster.apply(obj)
        await cluster.settled()
        before = {
            r: [(o["metadata"]["uid"], o["metadata"]["resourceVersion"]) for o in cluster.objects.list(r)]
            for r in (DEPLOYMENTS, REPLICA_SETS, PODS, PERSISTENT_VOLUMES)
        }
        network = cluster.networks[-1]
        await cluster.stop_controllers()
        cluster.start_controllers()
        await cluster.settled()
        for resource, versions in before.items():
            now = cluster.objects.list(resource)
            assert [(o["metadata"]["uid"], o["metadata"]["resourceVersion"]) for o in now] == versions
        assert cluster.networks[-1] == network


@in_virtual_time
async def test_what_happened_meanwhile_is_caught_up_with() -> None:
    async with small_cluster() as cluster:
        cluster.apply(deployment("web", replicas=2))
        cluster.apply(deployment("old"))
        await cluster.settled()
        await cluster.stop_controllers()
        cluster.objects.delete(PODS, "default", cluster.pods("web")[0]["metadata"]["name"])
        cluster.objects.delete(DEPLOYMENTS, "default", "old", propagation="Orphan")
        await cluster.settled()
        cluster.start_controllers()
        await cluster.settled()
        assert len(cluster.pods("web")) == 2
        assert len(cluster.pods("old")) == 1
        assert cluster.find(DEPLOYMENTS, "old") is None
