import asyncio
from typing import cast

from tests.builders.virtual_time import in_virtual_time

from klamm.exporter.service import CERTIFICATES_EVERY, Settings, follow
from klamm.kafka.admin import Connection
from klamm.kafka.link import Link


class Files:
    """A certificate and its key as files hold them; they must fit."""

    def __init__(self) -> None:
        self.now = (b"certificate 1", b"key 1")

    def read(self) -> tuple[bytes, ...]:
        return self.now

    def connection(self) -> Connection:
        if self.now[0][-1] != self.now[1][-1]:
            raise OSError("key values mismatch")
        return Connection((self.now[0].decode(),))


class Renewed:
    def __init__(self) -> None:
        self.connections: list[Connection] = []

    async def renew(self, connection: Connection) -> None:
        self.connections.append(connection)


@in_virtual_time
async def test_renewed_certificates_are_taken_once_they_fit() -> None:
    files, link = Files(), Renewed()
    settings = Settings(files.connection, files.read, None, 0)
    following = asyncio.create_task(follow(settings, [cast(Link, link)]))
    await asyncio.sleep(3.5 * CERTIFICATES_EVERY)
    assert link.connections == []
    files.now = (b"certificate 2", b"key 1")
    await asyncio.sleep(CERTIFICATES_EVERY)
    assert link.connections == []
    files.now = (b"certificate 2", b"key 2")
    await asyncio.sleep(5 * CERTIFICATES_EVERY)
    assert link.connections == [Connection(("certificate 2",))]
    following.cancel()
