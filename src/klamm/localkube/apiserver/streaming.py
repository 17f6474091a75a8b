"""Logs, exec, attach and port-forward: HTTP and WebSocket on one side, the `Streams` seam on the other.

WebSocket protocols v5.channel.k8s.io and v4.channel.k8s.io: every binary message begins with its channel: 0 stdin,
1 stdout, 2 stderr, 3 the final Status, 4 terminal size; in v5, 255 with a channel number closes that channel.
SPDY is refused with a sentence; kubectl from 1.31 on asks for WebSocket first.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from klamm.localkube.apiserver import statuses
from klamm.localkube.objects import ExecSession, LogOptions, Object, PortConnection, Refused, Streams, TerminalSize

_V5, _V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
_STDIN, _STDOUT, _STDERR, _ERROR, _RESIZE, _CLOSE = 0, 1, 2, 3, 4, 255
_PING_SECONDS = 30.0
_REFUSAL_SECONDS = 1.0


def log_options(query: Mapping[str, str]) -> LogOptions:
    return LogOptions(
        follow=_flag(query, "follow"),
        previous=_flag(query, "previous"),
        timestamps=_flag(query, "timestamps"),
        tail_lines=_count(query, "tailLines"),
        since_seconds=_count(query, "sinceSeconds"),
        since_time=query.get("sinceTime"),
        limit_bytes=_count(query, "limitBytes"),
    )


def _flag(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in ("1", "true", "t")


def _count(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise statuses.bad_request(f"{name}: {text!r} is no number") from error


def container_of(pod: Object, wanted: str | None, path: str) -> str:
    """The container that is meant; Refused 400 when it must be named."""
    spec = pod["spec"]
    name = pod["metadata"]["name"]
    main = [each["name"] for each in spec.get("containers") or ()]
    every = main + [each["name"] for each in spec.get("initContainers") or ()]
    if wanted:
        if wanted not in every:
            raise statuses.bad_request(f"container {wanted} is not valid for pod {name}")
        return wanted
    if len(main) > 1:
        listed = " ".join(main)
        raise statuses.bad_request(f"a container name must be specified for pod {name}, choose one of: [{listed}]")
    if not main:
        raise statuses.bad_request(f"pod {name} has no containers ({path})")
    return str(main[0])


async def send_logs(request: web.Request, streams: Streams, pod: Object, container: str) -> web.StreamResponse:
    metadata = pod["metadata"]
    options = log_options(request.query)
    chunks = streams.logs(metadata["namespace"], metadata["name"], container, options)
    first = asyncio.create_task(_first(chunks), name="first lines of a log")
    # Time for a refusal to come before the status line goes out; a quiet log that is followed may take for ever.
    done, _ = await asyncio.wait([first], timeout=_REFUSAL_SECONDS if options.follow else None)
    if done:
        first.result()
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    try:
        await response.prepare(request)
        await response.write(await first)
        async for chunk in chunks:
            await response.write(chunk)
        await response.write_eof()
    finally:
        first.cancel()
    return response


async def _first(chunks: AsyncIterator[bytes]) -> bytes:
    return await anext(chunks, b"")


async def _upgraded(request: web.Request, protocols: Sequence[str]) -> web.WebSocketResponse:
    if request.headers.get("Upgrade", "").lower() != "websocket":
        text = "this server streams over WebSocket only; SPDY is not served: use kubectl 1.31 or newer"
        raise statuses.bad_request(text)
    socket = web.WebSocketResponse(protocols=protocols, heartbeat=_PING_SECONDS, max_msg_size=0)
    await socket.prepare(request)
    return socket


async def run_command(
    request: web.Request, start: Callable[[], Awaitable[ExecSession]], streams_wanted: Mapping[str, str]
) -> web.StreamResponse:
    """Run exec or attach over a WebSocket until the command ends or the client goes."""
    socket = await _upgraded(request, (_V5, _V4, "channel.k8s.io"))
    try:
        session = await start()
    except Refused as refused:
        await _finish(socket, statuses.body_of(refused))
        return socket
    except Exception as error:
        await _finish(socket, _failure(str(error)))
        return socket
    reader = asyncio.create_task(_receive(socket, session), name="exec input")
    try:
        outputs = [_send(socket, _STDOUT, session.read_stdout)]
        if not _flag(streams_wanted, "tty"):
            outputs.append(_send(socket, _STDERR, session.read_stderr))
        await _until_done_or_gone(asyncio.gather(*outputs), reader, socket)
        code = await session.wait()
        await _finish(socket, _exit_status(code))
    finally:
        reader.cancel()
        await session.close()
    return socket


async def _until_done_or_gone(
    outputs: "asyncio.Future[list[None]]", reader: "asyncio.Task[None]", socket: web.WebSocketResponse
) -> None:
    """The output decides when a command is over; a client that went away ends it too."""
    waited: list[asyncio.Future[Any]] = [outputs, reader]
    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    if outputs.done():
        return
    if socket.closed:
        outputs.cancel()
        raise ConnectionResetError("the client of exec went away")
    await outputs


async def _send(socket: web.WebSocketResponse, channel: int, read: Callable[[], Awaitable[bytes]]) -> None:
    prefix = bytes([channel])
    while data := await read():
        await socket.send_bytes(prefix + data)


async def _receive(socket: web.WebSocketResponse, session: ExecSession) -> None:
    async for message in socket:
        if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
            continue
        data = message.data.encode() if isinstance(message.data, str) else message.data
        if not data:
            continue
        channel, rest = data[0], data[1:]
        if channel == _STDIN:
            await session.write_stdin(rest)
        elif channel == _RESIZE:
            await _resize(session, rest)
        elif channel == _CLOSE and rest[:1] == b"\0":
            await session.close_stdin()


async def _resize(session: ExecSession, data: bytes) -> None:
    try:
        size = msgspec.json.decode(data)
        await session.resize(TerminalSize(int(size["Width"]), int(size["Height"])))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return


def _exit_status(code: int) -> Object:
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: error executing command, exit code {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def _failure(message: str) -> Object:
    return {"metadata": {}, "status": "Failure", "message": message, "reason": "InternalError", "code": 500}


async def _finish(socket: web.WebSocketResponse, status: Object) -> None:
    if not socket.closed:
        await socket.send_bytes(bytes([_ERROR]) + msgspec.json.encode(status))
        await socket.close()


# Port-forward: channels 2n (data) and 2n+1 (errors) for the n-th port; both begin with the port's number.


async def forward_ports(request: web.Request, streams: Streams, pod: Object) -> web.StreamResponse:
    """The WebSocket form (v4.channel.k8s.io with ports in the query). kubectl's tunnelled SPDY is refused."""
    offered = request.headers.get("Sec-WebSocket-Protocol", "")
    if "SPDY" in offered or request.headers.get("Upgrade", "").lower() != "websocket":
        text = "port-forward is served over plain WebSocket (v4.channel.k8s.io) only, not over SPDY or tunnelled SPDY"
        raise statuses.bad_request(text)
    try:
        ports = [int(port) for text in request.query.getall("ports", []) for port in text.split(",")]
    except ValueError as error:
        raise statuses.bad_request("ports must be numbers") from error
    if not ports:
        raise statuses.bad_request('query parameter "ports" is required')
    socket = await _upgraded(request, (_V4,))
    metadata = pod["metadata"]
    connections: list[PortConnection] = []
    tasks = []
    try:
        for index, port in enumerate(ports):
            for channel in (2 * index, 2 * index + 1):
                await socket.send_bytes(bytes([channel]) + struct.pack("<H", port))
            connection = await streams.port_forward(metadata["namespace"], metadata["name"], port)
            connections.append(connection)
            tasks.append(asyncio.create_task(_send(socket, 2 * index, connection.read), name=f"forward {port}"))
        async for message in socket:
            if message.type == WSMsgType.BINARY and message.data and message.data[0] % 2 == 0:
                await connections[message.data[0] // 2].write(message.data[1:])
    finally:
        for task in tasks:
            task.cancel()
        for connection in connections:
            await connection.close()
    return socket
