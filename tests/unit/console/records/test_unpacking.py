"""Small batches that are large when they are unpacked: a look into them has an end, and goes on from there."""

import gzip
import struct

from klamm.console.records import reading
from klamm.console.records.plan import Span
from klamm.console.records.reading import MOST_UNPACKED
from klamm.console.records.selection import Selection
from klamm.console.records.shown import Showing
from klamm.console.serdes.builtin import BUILT_IN, BuiltIns
from klamm.console.topics.analyses import Analysis, _counted
from klamm.kafka.batches import batches_in
from klamm.kafka.reading import Piece
from klamm.kafka.writing import NewRecord, batch_of

_HEAD, _ATTRIBUTES_AT, _GZIP = 61, 21, 1
_LARGE = 1 << 20


def _packed(base: int, size: int = _LARGE) -> bytes:
    plain = batch_of([NewRecord(None, bytes(size), 0)])
    whole = bytearray(plain[:_HEAD] + gzip.compress(plain[_HEAD:], 1))
    struct.pack_into(">qi", whole, 0, base, len(whole) - 12)
    struct.pack_into(">h", whole, _ATTRIBUTES_AT, _GZIP)
    return bytes(whole)


def test_a_look_ends_with_what_it_may_unpack_and_keeps_nothing_unpacked() -> None:
    data = b"".join(map(_packed, range(5)))
    batches = list(batches_in(0, data))
    selection = Selection(Showing("t", BuiltIns(), BUILT_IN["Auto"], BUILT_IN["Auto"]))
    looked = reading._looked(Piece(data, 5), batches, Span(0, 5), selection, False, 2 * _LARGE)
    assert ([one.offset for one in looked.records], looked.next_offset) == ([0, 1], 2)
    assert looked.unpacked > 2 * _LARGE
    assert sum(batch.release() for batch in batches) == 0
    rest = reading._looked(Piece(data, 5), batches, Span(2, 5), selection, False, 100 * _LARGE)
    assert ([one.offset for one in rest.records], rest.next_offset) == ([2, 3, 4], 5)
    none = reading._looked(Piece(data, 5), batches, Span(2, 5), selection, False, 0)
    assert none.next_offset == 3, "it always goes on"


def test_a_scan_ends_with_what_it_may_unpack() -> None:
    size = 16 << 20
    packed = _packed(0, size)
    data = b"".join(base.to_bytes(8, "big") + packed[8:] for base in range(20))
    after = _counted({0: Piece(data, 20)}, {0: 0}, {0: 20}, Analysis("t", 0))
    assert after == {0: -(-MOST_UNPACKED // size)}
