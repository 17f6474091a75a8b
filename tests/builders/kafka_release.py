"""A release of a few tiny jars, and a repository on the loopback that can misbehave."""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from klamm.distribution.artifacts import Artifact, Coordinate, Release
from klamm.distribution.store import ARTIFACT_TIME, Store

CONTENT = {
    "org.apache.kafka:kafka_2.13:3.6.0": b"broker" * 1000,
    "org.apache.kafka:kafka-clients:3.6.0": b"clients" * 500,
    "org.apache.zookeeper:zookeeper:3.8.2": b"zookeeper" * 300,
    "io.prometheus.jmx:jmx_prometheus_javaagent:0.20.0": b"agent" * 10,
}


def fake_release() -> Release:
    artifacts = [
        Artifact(Coordinate.parse(name), len(data), hashlib.sha256(data).hexdigest()) for name, data in CONTENT.items()
    ]
    return Release("3.6.0", "3.8.2", tuple(sorted(artifacts)))


def fill(store: Store) -> None:
    """Put the release's jars into the store, as a download does."""
    import os

    for name, data in CONTENT.items():
        path = store.artifacts / Coordinate.parse(name).path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (ARTIFACT_TIME, ARTIFACT_TIME))


CUT_OFF = web.Response()
"""A wrong answer: the connection ends inside the body."""


class Repository:
    """Serves CONTENT. `misbehave` maps (path, how often it was asked for before) to a wrong answer, or None."""

    def __init__(self, misbehave: Callable[[str, int], web.StreamResponse | None]) -> None:
        self.asked: dict[str, int] = {}
        self.url = ""
        self._misbehave = misbehave
        self._data = {Coordinate.parse(name).path: data for name, data in CONTENT.items()}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        before = self.asked.get(path, 0)
        self.asked[path] = before + 1
        wrong = self._misbehave(path, before)
        if wrong is CUT_OFF:
            return await self._cut_off(request, self._data[path])
        return wrong or web.Response(body=self._data[path])

    async def _cut_off(self, request: web.Request, data: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(data))})
        await response.prepare(request)
        await response.write(data[:10])
        if request.transport is not None:
            request.transport.close()
        return response

    def data(self, path: str) -> bytes:
        return self._data[path]


@asynccontextmanager
async def repository(
    misbehave: Callable[[str, int], web.StreamResponse | None] = lambda path, before: None,
) -> AsyncIterator[Repository]:
    served = Repository(misbehave)
    application = web.Application()
    application.router.add_get("/maven/{path:.*}", served.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    served.url = f"http://127.0.0.1:{port}/maven/"
    try:
        yield served
    finally:
        await runner.cleanup()


def store_in(folder: Path) -> Store:
    return Store(folder / "store")
