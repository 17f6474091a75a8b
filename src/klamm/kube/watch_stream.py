"""A watch's stream as typed events: bytes in, events out, no I/O of its own.

A server writes one JSON document a line: {"type": "MODIFIED", "object": {…}}. Pieces of the stream end anywhere,
and one line may be larger than any buffer (an object holds up to 1.5 MB), so lines are put together here.
An ERROR event ends the watch with the KubeError of its Status (410: `Gone`).
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic

import msgspec

from klamm.kube import errors
from klamm.kube.kinds import Kind, T, version_of
from klamm.kube.reading import Reader, Unreadable
from klamm.resources.native.metadata import NativeObject, Status


class Change(StrEnum):
    OPENED = "OPENED"
    """The server took the watch. Ours, not the wire's: a quiet server says nothing more for a minute."""
    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"
    """Nothing changed; `version` is how far the server is."""


@dataclass(frozen=True, slots=True)
class WatchEvent(Generic[T]):
    change: Change
    version: str
    object: T | Unreadable | None
    """None for OPENED and a bookmark; for DELETED the last state."""


class _Line(msgspec.Struct):
    type: str
    object: msgspec.Raw


class Lines:
    """Cuts a stream of bytes at line ends."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The lines that are complete now, without empty ones."""
        *ended, rest = piece.split(b"\n")
        for line in ended:
            whole = b"".join([*self._rest, line])
            self._rest.clear()
            if whole.strip():
                yield whole
        if rest:
            self._rest.append(rest)


async def events_of(kind: Kind[T], doing: str, pieces: AsyncIterator[bytes]) -> AsyncIterator[WatchEvent[T]]:
    """The stream's events. A last line without an end was cut off and does not count."""
    reader = Reader(kind)
    lines = Lines()
    async for piece in pieces:
        for line in lines.feed(piece):
            yield _event(reader, doing, line)


def _event(reader: Reader[T], doing: str, line: bytes) -> WatchEvent[T]:
    try:
        read = msgspec.json.decode(line, type=_Line)
        if read.type == "ERROR":
            status = msgspec.json.decode(read.object, type=Status)
            raise errors.of_status(doing, status.code or 500, status)
        change = Change(read.type)
        if change is Change.BOOKMARK:
            marked = msgspec.json.decode(read.object, type=NativeObject)
            return WatchEvent(change, marked.metadata.resource_version or "", None)
        obj = reader.read(read.object)
        return WatchEvent(change, version_of(obj), obj)
    except (msgspec.MsgspecError, ValueError) as error:
        raise errors.NotUnderstood(doing, f"an event is not as expected: {error}") from error
