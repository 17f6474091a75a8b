"""CBOR (RFC 8949) to plain values. Tags are passed over, but for those of big numbers: none is acted upon.

Written here because a reader that knows all tags makes regular expressions, cycles and foreign objects of what it
reads; this one makes numbers, strings, lists and dictionaries.
"""

import struct
from typing import Any

from klamm.console.serdes.cursor import Cursor, Misfit

_BREAK = object()
_SIMPLE = {20: False, 21: True, 22: None, 23: None}


def decode(data: bytes) -> Any:
    cursor = Cursor(data)
    value = _value(cursor, 0)
    if value is _BREAK:
        raise Misfit("a break stands outside of a list")
    cursor.end()
    return value


def encode(value: Any) -> bytes:
    out = bytearray()
    _put(out, value)
    return bytes(out)


def _value(cursor: Cursor, depth: int) -> Any:
    cursor.spend(depth)
    first = cursor.byte()
    kind, more = first >> 5, first & 31
    if kind == 7:
        return _other(cursor, more)
    if more == 31:
        return _endless(cursor, kind, depth)
    argument = _argument(cursor, more)
    match kind:
        case 0:
            return argument
        case 1:
            return -1 - argument
        case 2:
            return cursor.take(argument)
        case 3:
            return cursor.text(argument)
        case 4:
            return [_item(cursor, depth) for _ in _times(cursor, argument)]
        case 5:
            return {_key(_item(cursor, depth)): _item(cursor, depth) for _ in _times(cursor, argument)}
    inner = _item(cursor, depth)
    if argument in (2, 3) and isinstance(inner, bytes):
        if len(inner) > 500:
            raise Misfit("a number has more than 4000 bits")
        number = int.from_bytes(inner, "big")
        return number if argument == 2 else -1 - number
    return inner


def _times(cursor: Cursor, count: int) -> range:
    if count > cursor.remaining:
        raise Misfit(f"{count} values are announced at byte {cursor.at}, {cursor.remaining} bytes are there")
    return range(count)


def _item(cursor: Cursor, depth: int) -> Any:
    value = _value(cursor, depth + 1)
    if value is _BREAK:
        raise Misfit(f"a break at byte {cursor.at - 1}, where a value is wanted")
    return value


def _key(key: Any) -> Any:
    return str(key) if isinstance(key, list | dict) else key


def _argument(cursor: Cursor, more: int) -> int:
    if more < 24:
        return more
    if more > 27:
        raise Misfit(f"byte {cursor.at - 1} begins no value")
    return int.from_bytes(cursor.take(1 << (more - 24)), "big")


def _endless(cursor: Cursor, kind: int, depth: int) -> Any:
    if kind not in (2, 3, 4, 5):
        raise Misfit(f"byte {cursor.at - 1} begins no value")
    found: list[Any] = []
    while (value := _value(cursor, depth + 1)) is not _BREAK:
        if (kind == 2 and not isinstance(value, bytes)) or (kind == 3 and not isinstance(value, str)):
            raise Misfit(f"a string in pieces has another value among them before byte {cursor.at}")
        found.append(value)
    if kind == 2:
        return b"".join(found)
    if kind == 3:
        return "".join(found)
    if kind == 5:
        if len(found) % 2:
            raise Misfit(f"a key has no value before byte {cursor.at}")
        return {_key(key): value for key, value in zip(found[::2], found[1::2], strict=True)}
    return found


def _other(cursor: Cursor, more: int) -> Any:
    if more == 31:
        return _BREAK
    if more in (25, 26, 27):
        return cursor.number({25: ">e", 26: ">f", 27: ">d"}[more])
    if more in _SIMPLE:
        return _SIMPLE[more]
    number = cursor.byte() if more == 24 else more
    if more > 24 or (more == 24 and number < 32):
        raise Misfit(f"byte {cursor.at - 1} begins no value")
    return f"simple({number})"


def _put(out: bytearray, value: Any) -> None:
    if isinstance(value, bool) or value is None:
        out.append({False: 0xF4, True: 0xF5, None: 0xF6}[value])
    elif isinstance(value, int):
        _put_integer(out, value)
    elif isinstance(value, float):
        out.append(0xFB)
        out += struct.pack(">d", value)
    elif isinstance(value, str):
        data = value.encode()
        _put_head(out, 3, len(data))
        out += data
    elif isinstance(value, list):
        _put_head(out, 4, len(value))
        for one in value:
            _put(out, one)
    elif isinstance(value, dict):
        _put_head(out, 5, len(value))
        for key, one in value.items():
            _put(out, key)
            _put(out, one)
    else:
        raise Misfit(f"{type(value).__name__} has no form in CBOR")


def _put_integer(out: bytearray, value: int) -> None:
    kind, argument = (0, value) if value >= 0 else (1, -1 - value)
    if argument >> 64:
        data = argument.to_bytes((argument.bit_length() + 7) // 8, "big")
        out.append(0xC2 + kind)
        _put_head(out, 2, len(data))
        out += data
    else:
        _put_head(out, kind, argument)


def _put_head(out: bytearray, kind: int, argument: int) -> None:
    if argument < 24:
        out.append(kind << 5 | argument)
        return
    size = next(one for one in (0, 1, 2, 3) if not argument >> (8 << one))
    out.append(kind << 5 | 24 + size)
    out += argument.to_bytes(1 << size, "big")
