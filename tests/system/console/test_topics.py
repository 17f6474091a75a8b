"""Topics and groups in a real browser, on real brokers."""

from pathlib import Path

from tests.builders.browser import browser
from tests.builders.real_brokers import RealBrokers
from tests.builders.running_console import running_console


async def test_a_topic_is_made_changed_and_deleted(brokers: RealBrokers, tmp_path: Path) -> None:
    async with running_console(brokers.bootstrap) as console, browser(tmp_path) as tab:
        await tab.open(f"{console.url}/")
        await tab.click("kafka")
        await tab.click("Topics")
        await tab.click("Create a topic")
        await tab.fill("Name", "orders")
        await tab.fill("Partitions", "3")
        await tab.fill("Replicas", "2")
        await tab.fill("Configuration", "retention.ms=3600000")
        await tab.click("Create")
        await tab.until_shown("Topic orders was created")
        await tab.click("orders")
        await tab.until_shown("Partitions")
        await tab.click("Configuration")
        await tab.until_shown("3600000")
        await tab.click("More partitions")
        await tab.fill("Partitions in all", "5")
        await tab.click("Add")
        await tab.until_shown("Partitions were added")
        assert "PartitionCount: 5" in brokers.tool("kafka-topics.sh", "--describe", "--topic", "orders")
        await tab.click("Delete")
        await tab.until_shown("It cannot be undone")
        await tab.click("Delete")
        await tab.until_shown("Topic orders was deleted")
        assert "orders" not in brokers.tool("kafka-topics.sh", "--list").split()
        assert tab.said == []


async def test_what_is_wrong_is_told_and_what_was_typed_stays(brokers: RealBrokers, tmp_path: Path) -> None:
    async with running_console(brokers.bootstrap) as console, browser(tmp_path) as tab:
        await tab.open(f"{console.url}/clusters/kafka/topics")
        await tab.click("Create a topic")
        await tab.fill("Name", "many")
        await tab.fill("Replicas", "7")
        await tab.click("Create")
        await tab.until_shown("many")
        await tab.until("document.querySelector('dialog .problem:not([hidden])')", "the dialog to say what is wrong")
        assert await tab.run("klammTest.field('Name').value") == "many"
        await tab.press("Escape")
        await tab.until("!document.querySelector('dialog')", "the dialog to go")


async def test_pages_are_used_by_keyboard_alone(brokers: RealBrokers, tmp_path: Path) -> None:
    async with running_console(brokers.bootstrap) as console, browser(tmp_path) as tab:
        await tab.open(f"{console.url}/clusters/kafka/topics")
        await tab.until_shown("Create a topic")
        names: list[str] = []
        while "Create a topic" not in names and len(names) < 40:
            await tab.press("Tab")
            names.append(str(await tab.run("document.activeElement.innerText ?? ''")).strip())
        assert names[0] == "To the content"
        assert {"Overview", "Brokers", "Topics", "Groups", "Create a topic"} <= set(names)
