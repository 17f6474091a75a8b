"""A real Chromium without a screen, driven over its DevTools protocol: what a person does, in words.

    async with browser(tmp_path) as tab:
        await tab.open(f"{console.url}/clusters/kafka/topics")
        await tab.click("Create a topic")
        await tab.fill("Name", "orders")
        await tab.until_shown("Topic orders was created")

Elements are found as people and screen readers find them: buttons, links and fields by their names.
"""

import asyncio
import base64
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from klamm.base.deadlines import within
from klamm.base.together import ended

_STARTS_WITHIN = 60.0
_SHOWS_WITHIN = 60.0
_GONE = ("navigated or closed", "context was destroyed", "Cannot find context")
"""What the browser answers to whoever asked a page of which another one took the place meanwhile."""
_NAMES = ("chromium", "chromium-browser", "google-chrome")

_FIND = """
(() => {
  const text = (element) => (element.getAttribute("aria-label") ?? element.innerText ?? "").replace(/[▲▼]/g, "").trim();
  const isSeen = (element) => element.checkVisibility() && !element.closest("[inert]");
  const within = () => [...document.querySelectorAll("dialog[open]")].pop() ?? document;
  globalThis.klammTest = {
    named(name, selector) {
      const all = [...within().querySelectorAll(selector)].filter(isSeen);
      return all.find((one) => text(one) === name) ?? all.find((one) => text(one).startsWith(name)) ?? null;
    },
    field(label) {
      for (const one of within().querySelectorAll("label")) {
        if (!isSeen(one) || !one.innerText.trim().startsWith(label)) continue;
        return one.control ?? one.querySelector("input, select, textarea");
      }
      return null;
    },
    // Found and used in one turn: between two, a page may draw itself anew. Both say whether it was there.
    click(element) {
      if (!element || element.disabled) return false;
      element.click();
      return true;
    },
    fill(element, value) {
      if (!element) return false;
      element.focus();
      if (element.type === "checkbox") { if (element.checked !== value) element.click(); return true; }
      element.value = value;
      for (const name of ["input", "change"]) element.dispatchEvent(new Event(name, { bubbles: true }));
      return true;
    },
  };
})();
"""


class Closed(Exception):
    """The browser has gone."""


class Left(Exception):
    """The page that was asked is another one by now."""


@dataclass
class Tab:
    """`said`: what the page wrote to its console as errors; `asked`: addresses that it loaded from."""

    _socket: aiohttp.ClientWebSocketResponse
    _session: str = ""
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    _waiting: dict[int, "asyncio.Future[Any]"] = field(default_factory=dict)
    _number: int = 0

    async def call(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        number = self._number
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": parameters}
        await self._socket.send_json(message | ({"sessionId": self._session} if self._session else {}))
        return await within(_SHOWS_WITHIN, f"the browser to do {method}", answer)

    async def read(self) -> None:
        async for message in self._socket:
            self._take(json.loads(message.data))
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(Closed("the browser has gone"))

    def _take(self, said: dict[str, Any]) -> None:
        if "id" in said:
            answer = self._waiting.pop(said["id"])
            if answer.done():
                return
            if "error" in said:
                message = said["error"]["message"]
                answer.set_exception(Left(message) if any(one in message for one in _GONE) else AssertionError(message))
            else:
                answer.set_result(said["result"])
            return
        of = said.get("params", {})
        match said["method"]:
            case "Runtime.exceptionThrown":
                self.said.append(of["exceptionDetails"].get("exception", {}).get("description", "an exception"))
            case "Log.entryAdded" if of["entry"]["level"] == "error":
                self.said.append(of["entry"]["text"])
            case "Runtime.consoleAPICalled" if of["type"] == "error":
                self.said.append(" ".join(str(one.get("value", one.get("description"))) for one in of["args"]))
            case "Network.requestWillBeSent":
                self.asked.append(of["request"]["url"])

    async def attach(self) -> None:
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        await self.call("Page.addScriptToEvaluateOnNewDocument", source=_FIND)

    async def open(self, url: str) -> None:
        await self.call("Page.navigate", url=url)
        await self.until("document.readyState === 'complete'", f"{url} to be loaded")

    async def run(self, expression: str) -> Any:
        """What it is worth, as JSON."""
        said = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    async def until(self, expression: str, what: str) -> None:
        """Until it is true."""

        async def asked() -> None:
            while not await self._is(expression):
                await asyncio.sleep(0.05)

        try:
            await within(_SHOWS_WITHIN, what, asked())
        except TimeoutError as error:
            raise AssertionError(
                f"waited in vain for {what}; the page says:\n{await self.text()}\n{self.said}"
            ) from error

    async def _is(self, expression: str) -> bool:
        """Also of a page that comes while it is asked: then it is not so yet."""
        try:
            return bool(await self.run(f"Boolean({expression})"))
        except Left:
            return False

    async def until_shown(self, words: str) -> None:
        await self.until(f"document.body?.innerText.includes({json.dumps(words)})", repr(words))

    async def until_not_shown(self, words: str) -> None:
        await self.until(f"document.body && !document.body.innerText.includes({json.dumps(words)})", f"{words!r} to go")

    async def text(self) -> str:
        return str(await self.run("document.body?.innerText ?? ''"))

    async def click(self, name: str) -> None:
        """A button or a link of this name (its whole text, or the beginning of it)."""
        find = f"klammTest.named({json.dumps(name)}, 'button, a[href], summary, [role=button], [role=tab]')"
        await self.until(f"klammTest.click({find})", f"a button or link {name!r}")

    async def fill(self, label: str, value: str | bool) -> None:
        find = f"klammTest.field({json.dumps(label)})"
        await self.until(f"klammTest.fill({find}, {json.dumps(value)})", f"a field {label!r}")

    async def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, **_CODES.get(key, {}), **text)

    async def picture(self, path: Path, width: int = 1200, height: int = 800, dark: bool = False) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.call("Emulation.setEmulatedMedia", features=scheme)
        taken = await self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(taken["data"]))


_CODES = {
    "Enter": {"windowsVirtualKeyCode": 13},
    "Tab": {"windowsVirtualKeyCode": 9},
    "Escape": {"windowsVirtualKeyCode": 27},
}


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Tab]:
    """Skips where there is no Chromium; its files are in `folder` and in a folder of its own that goes with it."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip("no chromium is installed")
    with tempfile.TemporaryDirectory(prefix="klamm-chromium-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            program,
            "--headless=new",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--remote-debugging-port=0",
            "--disable-background-networking",
            "--disable-component-update",
            f"--user-data-dir={profile}",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            "about:blank",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=(folder / "chromium.log").open("wb"),
            stderr=asyncio.subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], "HOME": profile},  # noqa: TID251 (a test hands on what it was started with)
        )
        try:
            port, path = await within(_STARTS_WITHIN, "chromium to listen", _listening(Path(profile)))
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(f"ws://127.0.0.1:{port}{path}", max_msg_size=0) as socket,
            ):
                tab = Tab(socket)
                reading = asyncio.create_task(tab.read())
                try:
                    await tab.attach()
                    yield tab
                finally:
                    await ended(reading)
        finally:
            process.terminate()
            await process.wait()


async def _listening(profile: Path) -> tuple[int, str]:
    while True:
        try:
            port, path = (profile / "DevToolsActivePort").read_text().split("\n")[:2]
            return int(port), path
        except (OSError, ValueError):
            await asyncio.sleep(0.05)
