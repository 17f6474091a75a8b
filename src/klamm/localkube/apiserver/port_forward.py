"""Port-forward: streams of a client on one side, connections into the pod on the other.

Today's kubectl tunnels SPDY in a WebSocket (SPDY/3.1+portforward.k8s.io), older ones and client libraries upgrade to
SPDY itself; both open two streams for each connection, one of data and one of errors, which belong together by their
header requestid and say their port. A plain WebSocket (v4.channel.k8s.io) carries one connection for each port of
the query: channels 2n (data) and 2n+1 (errors) of the n-th port, both begun with the port's number.

A connection that fails is told on its stream of errors, and ends alone. (kubectl then ends the whole forward itself.)
"""

import asyncio
import re
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web

from klamm.base.together import ended, side_by_side
from klamm.localkube.apiserver import statuses
from klamm.localkube.apiserver.spdy import SpdyError
from klamm.localkube.apiserver.spdy_connection import ByteStream, SpdyConnection, SpdyStream, StreamRefused
from klamm.localkube.apiserver.upgrades import (
    RawConnection,
    Socket,
    Tunnel,
    as_kubelet,
    asks_for_spdy,
    asks_for_websocket,
    chosen,
    looked_for,
    tunnelled,
    upgrade_required,
)
from klamm.localkube.objects import Object, PortConnection, Refused, Streams

_PROTOCOL = "portforward.k8s.io"
_PLAIN = "v4.channel.k8s.io"
_PARTNER_WITHIN = 30.0
"""How long the first stream of a connection waits for the second."""
_MOST_PORTS = 100
_PORT = re.compile(r"[0-9]{1,5}")

Dial = Callable[[int], Awaitable[PortConnection]]


async def serve(request: web.Request, streams: Streams, pod: Object, ping_seconds: float) -> web.StreamResponse:
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]

    async def dial(port: int) -> PortConnection:
        return await streams.port_forward(namespace, name, port)

    expect = partial(streams.expect_running, "port-forward", namespace, name)
    if asks_for_websocket(request):
        protocol = chosen(request, "Sec-WebSocket-Protocol", (tunnelled(_PROTOCOL), _PLAIN))
        ports = _ports_of(request) if protocol == _PLAIN else []
        if (refusal := as_kubelet(expect)) is not None:
            return refusal
        socket = await Socket.accepted(request, protocol)
        async with looked_for(socket.ping, ping_seconds):
            if protocol == _PLAIN:
                await _Channels(socket, dial).serve(ports)
            else:
                await _Forwarding(Tunnel(socket), dial, pod).serve()
            await socket.close()
        return socket.response
    if asks_for_spdy(request):
        protocol = chosen(request, "X-Stream-Protocol-Version", (_PROTOCOL,))
        if (refusal := as_kubelet(expect)) is not None:
            return refusal
        raw, response = await RawConnection.after_switching(request, protocol)
        forwarding = _Forwarding(raw, dial, pod)
        try:
            async with looked_for(forwarding.connection.ping, ping_seconds):
                await forwarding.serve()
        finally:
            raw.close()
        return response
    raise upgrade_required()


@dataclass
class _Pair:
    """The two streams of a connection, as far as they are there."""

    streams: dict[str, SpdyStream] = field(default_factory=dict)
    deadline: asyncio.TimerHandle | None = None


