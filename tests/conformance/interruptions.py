"""A way to a server that can be cut, and who follows a namespace's ConfigMaps at its end.

The way is a plain TCP proxy: TLS goes through it, so that neither end knows more than that a connection ended.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import yaml
from kubernetes import client, config
from kubernetes.informer import SharedInformer
from tests.conformance.test_clients import informer

TOLD_WITHIN = 180.0


@dataclass
class Way:
    """From a port of its own to the server's."""

    server: str
    port: int = 0
    is_closed: bool = False
    """Whoever comes is turned away."""
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """Every connection ends, in the middle of whatever was said; new ones get through."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    def close(self) -> None:
        self.is_closed = True
        self.cut()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_closed:
            writer.close()
            return
        address = urlsplit(self.server)
        behind, ahead = await asyncio.open_connection(address.hostname, address.port)
        self._writers |= {writer, ahead}
        await asyncio.gather(_pass(reader, ahead), _pass(behind, writer))  # noqa: TID251 (one that is cut ends both)

    def kubeconfig(self, of: Path, to: Path) -> Path:
        settings = yaml.safe_load(of.read_text())
        settings["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{self.port}"
        to.write_text(yaml.safe_dump(settings))
        to.chmod(0o600)
        return to


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def way_to(server: str) -> AsyncIterator[Way]:
    way = Way(server)
    listening = await asyncio.start_server(way.serve, "127.0.0.1", 0)
    way.port = listening.sockets[0].getsockname()[1]
    try:
        yield way
    finally:
        listening.close()
        way.close()


@dataclass
class Heard:
    """What a follower has been told, an event a line: `added NAME N`, where N stands in the object's data."""

    lines: list[str] = field(default_factory=list)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, line: str) -> None:
        self.lines.append(line)
        self._more.set()

    async def until(self, what: str, holds: Callable[[Sequence[str]], bool]) -> None:
        try:
            async with asyncio.timeout(TOLD_WITHIN):
                while not holds(self.lines):
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(f"not within {TOLD_WITHIN:g} s: {what}; it has heard {self.lines[-30:]}") from None


class Follower(Protocol):
    def __call__(self, kubeconfig: Path, namespace: str) -> contextlib.AbstractAsyncContextManager[Heard]: ...


@asynccontextmanager
async def client_go(kubeconfig: Path, namespace: str) -> AsyncIterator[Heard]:
    program, pipe = await asyncio.to_thread(informer), asyncio.subprocess.PIPE
    argv = [str(program), str(kubeconfig), namespace, "follow"]
    heard = Heard()
    process = await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL)
    assert process.stdout is not None

    async def read(stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            heard.add(line.decode().strip())

    reading = asyncio.create_task(read(process.stdout))
    try:
        yield heard
    finally:
        process.kill()
        await process.wait()
        await reading


@asynccontextmanager
async def python(kubeconfig: Path, namespace: str) -> AsyncIterator[Heard]:
    loop, heard = asyncio.get_running_loop(), Heard()
    settings = client.Configuration()
    config.load_kube_config(str(kubeconfig), client_configuration=settings)

    def tell(what: str) -> Callable[[Any], None]:
        def told(one: Any) -> None:
            line = f"{what} {one.metadata.name} {(one.data or {}).get('n', '')}"
            loop.call_soon_threadsafe(heard.add, line.strip())

        return told

    with client.ApiClient(settings) as api:
        following = SharedInformer(client.CoreV1Api(api).list_namespaced_config_map, namespace=namespace)
        for event, what in (("ADDED", "added"), ("MODIFIED", "updated"), ("DELETED", "deleted")):
            following.add_event_handler(event, tell(what))
        following.start()
        try:
            yield heard
        finally:
            await asyncio.to_thread(following.stop)
