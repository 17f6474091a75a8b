"""A producer with acks=all and a consumer that go on while things break, and the count of what was promised.

Both run on the host and reach the brokers through the NodePort listener, so that they outlive a killed control plane
and feel a killed relay. Every record is different from all others. What Kafka acknowledged must be read in the end; a
record may come twice (a retry whose first try arrived), and one that was not acknowledged may come or not.
"""

import threading
import uuid
from types import TracebackType

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from tests.builders.local_cluster import CLOCK, pause

_AT_ONCE = 100
_CATCHES_UP_WITHIN = 60.0


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
        self._room = threading.Semaphore(_AT_ONCE)
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._produce, self._read)]
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
        try:
            producer = KafkaProducer(bootstrap_servers=self._bootstrap, acks="all", linger_ms=5)
            number = 0
            while not self._producing.wait(0.004):
                self._room.acquire(timeout=1.0)
                record = f"{self._run}-{number}"
                future = producer.send(self._topic, record.encode())
                future.add_callback(self._acknowledge, record)
                future.add_errback(self._refuse, record)
                number += 1
            producer.flush(_CATCHES_UP_WITHIN)
            producer.close(_CATCHES_UP_WITHIN)
        except BaseException as error:
            self.problems.append(error)

    def _acknowledge(self, record: str, metadata: object) -> None:
        self.acknowledged.add(record)
        self._room.release()

    def _refuse(self, record: str, error: BaseException) -> None:
        self.refused[record] = str(error)
        self._room.release()

    def _read(self) -> None:
        try:
            consumer = KafkaConsumer(
                self._topic, bootstrap_servers=self._bootstrap, group_id="readers", auto_offset_reset="earliest"
            )
            while not self._reading.is_set():
                for records in consumer.poll(timeout_ms=500).values():
                    self.read.update(record.value.decode() for record in records)
            consumer.close()
        except BaseException as error:
            self.problems.append(error)


def everything_in(bootstrap: str, topic: str) -> set[str]:
    """All records of a topic, by a reader without memory."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    found: set[str] = set()
    begun = CLOCK.monotonic()
    while any(consumer.position(one) < end for one, end in ends.items()):
        assert CLOCK.monotonic() - begun < _CATCHES_UP_WITHIN, f"{topic} could not be read to its end {ends}"
        for records in consumer.poll(timeout_ms=500).values():
            found.update(record.value.decode() for record in records)
    consumer.close()
    return found
