"""Pods as real processes: the kubelet on the API server's store and a real node of this machine."""

import asyncio
import base64
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest
from tests.builders.kubelets import NAMESPACE, NODE, container, pod
from tests.builders.pod_cluster import CONTROL_PLANE, HostImage, NoRealTokens

from klamm.base.clock import SystemClock
from klamm.base.together import ended
from klamm.localkube.apiserver.local_objects import LocalObjects
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.apiserver.storage import Storage
from klamm.localkube.kubelet.kubelet import Kubelet
from klamm.localkube.kubelet.settings import BackOffPolicy, KubeletSettings, NodeSettings
from klamm.localkube.node.client import GuardianClient, GuardianError, start_guardian
from klamm.localkube.node.runtime import NodeRuntime
from klamm.localkube.objects import (
    CONFIG_MAPS,
    NAMESPACES,
    PODS,
    SECRETS,
    ExecSession,
    LogOptions,
    Object,
    Refused,
)

WITHIN = 60.0
"""Seconds for what takes a moment, on a machine that does much else."""


@pytest.fixture
def home() -> Iterator[Path]:
    # Not tmp_path: the names of unix sockets may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="klamm-", ignore_cleanup_errors=True) as folder:
        try:
            start_guardian(folder, CONTROL_PLANE, environment={"PATH": os.defpath})
        except GuardianError as error:
            pytest.skip(f"no node on this host: {error}")
        try:
            yield Path(folder)
        finally:
            GuardianClient(folder).stop(grace_seconds=2)


class Cluster:
    def __init__(self, home: Path) -> None:
        registry = Registry(Storage(":memory:"), SystemClock(), Random(1), lambda: str(uuid4()))
        self.objects = LocalObjects(registry, "kubelet")
        self._home = home
        self.settings = KubeletSettings(
            nodes=(NodeSettings(NODE),),
            pods_folder=home / "pods",
            memory_folder=home / "memory",
            logs_folder=home / "logs",
            back_off=BackOffPolicy(initial=0.2, maximum=1),
        )
        self.objects.create(
            NAMESPACES, None, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        )
        self.create_config_map("kube-root-ca.crt", {"ca.crt": "PEM"})

    def create_config_map(self, name: str, data: dict[str, str]) -> None:
        obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
        self.objects.create(CONFIG_MAPS, NAMESPACE, obj)

    @asynccontextmanager
    async def kubelet(self) -> AsyncIterator[Kubelet]:
        """One life of the control plane."""
        runtime = NodeRuntime(str(self._home))
        await runtime.open()
        kubelet = Kubelet(self.objects, runtime, HostImage(), self.settings, SystemClock(), NoRealTokens())
        task = asyncio.ensure_future(kubelet.run())
        try:
            yield kubelet
        finally:
            await ended(task)
            await runtime.close()

    def apply(self, obj: Object) -> None:
        del obj["metadata"]["uid"]
        self.objects.create(PODS, NAMESPACE, obj)

    def pod(self, name: str = "web-0") -> Object | None:
        return self.objects.find(PODS, NAMESPACE, name)

    def container(self) -> Object:
        found = self.pod()
        statuses = (found or {}).get("status", {}).get("containerStatuses") or [{}]
        return dict(statuses[0])

    def is_ready(self) -> bool:
        return bool(self.container().get("ready"))


async def until(holds: Callable[[], object], seconds: float = WITHIN) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not holds():
        assert loop.time() < deadline, f"not so within {seconds:g} s"
        await asyncio.sleep(0.02)


async def kubelet_answers(kubelet: Kubelet) -> ExecSession:
    """A session in the running container, as soon as the new kubelet has taken over."""
    async with asyncio.timeout(WITHIN):
        while True:
            try:
                return await kubelet.streams.exec(NAMESPACE, "web-0", "web", ["/bin/true"], stdin=False, tty=False)
            except Refused:
                await asyncio.sleep(0.02)