class _Forwarding:
    def __init__(self, transport: ByteStream, dial: Dial, pod: Object) -> None:
        self.connection = SpdyConnection(transport, self._opened)
        self._dial = dial
        self._pod = pod
        self._pairs: dict[str, _Pair] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Until the client goes; its connections end with it."""
        try:
            await self.connection.run()
        except SpdyError:
            return  # told by GOAWAY
        finally:
            for pair in self._pairs.values():
                if pair.deadline is not None:
                    pair.deadline.cancel()
            await ended(*self._tasks)

    def _opened(self, stream: SpdyStream) -> None:
        port, kind = stream.headers.get("port", ""), stream.headers.get("streamtype", "")
        if not _PORT.fullmatch(port) or not 0 < int(port) < 65536 or kind not in ("data", "error"):
            raise StreamRefused(f"stream of type {kind!r} for port {port!r}")
        request = _request_of(stream, kind)
        pair = self._pairs.setdefault(request, _Pair())
        if kind in pair.streams:
            raise StreamRefused(f"a second stream of type {kind} for request {request}")
        pair.streams[kind] = stream
        if len(pair.streams) == 2:
            del self._pairs[request]
            if pair.deadline is not None:
                pair.deadline.cancel()
            self._start(self._forward(pair.streams["data"], pair.streams["error"], int(port)), f"forward to {port}")
        else:
            loop = asyncio.get_running_loop()
            pair.deadline = loop.call_later(_PARTNER_WITHIN, self._give_up, request)

    def _start(self, work: "Awaitable[None]", name: str) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _give_up(self, request: str) -> None:
        for stream in self._pairs.pop(request).streams.values():
            self._start(stream.reset(), "a stream without its partner")

    async def _forward(self, data: SpdyStream, error: SpdyStream, port: int) -> None:
        try:
            try:
                connection = await self._dial(port)
            except (Refused, OSError) as why:
                uid = self._pod["metadata"]["uid"]
                await error.write(f"error forwarding port {port} to pod {uid}, uid : {_words(why)}".encode())
                await error.finish()
                await data.reset()
                return
            await _carry(data, connection)
            await error.finish()
        except ConnectionError:
            return


async def _carry(data: SpdyStream, connection: PortConnection) -> None:
    """Both ways until both have ended; each end is passed on by itself."""
    to_pod = asyncio.ensure_future(_to_pod(data, connection))
    try:
        while piece := await connection.read():
            await data.write(piece)
        await data.finish()
        await to_pod
    except ConnectionError:
        await data.reset()
    finally:
        await ended(to_pod)
        await connection.close()


async def _to_pod(data: SpdyStream, connection: PortConnection) -> None:
    while piece := await data.read():
        await connection.write(piece)
    if data.is_lost:
        # The client wants no more of it: this wakes the reader of the other direction, too.
        await connection.close()
    else:
        await connection.end_input()


def _request_of(stream: SpdyStream, kind: str) -> str:
    """Old clients send no requestid and open the stream of errors first, the one of data right after it."""
    return stream.headers.get("requestid") or f"stream {stream.id if kind == 'error' else stream.id - 2}"


def _words(error: Exception) -> str:
    return error.message if isinstance(error, Refused) else str(error)


def _ports_of(request: web.Request) -> list[int]:
    try:
        ports = [int(port) for text in request.query.getall("ports", []) for port in text.split(",")]
    except ValueError as error:
        raise statuses.bad_request("ports must be numbers") from error
    if not ports:
        raise statuses.bad_request('query parameter "ports" is required')
    if len(ports) > _MOST_PORTS or not all(0 < port < 65536 for port in ports):
        raise statuses.bad_request(f"ports must be 1 to 65535, at most {_MOST_PORTS} of them")
    return ports


class _Channels:
    """The plain form. It has no half-close: the end of one connection ends its channel in silence."""

    def __init__(self, socket: Socket, dial: Dial) -> None:
        self._socket = socket
        self._dial = dial
        self._connections: dict[int, PortConnection] = {}

    async def serve(self, ports: list[int]) -> None:
        tasks: list[asyncio.Task[None]] = []
        try:
            for channel, port in enumerate(ports):
                for number in (2 * channel, 2 * channel + 1):
                    await self._socket.send(bytes([number]) + struct.pack("<H", port))
            # A client may write at once. It is read when there is somebody to hand it to.
            await side_by_side(*(self._connect(2 * channel, port) for channel, port in enumerate(ports)))
            for channel, connection in self._connections.items():
                tasks.append(asyncio.create_task(self._answer(channel, connection), name=f"forward channel {channel}"))
            await self._pass_input()
        except ConnectionError:
            return
        finally:
            await ended(*tasks)
            for connection in self._connections.values():
                await connection.close()

    async def _connect(self, channel: int, port: int) -> None:
        try:
            self._connections[channel] = await self._dial(port)
        except (Refused, OSError) as why:
            await self._socket.send(bytes([channel + 1]) + f"error forwarding port {port}: {_words(why)}".encode())

    async def _answer(self, channel: int, connection: PortConnection) -> None:
        while data := await connection.read():
            await self._socket.send(bytes([channel]) + data)

    async def _pass_input(self) -> None:
        while (message := await self._socket.receive()) is not None:
            connection = self._connections.get(message[0]) if message else None
            if connection is not None:
                await connection.write(message[1:])
