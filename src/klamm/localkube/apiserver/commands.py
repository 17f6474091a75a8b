"""Exec and attach: a client's streams on one side, an `ExecSession` on the other.

The client comes over a WebSocket (v5.channel.k8s.io, v4.channel.k8s.io: every message begins with its channel, 0
stdin, 1 stdout, 2 stderr, 3 the final Status, 4 terminal size; in v5, 255 with a channel number closes that channel)
or over SPDY (v4.channel.k8s.io: a stream for each of them, opened by the client, named by its header streamtype).

What a user reads when there is no such running container is what Kubernetes says: its API server passes v4 and SPDY
on to the kubelet, whose refusal is the answer to the handshake, and translates v5 itself, so that there the refusal
comes as the Status at the end.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from aiohttp import web

from klamm.base.together import ended, outcomes_of, side_by_side
from klamm.localkube.apiserver import statuses
from klamm.localkube.apiserver.queries import flag
from klamm.localkube.apiserver.spdy_connection import SpdyConnection, SpdyStream, StreamRefused
from klamm.localkube.apiserver.upgrades import (
    RawConnection,
    Socket,
    as_kubelet,
    asks_for_spdy,
    asks_for_websocket,
    chosen,
    looked_for,
    upgrade_required,
)
from klamm.localkube.objects import ExecSession, Object, Refused, TerminalSize

_V5, _V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
_STDIN, _STDOUT, _STDERR, _ERROR, _RESIZE, _CLOSE = 0, 1, 2, 3, 4, 255
_STREAMS_WITHIN = 30.0
_LONGEST_SIZE = 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """The streams of a request. With a terminal, errors come as output."""

    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Wanted":
        stdin, stdout, stderr, tty = (flag(query, name) for name in ("stdin", "stdout", "stderr", "tty"))
        if not (stdin or stdout or stderr):
            raise statuses.bad_request("you must specify at least 1 of stdin, stdout, stderr")
        return cls(stdin, stdout, stderr and not tty, tty)


@dataclass(frozen=True, slots=True)
class Use:
    """What is done in the container: `expect` refuses in a kubelet's words, `start` begins."""

    wanted: Wanted
    expect: Callable[[], None]
    start: Callable[[], Awaitable[ExecSession]]
    failing: str
    """What goes before the reason when it cannot begin."""
    ping_seconds: float


class Caller(Protocol):
    """The client's end."""

    async def send(self, channel: int, data: bytes) -> None: ...

    async def pass_input(self, session: ExecSession) -> None:
        """Hand all that comes to the session, until the client is gone."""
        ...

    async def finish(self, status: Object) -> None: ...


async def serve(request: web.Request, use: Use) -> web.StreamResponse:
    if asks_for_websocket(request):
        return await _over_websocket(request, use)
    if asks_for_spdy(request):
        return await _over_spdy(request, use)
    raise upgrade_required()


async def _over_websocket(request: web.Request, use: Use) -> web.StreamResponse:
    protocol = chosen(request, "Sec-WebSocket-Protocol", (_V5, _V4))
    if protocol != _V5 and (refusal := as_kubelet(use.expect)) is not None:
        return refusal
    socket = await Socket.accepted(request, protocol)
    caller = _WebSocketCaller(socket)
    async with looked_for(socket.ping, use.ping_seconds):
        # An empty message says that the connection stands.
        await caller.send(_STDOUT if use.wanted.stdout else _ERROR, b"")
        try:
            use.expect()
        except Refused as refused:
            await caller.finish(_internal_error(f"unable to upgrade connection: {refused.message}"))
            return socket.response
        await _converse(caller, use)
    return socket.response


async def _over_spdy(request: web.Request, use: Use) -> web.StreamResponse:
    protocol = chosen(request, "X-Stream-Protocol-Version", (_V4,))
    if (refusal := as_kubelet(use.expect)) is not None:
        return refusal
    raw, response = await RawConnection.after_switching(request, protocol)
    caller = _SpdyCaller(raw, use.wanted)
    reading = asyncio.create_task(caller.connection.run(), name="SPDY of a command")
    try:
        async with looked_for(caller.connection.ping, use.ping_seconds):
            if await caller.has_all_streams(reading):
                await _converse(caller, use)
        if not reading.done():
            await ended(reading)
            await raw.finish()
    finally:
        raw.close()
        await ended(reading)
    return response


