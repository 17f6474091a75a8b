"""A topic's messages in a real browser, on real brokers."""

import json
from pathlib import Path

from tests.builders.browser import browser
from tests.builders.real_brokers import RealBrokers
from tests.builders.running_console import RunningConsole, running_console

_EXACT = 12345678901234567890


async def _topic(console: RunningConsole, name: str) -> str:
    """With three messages."""
    body = {"name": name, "partitions": 2, "replicationFactor": 1}
    assert (await console.ask("POST", "/api/clusters/kafka/topics", body)).status == 204
    messages = f"/api/clusters/kafka/topics/{name}/messages"
    for number in range(3):
        value = json.dumps({"customer": {"name": f"Anna {number}"}, "total": _EXACT + number})
        record = {"key": f"k{number}", "value": value, "headers": [{"name": "trace", "value": f"t{number}"}]}
        while (await console.ask("POST", messages, record)).status != 200:
            pass  # the broker has not heard of the topic yet
    return f"{console.url}/clusters/kafka/topics/{name}"


async def test_messages_are_read_written_sent_again_and_purged(brokers: RealBrokers, tmp_path: Path) -> None:
    async with running_console(brokers.bootstrap) as console, browser(tmp_path) as tab:
        await tab.open(await _topic(console, "shown"))
        await tab.click("Messages")
        await tab.until_shown("3 shown")
        await tab.picture(tmp_path / "list.png")

        # Numbers are exact, in the line, in the columns and in the details.
        await tab.fill("Columns", "customer.name, total")
        await tab.click("Read")
        await tab.until_shown("Anna 2")
        await tab.until_shown(str(_EXACT + 2))
        await tab.click("Message 0 of partition")
        await tab.until_shown("the writer's time")
        await tab.picture(tmp_path / "details.png", dark=True)

        await tab.fill("With the text", "Anna 1")
        await tab.click("Read")
        await tab.until_shown("1 shown")
        await tab.fill("With the text", "")
        await tab.fill("Filter (CEL)", 'record.value.customer.name == "Anna 2"')
        await tab.click("Try the filter")
        await tab.until_shown("it says false")
        await tab.click("Read")
        await tab.until_not_shown("Anna 1")
        await tab.until_shown("Anna 2")
        await tab.fill("Filter (CEL)", "record.value.")
        await tab.click("Read")
        await tab.until_shown("the filter is no CEL")
        await tab.fill("Filter (CEL)", "")
        await tab.click("Read")
        await tab.until_shown("3 shown")

        await tab.click("Write a message")
        await tab.fill("Key", "k9")
        await tab.fill("Value", '{"customer": {"name": "Berta"}}')
        await tab.fill("Headers", "trace: t9")
        await tab.click("Write")
        await tab.until_shown("Berta")
        await tab.until_shown("4 shown")

        await tab.click("Purge")
        await tab.until_shown("It cannot be undone")
        await tab.click("Purge")
        await tab.until_shown("0 shown")
        # The one refusal was of the filter that is none; it is told in the stream.
        assert tab.said == []


async def test_a_live_page_shows_what_is_written_and_keeps_what_is_typed(brokers: RealBrokers, tmp_path: Path) -> None:
    async with running_console(brokers.bootstrap) as console, browser(tmp_path) as tab:
        address = await _topic(console, "followed")
        await tab.open(f"{address}/messages?mode=TAILING")
        await tab.until_shown("Waiting for new messages")
        await tab.fill("With the text", "typed and not sent")
        for number in range(5):
            await console.ask("POST", "/api/clusters/kafka/topics/followed/messages", {"value": f"news {number}"})
        await tab.until_shown("5 shown")
        await tab.until_shown("news 4")
        typed = await tab.run("document.querySelector('[name=text]').value")
        assert typed == "typed and not sent"
        await tab.click("Stop")
        await tab.until_shown("Stopped")
        assert tab.said == []
