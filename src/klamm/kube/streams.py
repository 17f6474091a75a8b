"""Commands inside containers: exec over a WebSocket, as kube-apiserver and kubelets speak it.

Protocol v5.channel.k8s.io (Kubernetes KEP-4006): the first byte of each binary message is its channel. 0 is the
command's input, 1 and 2 its output and errors, 3 the Status at the end, 4 the terminal's size; 255 with a channel's
number closes that channel, which tells the command that its input has ended. v4 is the same without the closing.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import IntEnum
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
from yarl import URL

from klamm.kube import errors
from klamm.kube.connection import Connection
from klamm.kube.exchange import CONNECT
from klamm.kube.kinds import Name
from klamm.resources.native.metadata import Status

_V5, _V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
_STDIN, _ERROR, _RESIZE, _CLOSE = 0, 3, 4, 255
_PING = 30.0


class Output(IntEnum):
    STDOUT = 1
    STDERR = 2


class Exec:
    """A running command. Iterate over `output` until it ends; then `exit_code` is known."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, doing: str) -> None:
        self._socket = socket
        self._doing = doing
        self.exit_code: int | None = None

    async def output(self) -> AsyncIterator[tuple[Output, bytes]]:
        """Raises `Unreachable` when the connection is cut, and the KubeError of a command that could not start."""
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
                continue
            channel, data = message.data[0], message.data[1:]
            if channel == _ERROR:
                self.exit_code = _exit_code(self._doing, msgspec.json.decode(data, type=Status))
                return
            if channel in (Output.STDOUT, Output.STDERR) and data:
                yield Output(channel), data
        raise errors.Unreachable(self._doing, "the connection was cut", sent=True)

    async def write(self, data: bytes) -> None:
        await self._socket.send_bytes(bytes([_STDIN]) + data)

    async def end_input(self) -> None:
        """With v4 there is no way to say so: the command goes on waiting."""
        if self._socket.protocol == _V5:
            await self._socket.send_bytes(bytes([_CLOSE, _STDIN]))

    async def resize(self, columns: int, rows: int) -> None:
        size = msgspec.json.encode({"Width": columns, "Height": rows})
        await self._socket.send_bytes(bytes([_RESIZE]) + size)


@asynccontextmanager
async def execute(
    connection: Connection, pod: Name, container: str, command: Sequence[str], *, stdin: bool, tty: bool
) -> AsyncIterator[Exec]:
    """Run `command` in a container of the pod. With a terminal its errors come as output."""
    doing = f"run {command[0]} in container {container} of pod {pod}"
    path = f"/api/v1/namespaces/{quote(pod.namespace, safe='')}/pods/{quote(pod.name, safe='')}/exec"
    wanted = [("container", container), ("stdin", stdin), ("stdout", True), ("stderr", not tty), ("tty", tty)]
    query = [(name, str(value).lower() if isinstance(value, bool) else value) for name, value in wanted]
    target = f"{connection.server}{path}?{urlencode([*query, *(('command', word) for word in command)])}"
    context = connection.tls_context()
    connector = aiohttp.TCPConnector(ssl=context if context else True)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session:
        socket = await _open(session, connection, target, doing)
        try:
            yield Exec(socket, doing)
        finally:
            await socket.close()


async def _open(
    session: aiohttp.ClientSession, connection: Connection, target: str, doing: str
) -> aiohttp.ClientWebSocketResponse:
    try:
        return await session.ws_connect(
            URL(target, encoded=True),
            protocols=(_V5, _V4),
            heartbeat=_PING,
            max_msg_size=0,
            headers=_headers(connection),
            server_hostname=connection.server_name,
        )
    except aiohttp.WSServerHandshakeError as error:
        raise await _refusal(session, connection, target, doing, error.status) from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise errors.Unreachable(doing, str(error) or type(error).__name__, sent=False) from error


async def _refusal(
    session: aiohttp.ClientSession, connection: Connection, target: str, doing: str, status: int
) -> errors.KubeError:
    """aiohttp drops the body of a refused handshake; the same question without it is refused with the same words."""
    if status not in (400, 403, 404):
        return errors.of_answer(doing, status, b"")
    async with session.get(URL(target, encoded=True), headers=_headers(connection)) as answer:
        return errors.of_answer(doing, status, await answer.read())


def _headers(connection: Connection) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {connection.token.current()}"} if connection.token is not None else {}


def _exit_code(doing: str, status: Status) -> int:
    """The command's, from the Status at its end."""
    if status.status == "Success":
        return 0
    causes: Any = status.details.get("causes") or ()
    for cause in causes:
        if isinstance(cause, dict) and cause.get("reason") == "ExitCode":
            return int(cause.get("message", "1"))
    raise errors.of_status(doing, status.code or 500, status)
