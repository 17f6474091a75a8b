"""The transport of commands that come and go: HTTP/1.1 on asyncio's streams and nothing else.

Importing aiohttp costs a sixth of a second of CPU, more than all that `klamm status` does. What is spoken here is
what an API server on the same machine answers: a status line, headers, a body of known length or in chunks, on
connections that are kept and used again. No redirects, no compression, no proxies.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from klamm.kube.connection import Connection
from klamm.kube.errors import Unreachable
from klamm.kube.exchange import CONNECT, Response, Stream
from klamm.kube.requests import Request

_BODYLESS = (204, 304)
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Head:
    status: int
    headers: Mapping[str, str]

    @property
    def chunked(self) -> bool:
        return self.headers.get("Transfer-Encoding", "").lower() == "chunked"

    @property
    def stays(self) -> bool:
        return self.headers.get("Connection", "").lower() != "close"


@dataclass(frozen=True, slots=True)
class _Line:
    """One connection. Whoever has it out of the pool is its only user."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class LeanTransport:
    """Made inside a running loop."""

    def __init__(self, connection: Connection) -> None:
        parts = urlsplit(connection.server)
        self._connection = connection
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._prefix = parts.path.rstrip("/")
        self._tls: ssl.SSLContext | None = connection.tls_context()
        self._idle: list[_Line] = []

    async def send(self, request: Request) -> Response:
        line = await self._line(request)
        try:
            async with asyncio.timeout(request.timeout):
                head = await self._ask(line, request)
                body = b"".join([piece async for piece in _body(line.reader, head)])
        except TimeoutError as error:
            line.writer.close()
            raise Unreachable(request.doing, f"no answer within {request.timeout:g} s", sent=True) from error
        except (OSError, EOFError, ValueError) as error:
            line.writer.close()
            raise Unreachable(request.doing, _said(error), sent=True) from error
        except BaseException:
            line.writer.close()
            raise
        if head.stays:
            self._idle.append(line)
        else:
            line.writer.close()
        return Response(head.status, body, head.headers)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Stream]:
        line = await self._line(request)
        try:
            try:
                async with asyncio.timeout(request.timeout):
                    head = await self._ask(line, request)
            except (OSError, EOFError, ValueError, TimeoutError) as error:
                raise Unreachable(request.doing, _said(error), sent=True) from error
            yield Stream(head.status, head.headers, _pieces(request, line.reader, head))
        finally:
            # Closing, not keeping: what is left of a watch would never be read to its end.
            line.writer.close()

    async def close(self) -> None:
        for line in self._idle:
            line.writer.close()
        self._idle.clear()
        # The TLS goodbye goes out in the loop's next round.
        await asyncio.sleep(0)

    async def _line(self, request: Request) -> _Line:
        while self._idle:
            line = self._idle.pop()
            if not line.reader.at_eof() and not line.writer.is_closing():
                return line
            line.writer.close()
        try:
            async with asyncio.timeout(CONNECT):
                name = (self._connection.server_name or self._host) if self._tls else None
                reader, writer = await asyncio.open_connection(
                    self._host, self._port, ssl=self._tls, server_hostname=name, limit=_PIECE
                )
        except TimeoutError as error:
            raise Unreachable(request.doing, f"no connection within {CONNECT:g} s", sent=False) from error
        except OSError as error:
            raise Unreachable(request.doing, _said(error), sent=False) from error
        return _Line(reader, writer)

    async def _ask(self, line: _Line, request: Request) -> _Head:
        line.writer.write(self._written(request))
        await line.writer.drain()
        return await _read_head(line.reader)

    def _written(self, request: Request) -> bytes:
        lines = [
            f"{request.method} {self._prefix}{request.target} HTTP/1.1",
            f"Host: {self._host}:{self._port}",
            f"Accept: {request.accept}",
            "User-Agent: klamm",
        ]
        if self._connection.token is not None:
            lines.append(f"Authorization: Bearer {self._connection.token.current()}")
        body = request.body or b""
        if request.body is not None:
            lines.append(f"Content-Type: {request.content_type}")
        if request.method != "GET":
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


async def _read_head(reader: asyncio.StreamReader) -> _Head:
    """ValueError when the other side does not speak HTTP."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise ValueError("the answer's headers are longer than 64 KiB") from error
    first, *rest = raw.decode("latin-1").split("\r\n")
    version, _, status = first.partition(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(f"the answer is not HTTP: {first[:40]!r}")
    headers: dict[str, str] = {}
    for line in filter(None, rest):
        name, _, value = line.partition(":")
        key = name.strip().title()
        headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    return _Head(int(status[:3]), headers)


async def _body(reader: asyncio.StreamReader, head: _Head) -> AsyncIterator[bytes]:
    if head.chunked:
        async for piece in _chunks(reader):
            yield piece
    elif "Content-Length" in head.headers:
        left = int(head.headers["Content-Length"])
        while left:
            piece = await reader.read(min(left, _PIECE))
            if not piece:
                raise EOFError
            left -= len(piece)
            yield piece
    elif head.status not in _BODYLESS:
        while piece := await reader.read(_PIECE):
            yield piece


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        left = size
        while left:
            piece = await reader.read(min(left, _PIECE))
            if not piece:
                raise EOFError
            left -= len(piece)
            yield piece
        await reader.readexactly(2)
    # Trailers, of which there are none, end with an empty line as well.
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass


async def _pieces(request: Request, reader: asyncio.StreamReader, head: _Head) -> AsyncIterator[bytes]:
    pieces = _body(reader, head)
    while True:
        try:
            async with asyncio.timeout(request.timeout):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise Unreachable(request.doing, f"silent for {request.timeout:g} s", sent=True) from error
        except (OSError, EOFError, ValueError) as error:
            raise Unreachable(request.doing, _said(error), sent=True) from error
        yield piece


def _said(error: BaseException) -> str:
    if isinstance(error, EOFError):
        return "the connection was cut"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return str(error) or type(error).__name__
