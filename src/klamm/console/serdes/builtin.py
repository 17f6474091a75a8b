"""Serdes that need nothing but the bytes, under kafka-ui's names."""

import re
import struct
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from json import JSONDecodeError, loads
from uuid import UUID

from klamm.console.serdes import CannotWrite, Part, Serde, Shown, UnknownSerde

_TOO_DEEP = "lists or objects are too deep in one another"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def as_it_is(data: bytes, why_not: str | None = None) -> Shown:
    """Text when it is text, else hexadecimal."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return Shown("binary", data.hex(), why_not)
    if _CONTROL.search(text):
        return Shown("binary", data.hex(), why_not)
    return Shown("text", text, why_not)


def as_json(text: str) -> Shown | None:
    """None when it is no JSON document. The text stays as it was written: numbers of any size are exact."""
    if text.lstrip()[:1] not in ("{", "[") or not _is_json(text):
        return None
    return Shown("json", text)


def _is_json(text: str) -> bool:
    try:
        loads(text)
    except (JSONDecodeError, RecursionError, ValueError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class Plain:
    """One by two functions; `reading` and `writing` raise ValueError with what is wrong."""

    name: str
    reading: Callable[[bytes], Shown]
    writing: Callable[[str], bytes]

    async def prepare(self, samples: Sequence[bytes]) -> None:
        pass

    def read(self, data: bytes) -> Shown:
        try:
            return self.reading(data)
        except ValueError as error:
            return as_it_is(data, f"{self.name}: {error}")
        except RecursionError:
            return as_it_is(data, f"{self.name}: {_TOO_DEEP}")

    def write(self, text: str) -> bytes:
        try:
            return self.writing(text)
        except ValueError as error:
            raise CannotWrite(f"{self.name}: {error}") from error
        except RecursionError as error:
            raise CannotWrite(f"{self.name}: {_TOO_DEEP}") from error


def _guessed(data: bytes) -> Shown:
    shown = as_it_is(data)
    if shown.kind == "text" and shown.text is not None:
        return as_json(shown.text) or shown
    return shown


def _string(data: bytes) -> Shown:
    try:
        return Shown("text", data.decode())
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is no UTF-8") from error


def _json(data: bytes) -> Shown:
    text = data.decode()
    loads(text)
    return Shown("json", text)


def _written_json(text: str) -> bytes:
    loads(text)
    return text.encode()


def _whole(format_: str) -> tuple[Callable[[bytes], Shown], Callable[[str], bytes]]:
    """Whole numbers, big-endian as Java writes them."""
    size = struct.calcsize(format_)

    def read(data: bytes) -> Shown:
        if len(data) != size:
            raise ValueError(f"{len(data)} bytes, and such a number has {size}")
        return Shown("text", str(struct.unpack(format_, data)[0]))

    def write(text: str) -> bytes:
        # Without the text: what goes wrong is noted in the audit, and this is a message.
        try:
            number = int(text)
        except ValueError:
            raise ValueError("it is no whole number") from None
        try:
            return struct.pack(format_, number)
        except struct.error:
            raise ValueError(f"it does not fit into {size} bytes") from None

    return read, write


def _hex(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _uuid(data: bytes) -> Shown:
    if len(data) != 16:
        raise ValueError(f"{len(data)} bytes, and a UUID has 16")
    return Shown("text", str(UUID(bytes=data)))


def _nothing(text: str) -> bytes:
    if text:
        raise ValueError("a null has no text; leave it empty")
    return b""


AUTO = "Auto"
"""JSON, text or hexadecimal, by what the bytes are."""
NULL = "Null"
"""Writes no bytes at all: a tombstone."""

BUILT_IN: Mapping[str, Serde] = {
    one.name: one
    for one in (
        Plain(AUTO, _guessed, str.encode),
        Plain("String", _string, str.encode),
        Plain("Json", _json, _written_json),
        Plain("Int32", *_whole(">i")),
        Plain("Int64", *_whole(">q")),
        Plain("UInt32", *_whole(">I")),
        Plain("UInt64", *_whole(">Q")),
        Plain(
            "Base64", lambda data: Shown("text", b64encode(data).decode()), lambda text: b64decode(text, validate=True)
        ),
        Plain("Hex", lambda data: Shown("binary", data.hex()), _hex),
        Plain("UuidBinary", _uuid, lambda text: UUID(text).bytes),
        Plain(NULL, lambda data: as_it_is(data, "Null: there are bytes"), _nothing),
    )
}


class BuiltIns:
    """A cluster's serdes when it has no others, and no masks."""

    def names(self, topic: str, part: Part) -> Sequence[str]:
        return tuple(BUILT_IN)

    def get(self, topic: str, part: Part, name: str | None) -> Serde:
        serde = BUILT_IN.get(name or AUTO)
        if serde is None:
            raise UnknownSerde(f"there is no serde {name!r}; there are {', '.join(BUILT_IN)}")
        return serde

    def masks(self, topic: str) -> bool:
        return False

    def uncovered(self, source: str, target: str) -> str | None:
        return None

    def masked(self, topic: str, part: Part, shown: Shown) -> Shown:
        return shown
