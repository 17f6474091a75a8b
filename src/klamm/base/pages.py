"""A few pages over HTTP/1.1, for probes and Prometheus.

A few lines over asyncio instead of aiohttp.web, whose import alone costs 2 MB and 25 ms in each of the operators'
processes, for pages that are read every ten seconds.

    pages = Pages(answer)               # Request → Page, at once: a page waits for nothing
    await pages.serve(None, 8080)
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

TEXT = "text/plain; charset=utf-8"
METRICS = "text/plain; version=0.0.4; charset=utf-8"

_LONGEST_HEAD = 8192
_PATIENCE = 5.0
_WRITING = 60.0
"""Seconds for a large page over a slow line."""
_LARGE = 1 << 18
_LARGE_AT_ONCE = 16
"""Large pages under way to readers: more would fill our memory when they are slow."""
_SAID = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    headers: Mapping[str, str]
    """By name in lower case."""


@dataclass(frozen=True, slots=True)
class Page:
    code: int
    kind: str
    body: bytes
    encoding: str = ""


class Pages:
    """`writing`: seconds that a reader may take for a page."""

    def __init__(self, answer: Callable[[Request], Page], writing: float = _WRITING) -> None:
        self._answer = answer
        self._writing = writing
        self._large = 0
        self._server: asyncio.Server | None = None

    async def start(self, host: str | None, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen (None: on all addresses; port 0: on a free one) and return the port."""
        self._server = await asyncio.start_server(self._converse, host, port, limit=_LONGEST_HEAD, ssl=tls)
        return int(self._server.sockets[0].getsockname()[1])

    async def serve(self, host: str | None, port: int) -> None:
        """Listen until cancelled: for a supervisor."""
        await self.start(host, port)
        try:
            await asyncio.Event().wait()
        finally:
            self.close()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Whoever connects and says nothing, or too much, is let go: a port scan must not fill our memory.
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                async with asyncio.timeout(_PATIENCE):
                    head = await reader.readuntil(b"\r\n\r\n")
                await self._write(writer, *self._said(head))
        finally:
            writer.transport.abort()  # `close` alone would keep the page for as long as nobody reads it

    async def _write(self, writer: asyncio.StreamWriter, head: bytes, body: bytes) -> None:
        large = len(body) > _LARGE
        self._large += large
        try:
            async with asyncio.timeout(self._writing):
                writer.write(head)
                writer.write(body)
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        finally:
            self._large -= large

    def _said(self, head: bytes) -> tuple[bytes, bytes]:
        first, *lines = head.decode("latin-1").split("\r\n")
        method, _, rest = first.partition(" ")
        page = self._answer(Request(rest.split(" ")[0].split("?")[0], _headers(lines)))
        if method not in ("GET", "HEAD"):
            page = Page(405, TEXT, b"only GET and HEAD\n")
        if len(page.body) > _LARGE and self._large >= _LARGE_AT_ONCE:
            page = Page(503, TEXT, b"too many readers at once\n")
        encoding = f"Content-Encoding: {page.encoding}\r\nVary: Accept-Encoding\r\n" if page.encoding else ""
        said = (
            f"HTTP/1.1 {page.code} {_SAID[page.code]}\r\nContent-Type: {page.kind}\r\n{encoding}"
            f"Content-Length: {len(page.body)}\r\nConnection: close\r\n\r\n"
        )
        return said.encode(), b"" if method == "HEAD" else page.body


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
