"""The transport of short-lived commands, over real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
from tests.builders.scripted_api import ScriptedApi, answer, event, pod, serving, status

from klamm.kube import errors
from klamm.kube.client import Client, over
from klamm.kube.connection import Connection, FixedToken
from klamm.kube.lean_transport import LeanTransport
from klamm.kube.requests import Request
from klamm.kube.sending import Patience

ASK = Request("GET", "/api", "ask", idempotent=True)
ONCE = Patience(attempts=1)


@asynccontextmanager
async def client_of(server: str) -> AsyncIterator[Client]:
    transport = LeanTransport(Connection(server, token=FixedToken("t")))
    async with over(transport, "test", Random(1), ONCE) as client:
        yield client


@asynccontextmanager
async def raw_server(*said: bytes) -> AsyncIterator[str]:
    """Says the same bytes to everyone, and closes."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in said:
            writer.write(piece)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_connection_is_used_again() -> None:
    api = ScriptedApi()
    api.answers(answer({"a": 1}), answer({"a": 2}), answer({"a": 3}, 201, Warning='299 - "w"'))
    async with serving(api) as server, client_of(server) as client:
        assert await client.raw(ASK) == b'{"a": 1}'
        assert await client.raw(ASK) == b'{"a": 2}'
        last = await client.answer(Request("POST", "/api", "make", body=b"{}"))
        assert (last.status, last.headers["Warning"]) == (201, '299 - "w"')
    assert api.told == ["GET /api", "GET /api", "POST /api"]


async def test_a_refusal_is_the_api_s_error() -> None:
    api = ScriptedApi()
    api.answers(status(404, "NotFound", "no such pod"))
    async with serving(api) as server, client_of(server) as client:
        with pytest.raises(errors.NotFound, match="ask: 404 NotFound: no such pod"):
            await client.raw(ASK)


async def test_a_stream_comes_in_pieces() -> None:
    api = ScriptedApi()
    api.watches([event("ADDED", pod("a", 1)), event("ADDED", pod("b", 2))])
    watch = Request("GET", "/api?watch=true", "watch")
    async with serving(api) as server, client_of(server) as client, client.stream(watch) as stream:
        whole = b"".join([piece async for piece in stream.pieces])
    assert whole.count(b"\n") == 2


async def test_nobody_there_is_connection_refused() -> None:
    async with serving(ScriptedApi()) as server:
        pass
    async with client_of(server) as client:
        with pytest.raises(errors.Unreachable, match="connection refused") as raised:
            await client.raw(ASK)
    assert not raised.value.sent


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ([b""], "the connection was cut"),
        ([b"SSH-2.0-x\r\n\r\n"], "the answer is not HTTP"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"], "the connection was cut"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"], "the connection was cut"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"], "invalid literal"),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"], "headers are longer"),
    ],
)
async def test_an_answer_that_is_none(said: list[bytes], why: str) -> None:
    async with raw_server(*said) as server, client_of(server) as client:
        with pytest.raises(errors.Unreachable, match=why):
            await client.raw(ASK)


async def test_a_body_may_end_with_the_connection() -> None:
    async with raw_server(b"HTTP/1.1 200 OK\r\n\r\n", b"ab", b"c") as server, client_of(server) as client:
        assert await client.raw(ASK) == b"abc"


async def test_chunks_come_in_any_pieces() -> None:
    said = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r", b"\nab", b"c\r\n2;x=y\r\nde\r\n0\r\n\r\n"]
    async with raw_server(*said) as server, client_of(server) as client:
        assert await client.raw(ASK) == b"abcde"


async def test_silence_ends_with_the_request_s_patience() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    with listening:
        async with client_of(f"http://127.0.0.1:{listening.getsockname()[1]}") as client:
            with pytest.raises(errors.Unreachable, match=r"no answer within 0.05 s"):
                await client.raw(Request("GET", "/api", "ask", timeout=0.05))
