"""Pages over real sockets, and readers that are slow."""

import asyncio
import socket

import pytest

from klamm.base.deadlines import until
from klamm.base.pages import TEXT, Page, Pages

LARGE = Page(200, TEXT, b"x" * (32 << 20))
"""More than the sockets' own buffers take."""


def conversations() -> str | None:
    coroutines = [task.get_coro() for task in asyncio.all_tasks()]
    return "one goes on" if any(getattr(one, "__name__", "") == "_converse" for one in coroutines) else None


def asking(port: int) -> socket.socket:
    reader = socket.create_connection(("127.0.0.1", port), timeout=10)
    reader.sendall(b"GET / HTTP/1.1\r\n\r\n")
    return reader


def read_to_the_end(reader: socket.socket) -> int:
    """How many bytes came."""
    count = 0
    try:
        while part := reader.recv(1 << 20):
            count += len(part)
    except ConnectionResetError:
        pass
    return count


async def test_a_page_that_nobody_reads_is_let_go() -> None:
    answers = [LARGE]
    pages = Pages(lambda request: answers.pop(), writing=0.1)
    with asking(await pages.start("127.0.0.1", 0)) as reader:
        await until(10, "it to be asked", lambda: "not yet" if answers else None, every=0.01)
        await until(10, "the conversation to end", conversations, every=0.01)
        came = await asyncio.to_thread(read_to_the_end, reader)
    pages.close()
    assert came < len(LARGE.body)


@pytest.mark.parametrize(("page", "code"), [(LARGE, b"503"), (Page(200, TEXT, b"ok"), b"200")])
async def test_beside_many_slow_readers_of_large_pages_only_small_ones_are_given(page: Page, code: bytes) -> None:
    answers = [LARGE] * 16
    pages = Pages(lambda request: answers.pop() if answers else page)
    port = await pages.start("127.0.0.1", 0)
    slow = [asking(port) for _ in range(16)]
    await until(10, "all of them to be answered", lambda: f"{len(answers)} left" if answers else None, every=0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert (await reader.readline()).split()[1] == code
    writer.close()
    for one in slow:
        one.close()
    pages.close()
    await until(10, "the conversations to end", conversations, every=0.01)
