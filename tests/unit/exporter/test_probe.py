"""The probe beside brokers that keep its records in memory."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from tests.builders.virtual_time import LoopClock, in_virtual_time

from klamm.base.together import ended
from klamm.exporter.probe import Probe, ProbeSettings
from klamm.kafka.admin import Admin, Connection
from klamm.kafka.errors import TooOld
from klamm.kafka.facts import Broker, Cluster, Partition, Topic
from klamm.kafka.link import Link
from klamm.kafka.packed import Packed

NAME = "klamm-end-to-end"
NOT_LEADER, OUT_OF_RANGE = 6, 1


class Brokers:
    """The topic has two partitions, each with a leader that may move. Speaks for an `Admin`."""

    def __init__(self, before: int = 0) -> None:
        self.leaders = {0: 1, 1: 2}
        self.logs: dict[int, list[bytes]] = {0: before * [b"others"], 1: []}

    async def describe_cluster(self) -> Cluster:
        return Cluster("c", 1, (Broker(1, "b1", 9092, None), Broker(2, "b2", 9092, None)))

    async def describe_topics(self, _: list[str]) -> dict[str, Topic]:
        partitions = tuple(Partition(NAME, one, leader, (1, 2), (1, 2)) for one, leader in self.leaders.items())
        return {NAME: Topic(NAME, None, False, partitions)}

    async def ask_within(self, _: float, __: str, request: Any, node: int) -> Any:
        if isinstance(request, Packed):
            raise TooOld("ask", "these are brokers before 2.8, to which the library speaks")
        answer = {"ProduceRequest": self._append, "FetchRequest": self._fetch, "ListOffsetsRequest": self._ends}
        return await answer[type(request).__name__](request, node)

    async def _append(self, request: Any, node: int) -> Any:
        [part] = request.topic_data[0].partition_data
        code, log = self._refusal(part.index, node), self.logs[part.index]
        await asyncio.sleep(0.001)
        if not code:
            log.append(bytes(part.records))
        said = SimpleNamespace(error_code=code, error_message=None, base_offset=len(log) - 1)
        return SimpleNamespace(responses=[SimpleNamespace(partition_responses=[said])])

    async def _fetch(self, request: Any, node: int) -> Any:
        await asyncio.sleep(0.05)
        parts = [self._read(one.partition, one.fetch_offset, node) for one in request.topics[0].partitions]
        return SimpleNamespace(responses=[SimpleNamespace(partitions=parts)])

    def _read(self, partition: int, at: int, node: int) -> Any:
        log = self.logs[partition]
        batches = [struct.pack(">q", offset) + log[offset][8:] for offset in range(at, len(log))]
        code = self._refusal(partition, node) or (OUT_OF_RANGE if at > len(log) else 0)
        said = {"error_code": code, "records": b"".join(batches), "aborted_transactions": None}
        return SimpleNamespace(partition_index=partition, high_watermark=len(log), **said)

    async def _ends(self, request: Any, node: int) -> Any:
        ids = [one.partition_index for one in request.topics[0].partitions]
        parts = [
            SimpleNamespace(partition_index=one, error_code=self._refusal(one, node), offset=len(self.logs[one]))
            for one in ids
        ]
        return SimpleNamespace(topics=[SimpleNamespace(name=NAME, partitions=parts)])

    def _refusal(self, partition: int, node: int) -> int:
        return 0 if node == self.leaders[partition] else NOT_LEADER

    async def close(self) -> None:
        pass


@asynccontextmanager
async def probing(brokers: Brokers) -> AsyncIterator[Probe]:
    async def open_admin(_: Connection) -> Admin:
        return cast(Admin, brokers)

    async def nobody_is_silent(_: str) -> str | None:
        return None

    writing, reading = (
        Link(Connection(("b:1",)), Random(1), open_admin=open_admin, reason_silent=nobody_is_silent) for _ in range(2)
    )
    probe = Probe(writing, reading, LoopClock(), Random(1), ProbeSettings(topic=NAME))
    tasks = [asyncio.ensure_future(one) for one in (probe.read(), probe.write())]
    try:
        yield probe
    finally:
        await ended(*tasks)


def told(probe: Probe, what: str) -> list[float]:
    """Of both partitions."""
    name = f"kminion_end_to_end_messages_{what}_total{{"
    return [float(line.split()[-1]) for line in probe.tally.text().splitlines() if line.startswith(name)]


@in_virtual_time
async def test_all_that_is_written_comes_back_from_the_first_record_on() -> None:
    async with probing(Brokers(before=3)) as probe:
        await asyncio.sleep(30.5)
        assert told(probe, "received") == told(probe, "produced")
        assert min(told(probe, "produced")) >= 29
        assert told(probe, "lost") == [0, 0]


@in_virtual_time
async def test_what_is_acknowledged_while_a_leader_moves_is_not_lost() -> None:
    brokers = Brokers()
    async with probing(brokers) as probe:
        await asyncio.sleep(10.5)
        for leader in (2, 1, 2):
            brokers.leaders[0] = leader
            await asyncio.sleep(20)
        assert told(probe, "lost") == [0, 0]
        assert told(probe, "received") == [len(log) for log in brokers.logs.values()]
        assert told(probe, "produced_failed")[1] == 0


@in_virtual_time
async def test_a_topic_that_was_made_anew_is_read_from_its_end() -> None:
    brokers = Brokers()
    async with probing(brokers) as probe:
        await asyncio.sleep(20)
        for log in brokers.logs.values():
            log.clear()
        await asyncio.sleep(10)
        before, lost = told(probe, "received"), told(probe, "lost")
        await asyncio.sleep(20)
        assert told(probe, "lost") == lost
        assert min(now - then for now, then in zip(told(probe, "received"), before, strict=True)) >= 19
