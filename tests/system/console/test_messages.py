"""Messages of a real cluster: written, found, followed, copied, purged."""

import asyncio
from typing import Any

from tests.builders.new_topics import known_everywhere
from tests.builders.real_brokers import RealBrokers
from tests.builders.running_console import RunningConsole, running_console
from tests.builders.streams import Told, events_in, told

from klamm.base.clock import SystemClock

_TOPICS = "/api/clusters/kafka/topics"
_WITHIN = 60.0


async def _made(brokers: RealBrokers, console: RunningConsole, topic: str, partitions: int = 1, **configs: str) -> str:
    body = {"name": topic, "partitions": partitions, "replicationFactor": 1, "configs": configs}
    said = await console.ask("POST", _TOPICS, body)
    assert said.status == 204, said.text
    await known_everywhere(brokers, topic)
    return f"{_TOPICS}/{topic}/messages"


async def _written(console: RunningConsole, messages: str, **record: Any) -> Any:
    said = await console.ask("POST", messages, record)
    assert said.status == 200, said.text
    return said.json


async def _a_millisecond_later() -> None:
    """Messages are in the order of their milliseconds; those of one may come in any."""
    now = int(SystemClock().now().timestamp() * 1000)
    while int(SystemClock().now().timestamp() * 1000) == now:
        await asyncio.sleep(0.0005)


async def _events(console: RunningConsole, messages: str, **query: Any) -> list[Told]:
    words = "&".join(f"{name}={value}" for name, value in query.items())
    said = await console.get(f"{messages}?{words}")
    assert said.status == 200, said.text
    return events_in(said.text)


async def _values(console: RunningConsole, messages: str, **query: Any) -> list[str]:
    return [one.data["value"]["text"] for one in await _events(console, messages, **query) if one.name == "message"]


async def _page(console: RunningConsole, messages: str, **query: Any) -> tuple[list[str], Any]:
    events = await _events(console, messages, **query)
    assert events[-1].name == "done", events[-1]
    return [one.data["value"]["text"] for one in events if one.name == "message"], events[-1].data


