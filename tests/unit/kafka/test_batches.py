"""Batches of every compression, of transactions, cut and broken."""

import gzip
import struct
from collections.abc import Callable
from functools import partial

import cramjam
import pytest
from kafka.record.memory_records import MemoryRecords, MemoryRecordsBuilder

from klamm.kafka.batches import Batch, Corrupt, Record, batches_in, committed
from klamm.kafka.writing import NewRecord, batch_of

_HEAD, _ATTRIBUTES_AT, _PRODUCER_AT = 61, 21, 43
_NEW = [
    NewRecord(b"k0", b"v0", 1000, (("trace", b"t0"), ("none", None))),
    NewRecord(None, b"v" * 300, 900),
    NewRecord(b"", None, 2000),
]
_READ = [
    Record(3, 0, 1000, b"k0", b"v0", (("trace", b"t0"), ("none", None))),
    Record(3, 1, 900, None, b"v" * 300),
    Record(3, 2, 2000, b"", None),
]


def _changed(batch: bytes, attributes: int = 0, producer: int = -1, base: int = 0, body: bytes | None = None) -> bytes:
    """With another body or marked otherwise; checksums are the brokers' affair, nobody looks at them here."""
    packed = batch[_HEAD:] if body is None else body
    whole = bytearray(batch[:_HEAD] + packed)
    struct.pack_into(">qi", whole, 0, base, len(whole) - 12)
    struct.pack_into(">h", whole, _ATTRIBUTES_AT, attributes)
    struct.pack_into(">q", whole, _PRODUCER_AT, producer)
    return bytes(whole)


def _xerial(body: bytes) -> bytes:
    """As Java writes snappy: a head, then blocks."""
    blocks = [bytes(cramjam.snappy.compress_raw(body[at : at + 50])) for at in range(0, len(body), 50)]
    return b"\x82SNAPPY\0" + struct.pack(">ii", 1, 1) + b"".join(struct.pack(">i", len(one)) + one for one in blocks)


@pytest.mark.parametrize(
    ("codec", "pack"),
    [
        (0, lambda body: body),
        (1, gzip.compress),
        (2, lambda body: bytes(cramjam.snappy.compress_raw(body))),
        (2, _xerial),
        (3, lambda body: bytes(cramjam.lz4.compress(body))),
        (4, lambda body: bytes(cramjam.zstd.compress(body))),
    ],
    ids=["none", "gzip", "snappy", "java's snappy", "lz4", "zstd"],
)
def test_records_are_read_whatever_compresses_them(codec: int, pack: Callable[[bytes], bytes]) -> None:
    plain = batch_of(_NEW)
    (batch,) = batches_in(3, _changed(plain, codec, body=pack(plain[_HEAD:])))
    assert batch.is_packed is (codec != 0)
    assert batch.first() == _READ[0]
    assert b"v" * 300 in batch.body()
    assert batch.records() == _READ
    assert (batch.base, batch.next_offset, batch.count, batch.latest) == (0, 3, 3, 2000)


@pytest.mark.parametrize(
    ("codec", "pack"),
    [
        (1, partial(gzip.compress, compresslevel=1)),
        (2, cramjam.snappy.compress_raw),
        (3, cramjam.lz4.compress),
        (4, cramjam.zstd.compress),
    ],
    ids=["gzip", "snappy", "lz4", "zstd"],
)
def test_a_batch_that_is_larger_than_any_is_not_unpacked(codec: int, pack: Callable[[bytes], bytes]) -> None:
    bomb = bytes(pack(bytes((256 << 20) + 1)))
    (batch,) = batches_in(0, _changed(batch_of(_NEW), codec, body=bomb))
    with pytest.raises(Corrupt, match="larger than"):
        batch.body()


def test_what_was_unpacked_is_let_go_and_unpacked_again() -> None:
    plain = batch_of(_NEW)
    (batch,) = batches_in(3, _changed(plain, 1, body=gzip.compress(plain[_HEAD:])))
    assert batch.release() == 0
    size = len(batch.body())
    assert (batch.release(), batch.release()) == (size, 0)
    assert batch.records() == _READ


def test_the_library_reads_what_we_write_and_we_read_what_it_writes() -> None:
    theirs = MemoryRecords(batch_of(_NEW)).next_batch()
    assert theirs.validate_crc()
    assert [(one.timestamp, one.key, one.value) for one in theirs] == [(r.timestamp, r.key, r.value) for r in _READ]
    builder = MemoryRecordsBuilder(magic=2, compression_type=1, batch_size=1 << 14)
    builder.append(timestamp=5, key=b"k", value=b"v", headers=[("h", b"x")])
    builder.close()
    (ours,) = batches_in(0, bytes(builder.buffer()))
    assert ours.records() == [Record(0, 0, 5, b"k", b"v", (("h", b"x"),))]


@pytest.mark.parametrize("magic", [0, 1])
def test_formats_before_0_11_are_read(magic: int) -> None:
    builder = MemoryRecordsBuilder(magic=magic, compression_type=0, batch_size=1 << 14)
    for number in range(2):
        builder.append(timestamp=5, key=None, value=b"v%d" % number)
    builder.close()
    (batch,) = batches_in(0, bytes(builder.buffer()))
    assert [one.value for one in batch.records()] == [b"v0", b"v1"]
    assert (batch.base, batch.next_offset) == (0, 2)


def test_a_batch_that_is_cut_is_left_for_the_next_fetch() -> None:
    whole = batch_of(_NEW)
    assert len(list(batches_in(0, whole + whole[:-1]))) == 1
    assert list(batches_in(0, whole[:10])) == []


@pytest.mark.parametrize(
    "broken",
    [
        _changed(batch_of(_NEW), attributes=1),
        _changed(batch_of(_NEW), attributes=4),
        _changed(batch_of(_NEW), attributes=7),
        _changed(batch_of(_NEW), body=batch_of(_NEW)[_HEAD:-5]),
        _changed(batch_of(_NEW), body=b"\xff" * 30),
    ],
    ids=["no gzip", "no zstd", "an unknown codec", "its end is missing", "no records"],
)
def test_what_no_broker_writes_is_corrupt(broken: bytes) -> None:
    (batch,) = batches_in(0, broken)
    with pytest.raises(Corrupt):
        batch.records()


def test_the_time_of_the_broker_holds_for_all_of_a_batch() -> None:
    (batch,) = batches_in(3, _changed(batch_of(_NEW), attributes=8))
    assert [(one.timestamp, one.appended) for one in batch.records()] == [(2000, True)] * 3


def test_aborted_transactions_are_left_out_and_only_those() -> None:
    transactional, control = 0x10, 0x30
    abort = batch_of([NewRecord(struct.pack(">hh", 0, 0), b"", 0)])
    one = batch_of(_NEW[:1])
    log = b"".join(
        [
            _changed(one, transactional, producer=7, base=0),  # aborted
            _changed(one, transactional, producer=8, base=1),
            _changed(one, 0, producer=7, base=2),  # of no transaction
            _changed(abort, control, producer=7, base=3),
            _changed(one, transactional, producer=7, base=4),  # the next one
        ]
    )
    shown = committed(batches_in(0, log), [(7, 0)])
    assert [batch.base for batch in shown if not batch.is_control] == [1, 2, 4]


def test_a_batch_needs_no_copy_to_tell_its_first_record() -> None:
    batch: Batch
    (batch,) = batches_in(3, batch_of(_NEW))
    assert batch.first() == _READ[0]
    assert batch._body is None
