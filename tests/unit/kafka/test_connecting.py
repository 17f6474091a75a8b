"""A connection that does not come about leaves nothing behind."""

import asyncio
import threading
from dataclasses import dataclass, field

import pytest
from tests.builders.fake_kafka_server import FakeServers, fake_servers

from klamm.base.deadlines import until
from klamm.kafka.admin import Admin, Connection
from klamm.kafka.errors import Unreachable


@dataclass
class Waiting(FakeServers):
    """It answers when it may."""

    begun: threading.Event = field(default_factory=threading.Event)
    may_answer: threading.Event = field(default_factory=threading.Event)

    def answer(self, broker: int, key: int, version: int, body: bytes) -> bytes:
        self.begun.set()
        self.may_answer.wait(10)
        return super().answer(broker, key, version, body)


def running(client: str) -> str | None:
    """The library's threads of this client."""
    names = [thread.name for thread in threading.enumerate() if client in thread.name]
    return f"there are {names}" if names else None


async def test_who_is_sent_away_leaves_no_thread() -> None:
    async def send_away(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(send_away, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable):
            await Admin.connect(Connection((f"127.0.0.1:{port}",), connect_timeout=0.2, client_id="sent-away"))
        await until(10, "the thread to end", lambda: running("sent-away"), every=0.01)


async def test_who_no_longer_waits_leaves_no_thread() -> None:
    servers = Waiting([1])
    with fake_servers(servers):
        connecting = asyncio.create_task(Admin.connect(Connection(servers.bootstrap, client_id="gone-away")))
        assert await asyncio.to_thread(servers.begun.wait, 10)
        connecting.cancel()
        await asyncio.wait([connecting])
        servers.may_answer.set()
        await until(10, "the broker to answer", lambda: None if servers.asked else "not yet", every=0.01)
        await until(10, "the thread to end", lambda: running("gone-away"), every=0.01)
