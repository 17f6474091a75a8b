"""localkube beside etcd with kube-apiserver, under the same load: many objects, watches, writes, lists."""

import asyncio
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from tests.builders.go_builds import CannotBuild
from tests.kubernetes.control_plane import control_plane

from bench.idle import memory_kib, title
from bench.start import parents_of_processes, pids_of
from klamm.base.together import side_by_side
from klamm.kube.connection import Connection, from_kubeconfig

OBJECTS = 10_000
WATCHES = 200
WATCHING_THE_WRITES = 10
WRITERS = 16
WRITES = 3_000
LISTS = 5
SETTLE = 5.0
_NAMESPACE = "/api/v1/namespaces/load"
_ELSEWHERE = ("secrets", "services", "pods", "serviceaccounts", "persistentvolumeclaims")


@dataclass(frozen=True)
class Served:
    """A server to measure: where it is, who may ask, and which processes are it."""

    name: str
    connection: Connection
    pids: tuple[int, ...]

    def memory_mb(self) -> float:
        return sum(memory_kib(pid) for pid in self.pids) / 1024

    def session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(ssl=self.connection.tls_context() or True, limit=0)
        patient = aiohttp.ClientTimeout(total=None)
        return aiohttp.ClientSession(self.connection.server, connector=connector, timeout=patient)


def measure() -> list[str]:
    with localkube() as ours:
        lines = asyncio.run(_measured(ours))
    try:
        with kubernetes() as theirs:
            lines += asyncio.run(_measured(theirs))
    except CannotBuild as why:
        lines.append(f"  no kube-apiserver beside it: {why}")
    return [*lines, "  goals for localkube: 150 MB, 300 writes/s, a list in 0.5 s"]


async def _measured(server: Served) -> list[str]:
    async with server.session() as session:
        await _created(session, "/api/v1/namespaces", {"metadata": {"name": "load"}})
        created = await _rate(session, [("POST", f"{_NAMESPACE}/configmaps", _config_map(n)) for n in range(OBJECTS)])
        async with AsyncExitStack() as open_watches:
            seeing = [
                await open_watches.enter_async_context(_watch(session, "configmaps"))
                for _ in range(WATCHING_THE_WRITES)
            ]
            for kind in itertools.islice(itertools.cycle(_ELSEWHERE), WATCHES - WATCHING_THE_WRITES):
                await open_watches.enter_async_context(_watch(session, kind))
            changes = [
                ("PATCH", f"{_NAMESPACE}/configmaps/m{n % OBJECTS}", {"data": {"k": str(n)}}) for n in range(WRITES)
            ]
            seen = [asyncio.create_task(_events(watch, WRITES)) for watch in seeing]
            written, behind = await _rate(session, changes), time.monotonic()
            await side_by_side(*seen)
            lag = time.monotonic() - behind
            await asyncio.sleep(SETTLE)
            memory = server.memory_mb()
            listed = [await _list(session) for _ in range(LISTS)]
    return [
        f"  {server.name:28} {memory:6.1f} MB  {created:6.0f} creates/s  {written:6.0f} writes/s"
        f" (the last seen by {WATCHING_THE_WRITES} watches {lag:.2f} s later)  list of {OBJECTS} {min(listed):.2f} s"
        f" (slowest {max(listed):.2f})"
    ]


def _config_map(number: int) -> object:
    return {"metadata": {"name": f"m{number}", "labels": {"part": str(number % 10)}}, "data": {"k": "v" * 400}}


async def _rate(session: aiohttp.ClientSession, requests: Sequence[tuple[str, str, object]]) -> float:
    """Requests a second, `WRITERS` at a time."""
    waiting = iter(requests)

    async def write() -> None:
        for method, path, body in waiting:
            await _created(session, path, body, method)

    begun = time.monotonic()
    await side_by_side(*(write() for _ in range(WRITERS)))
    return len(requests) / (time.monotonic() - begun)


async def _created(session: aiohttp.ClientSession, path: str, body: object, method: str = "POST") -> None:
    form = "application/merge-patch+json" if method == "PATCH" else "application/json"
    async with session.request(method, path, data=json.dumps(body), headers={"Content-Type": form}) as answer:
        text = await answer.text()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]}")


@asynccontextmanager
async def _watch(session: aiohttp.ClientSession, kind: str) -> AsyncIterator[aiohttp.ClientResponse]:
    async with session.get(f"{_NAMESPACE}/{kind}?limit=1") as answer:
        version = (await answer.json())["metadata"]["resourceVersion"]
    async with session.get(f"{_NAMESPACE}/{kind}?watch=true&resourceVersion={version}") as watch:
        yield watch


async def _events(watch: aiohttp.ClientResponse, count: int) -> None:
    ends = 0
    while ends < count:
        ends += (await watch.content.readany()).count(b"\n")


async def _list(session: aiohttp.ClientSession) -> float:
    begun = time.monotonic()
    async with session.get(f"{_NAMESPACE}/configmaps") as answer:
        text = await answer.read()
    seconds = time.monotonic() - begun
    assert len(json.loads(text)["items"]) >= OBJECTS
    return seconds


@contextmanager
def localkube() -> Iterator[Served]:
    """A whole control plane, controllers and kubelet included."""
    with tempfile.TemporaryDirectory(prefix="klamm-bench-") as folder:
        home = Path(folder) / "h"
        environment = {**os.environ, "KLAMM_HOME": str(home)}
        klamm = [sys.executable, "-m", "klamm.programs.klamm"]
        try:
            subprocess.run([*klamm, "up"], env=environment, check=True, capture_output=True)
            pid = next(one for one in pids_of(home) if title(one) == "control_plane")
            yield Served("localkube", from_kubeconfig(home / "kubeconfig"), (pid,))
        finally:
            subprocess.run([*klamm, "down", "--delete", "--timeout", "1"], env=environment, stderr=subprocess.DEVNULL)
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def kubernetes() -> Iterator[Served]:
    with tempfile.TemporaryDirectory(prefix="klamm-bench-") as folder, control_plane(Path(folder)) as running:
        children = tuple(pid for pid, parent in parents_of_processes().items() if parent == os.getpid())
        yield Served("kube-apiserver with etcd", from_kubeconfig(running.folder / "kubeconfig"), children)
