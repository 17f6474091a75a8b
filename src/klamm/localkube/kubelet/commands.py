"""Running one command in a container to its end: exec probes and hooks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from klamm.localkube.kubelet.runtime import Runtime
from klamm.localkube.objects import ExecSession

OUTPUT_LIMIT = 10 * 1024
_LAST_OUTPUT = 0.2
"""Seconds for output that is still in the pipes when the command has ended; its children may hold them for ever."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    exit_code: int
    output: str
    """Standard output and error, at most 10 KiB."""


async def run_command(
    runtime: Runtime, container_id: str, command: Sequence[str], environment: Mapping[str, str]
) -> CommandResult:
    """Raises `CannotStart`. Cancelling (a timeout of the caller) ends the command."""
    session = await runtime.exec(container_id, command, environment=environment, stdin=False, tty=False)
    try:
        output = bytearray()
        readers = [asyncio.ensure_future(_drain(read, output)) for read in (session.read_stdout, session.read_stderr)]
        try:
            code = await session.wait()
            await asyncio.wait(readers, timeout=_LAST_OUTPUT)
        finally:
            for reader in readers:
                reader.cancel()
        return CommandResult(code, output.decode("utf-8", "replace"))
    finally:
        await _close(session)


async def _drain(read: Callable[[], Awaitable[bytes]], into: bytearray) -> None:
    while chunk := await read():
        if len(into) < OUTPUT_LIMIT:
            into += chunk[: OUTPUT_LIMIT - len(into)]


async def _close(session: ExecSession) -> None:
    # Shielded, so that a cancelled probe does not leave its command behind.
    await asyncio.shield(asyncio.ensure_future(session.close()))
