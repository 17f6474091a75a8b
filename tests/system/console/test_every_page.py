"""Every page of the console in a real browser: it shows itself, nothing goes wrong, nothing comes from elsewhere."""

import re
from pathlib import Path

import pytest
from tests.builders.browser import Tab, browser
from tests.builders.real_brokers import RealBrokers
from tests.builders.running_console import running_console

from klamm import console

_FRAME = (Path(console.__file__).parent / "web" / "console.js").read_text()
PATTERNS = re.findall(r'^  \["([^"]*)", "klamm-', _FRAME, flags=re.M)
_PARAMETERS = {"cluster": "kafka", "broker": "1", "topic": "orders", "group": "shop"}
_SMALL = 390


def _addresses() -> list[str]:
    """Those whose parameters are there; a schema needs a registry."""
    parameters = [(one, re.findall(r":(\w+)", one)) for one in PATTERNS]
    return [
        re.sub(r":(\w+)", lambda found: _PARAMETERS[found[1]], pattern)
        for pattern, names in parameters
        if all(name in _PARAMETERS for name in names)
    ]


@pytest.fixture(scope="module")
def filled(brokers: RealBrokers) -> RealBrokers:
    brokers.tool("kafka-topics.sh", "--create", "--topic", "orders", "--partitions", "2", "--replication-factor", "2")
    brokers.tool("kafka-console-producer.sh", "--topic", "orders", input="one\ntwo\nthree\n")
    read = ("--topic", "orders", "--group", "shop", "--from-beginning", "--max-messages", "2")
    brokers.tool("kafka-console-consumer.sh", *read)
    return brokers


async def test_every_page_shows_itself_and_nothing_goes_wrong(filled: RealBrokers, tmp_path: Path) -> None:
    async with running_console(filled.bootstrap) as running, browser(tmp_path) as tab:
        shown = {}
        for address in _addresses():
            await tab.open(f"{running.url}/{address}")
            await _until_drawn(tab)
            shown[address] = await tab.run("document.querySelector('h1').innerText")
            assert await tab.run(_DOUBLE_IDS) == []
        # What these brokers have not (an authorizer, an operator beside them) is told on the page.
        assert [one for one in tab.said if not one.startswith("Failed to load resource")] == []
        assert all(shown.values()), shown
        assert {url.split("/")[2] for url in tab.asked if not url.startswith(("data:", "about:"))} == {
            running.url.split("/")[2]
        }


async def test_pages_fit_a_telephone(filled: RealBrokers, tmp_path: Path) -> None:
    async with running_console(filled.bootstrap) as running, browser(tmp_path) as tab:
        await tab.call("Emulation.setDeviceMetricsOverride", width=_SMALL, height=800, deviceScaleFactor=1, mobile=True)
        wide = []
        for address in _addresses():
            await tab.open(f"{running.url}/{address}")
            await _until_drawn(tab)
            if await tab.run(f"document.documentElement.scrollWidth > {_SMALL}"):
                wide.append(address)
        assert wide == []


async def test_everything_that_is_used_has_a_name(filled: RealBrokers, tmp_path: Path) -> None:
    """As a screen reader needs it: fields have labels, buttons and links words, tables captions."""
    async with running_console(filled.bootstrap) as running, browser(tmp_path) as tab:
        nameless = {}
        for address in _addresses():
            await tab.open(f"{running.url}/{address}")
            await _until_drawn(tab)
            if found := await tab.run(_NAMELESS):
                nameless[address] = found
        assert nameless == {}


_DOUBLE_IDS = """
[...document.querySelectorAll("[id]")].map((one) => one.id).filter((id, at, all) => all.indexOf(id) !== at)
"""

_NAMELESS = """
[...document.querySelectorAll("input, select, textarea, button, a[href], table, svg")]
  .filter((one) => one.checkVisibility() && !one.closest("[aria-hidden=true]"))
  .filter((one) => {
    if (one.getAttribute("aria-label") || one.getAttribute("aria-labelledby") || one.title) return false;
    if (one.matches("input, select, textarea")) return !one.labels?.length;
    if (one.matches("table")) return !one.caption?.innerText;
    if (one.matches("svg")) return !one.querySelector("title") && one.getAttribute("role") !== "presentation";
    return !one.innerText.trim();
  })
  .map((one) => one.outerHTML.slice(0, 120))
"""


async def _until_drawn(tab: Tab) -> None:
    await tab.until(
        "document.querySelector('main h1')?.innerText && !document.querySelector('main [aria-busy]')", "the page"
    )
