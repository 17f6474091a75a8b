"""Takes the docs' pictures of the console: real brokers with some minutes of traffic, a real browser.

python -m tests.system.console.pictures docs/pictures
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.builders.browser import Tab, browser
from tests.builders.real_brokers import RealBrokers, real_brokers
from tests.builders.running_console import RunningConsole, running_console
from tests.system.console.conftest import KAFKA

from klamm.base.clock import SystemClock
from klamm.base.together import ended
from klamm.distribution.provide import provide
from klamm.distribution.store import Store

_TOPICS = {"orders": 6, "payments": 3, "shipments": 3, "users": 1}
_TRAFFIC = 240.0
"""Seconds: what charts show."""
_HERE = "clusters/kafka"
_PICTURES = {
    "console-overview": (_HERE, "Messages written a second"),
    "console-topics": (f"{_HERE}/topics", "payments"),
    "console-messages": (f"{_HERE}/topics/orders/messages", "shown"),
    "console-group": (f"{_HERE}/groups/warehouse", "Lag in records"),
    "console-wrong": (f"{_HERE}/wrong", "What to do"),
}


async def take(folder: Path) -> None:
    provided = await provide(Store(Path.home() / ".cache/klamm"), [KAFKA], java_home=None, clock=SystemClock())
    with (
        tempfile.TemporaryDirectory(prefix="klamm-pictures-") as made,
        real_brokers(provided, Path(made), KAFKA, count=3) as brokers,
    ):
        async with (
            running_console(brokers.bootstrap) as console,
            browser(Path(made)) as tab,
            _traffic(brokers, console),
        ):
            await asyncio.sleep(_TRAFFIC)
            brokers.brokers[2].kill()
            await asyncio.sleep(20)
            for name, (address, words) in _PICTURES.items():
                await _picture(tab, console, folder / f"{name}.png", address, words)


async def _picture(tab: Tab, console: RunningConsole, path: Path, address: str, words: str) -> None:
    await tab.open(f"{console.url}/{address}")
    await tab.until_shown(words)
    await tab.until("!document.querySelector('main [aria-busy]')", "the page")
    await asyncio.sleep(1.0)
    await tab.picture(path, dark=path.stem.endswith("messages"))


@asynccontextmanager
async def _traffic(brokers: RealBrokers, console: RunningConsole) -> AsyncIterator[None]:
    for name, partitions in _TOPICS.items():
        body = {"name": name, "partitions": partitions, "replicationFactor": 2}
        assert (await console.ask("POST", "/api/clusters/kafka/topics", body)).status == 204
    read = ("--topic", "orders", "--group", "warehouse", "--from-beginning", "--max-messages", "40")
    writing = asyncio.create_task(_write(console))
    await asyncio.sleep(15)
    await asyncio.to_thread(brokers.tool, "kafka-console-consumer.sh", *read)
    try:
        yield
    finally:
        await ended(writing)


async def _write(console: RunningConsole) -> None:
    """Some records a second, more and less."""
    number = 0
    while True:
        for topic in list(_TOPICS)[: 1 + number // 20 % len(_TOPICS)]:
            number += 1
            value = json.dumps({"order": number, "customer": {"name": "Anna"}, "total": number * 7 % 90 + 0.5})
            record = {"key": f"order-{number}", "value": value, "headers": [{"name": "source", "value": "shop"}]}
            await console.ask("POST", f"/api/clusters/kafka/topics/{topic}/messages", record)
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1])))
