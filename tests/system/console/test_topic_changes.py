"""Replicas, clones and topics made anew, on real brokers, by HTTP and in a real browser."""

import asyncio
from pathlib import Path
from typing import Any

from tests.builders.browser import browser
from tests.builders.new_topics import known_everywhere
from tests.builders.real_brokers import RealBrokers
from tests.builders.running_console import RunningConsole, running_console

from klamm.base.deadlines import within

TOPICS = "/api/clusters/kafka/topics"


async def made(
    brokers: RealBrokers,
    console: RunningConsole,
    name: str,
    partitions: int = 3,
    replicas: int = 1,
    configs: dict[str, str] | None = None,
) -> str:
    wish = {"name": name, "partitions": partitions, "replicationFactor": replicas, "configs": configs or {}}
    said = await console.ask("POST", TOPICS, wish)
    assert said.status == 204, said.text

    await known_everywhere(brokers, name)
    return f"{TOPICS}/{name}"


async def replicas_of(console: RunningConsole, topic: str) -> list[list[int]]:
    return [one["replicas"] for one in (await console.get(topic)).json["partitions"]]


async def until_replicas(console: RunningConsole, topic: str, count: int) -> None:
    """Those that come are told as replicas from the beginning."""

    async def come() -> None:
        while (await console.get(f"{topic}/reassignments")).json["reassignments"] or any(
            len(one) != count for one in await replicas_of(console, topic)
        ):
            await asyncio.sleep(0.2)  # real brokers move in real time

    await within(180.0, f"{topic} with {count} replicas", come())


async def test_replicas_are_added_and_taken_away(brokers: RealBrokers) -> None:
    async with running_console(brokers.bootstrap) as console:
        topic = await made(brokers, console, "grows", configs={"min.insync.replicas": "1"})
        wish = {"replicationFactor": 2}
        planned = (await console.ask("POST", f"{topic}/replication-factor/plan", wish)).json
        assert [len(one["after"]) for one in planned["moves"]] == [2, 2, 2]
        assert all(one["after"][0] == one["before"][0] for one in planned["moves"])
        assert (await console.ask("PATCH", f"{topic}/replication-factor", wish)).status == 200
        await until_replicas(console, topic, 2)
        assert await replicas_of(console, topic) == [one["after"] for one in planned["moves"]]
        assert (await console.ask("DELETE", f"{topic}/reassignments")).status == 409
        assert (await console.ask("PATCH", f"{topic}/replication-factor", {"replicationFactor": 1})).status == 200
        await until_replicas(console, topic, 1)
        assert await replicas_of(console, topic) == [one["before"] for one in planned["moves"]]


async def test_what_would_not_do_is_refused(brokers: RealBrokers) -> None:
    async with running_console(brokers.bootstrap) as console:
        topic = await made(brokers, console, "stays", replicas=2, configs={"min.insync.replicas": "2"})
        for factor, status, said in (
            (0, 400, "0 is no number of replicas"),
            (3, 400, "3 is more than the 2 brokers that are there"),
            (1, 422, "1 is below min.insync.replicas, which is 2"),
        ):
            answer = await console.ask("PATCH", f"{topic}/replication-factor", {"replicationFactor": factor})
            assert (answer.status, said in answer.json["detail"]) == (status, True)
        assert (await console.ask("PATCH", f"{TOPICS}/none/replication-factor", {"replicationFactor": 1})).status == 404


async def test_a_move_that_takes_long_is_shown_and_cancelled(brokers: RealBrokers) -> None:
    first, other = brokers.brokers
    brokers.tool("kafka-topics.sh", "--create", "--topic", "held", "--replica-assignment", str(first.id))
    await known_everywhere(brokers, "held")
    brokers.tool("kafka-console-producer.sh", "--topic", "held", input=("x" * 1000 + "\n") * 5000)
    async with running_console(brokers.bootstrap) as console:
        topic, broker = f"{TOPICS}/held", f"/api/clusters/kafka/brokers/{first.id}/configs"
        # Copies of it leave its leader a byte a second.
        throttled = {"set": {"leader.replication.throttled.replicas": "*"}}
        assert (await console.ask("PATCH", f"{topic}/config", throttled)).status == 200
        rate = "leader.replication.throttled.rate"
        assert (await console.ask("PATCH", broker, {"set": {rate: "1"}})).status == 204
        # Who hears of both at once opens its replicas first, and all may be copied before it holds back.
        await within(60.0, "the leader to know its rate", heard(console, broker, f'"name":"{rate}","value":"1"'))
        answer = await console.ask("PATCH", f"{topic}/replication-factor", {"replicationFactor": 2})
        assert answer.status == 200, answer.text
        (line,) = (await console.get(f"{topic}/reassignments")).json["reassignments"]
        assert (line["adding"], line["removing"]) == ([other.id], [])
        again = await console.ask("PATCH", f"{topic}/replication-factor", {"replicationFactor": 2})
        assert (again.status, again.json["title"]) == (409, "UnderWay")
        assert (await console.get("/api/clusters/kafka/reassignments")).json["reassignments"] == [line]
        assert (await console.ask("DELETE", f"{topic}/reassignments")).status == 204
        assert (await console.get(f"{topic}/reassignments")).json["reassignments"] == []
        assert (await console.ask("PATCH", broker, {"delete": [rate]})).status == 204
        await until_replicas(console, topic, 1)