async def _converse(caller: Caller, use: Use) -> None:
    """Until the output ends, which decides when a command is over, or the client goes, which ends it too."""
    try:
        session = await use.start()
    except Refused as refused:
        await caller.finish(_internal_error(f"{use.failing}: {refused.message}"))
        return
    incoming = asyncio.create_task(caller.pass_input(session), name="input of a command")
    outgoing = asyncio.create_task(_pass_output(caller, session, use.wanted), name="output of a command")
    try:
        await asyncio.wait([incoming, outgoing], return_when=asyncio.FIRST_COMPLETED)
        if not outgoing.done():
            return
        outgoing.result()
        code = await session.wait()
        await ended(incoming)
        await caller.finish(_exit_status(code))
    except ConnectionError:
        return
    finally:
        for task in (incoming, outgoing):
            task.cancel()
        await session.close()
        await outcomes_of(incoming, outgoing)


async def _pass_output(caller: Caller, session: ExecSession, wanted: Wanted) -> None:
    """Whoever has a terminal has no errors beside its output; a container may have none although its caller asks."""
    await side_by_side(
        _copy(session.read_stdout, caller, _STDOUT if wanted.stdout else None),
        _copy(session.read_stderr, caller, _STDERR if wanted.stderr else None),
    )


async def _copy(read: Callable[[], Awaitable[bytes]], caller: Caller, channel: int | None) -> None:
    """What nobody wants is read all the same: its writer would wait for ever."""
    while data := await read():
        if channel is not None:
            await caller.send(channel, data)


class _WebSocketCaller:
    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    async def send(self, channel: int, data: bytes) -> None:
        await self._socket.send(bytes([channel]) + data)

    async def pass_input(self, session: ExecSession) -> None:
        while (message := await self._socket.receive()) is not None:
            if not message:
                continue
            channel, rest = message[0], message[1:]
            if channel == _STDIN and rest:
                await session.write_stdin(rest)
            elif channel == _RESIZE:
                await _resize(session, rest)
            elif channel == _CLOSE and rest[:1] == bytes([_STDIN]):
                await session.close_stdin()

    async def finish(self, status: Object) -> None:
        await self.send(_ERROR, msgspec.json.encode(status))
        await self._socket.close()


class _SpdyCaller:
    def __init__(self, transport: RawConnection, wanted: Wanted) -> None:
        self.connection = SpdyConnection(transport, self._opened)
        self._wanted = wanted
        names = {"error": True, "stdin": wanted.stdin, "stdout": wanted.stdout, "stderr": wanted.stderr}
        self._missing = {name for name, is_wanted in {**names, "resize": wanted.tty}.items() if is_wanted}
        self._streams: dict[str, SpdyStream] = {}
        self._complete = asyncio.Event()

    def _opened(self, stream: SpdyStream) -> None:
        kind = stream.headers.get("streamtype", "")
        if kind not in self._missing:
            raise StreamRefused(f"stream of type {kind!r}")
        self._missing.discard(kind)
        self._streams[kind] = stream
        if not self._missing:
            self._complete.set()

    async def has_all_streams(self, reading: "asyncio.Task[None]") -> bool:
        complete = asyncio.ensure_future(self._complete.wait())
        try:
            await asyncio.wait([complete, reading], timeout=_STREAMS_WITHIN, return_when=asyncio.FIRST_COMPLETED)
        finally:
            complete.cancel()
        return not self._missing

    async def send(self, channel: int, data: bytes) -> None:
        await self._streams["stdout" if channel == _STDOUT else "stderr"].write(data)

    async def pass_input(self, session: ExecSession) -> None:
        """A connection that ends loses its streams, the one of errors too, on which nothing comes."""
        passing = asyncio.ensure_future(side_by_side(self._pass_stdin(session), self._pass_sizes(session)))
        try:
            await self._streams["error"].until_lost()
        finally:
            await ended(passing)

    async def _pass_stdin(self, session: ExecSession) -> None:
        stream = self._streams.get("stdin")
        if stream is None:
            return
        while data := await stream.read():
            await session.write_stdin(data)
        if not stream.is_lost:
            await session.close_stdin()

    async def _pass_sizes(self, session: ExecSession) -> None:
        """JSON documents one after the other, a line each."""
        stream = self._streams.get("resize")
        rest = b""
        while stream is not None and (data := await stream.read()) and len(rest) < _LONGEST_SIZE:
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                await _resize(session, line)

    async def finish(self, status: Object) -> None:
        await self._streams["error"].write(msgspec.json.encode(status))
        await self.connection.finish()


async def _resize(session: ExecSession, data: bytes) -> None:
    try:
        size: Any = msgspec.json.decode(data)
        await session.resize(TerminalSize(int(size["Width"]), int(size["Height"])))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, OverflowError):
        return


def _exit_status(code: int) -> Object:
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: command terminated with exit code {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def _internal_error(message: str) -> Object:
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"Internal error occurred: {message}",
        "reason": "InternalError",
        "details": {"causes": [{"message": message}]},
        "code": 500,
    }
