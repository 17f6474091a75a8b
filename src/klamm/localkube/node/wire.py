"""Messages between the processes of a home: JSON with a length before it, and file descriptors beside it.

On a unix stream socket each message is `length (4 bytes) | number of descriptors (1 byte) | JSON`; descriptors
travel by SCM_RIGHTS with the message's first bytes, and the kernel never hands over later bytes before them. A
request carries `id` and `op`, its answer the same `id` and either the answer's fields or `error`; a message
without `id` is news.
"""

from __future__ import annotations

import array
import errno
import json
import os
import socket
import struct
from collections import deque
from collections.abc import Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Message = dict[str, Any]

_HEADER = struct.Struct("!IB")
_MOST_DESCRIPTORS = 16
_MOST_WAITING = 64 << 20
_RECEIVE = 1 << 16


class ChannelClosed(Exception):
    """The other side went away."""


class Channel:
    """One end of a connection; never blocks. Who owns it watches the socket and calls `receive` and `flush`."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.socket = sock
        self._incoming = bytearray()
        self._descriptors: deque[int] = deque()
        self._outgoing: deque[tuple[memoryview, tuple[int, ...]]] = deque()
        self._waiting = 0

    def fileno(self) -> int:
        return self.socket.fileno()

    @property
    def has_waiting(self) -> bool:
        """Something could not be sent yet: call `flush` when the socket is writable."""
        return bool(self._outgoing)

    def receive(self) -> list[tuple[Message, list[int]]]:
        """Whole messages that are there now. Raises `ChannelClosed` when nothing more will come."""
        try:
            data, ancillary, _, _ = self.socket.recvmsg(
                _RECEIVE, socket.CMSG_SPACE(4 * _MOST_DESCRIPTORS), socket.MSG_CMSG_CLOEXEC
            )
        except (BlockingIOError, InterruptedError):
            return []
        except OSError as error:
            raise ChannelClosed(str(error)) from error
        for level, kind, raw in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                received = array.array("i")
                received.frombytes(raw[: len(raw) - len(raw) % received.itemsize])
                self._descriptors.extend(received)
        if not data:
            raise ChannelClosed("end of stream")
        self._incoming += data
        return self._take_messages()

    def _take_messages(self) -> list[tuple[Message, list[int]]]:
        messages = []
        start = 0
        while len(self._incoming) - start >= _HEADER.size:
            length, count = _HEADER.unpack_from(self._incoming, start)
            end = start + _HEADER.size + length
            if len(self._incoming) < end:
                break
            message = json.loads(self._incoming[start + _HEADER.size : end])
            messages.append((message, [self._descriptors.popleft() for _ in range(count)]))
            start = end
        del self._incoming[:start]
        return messages

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Queues and sends what the socket takes. Descriptors are duplicated: the caller keeps and closes its own."""
        body = json.dumps(message, separators=(",", ":")).encode()
        held = tuple(os.dup(fd) for fd in descriptors)
        self._outgoing.append((memoryview(_HEADER.pack(len(body), len(held)) + body), held))
        self._waiting += len(body)
        if self._waiting > _MOST_WAITING:
            raise ChannelClosed("the other side does not read")
        self.flush()

    def flush(self) -> None:
        while self._outgoing:
            data, descriptors = self._outgoing[0]
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
            try:
                sent = self.socket.sendmsg([data], rights if descriptors else [], socket.MSG_NOSIGNAL)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                raise ChannelClosed(str(error)) from error
            _close_all(descriptors)
            if sent < len(data):
                self._outgoing[0] = (data[sent:], ())
                continue
            self._outgoing.popleft()
            self._waiting -= max(0, len(data) - _HEADER.size)

    def close(self) -> None:
        for _, descriptors in self._outgoing:
            _close_all(descriptors)
        _close_all(self._descriptors)
        self._outgoing.clear()
        self._descriptors.clear()
        self.socket.close()


def _close_all(descriptors: Sequence[int] | deque[int]) -> None:
    for fd in descriptors:
        os.close(fd)


def listen(path: str) -> socket.socket:
    """A listening unix socket for this user alone; what an earlier process left at `path` is replaced.

    Only call while holding the lock that makes this process the path's owner.
    """
    with _ReachablePath(path) as reachable:
        try:  # noqa: SIM105
            os.unlink(path)
        except FileNotFoundError:
            pass
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        previous = os.umask(0o177)
        try:
            sock.bind(reachable)
        finally:
            os.umask(previous)
    sock.listen(64)
    sock.setblocking(False)
    return sock


def connect(path: str, timeout: float | None = None) -> socket.socket:
    """A connected unix socket; OSError when nobody listens."""
    with _ReachablePath(path) as reachable:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(timeout)
        try:
            sock.connect(reachable)
        except OSError as error:
            sock.close()
            raise OSError(error.errno or errno.EIO, f"connect to {path}: {error}") from error
    return sock


class _ReachablePath:
    """A unix socket's address holds 107 bytes; a longer path is reached through a descriptor of its folder."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._folder = -1

    def __enter__(self) -> str:
        if len(os.fsencode(self._path)) < 108:
            return self._path
        folder, name = os.path.split(self._path)
        self._folder = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._folder}/{name}"

    def __exit__(self, *_: object) -> None:
        if self._folder >= 0:
            os.close(self._folder)


def ask(path: str, message: Message, timeout: float) -> tuple[Message, list[int]]:
    """One request, one answer, blocking for at most `timeout` seconds a step. OSError when nobody answers."""
    sock = connect(path, timeout)
    channel = Channel(sock)
    try:
        sock.settimeout(timeout)
        channel.send({"id": 1, **message})
        while True:
            for answer, descriptors in channel.receive():
                if answer.get("id") == 1:
                    return answer, descriptors
                _close_all(descriptors)
    except (ChannelClosed, TimeoutError) as error:
        raise OSError(errno.EPIPE, f"ask {path} for {message.get('op')}: {error or 'no answer'}") from error
    finally:
        channel.close()
