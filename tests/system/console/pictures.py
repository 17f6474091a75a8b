"""Takes the docs' pictures of the console: real brokers with some minutes of traffic, a roll on one machine, a real
browser.

python -m tests.system.console.pictures docs/pictures            # all
python -m tests.system.console.pictures docs/pictures roll       # this one: console or roll
"""

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.builders.browser import Tab, browser
from tests.builders.real_brokers import RealBrokers, real_brokers
from tests.builders.running_console import RunningConsole, running_console
from tests.system.console.conftest import KAFKA
from tests.system.console.test_console_of_a_home import running, until_online
from tests.system.console.test_roll import ROLLED_FOR_A_PICTURE, change_configuration, rolled_home

from klamm.base.clock import SystemClock
from klamm.base.deadlines import until
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


async def take_roll(folder: Path) -> None:
    """Of three brokers, when one is done and the next is on its way."""
    with (
        tempfile.TemporaryDirectory(prefix="klamm-pictures-") as made,
        rolled_home(ROLLED_FOR_A_PICTURE) as home,
        running(home) as url,
    ):
        until_online(home, url)
        async with browser(Path(made)) as tab:
            await tab.open(f"{url}/clusters/my-cluster/operator")
            await tab.until_shown("Nothing is being rolled.")
            change_configuration(home)
            is_seen = "1 of 3 done.*is starting.*Next: my-cluster"
            await until(180.0, "the second broker is starting", lambda: _lacks(tab, is_seen), every=0.05)
            await tab.picture(folder / "console-roll.png")


async def _lacks(tab: Tab, pattern: str) -> str | None:
    text = await tab.text()
    return None if re.search(pattern, text, re.DOTALL) else f"the page says:\n{text}"


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
    for name in sys.argv[2:] or ["console", "roll"]:
        asyncio.run({"console": take, "roll": take_roll}[name](Path(sys.argv[1])))
