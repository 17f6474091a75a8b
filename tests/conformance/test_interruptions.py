"""Who follows objects loses nothing when connections are cut, when the server is killed, and when it has forgotten.

Two informers, of client-go and of Python's client, look at localkube and at a real kube-apiserver through a way that
can be cut (interruptions.py); writers go past it. localkube is the one that `klamm up` starts: kill -9 meets its
control plane, and its guardian starts the next one.
"""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from tests.builders.local_cluster import LocalCluster, local_cluster
from tests.conformance.interruptions import Follower, Way, client_go, python, way_to
from tests.kubernetes.control_plane import ControlPlane

from klamm.kube.connection import from_kubeconfig

CUTS, WRITES_BETWEEN = 5, 20
ANSWERS_AGAIN_WITHIN = 180.0
_MERGE = "application/merge-patch+json"


@dataclass
class Server:
    kubeconfig: Path
    restart: Callable[[], None]
    session: aiohttp.ClientSession
    namespace: str
    written: list[str] = field(default_factory=list)
    """As a follower is to be told of it."""
    version: str = ""

    async def write(self, name: str, n: int) -> None:
        """A new object with n=0, or the next n."""
        maps = f"/api/v1/namespaces/{self.namespace}/configmaps"
        if n == 0:
            await self._ask("POST", maps, {"metadata": {"name": name}, "data": {"n": "0"}})
        else:
            await self._ask("PATCH", f"{maps}/{name}", {"data": {"n": str(n)}})
        self.written.append(f"{'updated' if n else 'added'} {name} {n}")

    async def delete(self, name: str, n: int) -> None:
        await self._ask("DELETE", f"/api/v1/namespaces/{self.namespace}/configmaps/{name}", None)
        self.written.append(f"deleted {name} {n}")

    async def watched_from(self, version: str) -> int:
        """The code of a watch's first answer from there: 200, or that of its error."""
        path = f"/api/v1/namespaces/{self.namespace}/configmaps?watch=1&resourceVersion={version}&timeoutSeconds=5"
        async with self.session.get(path) as answer:
            event = json.loads(await answer.content.readline())
            return int(event["object"]["code"]) if event["type"] == "ERROR" else answer.status

    async def until_it_answers(self) -> None:
        async with asyncio.timeout(ANSWERS_AGAIN_WITHIN):
            while True:
                try:
                    async with self.session.get("/readyz") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)

    async def _ask(self, method: str, path: str, body: object) -> None:
        headers = {"Content-Type": _MERGE if method == "PATCH" else "application/json"}
        async with self.session.request(method, path, data=json.dumps(body), headers=headers) as answer:
            said = await answer.json()
            assert answer.status in (200, 201), said
        self.version = said["metadata"].get("resourceVersion") or self.version


@pytest.fixture(scope="module")
def klamm() -> Iterator[LocalCluster]:
    with local_cluster() as cluster:
        cluster.klamm("up")
        yield cluster


_numbers = itertools.count()


@asynccontextmanager
async def served(kubeconfig: Path, restart: Callable[[], None]) -> AsyncIterator[Server]:
    connection = from_kubeconfig(kubeconfig)
    connector = aiohttp.TCPConnector(ssl=connection.tls_context() or True)
    async with aiohttp.ClientSession(connection.server, connector=connector) as session:
        server = Server(kubeconfig, restart, session, f"followed-{next(_numbers)}")
        await server._ask("POST", "/api/v1/namespaces", {"metadata": {"name": server.namespace}})
        yield server


@pytest.fixture(params=["localkube", "kubernetes"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    if request.param == "localkube":
        cluster: LocalCluster = request.getfixturevalue("klamm")
        kill = lambda: cluster.process_of("", "klamm.programs.control_plane").kill()  # noqa: E731
        kubeconfig = cluster.home / "kubeconfig"
    else:
        running: ControlPlane = request.getfixturevalue("kubernetes_running")
        kill, kubeconfig = running.restart, running.folder / "kubeconfig"
    async with served(kubeconfig, kill) as made:
        yield made


@pytest.fixture
async def way(server: Server) -> AsyncIterator[Way]:
    async with way_to(from_kubeconfig(server.kubeconfig).server) as made:
        yield made


FOLLOWERS = pytest.mark.parametrize("follower", [client_go, python], ids=["client-go", "python"])


@FOLLOWERS
async def test_cut_connections_lose_nothing_and_repeat_nothing(
    follower: Follower, server: Server, way: Way, tmp_path: Path
) -> None:
    """Everything once and in its order, as a watch goes on from the last version that came through."""
    await server.write("begin", 0)
    counts = {name: itertools.count() for name in ("a", "b", "c", "d")}
    async with follower(way.kubeconfig(server.kubeconfig, tmp_path / "kubeconfig"), server.namespace) as heard:
        await heard.until("it has begun", lambda lines: "added begin 0" in lines)
        for cut in range(CUTS):
            for number, name in zip(range(WRITES_BETWEEN), itertools.cycle(counts)):
                await server.write(name, next(counts[name]))
                if number == WRITES_BETWEEN // 2:
                    await heard.until(f"half of round {cut}", lambda lines: server.written[-1] in lines)
                    way.cut()
            await server.write(f"short-{cut}", 0)
            await server.delete(f"short-{cut}", 0)
            await heard.until(f"all of round {cut}", lambda lines: server.written[-1] in lines)
        assert [line for line in heard.lines if "kube-root-ca.crt" not in line] == server.written


@FOLLOWERS
async def test_after_a_kill_and_a_forgotten_version_all_is_listed_again(
    follower: Follower, server: Server, way: Way, tmp_path: Path
) -> None:
    for name in ("changed", "deleted", "same"):
        await server.write(name, 0)
    async with follower(way.kubeconfig(server.kubeconfig, tmp_path / "kubeconfig"), server.namespace) as heard:
        await heard.until("three objects", lambda lines: "added same 0" in lines)
        await server.write("changed", 1)
        await heard.until("a change", lambda lines: "updated changed 1" in lines)
        last, known = server.version, len(heard.lines)
        way.close()
        await server.write("changed", 2)
        await server.write("changed", 3)
        await server.delete("deleted", 0)
        await server.write("new", 0)
        await asyncio.to_thread(server.restart)
        await server.until_it_answers()
        assert await server.watched_from(last) == 410
        way.is_closed = False
        await heard.until("what is new", lambda lines: "added new 0" in lines)
        await server.write("new", 1)
        await heard.until("what comes after", lambda lines: "updated new 1" in lines)
    told = [line for line in heard.lines[known:] if "kube-root-ca.crt" not in line]
    # Python's informer tells of everything that it lists again.
    listed = {"updated same 0"} if follower is python else set()
    assert set(told) == {"updated changed 3", "deleted deleted 0", "added new 0", "updated new 1"} | listed
    assert len(told) == len(set(told)), "something was told twice"
