"""Certificates that are renewed while the console runs."""

import asyncio
from random import Random
from typing import cast

from tests.builders.virtual_time import in_virtual_time

from klamm.console.renewing import EVERY, follow_files
from klamm.console.settings import ClusterSettings
from klamm.kafka.admin import Admin, Connection
from klamm.kafka.link import Link


class Opened:
    """An Admin that is only closed."""

    async def close(self) -> None:
        pass


class Files:
    """`content`: what the one file holds; None when it cannot be read."""

    def __init__(self) -> None:
        self.content: bytes | None = b"old"
        self.connected: list[str] = []

    def read(self) -> tuple[bytes, ...]:
        if self.content is None:
            raise OSError("no such file")
        return (self.content,)

    def settings(self) -> ClusterSettings:
        return ClusterSettings("one", lambda: Connection(("a:1",), client_id=self.read()[0].decode()), files=self.read)

    def link(self) -> Link:
        async def opened(connection: Connection) -> Admin:
            self.connected.append(connection.client_id)
            return cast(Admin, Opened())

        async def listens(address: str) -> None:
            return None

        return Link(self.settings().connection(), Random(1), open_admin=opened, reason_silent=listens)


@in_virtual_time
async def test_a_renewed_certificate_is_taken_and_one_that_cannot_be_read_is_waited_for() -> None:
    files = Files()
    link = files.link()
    await link.admin()
    following = asyncio.create_task(follow_files(files.settings(), (link,)))
    await asyncio.sleep(EVERY + 1)
    await link.admin()
    assert files.connected == ["old"]
    files.content = None
    await asyncio.sleep(EVERY + 1)
    await link.admin()
    assert files.connected == ["old"]
    files.content = b"new"
    await asyncio.sleep(EVERY + 1)
    await link.admin()
    assert files.connected == ["old", "new"]
    following.cancel()
