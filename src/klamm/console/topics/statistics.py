"""What a topic's messages are like, from looking at each once: how many, how large, how old, how many keys.

Memory does not grow with the topic: sizes are counted in classes of at most 1.6 % width, distinct keys exactly up to
20 000 and by HyperLogLog beyond (Flajolet et al. 2007; 4096 registers, standard error 1.6 %), hours up to 10 000.
"""

import math
from collections import Counter
from hashlib import blake2b

import msgspec

EXACT = 20_000
MOST_HOURS = 10_000
_BITS = 12
_REGISTERS = 1 << _BITS
_ALPHA = 0.7213 / (1 + 1.079 / _REGISTERS)
_HOUR = 3_600_000
_FINE = 6


class Sizes(msgspec.Struct, frozen=True):
    """Bytes; None where there is no message with one. Percentiles are at most 1.6 % too small."""

    total: int
    smallest: int | None
    mean: int | None
    p50: int | None
    p75: int | None
    p95: int | None
    p99: int | None
    p999: int | None
    largest: int | None


class Distinct(msgspec.Struct, frozen=True):
    """`exact`: counted; else estimated, mostly within 3 %."""

    count: int
    exact: bool


class Hour(msgspec.Struct, frozen=True):
    """`begin`: milliseconds since 1970."""

    begin: int
    messages: int


class PartitionStatistics(msgspec.Struct, frozen=True, rename="camel"):
    partition: int
    messages: int
    bytes: int
    null_keys: int
    null_values: int


class Statistics(msgspec.Struct, frozen=True, rename="camel"):
    """`hours`: the latest; messages without a time are in none. `first`, `last`: the messages' own times."""

    messages: int
    null_keys: int
    null_values: int
    keys: Distinct
    values: Distinct
    key_sizes: Sizes
    value_sizes: Sizes
    first: int | None
    last: int | None
    hours: tuple[Hour, ...]
    partitions: tuple[PartitionStatistics, ...]


class Distincts:
    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._registers: bytearray | None = None

    def add(self, one: bytes) -> None:
        digest = blake2b(one, digest_size=8).digest()
        if self._registers is not None:
            self._note(self._registers, digest)
            return
        self._seen.add(digest)
        if len(self._seen) > EXACT:
            self._registers = bytearray(_REGISTERS)
            for each in self._seen:
                self._note(self._registers, each)
            self._seen.clear()

    @staticmethod
    def _note(registers: bytearray, digest: bytes) -> None:
        number = int.from_bytes(digest, "big")
        at, rest = number >> (64 - _BITS), number & ((1 << (64 - _BITS)) - 1)
        rank = 64 - _BITS - rest.bit_length() + 1
        if rank > registers[at]:
            registers[at] = rank

    def result(self) -> Distinct:
        if self._registers is None:
            return Distinct(len(self._seen), True)
        return Distinct(round(_ALPHA * _REGISTERS**2 / sum(2.0**-one for one in self._registers)), False)


class SizeCounts:
    def __init__(self) -> None:
        self._classes: Counter[int] = Counter()
        self.total = 0
        self._smallest: int | None = None
        self._largest: int | None = None

    def add(self, size: int) -> None:
        shift = max(0, size.bit_length() - _FINE - 1)
        self._classes[size >> shift << shift] += 1
        self.total += size
        self._smallest = size if self._smallest is None or size < self._smallest else self._smallest
        self._largest = size if self._largest is None or size > self._largest else self._largest

    def result(self) -> Sizes:
        count = sum(self._classes.values())
        ordered = sorted(self._classes.items())
        mean = round(self.total / count) if count else None
        p50, p75, p95, p99, p999 = (_percentile(ordered, count, part) for part in (0.5, 0.75, 0.95, 0.99, 0.999))
        return Sizes(self.total, self._smallest, mean, p50, p75, p95, p99, p999, self._largest)


def _percentile(ordered: list[tuple[int, int]], count: int, part: float) -> int | None:
    wanted, seen = math.ceil(part * count), 0
    for size, number in ordered:
        seen += number
        if seen >= wanted:
            return size
    return None


class Counting:
    """Fed with one message after the other, of any partitions in any order."""

    def __init__(self) -> None:
        self.messages = 0
        self._keys, self._values = Distincts(), Distincts()
        self._key_sizes, self._value_sizes = SizeCounts(), SizeCounts()
        self._first: int | None = None
        self._last: int | None = None
        self._hours: Counter[int] = Counter()
        self._partitions: dict[int, list[int]] = {}

    def add(self, partition: int, key: bytes | None, value: bytes | None, timestamp: int) -> None:
        """`timestamp`: milliseconds since 1970; below 0: none."""
        self.messages += 1
        of = self._partitions.setdefault(partition, [0, 0, 0, 0])
        of[0] += 1
        if key is None:
            of[2] += 1
        else:
            self._keys.add(key)
            self._key_sizes.add(len(key))
            of[1] += len(key)
        if value is None:
            of[3] += 1
        else:
            self._values.add(value)
            self._value_sizes.add(len(value))
            of[1] += len(value)
        if timestamp >= 0:
            self._first = timestamp if self._first is None else min(self._first, timestamp)
            self._last = timestamp if self._last is None else max(self._last, timestamp)
            self._hours[timestamp // _HOUR] += 1
            if len(self._hours) > 2 * MOST_HOURS:
                self._hours = Counter(dict(sorted(self._hours.items())[-MOST_HOURS:]))

    def result(self) -> Statistics:
        partitions = tuple(PartitionStatistics(one, *of) for one, of in sorted(self._partitions.items()))
        return Statistics(
            messages=self.messages,
            null_keys=sum(one.null_keys for one in partitions),
            null_values=sum(one.null_values for one in partitions),
            keys=self._keys.result(),
            values=self._values.result(),
            key_sizes=self._key_sizes.result(),
            value_sizes=self._value_sizes.result(),
            first=self._first,
            last=self._last,
            hours=tuple(Hour(one * _HOUR, count) for one, count in sorted(self._hours.items())[-MOST_HOURS:]),
            partitions=partitions,
        )