async def test_messages_are_written_found_copied_sent_again_and_purged(brokers: RealBrokers) -> None:
    async with running_console(brokers.bootstrap) as console:
        orders = await _made(brokers, console, "orders", partitions=3)
        assert await _values(console, orders, mode="EARLIEST") == []

        for number in range(20):
            value = f'{{"number": {number}, "id": {2**60 + number}}}'
            headers = [{"name": "trace", "value": f"t{number}"}]
            await _a_millisecond_later()
            await _written(console, orders, key=f"k{number}", value=value, headers=headers)
        everything = [f'{{"number": {number}, "id": {2**60 + number}}}' for number in range(20)]

        # In the order of time over all partitions, page by page, in both directions.
        first, done = await _page(console, orders, mode="EARLIEST", limit=15)
        assert first == everything[:15]
        assert done["more"]
        second, done = await _page(console, orders, mode="EARLIEST", limit=15, cursor=done["cursor"])
        assert (second, done["more"]) == (everything[15:], False)
        newest, done = await _page(console, orders, mode="LATEST", limit=7)
        assert newest == everything[:12:-1]
        assert (await _page(console, orders, limit=500, cursor=done["cursor"]))[0] == everything[12::-1]

        # By text: in keys, values, headers; by filter, also by exact whole numbers of 64 bits.
        assert await _values(console, orders, mode="EARLIEST", stringFilter="t13") == [everything[13]]
        assert await _values(console, orders, mode="LATEST", stringFilter="k7") == [everything[7]]
        assert await _values(console, orders, mode="EARLIEST", stringFilter='number": 1,') == [everything[1]]
        by_id = f"record.value.id == {2**60 + 5}"
        assert await _values(console, orders, mode="EARLIEST", filter=by_id.replace(" ", "%20")) == [everything[5]]
        failing = await _events(console, orders, mode="EARLIEST", filter="record.value.nothing%20==%201")
        progress = [one.data for one in failing if one.name == "consuming"][-1]
        assert (progress["filterApplyErrors"], progress["messagesConsumed"]) == (20, 20)
        assert "nothing" in progress["filterError"]
        (problem,) = [one.data for one in await _events(console, orders, filter="1%20%2B") if one.name == "problem"]
        assert problem["title"] == "BadFilter"

        # By offset and by time.
        of_one = [one.data for one in await _events(console, orders, mode="EARLIEST", partitions=1)
                  if one.name == "message"]  # fmt: skip
        assert [one["offset"] for one in of_one] == list(range(of_one[0]["offset"], of_one[-1]["offset"] + 1))
        middle = of_one[len(of_one) // 2]
        at = await _values(console, orders, mode="FROM_OFFSET", partitions=1, offset=middle["offset"], limit=1)
        assert at == [middle["value"]["text"]]
        to = await _values(console, orders, mode="TO_OFFSET", partitions=1, offset=middle["offset"], limit=1)
        assert to == at
        since = await _values(console, orders, mode="FROM_TIMESTAMP", timestamp=middle["timestampMs"])
        until = await _values(console, orders, mode="TO_TIMESTAMP", timestamp=middle["timestampMs"] - 1)
        assert until[::-1] + since == everything

        # As files.
        lines = (await console.get(f"{orders}/download?mode=EARLIEST&limit=1000")).text.splitlines()
        assert len(lines) == 20
        assert f'"id": {2**60}' in lines[0]
        sheet = (await console.get(f"{orders}/download?mode=EARLIEST&format=csv")).text.splitlines()
        assert sheet[0] == "partition,offset,timestamp,key,value,headers"
        assert len(sheet) == 21

        # Into another topic: counted first, then done; and one alone.
        retry = await _made(brokers, console, "retry", partitions=3)
        wish = {"fromTopic": "orders", "filter": "record.value.number >= 15"}
        counted = (await console.ask("POST", f"{retry}/copy", wish)).json
        assert (counted["scanned"], counted["matched"], counted["written"]) == (20, 5, 0)
        assert await _values(console, retry, mode="EARLIEST") == []
        assert (await console.ask("POST", f"{retry}/copy", {**wish, "dryRun": False})).json["written"] == 5
        assert sorted(await _values(console, retry, mode="EARLIEST")) == sorted(everything[15:])
        for partition in range(3):
            of_one_copied = await _values(console, retry, mode="EARLIEST", partitions=partition)
            assert of_one_copied == [one for one in everything[15:] if one in of_one_copied]
        await _a_millisecond_later()
        again = {"fromTopic": "orders", "fromPartition": 1, "fromOffset": middle["offset"]}
        placed = (await console.ask("POST", f"{retry}/again", again)).json
        assert placed["partition"] == 1  # the same key, so the same partition
        (copied,) = [one.data for one in await _events(console, retry, mode="LATEST", limit=1) if one.name == "message"]
        assert (copied["value"], copied["key"], copied["headers"]) == (
            middle["value"],
            middle["key"],
            middle["headers"],
        )

        # Kafka's own consumer reads what was written.
        read = brokers.tool("kafka-console-consumer.sh", "--topic", "retry", "--from-beginning", "--max-messages", "6",
                            "--timeout-ms", "30000")  # fmt: skip
        assert len(read.splitlines()) == 6

        # Purged: one partition to an offset, then all of it.
        said = await console.ask("DELETE", f"{orders}?partitions=1:{middle['offset']}")
        assert said.json["partitions"] == [{"partition": 1, "begin": middle["offset"], "why_not": None}]
        assert (await _values(console, orders, mode="EARLIEST", partitions=1))[0] == middle["value"]["text"]
        await console.ask("DELETE", orders)
        assert await _values(console, orders, mode="EARLIEST") == []


async def test_who_follows_a_topic_is_told_what_is_written(brokers: RealBrokers) -> None:
    async with running_console(brokers.bootstrap) as console:
        live = await _made(brokers, console, "live", partitions=2)
        await _written(console, live, value="before")
        async with asyncio.timeout(_WITHIN), console.session.get(f"{console.url}{live}?mode=TAILING") as answer:
            events = told(answer)
            async for one in events:
                if one == Told("phase", {"name": "Waiting for new messages"}):
                    break
            for partition in (0, 1, 0):
                await _written(console, live, value=f"in {partition}", partition=partition)
            heard: list[str] = []
            async for one in events:
                if one.name == "message":
                    heard.append(one.data["value"]["text"])
                if len(heard) == 3:
                    break
        assert sorted(heard) == ["in 0", "in 0", "in 1"]


async def test_batches_of_every_compression_are_read(brokers: RealBrokers) -> None:
    async with running_console(brokers.bootstrap) as console:
        for codec in ("gzip", "snappy", "lz4", "zstd"):
            packed = await _made(brokers, console, f"packed-{codec}")
            lines = "".join(f"key-{number}:value {number} of {codec}\n" for number in range(300))
            brokers.tool(
                "kafka-console-producer.sh", "--topic", f"packed-{codec}", "--compression-codec", codec, "--property",
                "parse.key=true", "--property", "key.separator=:", input=lines,
            )  # fmt: skip
            assert len(await _values(console, packed, mode="EARLIEST", limit=500)) == 300
            assert await _values(console, packed, mode="EARLIEST", stringFilter="value%20299%20of") == [
                f"value 299 of {codec}"
            ]


async def test_what_cannot_be_done_is_said_with_its_mend(brokers: RealBrokers) -> None:
    async with running_console(brokers.bootstrap) as console:
        topic = await _made(brokers, console, "said")
        for words, field in (
            ("mode=SIDEWAYS", "mode"),
            ("limit=501", "limit"),
            ("mode=FROM_OFFSET", "offset"),
            ("cursor=x", "cursor"),
            ("valueSerde=Morse", "valueSerde"),
        ):
            said = await console.get(f"{topic}?{words}")
            assert (said.status, said.json["field"]) == (400, field), said.text
        (problem,) = [one.data for one in await _events(console, topic, partitions=7) if one.name == "problem"]
        assert problem["detail"] == "partitions: '7' names 7, which the topic has not; it has 0 to 0"
        said = await console.ask("POST", topic, {"value": "x", "valueSerde": "Int32"})
        assert (said.status, said.json["field"]) == (400, "value")
