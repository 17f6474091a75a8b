"""A client's end of a SPDY connection, to do what kubectl never does. (That kubectl is understood, kubectl tells.)"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.builders.api_server import RunningApi

from klamm.localkube.apiserver.spdy import Data, Frame, FrameReader, FrameWriter, RstStream, SynStream

WITHIN = 60.0


@dataclass
class SpdyClient:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    frames: FrameReader = field(default_factory=FrameReader)
    encoder: FrameWriter = field(default_factory=FrameWriter)
    heard: list[Frame] = field(default_factory=list)
    last: int = -1

    async def open(self, **headers: str) -> int:
        self.last += 2
        await self.send(SynStream(self.last, headers))
        return self.last

    async def finish(self, stream: int) -> None:
        await self.send(Data(stream, b"", True))

    async def send(self, frame: Frame) -> None:
        await self.send_bytes(self.encoder.encode(frame))

    async def send_bytes(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def until(self, what: str, holds: Callable[[list[Frame]], bool]) -> None:
        """Read on until what was heard is enough."""
        try:
            async with asyncio.timeout(WITHIN):
                while not holds(self.heard):
                    data = await self.reader.read(1 << 16)
                    assert data, f"the connection ended before: {what}; heard {self.heard}"
                    self.heard += self.frames.feed(data)
        except TimeoutError:
            raise AssertionError(f"waited {WITHIN:g} s: {what}; heard {self.heard}") from None

    async def until_ended(self) -> None:
        async with asyncio.timeout(WITHIN):
            while data := await self.reader.read(1 << 16):
                self.heard += self.frames.feed(data)

    def data(self, stream: int) -> bytes:
        return b"".join(frame.payload for frame in self.heard if isinstance(frame, Data) and frame.stream == stream)

    def has_ended(self, stream: int) -> bool:
        return any(isinstance(frame, Data) and frame.stream == stream and frame.fin for frame in self.heard)

    def was_reset(self, stream: int) -> bool:
        return any(isinstance(frame, RstStream) and frame.stream == stream for frame in self.heard)


@asynccontextmanager
async def raw_call(api: RunningApi, path: str, *headers: str) -> AsyncIterator[tuple[str, SpdyClient]]:
    """(the answer's head, the connection behind it) of a POST that asks for SPDY."""
    context = ssl.create_default_context(cafile=str(api.authority))
    context.load_cert_chain(api.certificate, api.key)
    port = int(api.url.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    try:
        lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: SPDY/3.1", *headers]
        writer.write("".join(f"{line}\r\n" for line in (*lines, "Content-Length: 0", "")).encode())
        async with asyncio.timeout(WITHIN):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        yield head, SpdyClient(reader, writer)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def spdy(api: RunningApi, path: str, protocol: str) -> AsyncIterator[SpdyClient]:
    async with raw_call(api, path, f"X-Stream-Protocol-Version: {protocol}") as (head, client):
        assert head.startswith("HTTP/1.1 101 "), head
        assert f"X-Stream-Protocol-Version: {protocol}" in head
        yield client
