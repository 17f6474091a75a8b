import asyncio
import logging
from random import Random
from typing import Any, cast

import pytest
from tests.builders.virtual_time import in_virtual_time

from klamm.base.deadlines import DeadlineExceeded, within
from klamm.base.together import side_by_side
from klamm.kafka.admin import Admin, Connection
from klamm.kafka.errors import Unreachable
from klamm.kafka.link import Link, reason_silent_at


class Brokers:
    """Nobody listens before `listening`, nobody answers before `answering` (seconds)."""

    def __init__(self, listening: float, answering: float) -> None:
        self.listening, self.answering = listening, answering
        self.opened = self.closed = self.tried = 0

    async def reason_silent(self, _: str) -> str | None:
        return None if asyncio.get_running_loop().time() >= self.listening else "refused"

    async def open(self, _: Connection) -> Admin:
        self.tried += 1
        if asyncio.get_running_loop().time() < self.answering:
            raise Unreachable("connect", "no answer")
        self.opened += 1
        return cast(Admin, self)

    async def close(self) -> None:
        self.closed += 1


def link_to(brokers: Brokers) -> Link:
    connection = Connection(("b:9092",))
    return Link(connection, Random(1), open_admin=brokers.open, reason_silent=brokers.reason_silent)


@in_virtual_time
async def test_the_library_is_not_asked_before_a_broker_listens() -> None:
    brokers = Brokers(listening=30, answering=30)
    link = link_to(brokers)
    assert link.reason_lost is not None
    await link.admin()
    assert (brokers.tried, brokers.opened) == (1, 1)
    assert asyncio.get_running_loop().time() < 36
    assert link.reason_lost is None
    assert link.answered_once


@in_virtual_time
async def test_all_who_wait_get_the_same_connection() -> None:
    brokers = Brokers(listening=1, answering=2)
    link = link_to(brokers)
    first, second = await side_by_side(link.admin(), link.admin())
    assert first is second
    assert brokers.opened == 1


@in_virtual_time
async def test_of_many_addresses_the_one_that_answers_is_found_at_once() -> None:
    opened: list[Connection] = []

    async def reason_silent(address: str) -> str | None:
        await asyncio.sleep(0.01 if address == "g:1" else 2)
        return None if address == "g:1" else "silent"

    async def open_admin(connection: Connection) -> Admin:
        opened.append(connection)
        return cast(Admin, connection)

    addresses = tuple(f"{name}:1" for name in "abcdefg")
    link = Link(Connection(addresses), Random(1), open_admin=open_admin, reason_silent=reason_silent)
    await link.admin()
    assert asyncio.get_running_loop().time() < 0.1
    assert opened == [Connection(("g:1",))]
    assert len(asyncio.all_tasks()) == 1


@in_virtual_time
async def test_addresses_that_are_silent_are_asked_side_by_side_and_all_named() -> None:
    async def reason_silent(address: str) -> str | None:
        await asyncio.sleep(2)
        return f"{address} is silent"

    link = Link(Connection(("a:1", "b:1", "c:1")), Random(1), reason_silent=reason_silent)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2.1):
            await link.admin()
    assert link.reason_lost == "a:1 is silent; b:1 is silent; c:1 is silent"


class Hanging:
    """All listen. Those of `hanging` are the nearest, in this order, and do not answer before `until` (seconds)."""

    def __init__(self, *hanging: str, until: float = float("inf")) -> None:
        self.hanging, self.until = hanging, until
        self.tried: list[tuple[str, ...]] = []

    async def reason_silent(self, address: str) -> str | None:
        await asyncio.sleep(0.01 * ((*self.hanging, address).index(address) + 1))
        return None

    async def open(self, connection: Connection) -> Admin:
        self.tried.append(connection.bootstrap)
        if asyncio.get_running_loop().time() < self.until and set(connection.bootstrap) & set(self.hanging):
            await asyncio.sleep(connection.connect_timeout)
            raise Unreachable("connect", "Request timed out")
        return cast(Admin, self)

    async def close(self) -> None: ...

    def link(self, *bootstrap: str) -> Link:
        return Link(Connection(bootstrap), Random(1), open_admin=self.open, reason_silent=self.reason_silent)


@in_virtual_time
async def test_a_broker_that_listens_and_never_answers_is_left_out_of_the_next_try() -> None:
    brokers = Hanging("a:1", "b:1")
    await within(60, "Kafka", brokers.link("a:1", "b:1", "c:1").admin())
    assert brokers.tried == [("a:1",), ("b:1",), ("c:1",)]
    assert asyncio.get_running_loop().time() < 22


@in_virtual_time
async def test_it_is_left_out_also_when_nobody_waited_for_the_end_of_the_try() -> None:
    brokers = Hanging("a:1")
    link = brokers.link("a:1", "b:1")
    with pytest.raises(DeadlineExceeded):
        await within(5, "Kafka", link.admin())
    await within(60, "Kafka", link.admin())
    assert brokers.tried == [("a:1",), ("b:1",)]


@in_virtual_time
async def test_where_all_were_tried_in_vain_all_are_tried_again() -> None:
    brokers = Hanging("a:1", "b:1", until=15)
    await within(60, "Kafka", brokers.link("a:1", "b:1").admin())
    assert brokers.tried == [("a:1",), ("b:1",), ("a:1", "b:1")]


@in_virtual_time
async def test_once_kafka_answered_nobody_is_left_out_any_more() -> None:
    brokers = Hanging("a:1", until=5)
    link = brokers.link("a:1", "b:1")
    await within(60, "Kafka", link.admin())
    await link.lost(Unreachable("describe topics", "cut"))
    await within(60, "Kafka", link.admin())
    assert brokers.tried == [("a:1",), ("b:1",), ("a:1",)]


@in_virtual_time
async def test_a_lost_connection_is_closed_and_opened_anew() -> None:
    brokers = Brokers(0, 0)
    link = link_to(brokers)
    await link.admin()
    await link.lost(Unreachable("describe topics", "cut"))
    assert link.reason_lost == "cut"
    assert link.answered_once
    await link.admin()
    assert (brokers.opened, brokers.closed) == (2, 1)


def test_a_long_silence_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    @in_virtual_time
    async def wait() -> None:
        link = link_to(Brokers(600, 600))
        for _ in range(100):
            try:
                async with asyncio.timeout(10):
                    await link.admin()
                    return
            except TimeoutError:
                continue

    with caplog.at_level(logging.INFO, "klamm"):
        wait()
    assert [record.getMessage() for record in caplog.records] == ["waiting for Kafka", "Kafka answers"]


async def test_a_port_where_nobody_listens_says_so_and_one_where_somebody_does_not() -> None:
    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    assert await reason_silent_at(address) is None
    server.close()
    await server.wait_closed()
    silent: Any = await reason_silent_at(address)
    assert address in silent
