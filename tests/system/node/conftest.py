"""A real node in a home of its own, and what the tests say to it.

They run as whoever runs pytest; `test_as_ordinary_user.py` runs them once more as uid 1000 when that is root.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from klamm.localkube.kubelet.runtime import ContainerSpec, ContainerState, SandboxSpec, SandboxState
from klamm.localkube.node.client import GuardianClient, GuardianError, start_guardian
from klamm.localkube.node.runtime import NodeRuntime
from klamm.localkube.objects import ExecSession, Mount

Found = TypeVar("Found")

CONTROL_PLANE = (sys.executable, "-I", "-S", "-c", "import signal; signal.pause()")
"""What the guardian keeps alive here in place of the API server."""

ROOT = tuple(Mount(folder, folder) for folder in ("/usr", "/bin", "/lib", "/lib64") if Path(folder).exists())
ENVIRONMENT = {"PATH": "/usr/bin:/bin"}
PYTHON = "/usr/bin/python3"
WITHIN = 60.0
"""Seconds for what takes a moment, on a machine that does much else."""


@pytest.fixture
def home() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="klamm-node-") as folder:
        yield folder
        try:
            GuardianClient(folder).stop(0.1)
        except GuardianError as error:
            assert "no guardian answers" in str(error)  # noqa: PT017 (the test stopped it itself)
        assert processes_of(folder) == {}
        assert folder not in Path("/proc/self/mounts").read_text()


def processes_of(home: str) -> dict[int, str]:
    """Process id → command line of those that name this home, other than ours."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it ended while we looked
            if home in line:
                found[int(entry.name)] = line
    return found


@dataclass
class Node:
    home: str
    runtime: NodeRuntime
    api_port: int
    guardian: GuardianClient

    async def sandbox(self, name: str) -> SandboxState:
        return await self.runtime.create_sandbox(SandboxSpec(f"uid-{name}", "kafka", name, name, "svc.test"))

    def spec(self, pod: str, *command: str, name: str = "main", **more: object) -> ContainerSpec:
        fields: dict[str, object] = {
            "id": f"uid-{pod}/{name}/0",
            "sandbox_id": f"uid-{pod}",
            "command": command,
            "environment": ENVIRONMENT,
            "working_directory": "/",
            "root": ROOT,
            "mounts": (),
            "log_path": self.log(pod, name),
        }
        return ContainerSpec(**{**fields, **more})  # type: ignore[arg-type]

    def process(self, program: str) -> int:
        (pid,) = [pid for pid, line in processes_of(self.home).items() if f" {program} --home" in line]
        return pid

    def log(self, pod: str, name: str = "main") -> str:
        return f"{self.home}/log/{pod}-{name}.log"

    async def run(self, pod: str, *command: str, **more: object) -> ContainerState:
        return await self.runtime.start_container(self.spec(pod, *command, **more))  # type: ignore[arg-type]

    async def exit_of(self, container_id: str) -> ContainerState:
        async def ended() -> ContainerState | None:
            states = (await self.runtime.state()).containers
            return next((state for state in states if state.id == container_id and not state.running), None)

        return await until(f"{container_id} ends", ended)

    async def output(self, pod: str, *command: str, name: str = "main", tty: bool = False) -> tuple[int, str]:
        """(exit code, stdout and stderr) of a command in the pod's container."""
        session = await self.runtime.exec(f"uid-{pod}/{name}/0", command, environment=ENVIRONMENT, stdin=False, tty=tty)
        text = await read_all(session)
        code = await session.wait()
        await session.close()
        return code, text


async def read_all(session: ExecSession) -> str:
    parts = []
    while data := await session.read_stdout():
        parts.append(data)
    while data := await session.read_stderr():
        parts.append(data)
    return b"".join(parts).decode()


async def until(what: str, condition: Callable[[], Awaitable[Found | None]], within: float = WITHIN) -> Found:
    """Poll until `condition` finds something; fails by name."""
    try:
        async with asyncio.timeout(within):
            while True:
                found = await condition()
                if found is not None and found is not False:
                    return found
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"waited {within:g} s: {what}")


@pytest.fixture
async def node(home: str) -> AsyncIterator[Node]:
    started = start_guardian(home, CONTROL_PLANE, environment=ENVIRONMENT)
    runtime = NodeRuntime(home)
    await runtime.open()
    yield Node(home, runtime, started.api_port, GuardianClient(home))
    await runtime.close()
