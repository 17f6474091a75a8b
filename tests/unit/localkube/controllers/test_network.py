from typing import Any

from tests.builders.small_cluster import SmallCluster, pod, service, small_cluster
from tests.builders.virtual_time import in_virtual_time

from klamm.localkube.kubelet.runtime import Backend
from klamm.localkube.objects import ENDPOINT_SLICES, ENDPOINTS, EVENTS, PODS, SERVICES, Object

NAMED: dict[str, Any] = {
    "containers": [{"name": "main", "image": "app:1", "ports": [{"name": "http", "containerPort": 8080}]}]
}


def _slice(cluster: SmallCluster, name: str) -> Object:
    found = [
        s
        for s in cluster.objects.list(ENDPOINT_SLICES, "default")
        if s["metadata"]["labels"]["kubernetes.io/service-name"] == name
    ]
    assert len(found) == 1, found
    return found[0]


def _ready(cluster: SmallCluster, name: str) -> dict[str, bool]:
    endpoints = _slice(cluster, name).get("endpoints") or ()
    return {e["targetRef"]["name"]: e["conditions"]["ready"] for e in endpoints}


@in_virtual_time
async def test_a_service_leads_to_its_ready_pods_by_a_named_port() -> None:
    async with small_cluster() as cluster:
        cluster.holds_back.add("web-b")
        cluster.apply(service("web", ports=[{"name": "web", "port": 80, "targetPort": "http"}]))
        cluster.apply(pod("web-a", labels={"app": "web"}, **NAMED))
        cluster.apply(pod("web-b", labels={"app": "web"}, **NAMED))
        await cluster.settled()
        found = _slice(cluster, "web")
        assert found["metadata"]["name"].startswith("web-")
        assert len(found["metadata"]["name"]) == len("web-") + 5
        labels = found["metadata"]["labels"]
        assert labels["endpointslice.kubernetes.io/managed-by"] == "endpointslice-controller.k8s.io"
        assert found["ports"] == [{"name": "web", "port": 8080, "protocol": "TCP"}]
        assert _ready(cluster, "web") == {"web-a": True, "web-b": False}
        first = found["endpoints"][0]
        assert first["nodeName"] == "klamm-0"
        assert first["zone"] == "zone-0"
        address = cluster.get(PODS, "web-a")["status"]["podIP"]
        subset = cluster.get(ENDPOINTS, "web")["subsets"][0]
        assert [a["ip"] for a in subset["addresses"]] == [address]
        assert [a["targetRef"]["name"] for a in subset["notReadyAddresses"]] == ["web-b"]
        port = next(p for p in cluster.networks[-1].ports if p.port == 80)
        assert port.backends == (Backend(address, 8080),)
        assert port.cluster_ip == cluster.get(SERVICES, "web")["spec"]["clusterIP"]
        assert cluster.networks[-1].names["web.default.svc.cluster.local"] == (port.cluster_ip,)


@in_virtual_time
async def test_readiness_moves_a_pod_in_and_out_at_once() -> None:
    async with small_cluster() as cluster:
        cluster.apply(service("web"))
        cluster.apply(pod("web"))
        await cluster.settled()
        for ready in (False, True):
            cluster.becomes("web", ready=ready)
            await cluster.settled()
            assert _ready(cluster, "web") == {"web": ready}
            assert bool(cluster.networks[-1].ports[0].backends) is ready


@in_virtual_time
async def test_a_headless_service_names_its_pods_and_may_publish_those_that_are_not_ready() -> None:
    async with small_cluster() as cluster:
        cluster.holds_back.add("kafka-")
        cluster.apply(service("brokers", selector={"app": "kafka"}, clusterIP="None", publishNotReadyAddresses=True))
        for n in range(2):
            labels = {"app": "kafka"}
            cluster.apply(pod(f"kafka-{n}", labels=labels, hostname=f"kafka-{n}", subdomain="brokers"))
        await cluster.settled()
        addresses = [cluster.get(PODS, f"kafka-{n}")["status"]["podIP"] for n in range(2)]
        names = cluster.networks[-1].names
        assert names["brokers.default.svc.cluster.local"] == tuple(sorted(addresses))
        assert names["kafka-1.brokers.default.svc.cluster.local"] == (addresses[1],)
        assert _ready(cluster, "brokers") == {"kafka-0": True, "kafka-1": True}
        assert cluster.networks[-1].ports == ()


