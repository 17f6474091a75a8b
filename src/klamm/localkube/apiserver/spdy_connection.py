"""A SPDY connection as a server has it: the client opens streams, both sides write to them.

Kubernetes' SPDY has no flow control of its own, so the connection's is all there is: while a stream holds more than
`_MOST_WAITING` bytes that nobody reads, nothing more is read from the connection. A stream that is given up
(`reset`) holds nothing any more and drops what still comes.

Nothing here is cancelled in the middle of a write; streams end by `finish` (no more from us) and `reset` (over).
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from klamm.localkube.apiserver import spdy
from klamm.localkube.apiserver.spdy import Data, Frame, GoAway, Ping, RstStream, SynReply, SynStream

_MOST_WAITING = 256 << 10
_MOST_STREAMS = 2000
"""Open at once in one connection: a thousand forwarded connections."""
_PIECE = 32 << 10


class ByteStream(Protocol):
    """An upgraded connection, whatever carries it."""

    async def read(self) -> bytes:
        """b"" at its end."""
        ...

    async def write(self, data: bytes) -> None:
        """In the order of calls, also when several tasks write. Raises ConnectionError when nobody is there."""
        ...


class StreamRefused(Exception):
    """What the client opens means nothing here: it is reset."""


class SpdyStream:
    def __init__(self, connection: "SpdyConnection", number: int, headers: dict[str, str], ended: bool) -> None:
        self.id = number
        self.headers = headers
        self._connection = connection
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._ended = ended
        """The client writes no more."""
        self._finished = False
        """We write no more."""
        self._gone = False
        self._changed = asyncio.Condition()

    @property
    def is_over(self) -> bool:
        return self._gone or (self._ended and self._finished)

    @property
    def is_lost(self) -> bool:
        """Reset, or its connection has ended."""
        return self._gone

    async def until_lost(self) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._gone)

    async def read(self) -> bytes:
        """b"" when the client has finished or reset it."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._waiting or self._ended or self._gone)
            if not self._waiting:
                return b""
            data = self._waiting.popleft()
            self._size -= len(data)
            self._changed.notify_all()
            return data

    async def write(self, data: bytes) -> None:
        """Raises ConnectionError when the stream is over."""
        for start in range(0, len(data), _PIECE):
            if self._gone or self._finished:
                raise ConnectionResetError(f"SPDY stream {self.id} is over")
            await self._connection.send(Data(self.id, data[start : start + _PIECE]))

    async def finish(self) -> None:
        """No more from us. Idempotent."""
        if self._finished or self._gone:
            return
        self._finished = True
        await self._connection.send(Data(self.id, b"", True))
        self._connection.forget_when_over(self)

    async def reset(self, status: int = spdy.CANCEL) -> None:
        """Over in both directions. Idempotent."""
        if self._gone:
            return
        await self.lose()
        await self._connection.send(RstStream(self.id, status))

    # What the connection hears.

    async def take(self, data: bytes, ended: bool) -> None:
        """Waits while too much is unread."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._size < _MOST_WAITING or self._gone)
            if self._gone or self._ended:
                return
            if data:
                self._waiting.append(data)
                self._size += len(data)
            self._ended = ended
            self._changed.notify_all()
        self._connection.forget_when_over(self)

    async def lose(self) -> None:
        async with self._changed:
            self._gone = True
            self._waiting.clear()
            self._size = 0
            self._changed.notify_all()
        self._connection.forget_when_over(self)


class SpdyConnection:
    """`opened` is told of each new stream, before anything of it is read; it may raise `StreamRefused`."""

    def __init__(self, transport: ByteStream, opened: Callable[[SpdyStream], None]) -> None:
        self._transport = transport
        self._opened = opened
        self._reader = spdy.FrameReader()
        self._writer = spdy.FrameWriter()
        self._streams: dict[int, SpdyStream] = {}
        self._last = 0
        self._own_ping = 0

    async def run(self) -> None:
        """Until the client is gone or says GOAWAY. Raises `SpdyError` when it does not speak SPDY."""
        try:
            while data := await self._transport.read():
                for frame in self._reader.feed(data):
                    if isinstance(frame, GoAway):
                        return
                    await self._hear(frame)
        except spdy.SpdyError:
            await self.send(GoAway(self._last, spdy.PROTOCOL_ERROR))
            raise
        except ConnectionError:
            return
        finally:
            for stream in list(self._streams.values()):
                await stream.lose()

    async def send(self, frame: Frame) -> None:
        await self._transport.write(self._writer.encode(frame))

    async def ping(self) -> None:
        """What provokes the news that the client is gone. Numbers of a server are even."""
        self._own_ping = (self._own_ping + 2) & 0x7FFF_FFFF
        await self.send(Ping(self._own_ping))

    async def finish(self) -> None:
        """We are done: end what is open and say so."""
        for stream in list(self._streams.values()):
            await stream.finish()
        await self.send(GoAway(self._last))

    def forget_when_over(self, stream: SpdyStream) -> None:
        if stream.is_over:
            self._streams.pop(stream.id, None)

    async def _hear(self, frame: Frame) -> None:
        if isinstance(frame, SynStream):
            await self._open(frame)
        elif isinstance(frame, Ping):
            if frame.id % 2:
                await self.send(frame)
        elif isinstance(frame, Data):
            await self._hear_data(frame)
        elif isinstance(frame, RstStream):
            stream = self._streams.get(frame.stream)
            if stream is not None:
                await stream.lose()

    async def _hear_data(self, frame: Data) -> None:
        stream = self._streams.get(frame.stream)
        if stream is not None:
            await stream.take(frame.payload, frame.fin)
        elif frame.stream > self._last:
            await self.send(RstStream(frame.stream, spdy.INVALID_STREAM))

    async def _open(self, frame: SynStream) -> None:
        if frame.stream <= self._last or frame.stream % 2 == 0:
            await self.send(RstStream(frame.stream, spdy.PROTOCOL_ERROR))
            return
        self._last = frame.stream
        if len(self._streams) >= _MOST_STREAMS:
            await self.send(RstStream(frame.stream, spdy.REFUSED_STREAM))
            return
        stream = SpdyStream(self, frame.stream, dict(frame.headers), frame.fin)
        try:
            self._opened(stream)
        except StreamRefused:
            await self.send(RstStream(frame.stream, spdy.PROTOCOL_ERROR))
            return
        self._streams[stream.id] = stream
        await self.send(SynReply(stream.id, {}))
