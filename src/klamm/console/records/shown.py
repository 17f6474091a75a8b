"""A record as people see it: through serdes, with masks, cut where it is long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec.structs import replace

from klamm.console.serdes import Part, Serde, Serdes, Shown
from klamm.console.serdes.builtin import as_it_is
from klamm.kafka.batches import Record

CUT = 64 << 10
"""Characters of a key or a value in a list."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NULL = Shown("null", None)


class Header(msgspec.Struct, frozen=True):
    """`value`: text, or hexadecimal when it is none; None when it has none."""

    name: str
    value: str | None


class Side(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A key or a value. `kind`: null, text, json or binary; `whyNot`: why the serde could not read it; `cut`: the text
    is only its beginning. `size`: bytes; None of a null."""

    kind: str
    text: str | None
    serde: str
    size: int | None
    why_not: str | None = None
    cut: bool = False
    details: dict[str, str] = {}


class Message(msgspec.Struct, frozen=True, rename="camel"):
    """`timestampMs`: milliseconds since 1970, -1 without; `timestampType`: CREATE_TIME or LOG_APPEND_TIME."""

    partition: int
    offset: int
    timestamp: str | None
    timestamp_ms: int
    timestamp_type: str
    key: Side
    value: Side
    headers: tuple[Header, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Showing:
    """How the records of one topic are shown."""

    topic: str
    serdes: Serdes
    key: Serde
    value: Serde

    async def show(self, records: Sequence[Record]) -> list[Message]:
        await self.key.prepare([one.key for one in records if one.key is not None])
        await self.value.prepare([one.value for one in records if one.value is not None])
        return [self._message(one) for one in records]

    def _message(self, record: Record) -> Message:
        return Message(
            record.partition,
            record.offset,
            iso_time(record.timestamp),
            record.timestamp,
            "LOG_APPEND_TIME" if record.appended else "CREATE_TIME",
            self._side("key", self.key, record.key),
            self._side("value", self.value, record.value),
            tuple(Header(name, None if value is None else as_it_is(value).text) for name, value in record.headers),
            record.size,
        )

    def _side(self, part: Part, serde: Serde, data: bytes | None) -> Side:
        read = _NULL if data is None else serde.read(data)
        shown = self.serdes.masked(self.topic, part, read)
        size = None if data is None else len(data)
        return Side(shown.kind, shown.text, serde.name, size, shown.why_not, False, dict(shown.details))


def shortened(message: Message) -> Message:
    """For a list, where nobody reads a megabyte."""
    return replace(message, key=_short(message.key), value=_short(message.value))


def _short(side: Side) -> Side:
    if side.text is None or len(side.text) <= CUT:
        return side
    return replace(side, text=side.text[:CUT], cut=True, kind="text" if side.kind == "json" else side.kind)


def iso_time(milliseconds: int) -> str | None:
    """None without a time, or for one that no calendar has."""
    if milliseconds < 0:
        return None
    try:
        at = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
