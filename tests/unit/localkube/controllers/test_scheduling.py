from typing import Any

import pytest
from tests.builders.small_cluster import claim, node, pod, small_cluster
from tests.builders.virtual_time import in_virtual_time

from klamm.localkube.controllers.placement import Placed, Unschedulable, choose_node, requests_of
from klamm.localkube.objects import NODES, PODS, Object

ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"
BROKER = {"strimzi.io/name": "my-cluster-kafka"}


def _term(key: str, labels: dict[str, str]) -> dict[str, Any]:
    return {"topologyKey": key, "labelSelector": {"matchLabels": labels}}


def _apart(key: str = ZONE) -> dict[str, Any]:
    return {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [_term(key, BROKER)]}}}


def _near(labels: dict[str, str]) -> dict[str, Any]:
    return {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [_term(ZONE, labels)]}}}


def _spread(max_skew: int = 1) -> dict[str, Any]:
    constraint = {"maxSkew": max_skew, "whenUnsatisfiable": "DoNotSchedule", **_term(ZONE, BROKER)}
    return {"topologySpreadConstraints": [constraint]}


def _on(number: int, name: str = "other", labels: dict[str, str] | None = None, **spec: Any) -> Object:
    return pod(name, labels=labels, nodeName=f"klamm-{number}", **spec)


HOST_PORT: dict[str, Any] = {"containers": [{"ports": [{"hostPort": 80}]}]}


def _requests(cpu: str) -> dict[str, Any]:
    return {"containers": [{"name": "main", "resources": {"requests": {"cpu": cpu}}}]}


def _tainted(effect: str = "NoSchedule") -> dict[str, Any]:
    return {"spec": {"taints": [{"key": "dedicated", "value": "kafka", "effect": effect}]}}


NODE_NAME = {"key": HOST, "operator": "In", "values": ["klamm-2"]}
REQUIRED_NODE = {
    "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [NODE_NAME]}]}
}
PREFERRED_NODE = {
    "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 5, "preference": {"matchExpressions": [NODE_NAME]}}]
}
TOLERATION = {"key": "dedicated", "operator": "Equal", "value": "kafka", "effect": "NoSchedule"}
THREE = [node(0), node(1), node(2)]


@pytest.mark.parametrize(
    ("why", "wanted", "nodes", "pods", "expected"),
    [
        ("the first of equals", pod("a"), THREE, [], "klamm-0"),
        ("the one with fewer pods", pod("a"), THREE, [_on(0)], "klamm-1"),
        ("finished pods do not count", pod("a"), THREE, [_on(0) | {"status": {"phase": "Failed"}}], "klamm-0"),
        ("the one with less requested", pod("a"), THREE, [_on(0, **_requests("2")), _on(1), _on(1)], "klamm-2"),
        ("nodeSelector", pod("a", nodeSelector={HOST: "klamm-2"}), THREE, [], "klamm-2"),
        ("required node affinity", pod("a", affinity={"nodeAffinity": REQUIRED_NODE}), THREE, [], "klamm-2"),
        ("preferred node affinity", pod("a", affinity={"nodeAffinity": PREFERRED_NODE}), THREE, [], "klamm-2"),
        ("a taint is avoided", pod("a"), [node(0, **_tainted()), node(1)], [], "klamm-1"),
        ("a toleration lets in", pod("a", tolerations=[TOLERATION]), [node(0, **_tainted())], [], "klamm-0"),
        ("PreferNoSchedule is a wish", pod("a"), [node(0, **_tainted("PreferNoSchedule")), node(1)], [], "klamm-1"),
        ("a wish does not exclude", pod("a"), [node(0, **_tainted("PreferNoSchedule"))], [], "klamm-0"),
        ("near its like", pod("a", **_near({"app": "db"})), THREE, [_on(1, "db")], "klamm-1"),
        ("the first of a group near itself", pod("a", **_near({"app": "a"})), THREE, [], "klamm-0"),
        ("away from its like", pod("b", labels=BROKER, **_apart()), THREE, [_on(0, labels=BROKER)], "klamm-1"),
        (
            "an existing pod keeps others away",
            pod("b", labels=BROKER),
            THREE,
            [_on(0, labels={"app": "x"}, **_apart()), _on(1), _on(1)],
            "klamm-2",
        ),
        ("spread over zones", pod("b", labels=BROKER, **_spread()), THREE, [_on(0, labels=BROKER)], "klamm-1"),
        ("a free host port", pod("a", **HOST_PORT), THREE[:2], [_on(0, **HOST_PORT)], "klamm-1"),
    ],
)
def test_a_pod_goes_to(why: str, wanted: Object, nodes: list[Object], pods: list[Object], expected: str) -> None:
    placed = choose_node(wanted, nodes, pods)
    assert isinstance(placed, Placed), (why, placed)
    assert placed.node == expected, why


