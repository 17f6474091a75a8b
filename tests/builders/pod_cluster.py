"""A whole localkube for tests of real pods: API over TLS, controllers and kubelet in this process, and a real node.

The control plane has lives (`life`): leaving one is its death, the node and its pods go on. The image `host` is this
machine's own programs. kubectl is the real one.
"""

import asyncio
import contextlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from tests.builders.api_server import RunningApi, api_registry, running_api

from klamm.base.clock import SystemClock
from klamm.base.together import ended
from klamm.localkube.apiserver.local_objects import LocalObjects
from klamm.localkube.controllers import all as controllers
from klamm.localkube.kubelet.kubelet import Kubelet
from klamm.localkube.kubelet.settings import BackOffPolicy, KubeletSettings, NodeSettings
from klamm.localkube.kubelet.tokens import Token, TokenRequest
from klamm.localkube.node.client import GuardianClient, start_guardian
from klamm.localkube.node.runtime import NodeRuntime
from klamm.localkube.objects import PODS, Image, Mount, Object

CONTROL_PLANE = (sys.executable, "-I", "-S", "-c", "import signal; signal.pause()")
HOST = tuple(Mount(folder, folder) for folder in ("/usr", "/bin", "/lib", "/lib64") if Path(folder).exists())
PYTHON = "/usr/bin/python3"
WITHIN = 60.0
"""Seconds for what takes a moment, on a machine that does much else."""
KUBECTL_WITHIN = 120.0
SPDY = {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false", "KUBECTL_PORT_FORWARD_WEBSOCKETS": "false"}
"""What makes kubectl speak SPDY at once, as older ones do."""


class HostImage:
    async def pull(self, name: str) -> Image | None:
        return Image(mounts=HOST) if name == "host" else None

    def known(self) -> Sequence[str]:
        return ["host"]


class NoRealTokens:
    def issue(self, request: TokenRequest) -> Token:
        return Token("a token", SystemClock().now().timestamp() + request.seconds)


@contextlib.contextmanager
def real_node() -> Iterator[Path]:
    """A home with its guardian and node; nothing of it is left."""
    # Not tmp_path: the names of unix sockets may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="klamm-", ignore_cleanup_errors=True) as folder:
        start_guardian(folder, CONTROL_PLANE, environment={"PATH": os.defpath})
        try:
            yield Path(folder)
        finally:
            GuardianClient(folder).stop(grace_seconds=2)


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@dataclass
class PodCluster:
    home: Path
    registry: Any = field(init=False)
    api: RunningApi = field(init=False)
    objects: LocalObjects = field(init=False)

    def __post_init__(self) -> None:
        self.registry = api_registry(self.home / "objects.db")
        self.objects = LocalObjects(self.registry, "test")

    @asynccontextmanager
    async def life(self) -> AsyncIterator["PodCluster"]:
        runtime = NodeRuntime(str(self.home))
        await runtime.open()
        settings = KubeletSettings(
            nodes=(NodeSettings("klamm-0"),),
            pods_folder=self.home / "pods",
            memory_folder=self.home / "memory",
            logs_folder=self.home / "logs",
            back_off=BackOffPolicy(initial=0.2, maximum=1),
        )
        mine = LocalObjects(self.registry, "kubelet")
        kubelet = Kubelet(mine, runtime, HostImage(), settings, SystemClock(), NoRealTokens())
        around = controllers.Surroundings(
            clock=SystemClock(),
            served=lambda: [k.resource for k in self.registry.kinds() if {"list", "watch"} <= set(k.verbs)],
            ca_certificate="a certificate",
            volumes=self.home / "volumes",
            configure=runtime.configure,
            random=Random(1),
        )
        folder = self.home / f"api-{uuid4()}"
        folder.mkdir()
        tasks = [
            asyncio.ensure_future(kubelet.run()),
            asyncio.ensure_future(controllers.run(LocalObjects(self.registry, "controllers"), around)),
        ]
        try:
            async with running_api(folder, kubelet.streams, self.registry, ping_seconds=1.0) as self.api:
                await self.until("the service account", lambda: self._has_account())
                yield self
        finally:
            await ended(*tasks)
            await runtime.close()

    def _has_account(self) -> bool:
        from klamm.localkube.objects import SERVICE_ACCOUNTS

        return self.objects.find(SERVICE_ACCOUNTS, "default", "default") is not None

    # kubectl

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        path = os.environ["PATH"]  # noqa: TID251 (a test starts the machine's kubectl)
        return {"KUBECONFIG": str(self.api.kubeconfig), "HOME": str(self.home), "PATH": path, **(more or {})}

    async def kubectl(
        self,
        *arguments: str,
        given: bytes = b"",
        environment: Mapping[str, str] | None = None,
        within: float = KUBECTL_WITHIN,
    ) -> Said:
        async with self.kubectl_running(*arguments, environment=environment) as process:
            try:
                async with asyncio.timeout(within):
                    out, err = await process.communicate(given)
            except TimeoutError:
                raise AssertionError(f"kubectl {' '.join(arguments)} did not end within {within:g} s") from None
        assert process.returncode is not None
        return Said(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))

    @asynccontextmanager
    async def kubectl_running(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        stdin: int = asyncio.subprocess.PIPE,
        stdout: int = asyncio.subprocess.PIPE,
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """Killed at the end. (A pipe of asyncio that nobody reads would be waited for: give another one.)"""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            "kubectl", *arguments, env=self.environment(environment), stdin=stdin, stdout=stdout, stderr=pipe
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    @asynccontextmanager
    async def forwarded(
        self, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> AsyncIterator[tuple[list[int], asyncio.subprocess.Process]]:
        """The local ports, in the order of the arguments ":8080"."""
        wanted = [argument for argument in arguments if argument.startswith(":")]
        async with self.kubectl_running(
            "port-forward", "--address=127.0.0.1", *arguments, environment=environment
        ) as process:
            assert process.stdout is not None
            ports: list[int] = []
            async with asyncio.timeout(KUBECTL_WITHIN):
                while len(ports) < len(wanted):
                    line = (await process.stdout.readline()).decode()
                    if not line:
                        assert process.stderr is not None
                        raise AssertionError((await process.stderr.read()).decode())
                    found = re.search(r"Forwarding from 127.0.0.1:(\d+)", line)
                    if found:
                        ports.append(int(found[1]))
            yield ports, process

    # Pods

    def node_pid(self) -> int:
        return int(GuardianClient(str(self.home)).status()["node"]["pid"])

    async def run_pod(self, name: str, script: str | Sequence[str] = "exec sleep 1000", **container: Any) -> None:
        """A pod of one container `c` that runs the script (or command), running when this returns."""
        spec = container.pop("pod_spec", {})
        command = ["/bin/sh", "-c", script] if isinstance(script, str) else list(script)
        one = {"name": "c", "image": "host", "command": command, **container}
        self.create(pod(name, [one], **spec))
        await self.until(f"pod {name} runs", lambda: self.phase(name) in ("Running", "Succeeded", "Failed"))

    def create(self, obj: Object) -> None:
        self.objects.create(PODS, "default", obj)

    def pod(self, name: str) -> Object | None:
        return self.objects.find(PODS, "default", name)

    def names(self) -> list[str]:
        return [each["metadata"]["name"] for each in self.objects.list(PODS, "default")]

    def phase(self, name: str) -> str:
        return str(((self.pod(name) or {}).get("status") or {}).get("phase", ""))

    def container(self, pod: str, container: str = "c") -> Object:
        statuses = ((self.pod(pod) or {}).get("status") or {}).get("containerStatuses") or ()
        return next((each for each in statuses if each["name"] == container), {})

    async def remove(self, *names: str) -> None:
        for name in names:
            if self.pod(name) is not None:
                self.objects.delete(PODS, "default", name, grace_seconds=0)
        await self.until("the pods are gone", lambda: all(self.pod(name) is None for name in names))

    async def until(self, what: str, holds: Callable[[], object], seconds: float = WITHIN) -> None:
        async def asked() -> object:
            return holds()

        await until(what, asked, seconds)


async def until(what: str, holds: Callable[[], Awaitable[object]], seconds: float = WITHIN) -> None:
    """Wait for a named condition, at most that long."""
    try:
        async with asyncio.timeout(seconds):
            while not await holds():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"waited {seconds:g} s: {what}") from None


def pod(name: str, containers: Sequence[Object], **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
        "spec": {"containers": list(containers), "terminationGracePeriodSeconds": 1, **spec},
    }


def has_kubectl() -> bool:
    return shutil.which("kubectl") is not None
