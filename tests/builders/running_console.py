"""A console that runs in this process, in front of brokers of a test, and a browser without a screen: a session.

async with running_console(servers.bootstrap) as console:
    said = await console.get("/api/clusters/kafka/topics")
    assert said.status == 200
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import aiohttp

from klamm.base.clock import SystemClock
from klamm.console.service import serve
from klamm.console.settings import ClusterSettings, Settings
from klamm.kafka.admin import Connection
from klamm.observing import collector

CLUSTER = "kafka"
_WITHIN = 60.0
_PATIENCE = 60.0
"""Seconds: a first look at brokers takes a moment, and longer on a machine that does much else."""


@dataclass(frozen=True)
class SaidBack:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class RunningConsole:
    url: str
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> SaidBack:
        async with self.session.request(
            method, self.url + path, json=body, headers=headers, allow_redirects=False
        ) as answer:
            return SaidBack(answer.status, answer.headers, await answer.text())

    async def log_in(self, user: str, password: str) -> SaidBack:
        """From here on as this user."""
        return await self.ask("POST", "/api/login", {"username": user, "password": password})

    async def get(self, path: str, **headers: str) -> SaidBack:
        return await self.ask("GET", path, **headers)


def cluster_settings(bootstrap: Sequence[str], **changes: Any) -> ClusterSettings:
    """A cluster that is looked at each half second."""
    connection = Connection(tuple(bootstrap), client_id="console-in-a-test")
    looking = collector.Settings(interval=0.5)
    default = ClusterSettings(CLUSTER, lambda: connection, collecting=looking, patience=_PATIENCE)
    return replace(default, **changes)


@asynccontextmanager
async def running_console(
    bootstrap: Sequence[str] = (), settings: Settings | None = None
) -> AsyncIterator[RunningConsole]:
    """`settings`: instead of one cluster behind `bootstrap` and no log-in; its port is not used."""
    wanted = settings or Settings((cluster_settings(bootstrap),))
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        serve(replace(wanted, host="127.0.0.1", port=0), SystemClock(), Random(1), stop, port.set_result)
    )
    try:
        await asyncio.wait([serving, port], timeout=_WITHIN, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
        # Cookies of an address count, too, and redirects are looked at.
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            yield RunningConsole(f"http://127.0.0.1:{port.result()}{wanted.base}", session)
    finally:
        stop.set()
        await serving
