"""From an HTTP request to a connection that carries streams: SPDY/3.1, a WebSocket, or SPDY inside of a WebSocket.

Clients are looked for by small pings: one that went away without a word is found out by the second write to it, also
while nothing is read because a command does not take its input. No answer to a ping is asked for, because a client
whose input is held up cannot give one.
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from aiohttp import WSMsgType, web

from klamm.base.together import ended
from klamm.localkube.apiserver import statuses
from klamm.localkube.objects import Refused

SPDY = "SPDY/3.1"
PING_SECONDS = 5.0
_TUNNEL = "SPDY/3.1+"
"""Before the name of a protocol of SPDY streams that is offered as a WebSocket's."""
_MOST_UNREAD = 256 << 10
_LONGEST_MESSAGE = 16 << 20
_CLOSED_WITHIN = 5.0


def asks_for_spdy(request: web.Request) -> bool:
    return SPDY.lower() in request.headers.get("Upgrade", "").lower()


def asks_for_websocket(request: web.Request) -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"


def offered(request: web.Request, header: str) -> list[str]:
    found = [word for value in request.headers.getall(header, []) for word in re.split(r"[,\s]+", value)]
    return [word for word in found if word]


def chosen(request: web.Request, header: str, served: Sequence[str]) -> str:
    """The first that the client offers and we serve; Refused 403 without one, as a kubelet says it."""
    wanted = offered(request, header)
    for protocol in wanted:
        if protocol in served:
            return protocol
    if not wanted:
        raise statuses.bad_request(f"unable to upgrade: {header} is required")
    text = (
        f"unable to upgrade: unable to negotiate protocol: client supports [{' '.join(wanted)}], "
        f"server accepts [{' '.join(served)}]"
    )
    raise Refused(403, "Forbidden", text)


def as_kubelet(expect: Callable[[], None]) -> web.Response | None:
    """The refusal of `expect` as plain text: a kubelet's answer, which the API server passes on as it is."""
    try:
        expect()
    except Refused as refused:
        return web.Response(status=refused.code, text=refused.message)
    return None


def upgrade_required() -> Refused:
    return statuses.bad_request("Upgrade request required")


class RawConnection(asyncio.Protocol):
    """The transport of a request, taken over from the HTTP server after its 101."""

    def __init__(self, request: web.Request) -> None:
        transport = request.transport
        assert transport is not None
        self._transport = transport
        self._http = transport.get_protocol()
        self._unread: deque[bytes] = deque()
        self._size = 0
        self._held_up = False
        self._reader: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._over = False

    @classmethod
    async def after_switching(cls, request: web.Request, protocol: str) -> tuple["RawConnection", web.StreamResponse]:
        connection = cls(request)
        headers = {"Connection": "Upgrade", "Upgrade": SPDY, "X-Stream-Protocol-Version": protocol}
        response = web.StreamResponse(status=101, headers=headers)
        response.force_close()
        # Before the answer goes out: whatever comes after it is no HTTP.
        connection._transport.set_protocol(connection)
        await response.prepare(request)
        return connection, response

    async def read(self) -> bytes:
        while not self._unread and not self._over:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        if not self._unread:
            return b""
        data = self._unread.popleft()
        self._size -= len(data)
        if self._held_up and self._size < _MOST_UNREAD and not self._over:
            self._held_up = False
            self._transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        if self._over or self._transport.is_closing():
            raise ConnectionResetError("the client went away")
        self._transport.write(data)
        await self._writable.wait()

    async def finish(self) -> None:
        """Drop what comes until the client has closed: a close with bytes unread would cut off our last words."""
        try:
            async with asyncio.timeout(_CLOSED_WITHIN):
                while await self.read():
                    pass
        except TimeoutError:
            return

    def close(self) -> None:
        self._transport.close()

    # asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        self._unread.append(data)
        self._size += len(data)
        if self._size >= _MOST_UNREAD and not self._held_up:
            self._held_up = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self._end()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, error: Exception | None) -> None:
        self._end()
        self._writable.set()
        # The HTTP server's own connection: it cancels the handler.
        self._http.connection_lost(error)

    def _end(self) -> None:
        self._over = True
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


class Socket:
    """A WebSocket. Several tasks may write; none that is cancelled takes another one's write along."""

    def __init__(self, response: web.WebSocketResponse) -> None:
        self.response = response

    @classmethod
    async def accepted(cls, request: web.Request, protocol: str) -> "Socket":
        response = web.WebSocketResponse(protocols=(protocol,), max_msg_size=_LONGEST_MESSAGE, timeout=_CLOSED_WITHIN)
        await response.prepare(request)
        return cls(response)

    async def send(self, data: bytes) -> None:
        # aiohttp's writers wait for one future together, and a cancelled one would cancel it for all.
        await asyncio.shield(asyncio.ensure_future(self.response.send_bytes(data)))

    async def receive(self) -> bytes | None:
        """A message; None at the end."""
        while True:
            message = await self.response.receive()
            if message.type is WSMsgType.BINARY:
                return bytes(message.data)
            if message.type is WSMsgType.TEXT:
                return str(message.data).encode()
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                return None

    async def ping(self) -> None:
        await asyncio.shield(asyncio.ensure_future(self.response.ping()))

    async def close(self) -> None:
        await self.response.close()


class Tunnel:
    """`ByteStream` over a WebSocket whose messages are SPDY's bytes, cut anyhow."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    async def read(self) -> bytes:
        while (message := await self._socket.receive()) is not None:
            if message:
                return message
        return b""

    async def write(self, data: bytes) -> None:
        await self._socket.send(data)


def tunnelled(protocol: str) -> str:
    return _TUNNEL + protocol


@asynccontextmanager
async def looked_for(ping: Callable[[], Awaitable[None]], seconds: float) -> AsyncIterator[None]:
    """While it lasts, the client is pinged: the connection breaks soon after the client does."""

    async def look() -> None:
        try:
            while True:
                await asyncio.sleep(seconds)
                await ping()
        except ConnectionError:
            return

    looking = asyncio.create_task(look(), name="looking for a streaming client")
    try:
        yield
    finally:
        await ended(looking)
