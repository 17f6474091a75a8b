"""A connection that does not come about leaves nothing behind."""

import asyncio
import ssl
import sys
import threading
import traceback
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from kafka.protocol.metadata import MetadataRequest
from tests.builders.fake_kafka_server import FakeServers, fake_servers

from klamm.base.deadlines import until, within
from klamm.certificates.issue import Subject, issue_authority
from klamm.certificates.keys import key_to_pem, new_key
from klamm.kafka.admin import Admin, Connection, Sasl, _open
from klamm.kafka.errors import Denied, KafkaFailure, NotNow, Refused, Unreachable
from klamm.kafka.link import Link


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
        await until(60, "the thread to end", lambda: running("sent-away"), every=0.01)


async def test_who_no_longer_waits_leaves_no_thread() -> None:
    servers = Waiting([1])
    with fake_servers(servers):
        connecting = asyncio.create_task(Admin.connect(Connection(servers.bootstrap, client_id="gone-away")))
        assert await asyncio.to_thread(servers.begun.wait, 60)
        connecting.cancel()
        await asyncio.wait([connecting])
        servers.may_answer.set()
        await until(60, "the broker to answer", lambda: None if servers.asked else "not yet", every=0.01)
        await until(60, "the thread to end", lambda: running("gone-away"), every=0.01)


async def test_a_connection_that_comes_in_the_moment_in_which_its_caller_goes_is_closed() -> None:
    servers = Waiting([1])
    with fake_servers(servers):
        connecting = asyncio.create_task(Admin.connect(Connection(servers.bootstrap, client_id="just-then")))
        assert await asyncio.to_thread(servers.begun.wait, 60)
        servers.may_answer.set()
        while opens():  # this loop stands still, so nobody hears yet that it is open
            threading.Event().wait(0.001)
        connecting.cancel()
        await asyncio.wait([connecting])
        assert connecting.cancelled()
        await until(60, "the thread to end", lambda: running("just-then"), every=0.01)


def opens() -> bool:
    """Whether a thread is about to open a connection."""
    stacks = (traceback.walk_stack(frame) for frame in sys._current_frames().values())
    return any(frame.f_code is _open.__code__ for stack in stacks for frame, _ in stack)


async def test_why_no_broker_was_found_is_told(tmp_path: Path) -> None:
    """A broker of an authority that is not trusted, say; the library tells it to its log alone."""
    key, now = new_key(), datetime.now(UTC)  # noqa: TID251 (TLS looks at the real clock)
    certificate = issue_authority(Subject("a stranger"), key, now=now, days=1)
    (tmp_path / "broker.pem").write_bytes(key_to_pem(key) + certificate)
    of_broker = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    of_broker.load_cert_chain(tmp_path / "broker.pem")
    async with await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0, ssl=of_broker) as server:
        port = server.sockets[0].getsockname()[1]
        connection = Connection((f"127.0.0.1:{port}",), tls=ssl.create_default_context(), connect_timeout=2.0)
        with pytest.raises(Unreachable, match="certificate verify failed"):
            await Admin.connect(connection)


async def test_a_broker_that_hangs_before_tls_is_spoken_is_given_up_in_time() -> None:
    gone = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the other side ends
        gone.set()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        tls = ssl.create_default_context()
        connection = Connection((address,), tls=tls, connect_timeout=0.5, client_id="tls-hangs")
        with pytest.raises(Unreachable, match=r"no answer within 0\.5 s"):
            await within(60, "the failure", Admin.connect(connection))
        await until(60, "the thread to end", lambda: running("tls-hangs"), every=0.01)
        await within(60, "the connection to end", gone.wait())


async def test_a_broker_that_takes_requests_and_answers_none_is_not_reached() -> None:
    with fake_servers(FakeServers([1], hung={1})) as servers, pytest.raises(Unreachable, match="timed out"):
        await Admin.connect(Connection(servers.bootstrap, connect_timeout=0.5))


