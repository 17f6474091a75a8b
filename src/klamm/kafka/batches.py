"""Batches of records as brokers keep and send them (record format v2), read without a copy where it can be.

    for batch in batches_in(partition, fetched):
        if needle in batch.body():            # one search for thousands of records
            records = batch.records()

A batch is decompressed when its body is first asked for, and its records are made only for who wants them: a search
by text costs a search in bytes. Formats before Kafka 0.11 (magic 0 and 1) are left to the library's reader. Sources:
the Kafka protocol's "Record Batch"; the framing of Java's snappy streams as xerial's library writes it.
"""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

Headers = tuple[tuple[str, bytes | None], ...]

_HEAD = struct.Struct(">qiibIhiqqqhii")
_MAGIC_AT = 16
_LENGTH_FROM = 12
"""Offset and length stand before what the length counts."""
_CODEC, _APPEND_TIME, _TRANSACTIONAL, _CONTROL = 0x07, 0x08, 0x10, 0x20
_ABORT = 0
_LONGEST_NUMBER = 10
_LARGEST_BODY = 256 << 20
"""Bytes: a batch of some KB can claim to be many GB."""
_LEAST_ROOM, _USUAL_RATIO = 16 << 10, 12


class Corrupt(ValueError):
    """The bytes are none that a Kafka broker writes, or are compressed in a way that is not known."""


class Record(NamedTuple):
    """`timestamp`: milliseconds since 1970, -1 when there is none. `appended`: the broker's time, not the writer's."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    appended: bool = False

    @property
    def size(self) -> int:
        headers = sum(len(name) + len(value or b"") for name, value in self.headers)
        return len(self.key or b"") + len(self.value or b"") + headers


class Batch:
    """`next_offset`: of the first record after it. `latest`: the newest timestamp in it. `size`: as it was fetched."""

    __slots__ = (
        "_body",
        "_packed",
        "attributes",
        "base",
        "count",
        "first_time",
        "latest",
        "next_offset",
        "partition",
        "producer",
        "size",
    )

    def __init__(self, partition: int, head: tuple[Any, ...], packed: memoryview, size: int) -> None:
        self.partition, self.base, self.attributes = partition, int(head[0]), int(head[5])
        self.next_offset = self.base + int(head[6]) + 1
        self.first_time, self.latest = int(head[7]), int(head[8])
        self.producer, self.count, self.size = int(head[9]), int(head[12]), size
        self._packed = packed
        self._body: bytes | None = None

    @property
    def is_control(self) -> bool:
        return bool(self.attributes & _CONTROL)

    @property
    def is_packed(self) -> bool:
        """Compressed: what is in it does not stand in what was fetched."""
        return bool(self.attributes & _CODEC)

    @property
    def is_transactional(self) -> bool:
        return bool(self.attributes & _TRANSACTIONAL)

    def body(self) -> bytes:
        """Its records, one after the other, decompressed. Raises `Corrupt`."""
        if self._body is None:
            codec = self.attributes & _CODEC
            self._body = _decompressed(codec, self._packed) if codec else self._packed.tobytes()
        return self._body

    def records(self) -> list[Record]:
        """Raises `Corrupt`."""
        return self._read_from(self.body(), self.count)

    def release(self) -> int:
        """Lets go of what was unpacked: of many small batches that would be gigabytes. How many bytes it had."""
        body, self._body = self._body, None
        return len(body or b"")

    def first(self) -> Record | None:
        """The first alone, without a copy of the others where they are not compressed. Raises `Corrupt`."""
        if self.is_packed or self._body is not None:
            body = self.body()
        else:
            size, at = _number(bytes(self._packed[:_LONGEST_NUMBER]) + b"\0", 0)
            body = bytes(self._packed[: at + max(size, 0)])
        found = self._read_from(body, min(1, self.count))
        return found[0] if found else None

    def _read_from(self, body: bytes, count: int) -> list[Record]:
        try:
            return _records(self, body, count)
        except (IndexError, struct.error) as error:
            raise Corrupt(f"the batch at offset {self.base} of partition {self.partition} ends early") from error


class OldBatch(Batch):
    """Of a format before 0.11: one "batch" of all that was fetched, read by the library."""

    __slots__ = ("_read",)

    def __init__(self, partition: int, read: list[Record], size: int) -> None:
        head = [read[0].offset, 0, 0, 0, 0, 0, read[-1].offset - read[0].offset, 0, read[-1].timestamp, -1, 0, 0]
        super().__init__(partition, (*head, len(read)), memoryview(b""), size)
        self._read = read

    @property
    def is_packed(self) -> bool:
        return True

    def body(self) -> bytes:
        return b"\0".join(part for one in self._read for part in (one.key or b"", one.value or b""))

    def records(self) -> list[Record]:
        return self._read

    def first(self) -> Record | None:
        return self._read[0]


def batches_in(partition: int, fetched: bytes) -> Iterator[Batch]:
    """The whole ones; the last is often cut by the fetch's size. Control batches are among them."""
    view, at, end = memoryview(fetched), 0, len(fetched)
    while end - at > _MAGIC_AT:
        size = _LENGTH_FROM + int.from_bytes(view[at + 8 : at + 12], "big")
        if at + size > end:
            return
        if view[at + _MAGIC_AT] < 2:
            read = _old_records(partition, fetched[at:])
            if read:
                yield OldBatch(partition, read, end - at)
            return
        yield Batch(partition, _HEAD.unpack_from(view, at), view[at + _HEAD.size : at + size], size)
        at += size


