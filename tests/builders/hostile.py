"""Names and messages that would like to be scripts, and what a page that shows them must not have done."""

import json

from tests.builders.browser import Tab
from tests.builders.running_console import RunningConsole

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


async def is_harmless(tab: Tab, console: RunningConsole) -> None:
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


async def open_page(tab: Tab, console: RunningConsole, path: str) -> None:
    """Loads it, waits until it shows something, and looks whether it is harmless."""
    await tab.open(f"{console.url}{path}")
    await tab.until(
        "document.querySelector('main h1') && !document.querySelector('[aria-busy]')", f"the page {path[:80]}"
    )
    await is_harmless(tab, console)
