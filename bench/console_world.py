"""What stands around the console in bench/console.py, in processes of its own: brokers, a registry, and the peer.

The peer is a bare aiohttp server that gives back the very bytes that the console gave: what HTTP itself takes here.
"""

import asyncio
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from aiohttp import web
from tests.builders.fake_administration import FakeProducer, FakeTransaction
from tests.builders.fake_kafka_server import FakeGroup, FakeServers, FakeTopic, fake_servers
from tests.builders.fake_registry import FakeRegistry, fake_registry

BROKERS = 6
TOPICS, PARTITIONS = 9000, 39_000
GROUPS = 2200
OTHER_TOPICS = 500
"""Of the second, small cluster, to be compared with."""
SUBJECTS, USERS, RULES, TRANSACTIONS, MOVING = 500, 500, 2000, 300, 100
HANGING = 3
_OF_TOPIC, _OF_BROKER = 32, 270
"""Settings, as Kafka 4 has them."""
TITLE = f"{TOPICS} topics, {PARTITIONS} partitions, {GROUPS} groups, {BROKERS} brokers that speak the protocol"


@contextmanager
def in_a_process(be: Callable[[Connection], None]) -> Iterator[Any]:
    """What it says first."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=be, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("end")
        process.join()


def be_cluster(told: Connection) -> None:
    """Says its bootstrap addresses and its process id."""
    with fake_servers(_large()) as servers:
        told.send((",".join(servers.bootstrap), os.getpid()))
        told.recv()


def be_neighbours(told: Connection) -> None:
    """Says the bootstrap address of the small cluster and the registry's URL."""

    async def stand() -> None:
        registry = FakeRegistry()
        for number in range(SUBJECTS):
            schema = {"type": "record", "name": f"Of{number}", "fields": [{"name": "id", "type": "long"}]}
            registry.add(f"topic-{number:05}-value", json.dumps(schema))
        async with fake_registry(registry):
            told.send((servers.bootstrap[0], registry.url))
            await asyncio.to_thread(told.recv)

    topics = {topic_name(number): FakeTopic([10], [1]) for number in range(OTHER_TOPICS)}
    others = FakeServers([1], topics=topics, administered=True, topic_configs=_configs(_OF_TOPIC), remember=True)
    with fake_servers(others) as servers:
        asyncio.run(stand())


def be_peer(told: Connection) -> None:
    """Says its port. What is put there is what is got there."""
    asyncio.run(_peer(told))


async def _peer(told: Connection) -> None:
    bodies: dict[str, bytes] = {}

    async def put(request: web.Request) -> web.Response:
        bodies[request.rel_url.raw_path_qs] = await request.read()
        return web.Response(status=204)

    async def get(request: web.Request) -> web.Response:
        return web.Response(body=bodies.get(request.rel_url.raw_path_qs, b"{}"), content_type="application/json")

    app = web.Application(client_max_size=1 << 30)
    app.router.add_put("/{rest:.*}", put)
    app.router.add_get("/{rest:.*}", get)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    told.send(site._server.sockets[0].getsockname()[1])  # type: ignore[attr-defined]
    await asyncio.to_thread(told.recv)
    await runner.cleanup()


def _large() -> FakeServers:
    brokers = list(range(1, BROKERS + 1))
    topics = {}
    for number in range(TOPICS):
        count = PARTITIONS // TOPICS + (number % TOPICS < PARTITIONS % TOPICS)
        ends = [1000 + number + one for one in range(count)]
        leaders: list[int | None] = [brokers[(number + one) % BROKERS] for one in range(count)]
        topics[topic_name(number)] = FakeTopic(ends, leaders)
    groups = {}
    for number in range(GROUPS):
        name = topic_name(number * 4 % TOPICS)
        committed = {name: {one: 900 for one in range(len(topics[name].ends))}}
        groups[f"group-{number:04}"] = FakeGroup(committed, coordinator=brokers[number % BROKERS])
    transactions = {}
    for number in range(TRANSACTIONS):
        name = topic_name(number * 7)
        topics[name].producers[0] = [FakeProducer(number, since=900)]
        if number >= HANGING:
            transactions[f"tx-{number}"] = FakeTransaction(number, brokers[number % BROKERS], partitions={name: [0]})
    return FakeServers(
        brokers,
        topics=topics,
        groups=groups,
        transactions=transactions,
        administered=True,
        topic_configs=_configs(_OF_TOPIC),
        broker_configs=_configs(_OF_BROKER),
        moving={topic_name(number): {0: ([number % BROKERS + 1], 1)} for number in range(MOVING)},
        readers=[(f"User:user-{number % USERS}", topic_name(number)) for number in range(RULES)],
        users=[f"user-{number}" for number in range(USERS)],
        remember=True,
    )


def topic_name(number: int) -> str:
    return f"topic-{number:05}"


def _configs(count: int) -> dict[str, str]:
    return {f"setting.number.{number}": str(number) for number in range(count)}