async def test_a_pod_with_all_its_parts(home: Path) -> None:
    cluster = Cluster(home)
    cluster.create_config_map("settings", {"greeting": "hello"})
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}}
    cluster.objects.create(SECRETS, NAMESPACE, secret | {"data": {"key": base64.b64encode(b"geheim").decode()}})
    script = "cat /config/greeting /keys/key /shared/first; echo; hostname; while :; do sleep 1; done"
    mounts = [
        {"name": "config", "mountPath": "/config"},
        {"name": "keys", "mountPath": "/keys"},
        {"name": "shared", "mountPath": "/shared"},
    ]
    volumes = [
        {"name": "config", "configMap": {"name": "settings"}},
        {"name": "keys", "secret": {"secretName": "keys", "defaultMode": 0o440}},
        {"name": "shared", "emptyDir": {"medium": "Memory"}},
    ]
    sh = ["/bin/sh", "-c"]
    first = container("first", image="host", command=[*sh, "echo -n $POD > /shared/first"], volumeMounts=mounts)
    first["env"] = [{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    probe = {"exec": {"command": [*sh, "test -f /shared/first"]}, "initialDelaySeconds": 15}
    web = container(image="host", command=[*sh, script], volumeMounts=mounts, readinessProbe=probe)
    async with cluster.kubelet() as kubelet:
        cluster.apply(pod("web-0", web, initContainers=[first], volumes=volumes, terminationGracePeriodSeconds=1))
        await until(cluster.is_ready)
        log = b""
        async with asyncio.timeout(WITHIN):
            async for chunk in kubelet.streams.logs(NAMESPACE, "web-0", "web", LogOptions(follow=True)):
                log += chunk
                if log.count(b"\n") == 2:
                    break
        assert log == b"hellogeheimweb-0\nweb-0\n"
        settings = {"data": {"greeting": "good evening"}}
        cluster.objects.patch(CONFIG_MAPS, NAMESPACE, "settings", settings)
        await until(lambda: "good evening" in [file.read_text() for file in home.glob("pods/*/config/greeting")])
        session = await kubelet.streams.exec(
            NAMESPACE, "web-0", "web", [*sh, "cat /config/greeting; exit 3"], stdin=False, tty=False
        )
        assert await session.read_stdout() == b"good evening"
        assert await session.wait() == 3
        await session.close()
    async with cluster.kubelet() as kubelet:
        session = await kubelet_answers(kubelet)
        await session.close()
        assert cluster.is_ready()
        assert cluster.container()["restartCount"] == 0
        cluster.objects.delete(PODS, NAMESPACE, "web-0")
        await until(lambda: cluster.pod() is None)
        await until(lambda: not os.listdir(home / "pods") and not os.listdir(home / "logs"))


async def test_a_program_that_crashes_comes_back(home: Path) -> None:
    cluster = Cluster(home)
    command = ["/bin/sh", "-c", "test -f /it/second && exec sleep 1000; touch /it/second; exit 7"]
    web = container(image="host", command=command, volumeMounts=[{"name": "it", "mountPath": "/it"}])
    async with cluster.kubelet():
        cluster.apply(pod("web-0", web, volumes=[{"name": "it", "emptyDir": {}}]))
        # Its first run is ready, too, as long as it lasts.
        await until(lambda: cluster.container().get("restartCount") == 1 and cluster.is_ready())
        assert cluster.container()["lastState"]["terminated"]["exitCode"] == 7


async def test_pods_begin_anew_when_the_node_was_killed(home: Path) -> None:
    cluster = Cluster(home)
    async with cluster.kubelet():
        cluster.apply(pod("web-0", container(image="host", command=["/bin/sleep", "1000"])))
        await until(cluster.is_ready)
        os.kill(GuardianClient(str(home)).status()["node"]["pid"], signal.SIGKILL)
        await until(lambda: cluster.container().get("restartCount") == 1 and cluster.is_ready())
