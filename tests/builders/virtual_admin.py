"""An admin connection to brokers of `fake_kafka_server` without sockets: for tests in virtual time.

Each broker takes as long for an answer as a test says, answers one request after the other, and may hang. What it
answers is what it knew half-way.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from random import Random
from typing import Any

from tests.builders.fake_kafka_server import FakeServers, response_of

from klamm.kafka.admin import Admin, Connection
from klamm.kafka.errors import TooOld, Unreachable
from klamm.kafka.link import Link
from klamm.kafka.packed import Answer, Packed

LOOKS_EVERY = 0.25


class VirtualAdmin(Admin):
    """`takes`: seconds for an answer of a broker to a request's key."""

    def __init__(self, servers: FakeServers, takes: Callable[[int, int], float]) -> None:
        self._servers = servers
        self._takes = takes
        self._lines: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        servers.ports.update({broker: 9092 + broker for broker in servers.brokers})

    async def close(self) -> None:
        return None

    def look_for_brokers(self) -> None:
        return None

    async def ask_within(self, seconds: float, doing: str, request: Any, node: int | None = None) -> Any:
        """Of no broker in particular: of one that hangs, if there is one, for that may happen."""
        broker = node if node is not None else next(iter(self._servers.hung or self._servers.brokers))
        try:
            async with asyncio.timeout(seconds), self._lines[broker]:
                return await self._answered(broker, request)
        except TimeoutError as error:
            raise Unreachable(doing, f"broker {broker} does not answer within {seconds:g} s") from error

    async def _answered(self, broker: int, request: Any) -> Any:
        half = self._takes(broker, request.API_KEY) / 2
        await asyncio.sleep(half)
        while broker in self._servers.hung:
            await asyncio.sleep(LOOKS_EVERY)
        newest = request.max_version if request._max_version is None else request._max_version
        version = min(newest, self._servers.newest.get(request.API_KEY, newest))
        if version < (request._min_version or 0):
            raise TooOld("ask", f"version {version} is the newest")
        answer = self._servers.answer(broker, request.API_KEY, version, bytes(request.encode(version=version)))
        await asyncio.sleep(half)
        if isinstance(request, Packed):
            return Answer(answer, version)
        return response_of(request.API_KEY).decode(answer, version=version)


def virtual_link(servers: FakeServers, takes: Callable[[int, int], float]) -> Link:
    async def open_admin(_: Connection) -> Admin:
        return VirtualAdmin(servers, takes)

    async def listens(_: str) -> None:
        return None

    return Link(Connection(("broker:9092",)), Random(1), open_admin=open_admin, reason_silent=listens)
