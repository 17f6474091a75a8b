"""Reads native objects that clients send as Kubernetes' protobuf (kubectl's `create` does): bytes in, JSON object out.

Envelope: the four bytes "k8s\\0", then runtime.Unknown (1: apiVersion and kind, 2: the object's bytes). Field numbers
come from messages.json.gz. Answers are JSON always: clients accept both. Source: Kubernetes' "API concepts", protobuf.
"""

import base64
import gzip
import re
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from klamm.localkube.apiserver import statuses
from klamm.localkube.objects import Object
from klamm.localkube.times import rfc3339

_MAGIC = b"k8s\0"
_HEAD = re.compile(r"^(\*|\[\](?!byte)|map\[string\])")
_INTEGERS = frozenset(["int", "int32", "int64", "uint32", "uint8"])
_GROUP_PACKAGES = {
    "": "core",
    "networking.k8s.io": "networking",
    "rbac.authorization.k8s.io": "rbac",
    "storage.k8s.io": "storage",
    "scheduling.k8s.io": "scheduling",
    "coordination.k8s.io": "coordination",
    "discovery.k8s.io": "discovery",
    "events.k8s.io": "events",
    "authentication.k8s.io": "authentication",
    "authorization.k8s.io": "authorization",
    "meta.k8s.io": "meta",
}


class _Broken(ValueError):
    """The bytes are no message of the type that they claim to be."""


@cache
def _messages() -> dict[str, dict[int, tuple[str, str, bool]]]:
    packed = Path(__file__).with_name("messages.json.gz").read_bytes()
    table = msgspec.json.decode(gzip.decompress(packed))
    return {
        name: {int(number): (of, kind, omit) for number, (of, kind, omit) in fields.items()}
        for name, fields in table.items()
    }


def decode(body: bytes) -> Object:
    """Refused 400 for what cannot be read."""
    try:
        return _decode(body)
    except (_Broken, UnicodeDecodeError, struct.error, RecursionError) as error:
        raise statuses.bad_request(f"error decoding the body as protobuf: {error}") from error


def _decode(body: bytes) -> Object:
    if not body.startswith(_MAGIC):
        raise _Broken("it does not begin with k8s and a zero byte")
    parts = {number: value for number, value in _fields(body[len(_MAGIC) :])}
    meta = dict(_fields(_bytes(parts.get(1, b""))))
    api_version, kind = (_bytes(meta.get(number, b"")).decode() for number in (1, 2))
    group, _, version = api_version.rpartition("/")
    name = f"{_GROUP_PACKAGES.get(group, group)}/{version}.{kind}"
    if kind == "DeleteOptions":
        name = "meta/v1.DeleteOptions"
    if name not in _messages():
        raise _Broken(f"{kind} of {api_version} is not read from protobuf here: send JSON")
    obj = _message(name, _bytes(parts.get(2, b"")))
    return {"apiVersion": api_version, "kind": kind, **obj}


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise _Broken("a number stands where bytes should be")
    return value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise _Broken("a number is cut off")
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """(field number, integer or bytes) in order."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        wire = tag & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        length, at = {1: (8, at), 5: (4, at)}.get(wire) or (_varint(data, at) if wire == 2 else (None, at))
        if length is None or at + length > len(data):
            raise _Broken("a field is cut off or of an unknown wire type")
        yield tag >> 3, data[at : at + length]
        at += length


def _message(name: str, data: bytes) -> Object:
    known = _messages()[name]
    made: Object = {}
    for number, raw in _fields(data):
        described = known.get(number)
        if described is None:
            continue
        of, kind, omit = described
        if of == "":
            made.update(_value(kind.lstrip("*"), raw))
            continue
        _set(made, of, kind, raw, omit)
    return made


def _set(made: Object, name: str, kind: str, raw: Any, omit: bool) -> None:
    head = _HEAD.match(kind)
    rest = kind[head.end() :] if head else kind
    if head and head[0] == "[]":
        made.setdefault(name, []).append(_value(rest.lstrip("*"), raw))
    elif head and head[0].startswith("map"):
        pair = dict(_fields(_bytes(raw)))
        made.setdefault(name, {})[_bytes(pair.get(1, b"")).decode()] = _value(rest, pair.get(2, b""))
    else:
        value = _value(rest, raw)
        # A pointer says what it says; a plain field that is empty was never set.
        if not (omit and not head and value in ("", 0, False, None)):
            made[name] = value


def _value(kind: str, raw: Any) -> Any:
    if kind.startswith("[]") and kind != "[]byte":
        return [_value(kind[2:], value) for _, value in _fields(_bytes(raw))]
    if kind == "string":
        return _bytes(raw).decode()
    if kind in _INTEGERS:
        number = int(raw)
        return number - (1 << 64) if number >= 1 << 63 else number
    if kind == "bool":
        return bool(raw)
    if kind == "[]byte":
        return base64.b64encode(_bytes(raw)).decode()
    if kind == "float64":
        return struct.unpack("<d", _bytes(raw))[0]
    special = _SPECIAL.get(kind.rsplit("/", 1)[-1] if not kind.startswith("meta/") else kind)
    if special is not None:
        return special(dict(_fields(_bytes(raw))))
    if kind not in _messages():
        raise _Broken(f"fields of type {kind} are not read from protobuf here: send JSON")
    return _message(kind, _bytes(raw))


def _time(fields: dict[int, Any]) -> str | None:
    seconds = fields.get(1, 0)
    seconds -= (1 << 64) if seconds >= 1 << 63 else 0
    if not fields:
        return None
    return rfc3339(seconds)


def _micro_time(fields: dict[int, Any]) -> str | None:
    if not fields:
        return None
    moment = datetime.fromtimestamp(fields.get(1, 0), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment}.{fields.get(2, 0) // 1000:06d}Z"


def _int_or_string(fields: dict[int, Any]) -> int | str:
    if fields.get(1):
        return _bytes(fields.get(3, b"")).decode()
    number: int = _value("int64", fields.get(2, 0))
    return number


_SPECIAL: dict[str, Any] = {
    "meta/v1.Time": _time,
    "meta/v1.MicroTime": _micro_time,
    "meta/v1.FieldsV1": lambda fields: msgspec.json.decode(fields.get(1, b"{}")),
    "resource.Quantity": lambda fields: _bytes(fields.get(1, b"0")).decode(),
    "intstr.IntOrString": _int_or_string,
    "runtime.RawExtension": lambda fields: msgspec.json.decode(fields.get(1, b"null")),
    "v1.ExtraValue": lambda fields: [_bytes(value).decode() for value in fields.values()],
}
