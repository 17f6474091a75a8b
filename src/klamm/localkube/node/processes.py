"""The control plane's ends of what runs in a pod: pipes or terminal of a command or a container, and a forwarded port.

The descriptors come from the supervisor; data goes straight between command and control plane.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import socket
import struct
import termios
from collections.abc import Awaitable, Callable, Sequence

from klamm.localkube.node.terminals import rest_of_terminal
from klamm.localkube.objects import TerminalSize

_CHUNK = 1 << 16
_FLUSHED_WITHIN = 10.0


class Descriptor:
    """A pipe or terminal end, read and written without blocking; closed with its last use."""

    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._waiter: asyncio.Future[None] | None = None

    @property
    def closed(self) -> bool:
        return self._fd < 0

    def fileno(self) -> int:
        return self._fd

    async def read(self) -> bytes:
        """b"" at the end, and after `close`."""
        while self._fd >= 0:
            try:
                return os.read(self._fd, _CHUNK)
            except BlockingIOError:
                await self._until_ready(reading=True)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                return rest_of_terminal(self._fd)
        return b""

    async def write(self, data: bytes) -> None:
        """What nobody reads any more is dropped, as a pipe does."""
        rest = memoryview(data)
        while len(rest) and self._fd >= 0:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:
                await self._until_ready(reading=False)
            except OSError as error:
                if error.errno in (errno.EPIPE, errno.EIO):
                    return
                raise

    async def _until_ready(self, *, reading: bool) -> None:
        # A duplicate, because a terminal is read and written at once and a loop watches a descriptor only once
        # in each direction; the duplicate also stays valid when `close` comes first.
        loop = asyncio.get_running_loop()
        watched = os.dup(self._fd)
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiter = waiter
        add, remove = (loop.add_reader, loop.remove_reader) if reading else (loop.add_writer, loop.remove_writer)
        add(watched, _wake, waiter)
        try:
            await waiter
        finally:
            remove(watched)
            os.close(watched)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._waiter is not None:
            _wake(self._waiter)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class NodeExecSession:
    """`ExecSession` over the supervisor's descriptors: [terminal], or [stdout, stderr] and perhaps [stdin]."""

    def __init__(self, descriptors: Sequence[int], tty: bool, end: Callable[[], Awaitable[None]]) -> None:
        ends = [Descriptor(fd) for fd in descriptors]
        self._stdout = ends[0]
        self._stderr = None if tty else ends[1]
        self._stdin = ends[0] if tty else (ends[2] if len(ends) > 2 else None)
        self._tty = tty
        self._ends = ends
        self._end = end
        self._code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def ended(self, code: int) -> None:
        """The supervisor's news."""
        if not self._code.done():
            self._code.set_result(code)

    async def read_stdout(self) -> bytes:
        return await self._stdout.read()

    async def read_stderr(self) -> bytes:
        return b"" if self._stderr is None else await self._stderr.read()

    async def write_stdin(self, data: bytes) -> None:
        if self._stdin is not None:
            await self._stdin.write(data)

    async def close_stdin(self) -> None:
        """A terminal has no end of input of its own: its end-of-file character stands for it."""
        if self._stdin is None:
            return
        if self._tty:
            await self._stdin.write(b"\x04")
        else:
            self._stdin.close()

    async def resize(self, size: TerminalSize) -> None:
        if self._tty and not self._stdout.closed:
            _set_size(self._stdout.fileno(), size)

    async def wait(self) -> int:
        return await asyncio.shield(self._code)

    async def close(self) -> None:
        for end in self._ends:
            end.close()
        if not self._code.done():
            await self._end()


def _set_size(terminal: int, size: TerminalSize) -> None:
    window = struct.pack("HHHH", size.rows, size.columns, 0, 0)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, window)


class NodeAttachSession:
    """`ExecSession` of a running container: [output, terminal], or [stdout, stderr] and perhaps [stdin].

    What the end of its input means is as in Kubernetes: with `end_stdin` (stdinOnce, no terminal) it is the end of
    the container's input, and the output goes on; without, the container's input stays open for the next who
    attaches, and this attachment is over.
    """

    def __init__(
        self, descriptors: Sequence[int], tty: bool, stdin: bool, end_stdin: Callable[[], Awaitable[None]] | None
    ) -> None:
        ends = [Descriptor(fd) for fd in descriptors]
        self._ends = ends
        self._outputs = ends[:1] if tty else ends[:2]
        rest = ends[len(self._outputs) :]
        self._terminal = rest[0] if tty and rest else None
        self._stdin = rest[0] if stdin and rest else None
        self._end_stdin = end_stdin if self._stdin is not None and not tty else None

    async def read_stdout(self) -> bytes:
        return await self._outputs[0].read()

    async def read_stderr(self) -> bytes:
        return await self._outputs[1].read() if len(self._outputs) > 1 else b""

    async def write_stdin(self, data: bytes) -> None:
        if self._stdin is not None:
            await self._stdin.write(data)

    async def close_stdin(self) -> None:
        if self._stdin is None:
            return
        if self._end_stdin is not None:
            await self._close_containers_stdin(self._end_stdin)
        else:
            for output in self._outputs:
                output.close()

    async def _close_containers_stdin(self, end: Callable[[], Awaitable[None]]) -> None:
        assert self._stdin is not None
        self._stdin.close()
        self._end_stdin = None
        await end()

    async def resize(self, size: TerminalSize) -> None:
        if self._terminal is not None and not self._terminal.closed:
            _set_size(self._terminal.fileno(), size)

    async def wait(self) -> int:
        return 0

    async def close(self) -> None:
        for end in self._ends:
            end.close()
        if self._end_stdin is not None:
            await self._close_containers_stdin(self._end_stdin)


class NodePortConnection:
    """`PortConnection` over a connected socket of the pod's network."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, connected: socket.socket) -> NodePortConnection:
        return cls(*await asyncio.open_connection(sock=connected))

    async def read(self) -> bytes:
        try:
            return await self._reader.read(_CHUNK)
        except ConnectionError:
            return b""

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def end_input(self) -> None:
        if not self._writer.is_closing():
            self._writer.write_eof()

    async def close(self) -> None:
        """What is written already goes out; a pod that does not take it has a moment for it."""
        self._writer.close()
        asyncio.get_running_loop().call_later(_FLUSHED_WITHIN, self._writer.transport.abort)
