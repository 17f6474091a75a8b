"""`klamm exec`: a command in a container, its input and output ours, its exit code, too."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager

from klamm.cli.context import Context
from klamm.cli.errors import Mistake
from klamm.cli.pods import container_of, find_pod
from klamm.kube import errors
from klamm.kube.kinds import Name
from klamm.kube.streams import Exec, Output, execute

_PIECE = 32 * 1024

Sink = Callable[[Output, bytes], None]


def run(context: Context, arguments: argparse.Namespace) -> int:
    if arguments.output != "text":
        raise Mistake("the command's output comes as it is: -o text is all that there is")
    return asyncio.run(_run(context, arguments))


async def _run(context: Context, arguments: argparse.Namespace) -> int:
    namespace = context.namespace(arguments.namespace)
    async with context.client() as client:
        pod = await find_pod(client, arguments.pod, namespace)
    container = container_of(context, pod, arguments.container)
    name = Name(namespace, pod["metadata"]["name"])
    terminal = arguments.tty and sys.stdin.isatty()
    if arguments.tty and not terminal and arguments.stdin:
        context.say("standard input is no terminal here: the command gets one all the same, without yours")
    running = execute(
        context.connection(), name, container, arguments.arguments, stdin=arguments.stdin, tty=arguments.tty
    )
    try:
        return await _run_in(running, arguments.stdin, terminal)
    except errors.ServerFault as error:
        raise Mistake(f"{error.doing}: {error.message}") from error


async def _run_in(running: AbstractAsyncContextManager[Exec], passes_input: bool, terminal: bool) -> int:
    async with running as process:
        with raw_terminal(sys.stdin.fileno()) if terminal and passes_input else contextlib.nullcontext():
            return await _converse(process, passes_input=passes_input, terminal=terminal)


async def _converse(process: Exec, *, passes_input: bool, terminal: bool) -> int:
    async with contextlib.AsyncExitStack() as stack:
        if terminal:
            await stack.enter_async_context(_following_window(process))
        if passes_input:
            reader = asyncio.create_task(_pass_input(process), name="input of exec")
            stack.callback(reader.cancel)
        async for output, data in process.output():
            _to_standard(output, data)
    assert process.exit_code is not None, "the output ended, so the command has"
    return process.exit_code


def _to_standard(output: Output, data: bytes) -> None:
    stream = sys.stdout if output is Output.STDOUT else sys.stderr
    stream.buffer.write(data)
    stream.buffer.flush()


async def _pass_input(process: Exec) -> None:
    async for data in _input(sys.stdin.fileno()):
        await process.write(data)
    await process.end_input()


async def _input(descriptor: int) -> AsyncIterator[bytes]:
    """What comes in, until its end. A file cannot be polled: it is always ready."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_reader(descriptor, ready.set)
    except PermissionError:
        while data := await asyncio.to_thread(os.read, descriptor, _PIECE):
            yield data
        return
    try:
        while True:
            await ready.wait()
            ready.clear()
            data = os.read(descriptor, _PIECE)
            if not data:
                return
            yield data
    finally:
        loop.remove_reader(descriptor)


@contextlib.asynccontextmanager
async def _following_window(process: Exec) -> AsyncIterator[None]:
    """The terminal in the container is as large as ours, also after ours has been resized."""
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()
    changed.set()

    async def follow() -> None:
        while True:
            await changed.wait()
            changed.clear()
            size = os.get_terminal_size(sys.stdin.fileno())
            await process.resize(size.columns, size.lines)

    task = asyncio.create_task(follow(), name="window of exec")
    loop.add_signal_handler(signal.SIGWINCH, changed.set)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)
        task.cancel()


@contextlib.contextmanager
def raw_terminal(descriptor: int) -> Iterator[None]:
    """Every key goes to the command (Ctrl-C as well); the terminal is as before in any case."""
    import termios
    import tty

    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


async def output_of(context: Context, pod: Name, container: str, command: Sequence[str]) -> tuple[int, bytes, bytes]:
    """Exit code, output and errors of a command that asks nothing."""
    said: dict[Output, list[bytes]] = {Output.STDOUT: [], Output.STDERR: []}
    async with execute(context.connection(), pod, container, command, stdin=False, tty=False) as process:
        async for output, data in process.output():
            said[output].append(data)
        assert process.exit_code is not None, "the output ended, so the command has"
        return process.exit_code, b"".join(said[Output.STDOUT]), b"".join(said[Output.STDERR])
