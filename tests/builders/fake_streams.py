"""`Streams` without a node: commands that repeat their input, ports that answer, and a log of one line."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from klamm.localkube.objects import ExecSession, LogOptions, PortConnection, Refused, TerminalSize, Use


class FakeSession:
    """Says something, then what it is given, and ends with a code when its input ends."""

    def __init__(self, says: bytes, code: int = 0) -> None:
        self._output: asyncio.Queue[bytes] = asyncio.Queue()
        self._output.put_nowait(says)
        self._code = code
        self.errors: list[bytes] = []
        self.sizes: list[TerminalSize] = []
        self.taken = 0
        self.takes_input = asyncio.Event()
        self.takes_input.set()
        self.closed = asyncio.Event()

    async def read_stdout(self) -> bytes:
        return await self._output.get()

    async def read_stderr(self) -> bytes:
        return self.errors.pop(0) if self.errors else b""

    async def write_stdin(self, data: bytes) -> None:
        await self.takes_input.wait()
        self.taken += len(data)
        self._output.put_nowait(data)

    async def close_stdin(self) -> None:
        self._output.put_nowait(b"")

    async def resize(self, size: TerminalSize) -> None:
        self.sizes.append(size)

    async def wait(self) -> int:
        return self._code

    async def close(self) -> None:
        self._output.put_nowait(b"")
        self.closed.set()


class FakeConnection:
    """A program behind a port: repeats what it is sent; ends when its caller does."""

    def __init__(self) -> None:
        self._echo: asyncio.Queue[bytes] = asyncio.Queue()
        self.input_ended = False
        self.closed = False

    async def read(self) -> bytes:
        return await self._echo.get()

    async def write(self, data: bytes) -> None:
        self._echo.put_nowait(data)

    async def end_input(self) -> None:
        self.input_ended = True
        self._echo.put_nowait(b"")

    async def close(self) -> None:
        self.closed = True
        self._echo.put_nowait(b"")


class FakeStreams:
    """Exec says its command; attach says "attached"; of the ports only 80 is open."""

    def __init__(self, says: bytes | None = None, code: int = 3) -> None:
        self._says = says
        self._code = code
        self.refusal: Refused | None = None
        """What `expect_running` raises."""
        self.sessions: list[FakeSession] = []
        self.connections: list[FakeConnection] = []
        self.dials = asyncio.Event()
        """Nobody is reached at a port before it is set."""
        self.dials.set()

    async def logs(self, namespace: str, pod: str, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        yield f"{namespace}/{pod}/{container} tail={options.tail_lines}\n".encode()

    def expect_running(self, use: Use, namespace: str, pod: str, container: str = "") -> None:
        if self.refusal is not None:
            raise self.refusal

    async def exec(
        self, namespace: str, pod: str, container: str, command: Sequence[str], *, stdin: bool, tty: bool
    ) -> ExecSession:
        if command[0] == "nosuch":
            raise Refused(500, "InternalError", 'cannot execute "nosuch"')
        return self._session(" ".join(command).encode() if self._says is None else self._says)

    async def attach(self, namespace: str, pod: str, container: str, *, stdin: bool) -> ExecSession:
        session = self._session(b"attached")
        session.errors.append(b"an error")
        return session

    async def port_forward(self, namespace: str, pod: str, port: int) -> PortConnection:
        await self.dials.wait()
        if port != 80:
            raise Refused(500, "InternalError", f"dial tcp 127.0.0.1:{port}: Connection refused")
        self.connections.append(FakeConnection())
        return self.connections[-1]

    async def metrics(self, node: str, path: str) -> str:
        return f"{node} {path}\n"

    def _session(self, says: bytes) -> FakeSession:
        self.sessions.append(FakeSession(says, self._code))
        return self.sessions[-1]