async def test_who_waits_at_a_connection_that_is_closed_is_told_and_not_cancelled() -> None:
    """Users are worked on side by side over one connection, and whoever gives it up does so for all of them."""
    with fake_servers(FakeServers([1])) as servers:
        soon = Connection(servers.bootstrap, connect_timeout=2.0, request_timeout=0.5, client_id="given-up")
        admin = await Admin.connect(soon)
        servers.hung.add(1)
        asked = [asyncio.create_task(admin.describe_cluster()) for _ in range(20)]
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        await admin.close()
        await within(60, "all answers", asyncio.wait(asked))
        assert {type(one.exception()) for one in asked if not one.cancelled()} == {Unreachable}
        assert [one for one in asked if one.cancelled()] == []
        with pytest.raises(Unreachable, match="the connection was closed"):
            await admin.describe_cluster()
        await until(60, "the threads to end", lambda: running("given-up"), every=0.01)


async def test_a_broker_that_is_new_is_known_soon_after_it_was_asked() -> None:
    with fake_servers(FakeServers([1, 2], absent={2})) as servers:
        async with await Admin.connect(Connection(servers.bootstrap[:1])) as admin:
            servers.absent.clear()

            async def reason_unknown() -> str | None:
                try:
                    await admin.ask_within(60, "ask the new one", MetadataRequest(topics=[]), 2)
                except NotNow as failure:
                    return str(failure)
                return None

            assert await reason_unknown()
            await until(60, "the new broker to be known", reason_unknown, every=0.01)


async def test_a_connection_whose_requests_are_not_answered_any_more_is_given_up() -> None:
    """By whoever sees `Unreachable` and tells the link, which opens a new one: elsewhere, if somebody else answers."""
    with fake_servers(FakeServers([1])) as servers:
        link = Link(Connection(servers.bootstrap, connect_timeout=2.0, request_timeout=2.0), Random(1))
        first = await link.admin()
        servers.hung.add(1)
        with pytest.raises(Unreachable, match="timed out") as failed:
            await first.describe_cluster()
        servers.hung.clear()
        await link.lost(failed.value)
        second = await link.admin()
        assert second is not first
        assert (await second.describe_cluster()).brokers
        await link.close()


@pytest.mark.parametrize(
    ("sasl", "kind", "why"),
    [
        (Sasl("PLAIN", "one", "wrong"), Denied, "Invalid username or password"),
        (Sasl("SCRAM-SHA-512", "one", "secret"), Refused, "mechanism"),
    ],
    ids=lambda value: value.mechanism if isinstance(value, Sasl) else "",
)
async def test_who_may_not_come_in_is_told_so(sasl: Sasl, kind: type[KafkaFailure], why: str) -> None:
    with fake_servers(FakeServers([1])) as servers, pytest.raises(kind, match=why):
        await Admin.connect(Connection(servers.bootstrap, sasl=sasl, connect_timeout=3.0))


async def test_who_knows_the_password_comes_in() -> None:
    with fake_servers(FakeServers([1])) as servers:
        sasl = Sasl("PLAIN", "one", "secret")
        async with await Admin.connect(Connection(servers.bootstrap, sasl=sasl)) as admin:
            assert (await admin.describe_cluster()).id == "fake"


async def test_who_no_longer_waits_is_not_kept_by_a_broker_that_does_not_answer() -> None:
    servers = Waiting([1])
    with fake_servers(servers):
        connection = Connection(servers.bootstrap, client_id="in-a-hurry", connect_timeout=60)
        connecting = asyncio.create_task(Admin.connect(connection))
        assert await asyncio.to_thread(servers.begun.wait, 60)
        connecting.cancel()
        await asyncio.wait([connecting])
        # A process waits at its end for the first, and they for the second.
        for threads in ("kafka-admin", "in-a-hurry"):
            await until(60, "the thread to end", lambda name=threads: running(name), every=0.01)  # type: ignore[misc]
        servers.may_answer.set()


@pytest.mark.parametrize("turns", [0, 1, 2, 5])
async def test_who_goes_before_it_has_begun_to_connect_is_not_kept_either(turns: int) -> None:
    servers = Waiting([1])
    with fake_servers(servers):
        connection = Connection(servers.bootstrap, client_id="gone-again", connect_timeout=60)
        connecting = asyncio.create_task(Admin.connect(connection))
        for _ in range(turns):
            await asyncio.sleep(0)
        connecting.cancel()
        await asyncio.wait([connecting])
        for threads in ("kafka-admin", "gone-again"):
            await until(60, "the thread to end", lambda name=threads: running(name), every=0.01)  # type: ignore[misc]
        servers.may_answer.set()