async def heard(console: RunningConsole, path: str, words: str) -> None:
    while words not in (await console.get(path)).text:
        await asyncio.sleep(0.1)


def described(brokers: RealBrokers, topic: str) -> Any:
    head = brokers.tool("kafka-topics.sh", "--describe", "--topic", topic).splitlines()[0].split("\t")
    return {key: value for key, _, value in (one.partition(": ") for one in head)}


async def test_clones_and_topics_made_anew_have_the_same_settings(brokers: RealBrokers) -> None:
    async with running_console(brokers.bootstrap) as console:
        topic = await made(
            brokers, console, "source", 2, 2, configs={"retention.ms": "3600000", "cleanup.policy": "compact"}
        )
        assert (await console.ask("POST", f"{topic}/clone", {"name": "copy"})).status == 204
        old, new = described(brokers, "source"), described(brokers, "copy")
        assert {**old, "Topic": "", "TopicId": ""} == {**new, "Topic": "", "TopicId": ""}
        assert (await console.ask("POST", f"{topic}/clone", {"name": "copy"})).status == 409
        assert (await console.ask("POST", f"{TOPICS}/none/clone", {"name": "x"})).status == 404
        assert (await console.ask("POST", f"{topic}/recreate")).status == 204
        anew = described(brokers, "source")
        assert anew["TopicId"] != old["TopicId"]
        assert {**old, "TopicId": ""} == {**anew, "TopicId": ""}
        internal = await console.ask("POST", f"{TOPICS}/__consumer_offsets/recreate")
        assert internal.status in (404, 422)


async def test_replicas_are_added_in_a_browser(brokers: RealBrokers, tmp_path: Path) -> None:
    async with running_console(brokers.bootstrap) as console, browser(tmp_path) as tab:
        topic = await made(brokers, console, "clicked", partitions=1)
        await tab.open(f"{console.url}/clusters/kafka/topics/clicked")
        await tab.click("Replicas")
        await tab.fill("Replicas of each partition", "2")
        await tab.click("Show the plan")
        await tab.until_shown("What will be moved")
        await tab.click("Move")
        await tab.until_shown("It has begun")
        await until_replicas(console, topic, 2)
        await tab.click("Clone")
        await tab.fill("Name of the new topic", "clicked-2")
        await tab.click("Clone")
        await tab.until_shown("Topic clicked-2 was created")
        await tab.click("Make anew")
        await tab.click("Make anew")
        await tab.until_shown("Topic clicked-2 was made anew")
        assert tab.said == []


async def test_a_topics_messages_are_counted(brokers: RealBrokers, tmp_path: Path) -> None:
    async with running_console(brokers.bootstrap) as console, browser(tmp_path) as tab:
        topic = await made(brokers, console, "counted", partitions=2)
        lines = [f"k{number % 10}\t{'v' * (number % 100 + 1)}" for number in range(1000)]
        parse = ("--property", "parse.key=true", "--property", "key.separator=\t")
        brokers.tool("kafka-console-producer.sh", "--topic", "counted", *parse, input="\n".join(lines) + "\n")
        assert (await console.get(f"{topic}/analysis")).json["state"] == "none"
        assert (await console.ask("DELETE", f"{topic}/analysis")).status == 409
        assert (await console.ask("POST", f"{TOPICS}/none/analysis")).status == 404
        await tab.open(f"{console.url}/clusters/kafka/topics/counted?tab=statistics")
        await tab.click("Look at all messages")
        await tab.until_shown("Look again")
        await tab.until_shown("Different keys")

        async def ends() -> Any:
            while (said := (await console.get(f"{topic}/analysis")).json)["state"] == "running":
                await asyncio.sleep(0.1)
            return said

        said = await within(180.0, "the analysis", ends())
        assert (said["state"], said["passed"], said["total"]) == ("done", 1000, 1000)
        result = said["result"]
        assert (result["messages"], result["keys"]) == (1000, {"count": 10, "exact": True})
        assert (result["valueSizes"]["smallest"], result["valueSizes"]["largest"]) == (1, 100)
        assert result["valueSizes"]["total"] == 50_500
        assert sum(one["messages"] for one in result["partitions"]) == 1000
        assert sum(one["messages"] for one in result["hours"]) == 1000
        assert tab.said == []
