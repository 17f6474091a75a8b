"""What a node's kubelet tells Prometheus: containers that run, and the volumes of its pods."""

from pathlib import Path

import pytest
from tests.builders.kubelets import NAMESPACE, NODE, World, pod
from tests.builders.metric_pages import read_page
from tests.builders.virtual_time import in_virtual_time

from klamm.localkube.kubelet.metrics import ClaimedVolume, RunningContainer, of_containers, of_volumes
from klamm.localkube.kubelet.runtime import Usage
from klamm.localkube.objects import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, Refused

CLAIM = {
    "metadata": {"name": "data-web-0", "namespace": NAMESPACE},
    "spec": {"volumeName": "pv-1"},
    "status": {"phase": "Bound"},
}


@in_virtual_time
async def test_running_containers_are_told_with_what_they_use(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(pod())
        await world.until(world.is_ready)
        told = (await world.kubelet.streams.metrics(NODE, "metrics/cadvisor")).splitlines()
    who = 'id="/klamm/uid-web-0/web/0",image="web:1",name="uid-web-0/web/0",namespace="kafka",pod="web-0"'
    assert f'container_cpu_usage_seconds_total{{cpu="total",container="web",{who}}} 1' in told
    assert f'container_memory_usage_bytes{{container="web",{who}}} {1 << 20}' in told
    (seen,) = [line for line in told if line.startswith("container_last_seen{")]
    assert float(seen.split()[-1]) == pytest.approx(world.clock.now().timestamp(), abs=1)


@in_virtual_time
async def test_volumes_say_what_their_disk_says(tmp_path: Path) -> None:
    world = World(tmp_path)
    (tmp_path / "data").mkdir()
    async with world.running():
        world.objects.create(PERSISTENT_VOLUME_CLAIMS, NAMESPACE, CLAIM)
        volume = {"metadata": {"name": "pv-1"}, "spec": {"hostPath": {"path": str(tmp_path / "data")}}}
        world.objects.create(PERSISTENT_VOLUMES, None, volume)
        world.apply(pod(volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}}]))
        await world.until(world.is_ready)
        told = await world.kubelet.streams.metrics(NODE, "metrics")
    values = dict(line.rsplit(" ", 1) for line in told.splitlines() if not line.startswith("#"))
    labels = '{namespace="kafka",persistentvolumeclaim="data-web-0"}'
    available = int(values[f"kubelet_volume_stats_available_bytes{labels}"])
    assert 0 < available < int(values[f"kubelet_volume_stats_capacity_bytes{labels}"])


@in_virtual_time
@pytest.mark.parametrize(("node", "path"), [("elsewhere", "metrics"), (NODE, "metrics/resource")])
async def test_other_nodes_and_pages_are_not_found(node: str, path: str, tmp_path: Path) -> None:
    world = World(tmp_path)
    with pytest.raises(Refused) as refused:
        await world.kubelet.streams.metrics(node, path)
    assert refused.value.code == 404


def test_an_odd_name_of_an_image_does_not_break_the_page() -> None:
    odd = RunningContainer("kafka", "web-0", "web", 'a"b', "i", 0.0, Usage(1.0, 1))
    assert 'image="a\\"b",' in of_containers([odd], 0.0)


def test_a_volume_of_two_pods_is_told_once(tmp_path: Path) -> None:
    shared = ClaimedVolume("kafka", "data", tmp_path)
    assert len(read_page(of_volumes([shared, shared]))) == 3
