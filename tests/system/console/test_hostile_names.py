"""Names that would like to be scripts, in a real browser: they are shown, nothing of them runs, nothing is asked of
anybody but this console.

Brokers here only speak the protocol, so that they can hold names that real ones would not take.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.builders.browser import browser
from tests.builders.fake_kafka_server import FakeGroup, FakeServers, FakeTopic, fake_servers
from tests.builders.hostile import HOSTILE, is_harmless, open_page
from tests.builders.running_console import cluster_settings, running_console

from klamm.console.identity.reading import access
from klamm.console.settings import Settings


@pytest.fixture
def servers() -> Iterator[FakeServers]:
    made = FakeServers(
        [1],
        topics={name: FakeTopic([5], [1]) for name in HOSTILE.values() if len(name) < 30_000},
        groups={
            name: FakeGroup({topic: {0: 1}}, members={f"{name}-member": {topic: [0]}})
            for name, topic in zip(HOSTILE.values(), [*list(HOSTILE.values())[:-1], HOSTILE["script"]], strict=True)
        },
    )
    with fake_servers(made) as running:
        yield running


async def test_names_are_shown_and_nothing_of_them_runs(servers: FakeServers, tmp_path: Path) -> None:
    async with running_console(servers.bootstrap) as console, browser(tmp_path) as tab:
        await open_page(tab, console, "/")
        await open_page(tab, console, "/clusters/kafka/topics")
        text = await tab.text()
        for kind in ("script", "image", "link", "template", "entity", "attribute", "slashes", "words", "proto"):
            assert HOSTILE[kind] in text, kind
        await open_page(tab, console, "/clusters/kafka/groups")
        assert HOSTILE["frame"] in await tab.text()
        for path in (
            "wrong",
            "compare",
            "heat",
            "transactions",
            "acls",
            "quotas",
            "quorum",
            "schemas",
            "operator",
            "audit",
        ):
            await open_page(tab, console, f"/clusters/kafka/{path}")
        for kind, name in HOSTILE.items():
            where = quote(name, safe="")
            if kind != "huge":
                for tab_name in ("partitions", "groups"):
                    await open_page(tab, console, f"/clusters/kafka/topics/{where}?tab={tab_name}")
                    assert await tab.run("document.querySelector('h1').textContent") == name, kind
            if kind == "huge":
                continue
            await open_page(tab, console, f"/clusters/kafka/groups/{where}")
            assert await tab.run("document.querySelector('h1').textContent") == name, kind
        assert [one for one in tab.said if "Content Security Policy" in one or "Error" in one] == []


async def test_a_link_of_a_name_leads_to_it(servers: FakeServers, tmp_path: Path) -> None:
    async with running_console(servers.bootstrap) as console, browser(tmp_path) as tab:
        for kind in ("slashes", "link", "data", "bidi", "proto"):
            await open_page(tab, console, "/clusters/kafka/topics")
            find = (
                f"[...document.querySelectorAll('td a')].find((one) => one.textContent === {json.dumps(HOSTILE[kind])})"
            )
            await tab.run(f"{find}.click()")
            await tab.until(f"document.querySelector('h1')?.textContent === {json.dumps(HOSTILE[kind])}", kind)
            await tab.until_shown("as of")
            await is_harmless(tab, console)


async def test_dialogs_show_names_as_text(servers: FakeServers, tmp_path: Path) -> None:
    async with running_console(servers.bootstrap) as console, browser(tmp_path) as tab:
        for kind in ("script", "image", "attribute", "bidi"):
            await open_page(tab, console, f"/clusters/kafka/topics/{quote(HOSTILE[kind], safe='')}")
            await tab.click("Delete")
            assert HOSTILE[kind] in await tab.run("document.querySelector('dialog').textContent")
            await is_harmless(tab, console)


@pytest.mark.parametrize("kind", ["script", "image", "attribute", "link", "template", "bidi", "huge"])
async def test_what_stands_in_an_address_is_text_too(servers: FakeServers, tmp_path: Path, kind: str) -> None:
    given = {"auth": {"type": "LOGIN_FORM", "users": [{"name": HOSTILE["image"], "password": "pw"}]}}
    settings = Settings((cluster_settings(servers.bootstrap),), access=access(given, ["kafka"]))
    word = quote(HOSTILE[kind][:2000], safe="")
    async with running_console(settings=settings) as console, browser(tmp_path) as tab:
        await open_page(tab, console, f"/login?problem={word}&next={word}")
        await tab.fill("User", HOSTILE["image"])
        await tab.fill("Password", "wrong")
        await tab.run("document.querySelector('form button').click()")
        await tab.until_shown("do not fit together")
        await tab.fill("Password", "pw")
        await tab.run("document.querySelector('form button').click()")
        await tab.until("!location.pathname.endsWith('login')", "the first page")
        await tab.until_shown(HOSTILE["image"])
        await is_harmless(tab, console)
        for path in (
            f"/{word}",
            f"/clusters/{word}",
            f"/clusters/kafka/topics?search={word}&sort={word}",
            f"/clusters/kafka/topics/{word}?tab={word}",
        ):
            await open_page(tab, console, path)
        await open_page(tab, console, "/clusters/kafka/audit")


async def test_addresses_that_are_none_have_no_page(servers: FakeServers, tmp_path: Path) -> None:
    async with running_console(servers.bootstrap) as console, browser(tmp_path) as tab:
        for path in ("/clusters/%zz", "/clusters/%E0%A4%A/topics", "/clusters//topics", "/clusters/kafka/topics/%"):
            await open_page(tab, console, path)
            await tab.until_shown("There is no such page")
