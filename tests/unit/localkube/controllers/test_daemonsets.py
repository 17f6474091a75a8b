from typing import Any

from tests.builders.small_cluster import SmallCluster, daemon_set, node, small_cluster
from tests.builders.virtual_time import in_virtual_time

from klamm.localkube.objects import DAEMON_SETS, NODES, PODS, Object


def _nodes(cluster: SmallCluster, app: str) -> list[str]:
    return sorted(p["spec"]["nodeName"] for p in cluster.pods(app))


def _status(cluster: SmallCluster, name: str) -> dict[str, Any]:
    status: dict[str, Any] = cluster.get(DAEMON_SETS, name)["status"]
    return status


def _taint(number: int, made: Object) -> Object:
    return {**made, "spec": {"taints": [{"key": "dedicated", "effect": "NoSchedule"}]}} if number == 2 else made


@in_virtual_time
async def test_every_node_that_fits_has_one_pod() -> None:
    async with small_cluster(nodes=3, node_changes=_taint) as cluster:
        cluster.apply(daemon_set("client"))
        tolerant = {"tolerations": [{"operator": "Exists"}]}
        cluster.apply(daemon_set("everywhere", pod_spec=tolerant))
        cluster.apply(daemon_set("one", pod_spec={"nodeSelector": {"kubernetes.io/hostname": "klamm-1"}}))
        await cluster.settled()
        assert _nodes(cluster, "client") == ["klamm-0", "klamm-1"]
        assert _nodes(cluster, "everywhere") == ["klamm-0", "klamm-1", "klamm-2"]
        assert _nodes(cluster, "one") == ["klamm-1"]
        status = _status(cluster, "client")
        counted = (status["desiredNumberScheduled"], status["numberReady"], status["numberAvailable"])
        assert counted == (2, 2, 2)
        name = cluster.pods("client")[0]["metadata"]["name"]
        assert len(name) == len("client-") + 5


@in_virtual_time
async def test_nodes_come_and_change_their_labels() -> None:
    async with small_cluster(nodes=1) as cluster:
        cluster.apply(daemon_set("client", pod_spec={"nodeSelector": {"kafka": "yes"}}))
        await cluster.settled()
        assert _nodes(cluster, "client") == []
        cluster.objects.patch(NODES, None, "klamm-0", {"metadata": {"labels": {"kafka": "yes"}}})
        cluster.objects.create(NODES, None, node(1))
        await cluster.settled()
        assert _nodes(cluster, "client") == ["klamm-0"]
        cluster.objects.patch(NODES, None, "klamm-0", {"metadata": {"labels": {"kafka": None}}})
        await cluster.settled()
        assert _nodes(cluster, "client") == []


@in_virtual_time
async def test_a_new_template_replaces_one_pod_after_the_other() -> None:
    async with small_cluster(nodes=3) as cluster:
        cluster.apply(daemon_set("client"))
        await cluster.settled()
        cluster.holds_back.add("client-")
        cluster.apply(daemon_set("client", image="app:2"))
        await cluster.settled()
        images = sorted(p["spec"]["containers"][0]["image"] for p in cluster.pods("client"))
        assert images == ["app:1", "app:1", "app:2"]
        assert _status(cluster, "client")["updatedNumberScheduled"] == 1
        cluster.holds_back.clear()
        waiting = next(p for p in cluster.pods("client") if p["spec"]["containers"][0]["image"] == "app:2")
        cluster.becomes(waiting["metadata"]["name"], ready=True)
        await cluster.settled()
        assert {p["spec"]["containers"][0]["image"] for p in cluster.pods("client")} == {"app:2"}
        status = _status(cluster, "client")
        assert status["updatedNumberScheduled"] == status["numberAvailable"] == 3


@in_virtual_time
async def test_a_pod_that_failed_or_was_deleted_is_made_anew() -> None:
    async with small_cluster() as cluster:
        cluster.apply(daemon_set("client"))
        await cluster.settled()
        (first,) = cluster.names(PODS)
        cluster.ends(first, "Failed")
        await cluster.settled()
        (second,) = cluster.names(PODS)
        assert second != first
        cluster.objects.delete(PODS, "default", second)
        await cluster.settled()
        (third,) = cluster.names(PODS)
        assert third != second
