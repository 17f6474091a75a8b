"""Avro's object container file in one record: its schema, then values in blocks (what kafka-ui calls AvroEmbedded)."""

import zlib
from typing import Any

from klamm.console.serdes import avro
from klamm.console.serdes.cursor import LARGEST, Cursor, Misfit, put_zigzag

MAGIC = b"Obj\x01"
_MOST_META = 100


def read(data: bytes) -> Any:
    """The value, or the list of values when there are several."""
    cursor = Cursor(data)
    if data[:4] != MAGIC:
        raise Misfit("it does not begin with 'Obj' and 1, as a file of Avro does")
    cursor.take(4)
    meta = _meta(cursor)
    sync = cursor.take(16)
    form = avro.parse(meta.get("avro.schema", b"").decode("utf-8", "replace"))
    values: list[Any] = []
    unpacked = 0
    while cursor.remaining:
        count, size = cursor.zigzag(), cursor.zigzag()
        block = Cursor(_unpacked(meta.get("avro.codec", b"null"), cursor.take(size), LARGEST - unpacked))
        block.left = cursor.left
        unpacked += len(block.data)
        for _ in range(max(0, count)):
            block.spend(0)
            values.append(form.read(block, 0))
        block.end()
        cursor.left = block.left
        if cursor.take(16) != sync:
            raise Misfit(f"at byte {cursor.at - 16} the mark between blocks is missing")
    return values[0] if len(values) == 1 else values


def write(schema: str, value: Any) -> bytes:
    """A file of one value, not packed."""
    block = avro.encode(avro.parse(schema), value)
    out, sync = bytearray(MAGIC), bytes(16)
    meta = {"avro.schema": schema.encode(), "avro.codec": b"null"}
    put_zigzag(out, len(meta))
    for key, one in meta.items():
        for part in (key.encode(), one):
            put_zigzag(out, len(part))
            out += part
    put_zigzag(out, 0)
    out += sync
    put_zigzag(out, 1)
    put_zigzag(out, len(block))
    return bytes(out + block + sync)


def _meta(cursor: Cursor) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    while count := cursor.zigzag():
        if count < 0:
            count = -count
            cursor.zigzag()
        if count + len(found) > _MOST_META:
            raise Misfit(f"its head has more than {_MOST_META} entries")
        for _ in range(count):
            key = cursor.text(cursor.zigzag())
            found[key] = cursor.take(cursor.zigzag())
    return found


def _unpacked(codec: bytes, data: bytes, most: int) -> bytes:
    if codec == b"null":
        return data
    if codec != b"deflate":
        raise Misfit(f"it is packed by {codec.decode('latin-1')[:30]!r}; null and deflate are read here")
    unpacking = zlib.decompressobj(-15)
    try:
        unpacked = unpacking.decompress(data, max(1, most))
    except zlib.error as error:
        raise Misfit(f"a block cannot be unpacked: {error}") from None
    if unpacking.unconsumed_tail or not unpacking.eof:
        raise Misfit(f"a block does not end, or becomes more than {LARGEST >> 20} MiB")
    return unpacked
