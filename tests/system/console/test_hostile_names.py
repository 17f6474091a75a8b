"""Names that would like to be scripts, in a real browser: they are shown, nothing of them runs, nothing is asked of
anybody but this console.

Brokers here only speak the protocol, so that they can hold names that real ones would not take.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.builders.browser import Tab, browser
from tests.builders.fake_kafka_server import FakeGroup, FakeServers, FakeTopic, fake_servers
from tests.builders.running_console import RunningConsole, cluster_settings, running_console

from klamm.console.identity.reading import access
from klamm.console.settings import Settings

HOSTILE = {
    "script": "<script>window.hit=1;fetch('http://evil.example/1')</script>",
    "image": '"><img src=x onerror="window.hit=1"><img src=http://evil.example/2>',
    "svg": "'><svg/onload=window.hit=1><style>@import 'http://evil.example/3'</style>",
    "frame": "<iframe srcdoc='<script>parent.hit=1</script>'></iframe>",
    "link": "javascript:window.hit=1//",
    "data": "data:text/html,<script>window.hit=1</script>",
    "base": "<base href=http://evil.example/><a href=x>",
    "template": "{{constructor.constructor('window.hit=1')()}}${window.hit=1}",
    "entity": "&lt;script&gt;window.hit=1&lt;/script&gt;&#x3c;",
    "attribute": 'x" autofocus onfocus="window.hit=1" onmouseover=\'window.hit=1\' y="',
    "bidi": "invoice\u202egpj.exe\u2066\u2067 \u200f",
    "control": "a\x01\x07\x1b[31m\x7f\u2028\u2029\ufeffb",
    "surrogates": "\U0001f9e8\U000e0041\uffff\ufffd",
    "slashes": "a/b\\c?d=e#f&g%2e%2e%2f;h",
    "words": "constructor __proto__ toString",
    "proto": "__proto__",
    "huge": "<b>" + "W" * 30_000,
}


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


async def _is_harmless(tab: Tab, console: RunningConsole) -> None:
    """Nothing ran, nothing was asked of others, nothing that could is in the page; it fits the screen."""
    assert await tab.run("window.hit ?? null") is None
    origin = console.url.rstrip("/")
    strangers = [one for one in tab.asked if not one.startswith((origin, "about:blank"))]
    assert strangers == []
    count = "document.querySelectorAll(%s).length"
    assert (
        await tab.run(count % json.dumps("script:not([src='console.js']), iframe, object, embed, style, form[action]"))
        == 0
    )
    assert await tab.run(count % json.dumps("base")) == 1
    assert await tab.run(count % json.dumps("img:not([src='./icon.svg'])")) == 0
    attributes = "[...document.querySelectorAll('*')].flatMap((one) => [...one.attributes]).map((one) => one.name)"
    assert [one for one in await tab.run(attributes) if one.startswith("on")] == []
    links = "[...document.querySelectorAll('a[href]')].map((one) => one.href)"
    assert [one for one in await tab.run(links) if not one.startswith(origin)] == []
    assert await tab.run("document.documentElement.scrollWidth <= innerWidth"), "names are wrapped"


async def _open(tab: Tab, console: RunningConsole, path: str) -> None:
    await tab.open(f"{console.url}{path}")
    await tab.until(
        "document.querySelector('main h1') && !document.querySelector('[aria-busy]')", f"the page {path[:80]}"
    )
    await _is_harmless(tab, console)


async def test_names_are_shown_and_nothing_of_them_runs(servers: FakeServers, tmp_path: Path) -> None:
    async with running_console(servers.bootstrap) as console, browser(tmp_path) as tab:
        await _open(tab, console, "/")
        await _open(tab, console, "/clusters/kafka/topics")
        text = await tab.text()
        for kind in ("script", "image", "link", "template", "entity", "attribute", "slashes", "words", "proto"):
            assert HOSTILE[kind] in text, kind
        await _open(tab, console, "/clusters/kafka/groups")
        assert HOSTILE["frame"] in await tab.text()
        for kind, name in HOSTILE.items():
            where = quote(name, safe="")
            if kind != "huge":
                for tab_name in ("partitions", "groups"):
                    await _open(tab, console, f"/clusters/kafka/topics/{where}?tab={tab_name}")
                    assert await tab.run("document.querySelector('h1').textContent") == name, kind
            if kind == "huge":
                continue
            await _open(tab, console, f"/clusters/kafka/groups/{where}")
            assert await tab.run("document.querySelector('h1').textContent") == name, kind
        assert [one for one in tab.said if "Content Security Policy" in one or "Error" in one] == []


async def test_a_link_of_a_name_leads_to_it(servers: FakeServers, tmp_path: Path) -> None:
    async with running_console(servers.bootstrap) as console, browser(tmp_path) as tab:
        for kind in ("slashes", "link", "data", "bidi", "proto"):
            await _open(tab, console, "/clusters/kafka/topics")
            find = (
                f"[...document.querySelectorAll('td a')].find((one) => one.textContent === {json.dumps(HOSTILE[kind])})"
            )
            await tab.run(f"{find}.click()")
            await tab.until(f"document.querySelector('h1')?.textContent === {json.dumps(HOSTILE[kind])}", kind)
            await tab.until_shown("as of")
            await _is_harmless(tab, console)


async def test_dialogs_show_names_as_text(servers: FakeServers, tmp_path: Path) -> None:
    async with running_console(servers.bootstrap) as console, browser(tmp_path) as tab:
        for kind in ("script", "image", "attribute", "bidi"):
            await _open(tab, console, f"/clusters/kafka/topics/{quote(HOSTILE[kind], safe='')}")
            await tab.click("Delete")
            assert HOSTILE[kind] in await tab.run("document.querySelector('dialog').textContent")
            await _is_harmless(tab, console)


@pytest.mark.parametrize("kind", ["script", "image", "attribute", "link", "template", "bidi", "huge"])
async def test_what_stands_in_an_address_is_text_too(servers: FakeServers, tmp_path: Path, kind: str) -> None:
    given = {"auth": {"type": "LOGIN_FORM", "users": [{"name": HOSTILE["image"], "password": "pw"}]}}
    settings = Settings((cluster_settings(servers.bootstrap),), access=access(given, ["kafka"]))
    word = quote(HOSTILE[kind][:2000], safe="")
    async with running_console(settings=settings) as console, browser(tmp_path) as tab:
        await _open(tab, console, f"/login?problem={word}&next={word}")
        await tab.fill("User", HOSTILE["image"])
        await tab.fill("Password", "wrong")
        await tab.run("document.querySelector('form button').click()")
        await tab.until_shown("do not fit together")
        await tab.fill("Password", "pw")
        await tab.run("document.querySelector('form button').click()")
        await tab.until("!location.pathname.endsWith('login')", "the first page")
        await tab.until_shown(HOSTILE["image"])
        await _is_harmless(tab, console)
        for path in (
            f"/{word}",
            f"/clusters/{word}",
            f"/clusters/kafka/topics?search={word}&sort={word}",
            f"/clusters/kafka/topics/{word}?tab={word}",
        ):
            await _open(tab, console, path)
        await _open(tab, console, "/clusters/kafka/audit")


async def test_addresses_that_are_none_have_no_page(servers: FakeServers, tmp_path: Path) -> None:
    async with running_console(servers.bootstrap) as console, browser(tmp_path) as tab:
        for path in ("/clusters/%zz", "/clusters/%E0%A4%A/topics", "/clusters//topics", "/clusters/kafka/topics/%"):
            await _open(tab, console, path)
            await tab.until_shown("There is no such page")
