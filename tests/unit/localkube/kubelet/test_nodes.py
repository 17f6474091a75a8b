"""Node objects, and what a kubelet finds when it starts."""

import asyncio
from pathlib import Path

from tests.builders.kubelets import NODE, World
from tests.builders.virtual_time import in_virtual_time

from klamm.localkube.kubelet.runtime import ContainerSpec, SandboxSpec
from klamm.localkube.objects import NODES


@in_virtual_time
async def test_nodes_are_made_once_and_written_only_when_they_differ(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        await asyncio.sleep(1)
        node = world.objects.get(NODES, None, NODE)
        assert node["metadata"]["labels"]["topology.kubernetes.io/zone"] == "a"
        assert node["metadata"]["labels"]["kubernetes.io/hostname"] == NODE
        assert node["status"]["allocatable"]["pods"] == "110"
        assert {entry["type"]: entry["status"] for entry in node["status"]["conditions"]}["Ready"] == "True"
        assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.34.4-klamm"
    before = list(world.objects.writes)
    async with world.running():
        await asyncio.sleep(1000)
    assert world.objects.writes == before


@in_virtual_time
async def test_a_sandbox_whose_pod_the_api_has_lost_is_ended(tmp_path: Path) -> None:
    world = World(tmp_path)
    sandbox = SandboxSpec("uid-lost", "kafka", "lost", "lost", "")
    await world.node.create_sandbox(sandbox)
    await world.node.start_container(
        ContainerSpec("uid-lost/web/3", "uid-lost", ("/bin/web",), {}, "/", (), (), log_path="")
    )
    async with world.running():
        await world.until(lambda: not world.node.sandboxes, 5)
        await asyncio.sleep(1)
    assert world.node.containers == {}
    assert "signal 15 web/3" in world.node.told
