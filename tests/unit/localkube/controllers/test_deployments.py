from typing import Any

import pytest
from tests.builders.small_cluster import SmallCluster, deployment, small_cluster
from tests.builders.virtual_time import in_virtual_time

from klamm.localkube.controllers.rollout import Limits, Size, grow_new, limits, scale_in_proportion, shrink_old
from klamm.localkube.objects import DEPLOYMENTS, PODS, REPLICA_SETS, Object


@pytest.mark.parametrize(
    ("why", "spec", "expected"),
    [
        ("a quarter by default", {"replicas": 4}, Limits(4, 1, 1)),
        ("surge rounds up, unavailable down", {"replicas": 3}, Limits(3, 1, 0)),
        (
            "when both are nothing one may be missing",
            {"replicas": 3, "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "10%"}}},
            Limits(3, 0, 1),
        ),
        (
            "Recreate is available only with all its pods",
            {"replicas": 3, "strategy": {"type": "Recreate"}},
            Limits(3, 0, 0),
        ),
    ],
)
def test_the_limits_of_a_roll_out(why: str, spec: dict[str, Any], expected: Limits) -> None:
    assert limits(spec) == expected, why


@pytest.mark.parametrize(
    ("why", "new", "old", "allowed", "grown", "shrunk"),
    [
        ("the surge is used first", (0, 0), (3, 3), Limits(3, 1, 0), 1, {}),
        ("an available new pod frees an old one", (1, 1), (3, 3), Limits(3, 1, 0), 1, {"old": 2}),
        ("without surge an old one goes first", (0, 0), (3, 3), Limits(3, 0, 1), 0, {"old": 2}),
        ("old pods that serve nobody go first", (1, 0), (3, 1), Limits(3, 1, 1), 1, {"old": 2}),
        ("nothing goes while the new is not available", (1, 0), (3, 3), Limits(3, 1, 0), 1, {}),
    ],
)
def test_a_step_of_a_roll_out(
    why: str, new: tuple[int, int], old: tuple[int, int], allowed: Limits, grown: int, shrunk: dict[str, int]
) -> None:
    sizes = Size("new", *new), [Size("old", *old)]
    assert grow_new(*sizes, allowed) == grown, why
    assert shrink_old(*sizes, allowed) == shrunk, why


def test_scaling_in_the_middle_keeps_the_proportion() -> None:
    sizes = [Size("old", 8, 8), Size("new", 5, 0)]
    assert scale_in_proportion(sizes, 13, 18) == {"old": 11, "new": 7}


def _images(cluster: SmallCluster, app: str) -> list[str]:
    return [p["spec"]["containers"][0]["image"] for p in cluster.pods(app)]


def _condition(obj: Object, kind: str) -> Object:
    found: Object = next(c for c in obj["status"]["conditions"] if c["type"] == kind)
    return found


@in_virtual_time
async def test_a_deployment_runs_its_pods_and_says_so() -> None:
    async with small_cluster() as cluster:
        cluster.apply(deployment("web", replicas=2))
        await cluster.settled()
        web = cluster.get(DEPLOYMENTS, "web")
        counted = {name: web["status"].get(name, 0) for name in web["status"] if name != "conditions"}
        assert counted == {
            "observedGeneration": 1,
            "replicas": 2,
            "updatedReplicas": 2,
            "readyReplicas": 2,
            "availableReplicas": 2,
        } | ({"unavailableReplicas": 0} if "unavailableReplicas" in counted else {})
        assert _condition(web, "Available")["status"] == "True"
        assert _condition(web, "Progressing")["reason"] == "NewReplicaSetAvailable"
        assert web["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
        name = cluster.names(REPLICA_SETS)[0]
        assert all(p["metadata"]["name"].startswith(f"{name}-") for p in cluster.pods("web"))


@in_virtual_time
async def test_a_new_template_rolls_and_undo_takes_the_old_set_up_again() -> None:
    async with small_cluster() as cluster:
        cluster.apply(deployment("web", replicas=3))
        await cluster.settled()
        first = cluster.names(REPLICA_SETS)
        cluster.apply(deployment("web", replicas=3, image="app:2"))
        await cluster.settled()
        assert _images(cluster, "web") == ["app:2"] * 3
        assert len(cluster.names(REPLICA_SETS)) == 2
        cluster.apply(deployment("web", replicas=3, image="app:1"))
        await cluster.settled()
        assert _images(cluster, "web") == ["app:1"] * 3
        assert len(cluster.names(REPLICA_SETS)) == 2
        again = cluster.get(REPLICA_SETS, first[0])["metadata"]["annotations"]
        assert again["deployment.kubernetes.io/revision"] == "3"
        assert again["deployment.kubernetes.io/revision-history"] == "1"


@in_virtual_time
async def test_a_roll_out_that_never_gets_ready_keeps_the_old_pods_and_misses_its_deadline() -> None:
    async with small_cluster() as cluster:
        spec: dict[str, Any] = {"progressDeadlineSeconds": 60}
        cluster.apply(deployment("web", replicas=2, **spec))
        await cluster.settled()
        old = cluster.names(REPLICA_SETS)[0]
        cluster.holds_back.add("web-")
        cluster.apply(deployment("web", replicas=2, image="broken", **spec))
        await cluster.settled()
        assert sorted(_images(cluster, "web")) == ["app:1", "app:1", "broken"]
        await cluster.passes(61)
        progressing = _condition(cluster.get(DEPLOYMENTS, "web"), "Progressing")
        assert (progressing["status"], progressing["reason"]) == ("False", "ProgressDeadlineExceeded")
        assert cluster.get(REPLICA_SETS, old)["status"]["availableReplicas"] == 2


@in_virtual_time
async def test_recreate_waits_until_no_old_pod_is_left() -> None:
    async with small_cluster() as cluster:
        recreate: dict[str, Any] = {"strategy": {"type": "Recreate"}}
        cluster.apply(deployment("web", **recreate))
        await cluster.settled()
        old = cluster.pods("web")[0]["metadata"]["name"]
        cluster.slow_to_end.add(old)
        cluster.apply(
            {
                **deployment("web", image="app:2"),
                "spec": {"template": deployment("web", image="app:2")["spec"]["template"]},
            }
        )
        await cluster.settled()
        assert [p["metadata"]["name"] for p in cluster.pods("web")] == [old]
        cluster.objects.delete(PODS, "default", old, grace_seconds=0)
        await cluster.settled()
        assert _images(cluster, "web") == ["app:2"]


@in_virtual_time
async def test_a_paused_deployment_is_scaled_but_not_rolled() -> None:
    async with small_cluster() as cluster:
        cluster.apply(deployment("web", replicas=1))
        await cluster.settled()
        cluster.apply(deployment("web", replicas=3, image="app:2", paused=True))
        await cluster.settled()
        assert _images(cluster, "web") == ["app:1"] * 3
        cluster.apply(deployment("web", replicas=3, image="app:2", paused=False))
        await cluster.settled()
        assert _images(cluster, "web") == ["app:2"] * 3


@in_virtual_time
async def test_history_is_kept_up_to_its_limit() -> None:
    async with small_cluster() as cluster:
        for n in range(5):
            cluster.apply(deployment("web", image=f"app:{n}", revisionHistoryLimit=2))
            await cluster.settled()
        assert len(cluster.names(REPLICA_SETS)) == 3


@in_virtual_time
async def test_a_deleted_pod_is_replaced_and_a_deleted_deployment_leaves_nothing() -> None:
    async with small_cluster() as cluster:
        cluster.apply(deployment("web", replicas=2))
        await cluster.settled()
        cluster.objects.delete(PODS, "default", cluster.pods("web")[0]["metadata"]["name"])
        await cluster.settled()
        assert len(cluster.pods("web")) == 2
        cluster.objects.delete(DEPLOYMENTS, "default", "web", propagation="Background")
        await cluster.settled()
        assert cluster.pods("web") == []
        assert cluster.names(REPLICA_SETS) == []


@in_virtual_time
async def test_scaling_to_zero_and_back() -> None:
    async with small_cluster() as cluster:
        cluster.apply(deployment("web", replicas=3))
        await cluster.settled()
        cluster.apply(deployment("web", replicas=0))
        await cluster.settled()
        assert cluster.pods("web") == []
        cluster.apply(deployment("web", replicas=2))
        await cluster.settled()
        assert len(cluster.pods("web")) == 2
