"""Records, groups and configurations of real brokers that would like to be scripts, in a real browser."""

import json
from pathlib import Path
from urllib.parse import quote

from tests.builders.browser import browser
from tests.builders.hostile import HOSTILE, is_harmless, open_page
from tests.builders.real_brokers import RealBrokers
from tests.builders.running_console import running_console

_SENDABLE = {kind: text for kind, text in HOSTILE.items() if kind != "surrogates"}


async def test_messages_are_shown_and_nothing_of_them_runs(brokers: RealBrokers, tmp_path: Path) -> None:
    async with running_console(brokers.bootstrap) as console, browser(tmp_path) as tab:
        assert (
            await console.ask("POST", "/api/clusters/kafka/topics", {"name": "evil", "partitions": 1})
        ).status == 204
        for text in _SENDABLE.values():
            as_json = json.dumps({text[:200]: [text, {"__proto__": text}]})
            for value in (text, as_json):
                header = {"name": text[:200], "value": text}
                wish = {"key": text, "value": value, "headers": [header]}
                while (
                    said := await console.ask("POST", "/api/clusters/kafka/topics/evil/messages", wish)
                ).status != 200:
                    assert said.status in (404, 503), said.text  # the broker has not heard of the topic yet
        await open_page(tab, console, "/clusters/kafka/topics/evil/messages?mode=EARLIEST")
        await tab.until_shown(HOSTILE["script"])
        await is_harmless(tab, console)
        for number in range(2 * len(_SENDABLE)):
            find = f"document.querySelector('button[aria-label^=\"Message {number} of\"]')"
            await tab.until(find, f"message {number}")
            await tab.run(f"{find}.click()")
            await tab.until(f"{find}.getAttribute('aria-expanded') === 'true'", f"message {number} to be open")
        await is_harmless(tab, console)
        text = await tab.run("document.querySelector('main').textContent")
        for kind, wanted in _SENDABLE.items():
            assert wanted in text or kind == "huge", kind
        assert [one for one in tab.said if "Content Security Policy" in one or "Error" in one] == []


async def test_files_of_messages_are_files(brokers: RealBrokers, tmp_path: Path) -> None:
    async with running_console(brokers.bootstrap) as console:
        await console.ask("POST", "/api/clusters/kafka/topics", {"name": "files", "partitions": 1})
        wish = {"key": HOSTILE["script"], "value": HOSTILE["image"]}
        while (await console.ask("POST", "/api/clusters/kafka/topics/files/messages", wish)).status != 200:
            pass  # the broker has not heard of the topic yet
        for kind in ("jsonl", "csv"):
            path = f"/api/clusters/kafka/topics/files/messages/download?mode=EARLIEST&format={kind}"
            said = await console.get(path)
            assert said.status == 200
            assert said.headers["Content-Disposition"].startswith("attachment; filename=")
            assert said.headers["X-Content-Type-Options"] == "nosniff"
            assert "html" not in said.headers["Content-Type"]


async def test_groups_and_configurations_of_real_brokers(brokers: RealBrokers, tmp_path: Path) -> None:
    async with running_console(brokers.bootstrap) as console, browser(tmp_path) as tab:
        name = HOSTILE["script"][:60]
        await console.ask("POST", "/api/clusters/kafka/topics", {"name": "watched", "partitions": 1})
        while (await console.ask("POST", "/api/clusters/kafka/topics/watched/messages", {"value": "x"})).status != 200:
            pass  # the broker has not heard of the topic yet
        arguments = ["--topic", "watched", "--from-beginning", "--max-messages", "1", "--timeout-ms", "60000"]
        brokers.tool("kafka-console-consumer.sh", *arguments, "--group", name)
        await open_page(tab, console, "/clusters/kafka/groups")
        await tab.until_shown(name)
        await open_page(tab, console, f"/clusters/kafka/groups/{quote(name, safe='')}")
        await tab.until_shown("watched")
        throttled = HOSTILE["image"].replace(",", "")
        change = {"set": {"follower.replication.throttled.replicas": "*"}, "delete": []}
        assert (await console.ask("PATCH", "/api/clusters/kafka/topics/watched/config", change)).status == 200
        said = await console.ask("PATCH", "/api/clusters/kafka/topics/watched/config", {"set": {throttled: throttled}})
        assert said.status in (400, 422)
        await open_page(tab, console, "/clusters/kafka/topics/watched?tab=config&all=1")
        await open_page(tab, console, "/clusters/kafka/audit")
        await tab.until_shown(throttled)
        await is_harmless(tab, console)