def committed(batches: Iterable[Batch], aborted: Iterable[tuple[int, int]]) -> Iterator[Batch]:
    """Those of no aborted transaction. `aborted`: (producer, first offset) as a read_committed Fetch tells them."""
    coming = sorted(aborted, key=lambda one: one[1])
    gone: set[int] = set()
    for batch in batches:
        while coming and coming[0][1] < batch.next_offset:
            gone.add(coming.pop(0)[0])
        if batch.is_control:
            if _ends_in_abort(batch):
                gone.discard(batch.producer)
            yield batch
        elif not (batch.is_transactional and batch.producer in gone):
            yield batch


def _ends_in_abort(batch: Batch) -> bool:
    records = batch.records()
    key = records[0].key if records else None
    return key is not None and len(key) >= 4 and int.from_bytes(key[2:4], "big") == _ABORT


def _records(batch: Batch, body: bytes, count: int) -> list[Record]:
    """Written without calls for each number: this is where a page of many records spends its time."""
    found: list[Record] = []
    partition, base, appended = batch.partition, batch.base, bool(batch.attributes & _APPEND_TIME)
    first_time, at = batch.latest if appended else batch.first_time, 0
    for _ in range(count):
        size, at = _number(body, at)
        end = at + size
        at += 1  # attributes, of which there are none
        byte = body[at]
        if byte < 128:
            time, at = (byte >> 1) ^ -(byte & 1), at + 1
        else:
            time, at = _number(body, at)
        byte = body[at]
        if byte < 128:
            delta, at = (byte >> 1) ^ -(byte & 1), at + 1
        else:
            delta, at = _number(body, at)
        length, at = _number(body, at)
        key = None
        if length >= 0:
            key, at = body[at : at + length], at + length
        length, at = _number(body, at)
        value = None
        if length >= 0:
            value, at = body[at : at + length], at + length
        headers: Headers = () if body[at] == 0 else _headers(body, at)
        if end > len(body):
            raise IndexError
        found.append(
            Record(partition, base + delta, first_time + (0 if appended else time), key, value, headers, appended)
        )
        at = end
    return found


def _headers(body: bytes, at: int) -> Headers:
    count, at = _number(body, at)
    found: list[tuple[str, bytes | None]] = []
    for _ in range(count):
        length, at = _number(body, at)
        name, at = body[at : at + length].decode(errors="replace"), at + length
        length, at = _number(body, at)
        if length < 0:
            found.append((name, None))
        else:
            found.append((name, body[at : at + length]))
            at += length
    return tuple(found)


def _number(body: bytes, at: int) -> tuple[int, int]:
    """A zigzag varint and where the next thing begins."""
    byte = body[at]
    at += 1
    value, shift = byte & 0x7F, 7
    while byte & 0x80:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if shift > 70:
            raise IndexError
    return (value >> 1) ^ -(value & 1), at


def _decompressed(codec: int, packed: memoryview) -> bytes:
    decompress = _CODECS.get(codec)
    if decompress is None:
        raise Corrupt(f"compression {codec} is not known")
    try:
        return decompress(packed)
    except Corrupt:
        raise
    except Exception as error:  # each codec has errors of its own
        raise Corrupt(f"a batch cannot be decompressed: {error}") from error


def _gzip(packed: memoryview) -> bytes:
    machine = zlib.decompressobj(31)
    body = machine.decompress(packed, _LARGEST_BODY)
    if machine.unconsumed_tail:
        raise _too_large()
    return body


def _snappy(packed: memoryview) -> bytes:
    if bytes(packed[:8]) != b"\x82SNAPPY\0":
        return _snappy_block(packed)
    blocks, at, size = [], 16, 0
    while at < len(packed):
        length = int.from_bytes(packed[at : at + 4], "big")
        blocks.append(_snappy_block(packed[at + 4 : at + 4 + length]))
        at, size = at + 4 + length, size + len(blocks[-1])
        if size > _LARGEST_BODY:
            raise _too_large()
    return b"".join(blocks)


def _snappy_block(packed: memoryview) -> bytes:
    from cramjam import snappy

    if snappy.decompress_raw_len(packed) > _LARGEST_BODY:
        raise _too_large()
    return bytes(snappy.decompress_raw(packed))


def _lz4(packed: memoryview) -> bytes:
    from cramjam import lz4

    return _into_room(lz4.decompress_into, packed)


def _zstd(packed: memoryview) -> bytes:
    from cramjam import zstd

    return _into_room(zstd.decompress_into, packed)


def _into_room(decompress: Callable[[memoryview, bytearray], int], packed: memoryview) -> bytes:
    """These formats do not say how large it will be; so room is given, and more when it does not do."""
    from cramjam import DecompressionError

    room = max(_LEAST_ROOM, _USUAL_RATIO * len(packed))
    while True:
        body = bytearray(min(room, _LARGEST_BODY))
        try:
            size = decompress(packed, body)
        except DecompressionError as error:
            if "whole buffer" not in str(error):
                raise
            if room >= _LARGEST_BODY:
                raise _too_large() from error
            room *= _USUAL_RATIO
        else:
            return bytes(memoryview(body)[:size])


def _too_large() -> Corrupt:
    return Corrupt(f"a batch is larger than {_LARGEST_BODY} bytes")


_CODECS: Mapping[int, Callable[[memoryview], bytes]] = {1: _gzip, 2: _snappy, 3: _lz4, 4: _zstd}


def _old_records(partition: int, fetched: bytes) -> list[Record]:
    from kafka.record.memory_records import MemoryRecords

    batches, found = MemoryRecords(fetched), []
    while batches.has_next():
        for one in batches.next_batch():
            key, value = (None if part is None else bytes(part) for part in (one.key, one.value))
            found.append(Record(partition, one.offset, -1 if one.timestamp is None else one.timestamp, key, value))
    return found
