"""What the probe counts, and its text. Pure. Names are kminion's, so that its dashboards go on working.

A record that did not come back in time is lost; one that comes back later is not counted again.
"""

from bisect import bisect_left
from dataclasses import dataclass, field

from klamm.exporter.text import Family

LOST_AFTER = 5.0
"""Seconds."""
BOUNDS = tuple(0.005 * 2**power for power in range(11))
"""Of the histograms' buckets: 5 ms to 5 s."""


_COUNTERS = (
    ("produced", "produced", "Records sent"),
    ("produced_failed", "failed", "Records that no leader acknowledged in time"),
    ("received", "received", "Records that came back"),
    ("lost", "lost", f"Records that did not come back within {LOST_AFTER:g} s"),
)
"""Name, attribute of `OfPartition`, help."""


@dataclass
class Histogram:
    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    sum: float = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.sum += seconds

    def add_to(self, buckets: Family, sums: Family, counts: Family, labels: str) -> None:
        total = 0
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), self.counts, strict=True):
            total += count
            buckets.add(f'{labels},le="{bound}"', total)
        sums.add(labels, round(self.sum, 6))
        counts.add(labels, total)


@dataclass
class OfPartition:
    produced: int = 0
    failed: int = 0
    received: int = 0
    lost: int = 0
    produce: Histogram = field(default_factory=Histogram)
    roundtrip: Histogram = field(default_factory=Histogram)


class Tally:
    def __init__(self, namespace: str) -> None:
        self._prefix = f"{namespace}_end_to_end_" if namespace else "end_to_end_"
        self._partitions: dict[int, OfPartition] = {}
        self._under_way: dict[tuple[int, str], float] = {}
        """When each record that has not come back was sent."""

    def sent(self, partition: int, record: str, at: float) -> None:
        self._of(partition).produced += 1
        self._under_way[partition, record] = at

    def acknowledged(self, partition: int, seconds: float) -> None:
        self._of(partition).produce.observe(seconds)

    def failed(self, partition: int, record: str) -> None:
        """It may have been written all the same; whether it comes back is no longer of interest."""
        self._of(partition).failed += 1
        self._under_way.pop((partition, record), None)

    def received(self, partition: int, record: str, at: float) -> None:
        sent = self._under_way.pop((partition, record), None)
        if sent is not None:
            self._of(partition).received += 1
            self._of(partition).roundtrip.observe(at - sent)

    def give_up(self, now: float) -> None:
        for (partition, record), sent in tuple(self._under_way.items()):
            if now - sent > LOST_AFTER:
                del self._under_way[partition, record]
                self._of(partition).lost += 1

    def _of(self, partition: int) -> OfPartition:
        return self._partitions.setdefault(partition, OfPartition())

    def text(self) -> str:
        families = []
        for name, attribute, help in _COUNTERS:
            family = Family(f"{self._prefix}messages_{name}_total", help, "counter")
            for partition, one in sorted(self._partitions.items()):
                family.add(f'partition_id="{partition}"', getattr(one, attribute))
            families.append(family)
        under_way = Family(f"{self._prefix}messages_produced_in_flight", "Records that have not come back yet")
        for partition in sorted(self._partitions):
            under_way.add(f'partition_id="{partition}"', sum(of == partition for of, _ in self._under_way))
        text = "".join(family.text() for family in (*families, under_way))
        produce = {partition: one.produce for partition, one in self._partitions.items()}
        roundtrip = {partition: one.roundtrip for partition, one in self._partitions.items()}
        return (
            text
            + _histograms(f"{self._prefix}produce_latency_seconds", "From sending to acknowledgement", produce)
            + _histograms(f"{self._prefix}roundtrip_latency_seconds", "From sending to reading", roundtrip)
        )


def _histograms(name: str, help: str, of_partitions: dict[int, Histogram]) -> str:
    buckets, sums, counts = Family(f"{name}_bucket", ""), Family(f"{name}_sum", ""), Family(f"{name}_count", "")
    for partition, histogram in sorted(of_partitions.items()):
        histogram.add_to(buckets, sums, counts, f'partition_id="{partition}"')
    lines = buckets.lines() + sums.lines() + counts.lines()
    return f"# HELP {name} {help}\n# TYPE {name} histogram\n{lines}" if lines else ""
