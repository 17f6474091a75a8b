"""A producer with acks=all and a consumer that go on while things break, and the count of what was promised.

Both run on the host and reach the brokers through the NodePort listener, so that they outlive a killed control plane
and feel a killed relay. Every record is different from all others. What Kafka acknowledged must be read in the end; a
record may come twice (a retry whose first try arrived), and one that was not acknowledged may come or not.
"""

import sys
import threading
import traceback
import uuid
from contextlib import suppress
from types import TracebackType

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaConnectionError, KafkaError
from tests.builders.cluster import CLOCK, pause

_ACKNOWLEDGED_WITHIN = 30.0
_CATCHES_UP_WITHIN = 180.0


class Traffic:
    """`acknowledged` and `read` grow while it runs."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.acknowledged: set[str] = set()
        self.read: set[str] = set()
        self.refused: dict[str, str] = {}
        self._bootstrap = bootstrap
        self._topic = topic
        self._run = uuid.uuid4().hex[:8]
        self._producing = threading.Event()
        self._reading = threading.Event()
        self._threads = [
            threading.Thread(target=self._produce, name="producer", daemon=True),
            threading.Thread(target=self._read, name="consumer", daemon=True),
        ]
        self._mark: tuple[int, int] | None = None
        self.problems: list[BaseException] = []

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._producing.set()
        self._reading.set()
        for thread in self._threads:
            thread.join(_CATCHES_UP_WITHIN)

    def goes_on(self, more: int = 100) -> bool:
        """Whether so many more records are acknowledged, and read, than when this was first asked."""
        if self._mark is None:
            self._mark = (len(self.acknowledged), len(self.read))
        moved = len(self.acknowledged) >= self._mark[0] + more and len(self.read) >= self._mark[1] + more
        if moved:
            self._mark = None
        return moved

    def where(self) -> str:
        """How far both have come, and where in the code they are now: for the message of a wait that failed."""
        frames = sys._current_frames()
        stacks = [
            f"{thread.name}:\n{''.join(traceback.format_stack(frames[thread.ident]))}"
            for thread in self._threads
            if thread.ident in frames
        ]
        counts = f"{len(self.acknowledged)} acknowledged, {len(self.read)} read, {len(self.refused)} refused"
        return "\n".join([counts, f"problems: {self.problems}", *stacks])

    def finish(self) -> None:
        """Stop producing, let the consumer catch up; fails when an acknowledged record never comes."""
        self._producing.set()
        self._threads[0].join(_CATCHES_UP_WITHIN)
        begun = CLOCK.monotonic()
        while not self.acknowledged <= self.read and CLOCK.monotonic() - begun < _CATCHES_UP_WITHIN:
            pause()
        assert not self.problems, self.problems
        lost = sorted(self.acknowledged - self.read)
        assert not lost, f"{len(lost)} of {len(self.acknowledged)} acknowledged records were never read: {lost[:10]}"

    def _produce(self) -> None:
        """One record after the other: what is acknowledged is known before the next one is sent."""
        try:
            producer = KafkaProducer(bootstrap_servers=self._bootstrap, acks="all")
            number = 0
            while not self._producing.wait(0.004):
                record = f"{self._run}-{number}"
                number += 1
                try:
                    producer.send(self._topic, record.encode()).get(timeout=_ACKNOWLEDGED_WITHIN)
                    self.acknowledged.add(record)
                except KafkaError as error:
                    self.refused[record] = str(error)
            producer.close(_CATCHES_UP_WITHIN)
        except BaseException as error:
            self.problems.append(error)

    def _read(self) -> None:
        """Without a group: whom the readers of a group follow when a broker dies is not what is tested here."""
        try:
            consumer = KafkaConsumer(self._topic, bootstrap_servers=self._bootstrap, auto_offset_reset="earliest")
            while not self._reading.is_set():
                with suppress(KafkaConnectionError):
                    for records in consumer.poll(timeout_ms=500).values():
                        self.read.update(record.value.decode() for record in records)
            consumer.close()
        except BaseException as error:
            self.problems.append(error)


def everything_in(bootstrap: str, topic: str) -> set[str]:
    """All records of a topic, by a reader without memory."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    begun = CLOCK.monotonic()
    while not (numbers := consumer.partitions_for_topic(topic)):  # a broker that has just started may know no topic
        assert CLOCK.monotonic() - begun < _CATCHES_UP_WITHIN, f"no broker knows {topic}"
        pause()
    partitions = [TopicPartition(topic, number) for number in numbers]
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    found: set[str] = set()
    while any(consumer.position(one) < end for one, end in ends.items()):
        assert CLOCK.monotonic() - begun < _CATCHES_UP_WITHIN, f"{topic} could not be read to its end {ends}"
        for records in consumer.poll(timeout_ms=500).values():
            found.update(record.value.decode() for record in records)
    consumer.close()
    return found
