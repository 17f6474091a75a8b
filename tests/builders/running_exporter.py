"""The exporter in this process, and a client of its pages."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random

import aiohttp

from klamm.base.clock import SystemClock
from klamm.base.deadlines import until
from klamm.exporter.probe import ProbeSettings
from klamm.exporter.service import Settings, serve
from klamm.kafka.admin import Connection
from klamm.observing import collector

WHOLE_WITHIN = 240.0
"""Seconds: the first page shows all that brokers answer, however much there is."""


@asynccontextmanager
async def exporter(
    bootstrap: Sequence[str],
    interval: float = 0.3,
    limit: Callable[[], float] = lambda: 30.0,
    probe: ProbeSettings | None = None,
) -> AsyncIterator[aiohttp.ClientSession]:
    settings = Settings(
        connection=lambda: Connection(tuple(bootstrap), connect_timeout=2.0),
        files=tuple,
        host="127.0.0.1",
        port=0,
        probe=probe,
        collecting=collector.Settings(
            interval=interval, topology_every=interval, at_first=WHOLE_WITHIN, limit=lambda part, longest: limit()
        ),
    )
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(settings, SystemClock(), Random(1), stop, port.set_result))
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{await port}", auto_decompress=False) as client:
            yield client
    finally:
        stop.set()
        await serving


async def page(client: aiohttp.ClientSession, path: str) -> tuple[int, str]:
    async with client.get(path, headers={"Accept-Encoding": "identity"}) as answer:
        return answer.status, (await answer.read()).decode()


async def read(client: aiohttp.ClientSession, within: float = 60.0) -> dict[str, float]:
    """Every series by name and labels, once there is something to be read."""

    async def reason_not() -> str | None:
        status, said = await page(client, "/ready")
        return None if status == 200 else said

    await until(within, "the exporter to be ready", reason_not, every=0.02)
    status, text = await page(client, "/metrics")
    assert status == 200
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}
