"""A terminal with kubectl in it, as a person has it."""

import asyncio
import os
import pty
import signal
import struct
from codecs import getincrementaldecoder
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from fcntl import ioctl
from termios import TIOCSWINSZ

from tests.builders.pod_cluster import WITHIN, PodCluster, until

from klamm.localkube.node.terminals import rest_of_terminal


class Screen:
    def __init__(self, master: int, process: asyncio.subprocess.Process) -> None:
        self._master = master
        self._process = process
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self.text = ""

    def resize(self, rows: int, columns: int) -> None:
        """It is not kubectl's controlling terminal, so the kernel does not tell it."""
        ioctl(self._master, TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._process.send_signal(signal.SIGWINCH)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    async def shows(self, text: str) -> None:
        async def seen() -> bool:
            return text in self.text

        try:
            await until(f"the terminal shows {text!r}", seen)
        except AssertionError as error:
            raise AssertionError(f"{error}; it shows {self.text!r}") from None

    async def exit_code(self) -> int:
        async with asyncio.timeout(WITHIN):
            return await self._process.wait()

    def read(self) -> None:
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:  # its last holder closed it
            data = rest_of_terminal(self._master)
        if not data:
            asyncio.get_running_loop().remove_reader(self._master)
        self.text += self._decoder.decode(data)


@asynccontextmanager
async def terminal(cluster: PodCluster, *arguments: str, environment: Mapping[str, str]) -> AsyncIterator[Screen]:
    """kubectl in a terminal of 30 rows and 100 columns."""
    loop = asyncio.get_running_loop()
    master, slave = pty.openpty()
    ioctl(master, TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    process = await asyncio.create_subprocess_exec(
        "kubectl",
        *arguments,
        env=cluster.environment(environment),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    screen = Screen(master, process)
    loop.add_reader(master, screen.read)
    try:
        yield screen
    finally:
        loop.remove_reader(master)
        os.close(master)
        if process.returncode is None:
            process.kill()
            await process.wait()
