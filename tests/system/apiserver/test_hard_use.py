"""The API of one machine is killed while it writes, and asked what makes no sense: nothing acknowledged is lost.

`MALFORMED_SECONDS=600` asks nonsense for ten minutes; a run of all tests does it for some seconds.
"""

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from random import Random

import aiohttp
import pytest
from tests.builders.local_cluster import LocalCluster, local_cluster
from tests.builders.malformed import Nonsense, Request

from klamm.base.together import outcomes_of
from klamm.kube.connection import from_kubeconfig

WRITERS, KILLS, WRITES_BETWEEN = 8, 3, 200
AGAIN_WITHIN = 180.0
ANSWERED_WITHIN = 60.0
NOT_SERVED = 501
MEANT = b"more than one PodDisruptionBudget"
"""In the one 500 that Kubernetes answers on purpose (to an eviction)."""
MALFORMED_SECONDS = float(os.environ.get("MALFORMED_SECONDS", "10"))  # noqa: TID251 (a test's own)
SEED = int(os.environ.get("MALFORMED_SEED", "1"))  # noqa: TID251 (a test's own)
GROWTH_MIB = 20
"""Ten minutes took 8, nearly all by the one request that deletes all definitions, the last four minutes nothing. Before
the C library was told to give back what is free (programs/klamm.py) it was 21, and went on."""
_MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with local_cluster() as cluster:
        cluster.klamm("up")
        yield cluster


@asynccontextmanager
async def session_to(cluster: LocalCluster) -> AsyncIterator[aiohttp.ClientSession]:
    connection = from_kubeconfig(cluster.home / "kubeconfig")
    connector = aiohttp.TCPConnector(ssl=connection.tls_context() or True)
    async with aiohttp.ClientSession(connection.server, connector=connector) as session:
        yield session


class Writers:
    """Each counts up in a ConfigMap of its own; `acknowledged` is the last number that the API said was written."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.acknowledged = [0] * WRITERS
        self.versions = [0] * WRITERS
        self._wanted = asyncio.Event()
        self._until = 0

    async def write(self, number: int) -> None:
        await self._ask("POST", _MAPS, {"metadata": {"name": f"w{number}"}, "data": {"n": "0"}})
        while True:
            following = self.acknowledged[number] + 1
            written = await self._ask("PATCH", f"{_MAPS}/w{number}", {"data": {"n": str(following)}})
            version = int(written["metadata"]["resourceVersion"])
            assert version >= self.versions[number], "a version went back"
            self.acknowledged[number], self.versions[number] = following, version
            if sum(self.acknowledged) >= self._until:
                self._wanted.set()

    async def until_more(self, count: int) -> None:
        self._until = sum(self.acknowledged) + count
        self._wanted.clear()
        async with asyncio.timeout(AGAIN_WITHIN):
            await self._wanted.wait()

    async def _ask(self, method: str, path: str, body: object) -> dict[str, dict[str, str]]:
        """Once more while the control plane is away; a POST that was written unheard is no error."""
        form = "application/merge-patch+json" if method == "PATCH" else "application/json"
        while True:
            try:
                headers = {"Content-Type": form}
                async with self._session.request(method, path, data=json.dumps(body), headers=headers) as answer:
                    assert answer.status in (200, 201, 409), await answer.text()
                    return dict(await answer.json())
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)


async def test_what_is_acknowledged_outlives_kills_in_the_middle_of_writing(cluster: LocalCluster) -> None:
    async with session_to(cluster) as session:
        writers = Writers(session)
        writing = [asyncio.create_task(writers.write(number)) for number in range(WRITERS)]
        for _ in range(KILLS):
            await writers.until_more(WRITES_BETWEEN)
            cluster.process_of("", "klamm.programs.control_plane").kill()
        await writers.until_more(WRITES_BETWEEN)
        for task in writing:
            task.cancel()
        ends = await outcomes_of(*writing)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends
        for number, acknowledged in enumerate(writers.acknowledged):
            async with session.get(f"{_MAPS}/w{number}") as answer:
                found = int((await answer.json())["data"]["n"])
            assert found in (acknowledged, acknowledged + 1), "what was acknowledged is not there"


async def test_nonsense_is_refused_and_costs_nothing(cluster: LocalCluster) -> None:
    nonsense, statuses = Nonsense(Random(SEED)), Counter[int]()
    pid = cluster.process_of("", "klamm.programs.control_plane").pid
    loop = asyncio.get_running_loop()
    async with session_to(cluster) as session:
        for _ in range(300):  # what is imported and cached at first use is no growth
            statuses[await _status(session, nonsense.request())] += 1
        before, end = _memory_mib(pid), loop.time() + MALFORMED_SECONDS
        while loop.time() < end:
            request = nonsense.request()
            status = await _status(session, request)
            assert status < 500 or status == NOT_SERVED, f"{status} to {request.shown()}"
            statuses[status] += 1
        async with session.get("/readyz") as answer:
            assert answer.status == 200
    assert cluster.process_of("", "klamm.programs.control_plane").pid == pid, "it was started anew"
    growth = _memory_mib(pid) - before
    print(f"{statuses.total()} requests: {dict(statuses)}; {growth:.1f} MiB more than before")
    assert growth < GROWTH_MIB


async def _status(session: aiohttp.ClientSession, request: Request) -> int:
    try:
        async with (
            asyncio.timeout(ANSWERED_WITHIN),
            session.request(request.method, request.path, data=request.body, headers=request.headers) as answer,
        ):
            if answer.status < 300 and "watch" in request.path.query_string:
                return answer.status  # it has begun, and goes on until we leave
            return NOT_SERVED if MEANT in await answer.read() else answer.status
    except (aiohttp.ClientError, TimeoutError) as error:
        raise AssertionError(f"{error!r} instead of an answer to {request.shown()}") from error


def _memory_mib(pid: int) -> float:
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024
