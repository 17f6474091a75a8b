"""Protocol Buffers without a schema: what the bytes themselves tell, and `google.protobuf.Struct`, which needs none.

Numbers stand for fields. Whether bytes are a text, a message or neither is not written in them; a text is taken for a
text, then whatever reads as a message to its last byte is one.
"""

import struct
from typing import Any

from klamm.console.serdes.cursor import Cursor, Misfit, put_varint

_VARINT, _FIXED64, _BYTES, _BEGIN, _END, _FIXED32 = range(6)
_MOST_FIELDS = (1 << 29) - 1


def raw(data: bytes) -> dict[str, Any]:
    """By field number; a field that is there several times has a list."""
    return _message(Cursor(data), 0, None)


def _message(cursor: Cursor, depth: int, group: int | None) -> dict[str, Any]:
    cursor.spend(depth)
    found: dict[str, list[Any]] = {}
    while cursor.remaining:
        number, kind = _tag(cursor)
        if kind == _END:
            if number != group:
                raise Misfit(f"group {number} ends at byte {cursor.at} without a begin")
            group = None
            break
        found.setdefault(str(number), []).append(_value(cursor, number, kind, depth))
    if group is not None:
        raise Misfit(f"group {group} does not end")
    return {number: values[0] if len(values) == 1 else values for number, values in found.items()}


def _tag(cursor: Cursor) -> tuple[int, int]:
    tag = cursor.varint()
    if not 1 <= tag >> 3 <= _MOST_FIELDS or tag & 7 > _FIXED32:
        raise Misfit(f"before byte {cursor.at} there is no field")
    return tag >> 3, tag & 7


def _value(cursor: Cursor, number: int, kind: int, depth: int) -> Any:
    cursor.spend(depth)
    if kind == _VARINT:
        return cursor.varint()
    if kind == _FIXED64:
        return _fixed(cursor.take(8), "<q", "<d")
    if kind == _FIXED32:
        return _fixed(cursor.take(4), "<i", "<f")
    if kind == _BEGIN:
        return _message(cursor, depth + 1, number)
    return _guessed(cursor, cursor.take(cursor.varint()), depth)


def _fixed(data: bytes, whole: str, floating: str) -> Any:
    """Neither says which it is: a float that people would write is taken for one."""
    number: float = struct.unpack(floating, data)[0]
    return number if number == 0 or 1e-6 < abs(number) < 1e15 else struct.unpack(whole, data)[0]


def _guessed(cursor: Cursor, data: bytes, depth: int) -> Any:
    try:
        text = data.decode()
        if all(one.isprintable() or one in "\t\r\n" for one in text):
            return text
    except UnicodeDecodeError:
        pass
    inner = Cursor(data)
    inner.left = cursor.left
    try:
        return _message(inner, depth + 1, None)
    except Misfit:
        return data
    finally:
        cursor.left = inner.left  # also of what came to nothing: trying costs time, too


def read_struct(data: bytes) -> dict[str, Any]:
    """`google.protobuf.Struct`."""
    cursor = Cursor(data)
    found = _struct(cursor, 0)
    cursor.end()
    return found


def _struct(cursor: Cursor, depth: int) -> dict[str, Any]:
    cursor.spend(depth)
    found: dict[str, Any] = {}
    while cursor.remaining:
        _expect(cursor, {(1, _BYTES)})
        entry = _inside(cursor)
        key, value = "", None
        while entry.remaining:
            number, _ = _expect(entry, {(1, _BYTES), (2, _BYTES)})
            inner = _inside(entry)
            if number == 1:
                key = inner.text(inner.remaining)
            else:
                value = _struct_value(inner, depth + 1)
            entry.left = inner.left
        found[key] = value
        cursor.left = entry.left
    return found


def _struct_value(cursor: Cursor, depth: int) -> Any:
    cursor.spend(depth)
    value: Any = None
    while cursor.remaining:
        number, _ = _expect(cursor, {(1, 0), (2, 1), (3, 2), (4, 0), (5, 2), (6, 2)})
        if number in (1, 4):
            value = bool(cursor.varint()) if number == 4 else (cursor.varint(), None)[1]
        elif number == 2:
            value = _whole(cursor.number("<d"))
        else:
            inner = _inside(cursor)
            value = {3: lambda one, _: one.text(one.remaining), 5: _struct, 6: _list}[number](inner, depth + 1)
            cursor.left = inner.left
    return value


def _list(cursor: Cursor, depth: int) -> list[Any]:
    found = []
    while cursor.remaining:
        _expect(cursor, {(1, _BYTES)})
        inner = _inside(cursor)
        found.append(_struct_value(inner, depth + 1))
        cursor.left = inner.left
    return found


def _whole(number: float) -> int | float:
    return int(number) if number.is_integer() and abs(number) < 1 << 53 and str(number) != "-0.0" else number


def _inside(cursor: Cursor) -> Cursor:
    inner = Cursor(cursor.take(cursor.varint()))
    inner.left = cursor.left
    return inner


def _expect(cursor: Cursor, wanted: set[tuple[int, int]]) -> tuple[int, int]:
    tag = _tag(cursor)
    if tag not in wanted:
        raise Misfit(f"field {tag[0]} at byte {cursor.at} is none of a Struct's")
    return tag


def write_struct(value: Any) -> bytes:
    if not isinstance(value, dict):
        raise Misfit("an object is wanted")
    out = bytearray()
    for key, one in value.items():
        _put(out, 1, _field(1, key.encode()) + _field(2, _written(one)))
    return bytes(out)


def _written(value: Any) -> bytes:
    if value is None:
        return b"\x08\x00"
    if isinstance(value, bool):
        return bytes((0x20, value))
    if isinstance(value, int | float):
        return b"\x11" + struct.pack("<d", value)
    if isinstance(value, str):
        return _field(3, value.encode())
    if isinstance(value, dict):
        return _field(5, write_struct(value))
    return _field(6, b"".join(_field(1, _written(one)) for one in value))


def _field(number: int, data: bytes) -> bytes:
    out = bytearray()
    _put(out, number, data)
    return bytes(out)


def _put(out: bytearray, number: int, data: bytes) -> None:
    out.append(number << 3 | _BYTES)
    put_varint(out, len(data))
    out += data