@in_virtual_time
async def test_a_terminating_pod_serves_on_only_when_nobody_else_does() -> None:
    async with small_cluster() as cluster:
        cluster.slow_to_end.add("web")
        cluster.apply(service("web"))
        cluster.apply(pod("web"))
        await cluster.settled()
        cluster.objects.delete(PODS, "default", "web")
        await cluster.settled()
        conditions = _slice(cluster, "web")["endpoints"][0]["conditions"]
        assert conditions == {"ready": False, "serving": True, "terminating": True}
        assert not cluster.get(ENDPOINTS, "web").get("subsets")
        assert len(cluster.networks[-1].ports[0].backends) == 1
        cluster.apply(pod("new", labels={"app": "web"}))
        await cluster.settled()
        new = cluster.get(PODS, "new")["status"]["podIP"]
        assert [b.address for b in cluster.networks[-1].ports[0].backends] == [new]


@in_virtual_time
async def test_hand_written_endpoints_stay_and_are_mirrored() -> None:
    async with small_cluster() as cluster:
        outside: dict[str, Any] = {"addresses": [{"ip": "192.0.2.7"}], "ports": [{"port": 9092}]}
        body = service("outside", ports=[{"port": 9092}])
        del body["spec"]["selector"]
        cluster.apply(body)
        cluster.objects.create(ENDPOINTS, "default", {"metadata": {"name": "outside"}, "subsets": [outside]})
        await cluster.settled()
        assert cluster.get(ENDPOINTS, "outside")["subsets"][0]["addresses"] == [{"ip": "192.0.2.7"}]
        assert cluster.networks[-1].ports[0].backends == (Backend("192.0.2.7", 9092),)


@in_virtual_time
async def test_a_deleted_service_takes_its_endpoints_along() -> None:
    async with small_cluster() as cluster:
        cluster.apply(service("web"))
        cluster.apply(pod("web"))
        await cluster.settled()
        cluster.objects.delete(SERVICES, "default", "web")
        await cluster.settled()
        assert cluster.find(ENDPOINTS, "web") is None
        assert "web.default.svc.cluster.local" not in cluster.networks[-1].names
        assert not [n for n in cluster.names(ENDPOINT_SLICES) if n.startswith("web-")]


@in_virtual_time
async def test_a_node_port_that_the_host_refuses_is_told_once_at_its_service() -> None:
    async with small_cluster() as cluster:
        cluster.refused_node_ports[31000] = "listen on 127.0.0.1:31000: Address already in use"
        cluster.apply(service("outside", type="NodePort", ports=[{"port": 80, "nodePort": 31000}]))
        cluster.apply(service("inside"))
        await cluster.settled()
        cluster.apply(pod("web", labels={"app": "outside"}))
        await cluster.settled()
        told = [e for e in cluster.objects.list(EVENTS, "default") if e["reason"] == "NodePortRefused"]
        assert [(e["type"], e["involvedObject"]["name"], e["count"]) for e in told] == [("Warning", "outside", 1)]
        assert "node port 31000: listen on 127.0.0.1:31000: Address already in use." in told[0]["message"]


@in_virtual_time
async def test_what_does_not_change_the_network_is_not_handed_on() -> None:
    async with small_cluster() as cluster:
        cluster.apply(service("web"))
        cluster.apply(pod("web"))
        await cluster.settled()
        handed_on = len(cluster.networks)
        cluster.objects.patch(PODS, "default", "web", {"metadata": {"annotations": {"a": "b"}}})
        await cluster.settled()
        assert len(cluster.networks) == handed_on
