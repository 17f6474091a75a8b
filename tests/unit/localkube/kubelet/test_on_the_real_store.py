"""The kubelet on the API server's own store: what defaults and pruning do to it, in virtual time."""

import asyncio
import itertools
from pathlib import Path
from random import Random
from typing import Any

from tests.builders.fake_node import Program
from tests.builders.kubelets import NAMESPACE, NODE, World, container, pod
from tests.builders.virtual_time import in_virtual_time

from klamm.localkube.apiserver.local_objects import LocalObjects
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.apiserver.storage import Storage
from klamm.localkube.objects import CONFIG_MAPS, EVENTS, NAMESPACES, NODES, PODS, Object


class RealWorld(World):
    def __init__(self, folder: Path, **settings: Any) -> None:
        super().__init__(folder, **settings)
        uids = (f"real-{number}" for number in itertools.count())
        registry = Registry(Storage(":memory:"), self.clock, Random(1), lambda: next(uids))
        self.objects = LocalObjects(registry, "kubelet")  # type: ignore[assignment]
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        self.objects.create(NAMESPACES, None, namespace)
        authority = {"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": "PEM"}}
        self.objects.create(CONFIG_MAPS, NAMESPACE, {"apiVersion": "v1", "kind": "ConfigMap"} | authority)

    def bind(self, obj: Object) -> Object:
        """As a scheduler: the node is given after the creation."""
        del obj["metadata"]["uid"]
        return self.objects.create(PODS, NAMESPACE, obj)


@in_virtual_time
async def test_a_pod_lives_and_ends_and_idles_without_a_write(tmp_path: Path) -> None:
    world = RealWorld(tmp_path)
    world.node.programs = {"first": Program([0], runs_for=0.5), "web": Program([1])}
    probe = {"exec": {"command": ["/bin/check"]}, "periodSeconds": 5}
    async with world.running():
        world.bind(
            pod("web-0", container(readinessProbe=probe, livenessProbe=probe), initContainers=[container("first")])
        )
        await world.until(world.is_ready, 20)
        await asyncio.sleep(1)
        before = world.pod()["metadata"]["resourceVersion"]
        await asyncio.sleep(600)
        assert world.pod()["metadata"]["resourceVersion"] == before
        assert world.container()["restartCount"] == 1
        world.objects.delete(PODS, NAMESPACE, "web-0")
        await world.until(lambda: not world.exists(), 5)
    assert {event["reason"] for event in world.objects.list(EVENTS)} == {"Pulled", "Created", "Started", "Killing"}


@in_virtual_time
async def test_its_nodes_are_as_it_wants_them(tmp_path: Path) -> None:
    world = RealWorld(tmp_path)
    async with world.running():
        await asyncio.sleep(1)
    before = world.objects.get(NODES, None, NODE)["metadata"]["resourceVersion"]
    async with world.running():
        await asyncio.sleep(1)
    assert world.objects.get(NODES, None, NODE)["metadata"]["resourceVersion"] == before