@pytest.mark.parametrize(
    ("wanted", "nodes", "pods", "message"),
    [
        (pod("a"), [], [], "no nodes available to schedule pods"),
        (
            pod("b", labels=BROKER, **_apart()),
            THREE,
            [_on(n, labels=BROKER) for n in range(3)],
            "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.",
        ),
        (
            pod("a", nodeSelector={"disk": "ssd"}),
            [node(0, **_tainted()), node(1)],
            [],
            "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, "
            "1 node(s) had untolerated taint {dedicated: kafka}.",
        ),
        (pod("a", **_requests("5")), THREE, [], "0/3 nodes are available: 3 Insufficient cpu."),
        (
            pod("a", **_near({"app": "db"})),
            THREE,
            [],
            "0/3 nodes are available: 3 node(s) didn't match pod affinity rules.",
        ),
        (
            pod("b", labels=BROKER),
            [node(0)],
            [_on(0, labels={"app": "x"}, **_apart())],
            "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.",
        ),
        (
            pod("b", labels=BROKER, **_spread()),
            [node(0), node(1, spec={"unschedulable": True})],
            [_on(0, labels=BROKER)],
            "0/2 nodes are available: 1 node(s) didn't match pod topology spread constraints, "
            "1 node(s) were unschedulable.",
        ),
    ],
)
def test_why_a_pod_goes_nowhere(wanted: Object, nodes: list[Object], pods: list[Object], message: str) -> None:
    assert choose_node(wanted, nodes, pods) == Unschedulable(message)


def test_a_node_without_the_label_is_in_no_zone() -> None:
    unlabelled = node(0)
    unlabelled["metadata"]["labels"].pop(ZONE)
    others = [_on(0, labels=BROKER)]
    assert isinstance(choose_node(pod("b", labels=BROKER, **_apart()), [unlabelled], others), Placed)
    near = choose_node(pod("b", labels=BROKER, **_near(BROKER)), [unlabelled], others)
    assert near == Unschedulable("0/1 nodes are available: 1 node(s) didn't match pod affinity rules.")
    spread = choose_node(pod("b", labels=BROKER, **_spread()), [unlabelled], others)
    assert isinstance(spread, Unschedulable)
    assert "missing required label" in spread.message


def test_init_containers_count_by_the_largest() -> None:
    wanted = pod(
        "a",
        containers=[
            {"name": "a", "resources": {"requests": {"cpu": "500m"}}},
            {"name": "b", "resources": {"limits": {"cpu": "1"}}},
        ],
        initContainers=[{"name": "i", "resources": {"requests": {"cpu": "2"}}}],
    )
    assert requests_of(wanted) == {"cpu": 2}


@in_virtual_time
async def test_three_brokers_by_zone_fit_on_three_nodes_and_a_fourth_waits_for_a_place() -> None:
    async with small_cluster(nodes=3) as cluster:
        for n in range(4):
            cluster.apply(pod(f"kafka-{n}", labels=BROKER, **_apart()))
        await cluster.settled()
        placed = {p["metadata"]["name"]: p["spec"].get("nodeName") for p in cluster.pods()}
        assert sorted(str(placed[f"kafka-{n}"]) for n in range(3)) == ["klamm-0", "klamm-1", "klamm-2"]
        assert placed["kafka-3"] is None
        told = next(c for c in cluster.get(PODS, "kafka-3")["status"]["conditions"] if c["type"] == "PodScheduled")
        assert (told["status"], told["reason"]) == ("False", "Unschedulable")
        message = "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules."
        assert told["message"] == message
        assert cluster.events("FailedScheduling") == [message]
        cluster.objects.delete(PODS, "default", "kafka-1")
        await cluster.settled()
        assert cluster.get(PODS, "kafka-3")["spec"]["nodeName"] == placed["kafka-1"]
        assert len(cluster.events("Scheduled")) == 4


@in_virtual_time
async def test_a_pod_without_a_node_is_placed_when_one_comes() -> None:
    async with small_cluster(nodes=0) as cluster:
        cluster.apply(pod("a"))
        await cluster.settled()
        assert "nodeName" not in cluster.get(PODS, "a")["spec"]
        cluster.objects.create(NODES, None, node(0))
        await cluster.settled()
        bound = cluster.get(PODS, "a")
        assert bound["spec"]["nodeName"] == "klamm-0"
        assert {c["type"]: c["status"] for c in bound["status"]["conditions"]}["PodScheduled"] == "True"


@in_virtual_time
async def test_a_pod_waits_for_its_claim() -> None:
    async with small_cluster() as cluster:
        volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
        cluster.apply(pod("a", volumes=[volume]))
        await cluster.settled()
        assert cluster.events("FailedScheduling") == [
            '0/1 nodes are available: persistentvolumeclaim "data" not found.'
        ]
        cluster.apply(claim("data"))
        await cluster.settled()
        assert cluster.get(PODS, "a")["spec"]["nodeName"] == "klamm-0"
