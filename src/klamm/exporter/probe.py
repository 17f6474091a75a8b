"""The canary: a record a second to a topic of its own, and how long each takes there and back.

The topic has a partition for each broker. Records are written with acks=all and read over a connection of their own: a
broker answers one connection's requests one after the other, and a read that waits would delay the next write. Records
of other probes (the one that this one replaces, say) are passed over.
"""

import asyncio
from dataclasses import dataclass
from random import Random

from klamm.base import logs
from klamm.base.clock import Clock, milliseconds
from klamm.base.together import side_by_side
from klamm.exporter.tally import Tally
from klamm.kafka.admin import Admin
from klamm.kafka.batches import batches_in
from klamm.kafka.errors import KafkaFailure, TopicExists
from klamm.kafka.facts import NewTopic
from klamm.kafka.link import Link
from klamm.kafka.offsets import partition_offsets
from klamm.kafka.reading import Fetching, fetch_batches
from klamm.kafka.writing import NewRecord, produce

_log = logs.room("probe")

_ACKNOWLEDGED_WITHIN = 5.0
_WAIT = 0.5
"""Seconds that a broker may hold a read back while there is nothing."""
_AGAIN = 1.0
"""Seconds until the topic is looked at again after a failure."""
_FETCHING = Fetching(of_all=1 << 20, wait=_WAIT, seconds=_ACKNOWLEDGED_WITHIN)


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    topic: str = "klamm-end-to-end"
    interval: float = 1.0
    replicas: int | None = None
    """None: three, or as many as there are brokers."""
    namespace: str = "kminion"


class Probe:
    """`writing` and `reading`: connections of its own."""

    def __init__(self, writing: Link, reading: Link, clock: Clock, random: Random, settings: ProbeSettings) -> None:
        self._writing = writing
        self._reading = reading
        self._clock = clock
        self._settings = settings
        self._own = f"{random.getrandbits(64):016x}"
        self._sent = 0
        self._leaders: dict[int, int] = {}
        self._at: dict[int, int] = {}
        """Each partition's next offset to be read. Only where it is known is written: else nothing would come back."""
        self.tally = Tally(settings.namespace)

    async def write(self) -> None:
        """For ever."""
        while True:
            admin = await self._writing.admin()
            leaders = {partition: leader for partition, leader in self._leaders.items() if partition in self._at}
            sending = [self._send(admin, partition, leader) for partition, leader in leaders.items()]
            await side_by_side(*sending, asyncio.sleep(self._settings.interval))
            self.tally.give_up(self._clock.monotonic())

    async def _send(self, admin: Admin, partition: int, leader: int) -> None:
        self._sent += 1
        record = f"{self._own}:{self._sent}"
        begun = self._clock.monotonic()
        self.tally.sent(partition, record, begun)
        try:
            new = NewRecord(None, record.encode(), milliseconds(self._clock))
            await produce(admin, leader, self._settings.topic, partition, [new], _ACKNOWLEDGED_WITHIN)
        except KafkaFailure as failure:
            self.tally.failed(partition, record)
            _log.debug("a record was not taken", partition=partition, because=str(failure))
            return
        self.tally.acknowledged(partition, self._clock.monotonic() - begun)

    async def read(self) -> None:
        """For ever. After a read that failed it goes on where it was, with the topic as it is then."""
        while True:
            admin = await self._reading.admin()
            try:
                self._leaders = await self._find_topic(admin)
                by_leader: dict[int, list[int]] = {}
                for partition, leader in self._leaders.items():
                    by_leader.setdefault(leader, []).append(partition)
                async with asyncio.TaskGroup() as group:
                    for leader, partitions in by_leader.items():
                        group.create_task(self._read_from(admin, leader, partitions))
            except* KafkaFailure as failures:
                _log.info("looking for the probe's topic again", because=str(failures.exceptions[0]))
            await asyncio.sleep(_AGAIN)

    async def _read_from(self, admin: Admin, leader: int, partitions: list[int]) -> None:
        await self._begin(admin, leader, [one for one in partitions if one not in self._at])
        while True:
            at = {one: self._at[one] for one in partitions}
            pieces = await fetch_batches(admin, leader, self._settings.topic, at, _FETCHING)
            now = self._clock.monotonic()
            for partition, piece in pieces.items():
                if piece.out_of_range:  # the topic was made anew, or a leader lost its end
                    del self._at[partition]
                if piece.moved or piece.out_of_range:
                    raise KafkaFailure(f"read {self._settings.topic}", f"partition {partition} is not where it was")
                self._take(partition, at[partition], piece.data, now)

    def _take(self, partition: int, first: int, fetched: bytes, now: float) -> None:
        """A batch may begin before the offset that was asked for."""
        for batch in batches_in(partition, fetched):
            for record in batch.records():
                if record.offset >= first:
                    self._at[partition] = record.offset + 1
                    self.tally.received(partition, (record.value or b"").decode("latin-1"), now)

    async def _begin(self, admin: Admin, leader: int, partitions: list[int]) -> None:
        """At the end: what is there was written before us."""
        if not partitions:
            return
        topic = self._settings.topic
        ends = await partition_offsets(admin, leader, {topic: partitions}, "latest", _ACKNOWLEDGED_WITHIN)
        found = ends.by_topic.get(topic, {})
        if set(found) != set(partitions):
            raise KafkaFailure(f"read {topic}", f"broker {leader} does not lead all of {partitions}")
        self._at.update(found)

    async def _find_topic(self, admin: Admin) -> dict[int, int]:
        """The leader of each partition that has one; makes the topic, and lets it grow with the cluster."""
        name, brokers = self._settings.topic, (await admin.describe_cluster()).brokers
        topic = (await admin.describe_topics([name])).get(name)
        if topic is None:
            replicas = self._settings.replicas or min(3, len(brokers))
            config = {"cleanup.policy": "delete", "retention.ms": "3600000", "segment.ms": "600000"}
            made = (await admin.create_topics([NewTopic(name, len(brokers), replicas, config)]))[name]
            if isinstance(made, KafkaFailure) and not isinstance(made, TopicExists):
                raise made
            raise KafkaFailure(f"find {name}", "it has just been made")
        if len(topic.partitions) < len(brokers):
            await admin.grow_topics({name: len(brokers)})
        return {one.id: one.leader for one in topic.partitions if one.leader is not None}
