"""Requests and answers of very many partitions, written and read here and not by the library.

The library makes an object, and most often a list, of each thing in a message. Of ten thousands of partitions, every
ten seconds, that is most of what a collection costs, and Python's garbage collector, which looks at all of them again
and again, stops the whole process meanwhile. Here a request is bytes at once, and an answer stays bytes, from which
its reader takes what it wants, in pieces.

Only versions with compact lengths and tagged fields ("flexible" ones) are spoken; for older brokers there is the
library's own way. The message's form is that of Kafka's protocol.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

from klamm.base.pieces import PIECE

_FRAME = struct.Struct(">i")


class Packed:
    """A request to the library's connection. `request`: the library's own, of which only name and versions are used;
    `write`: what stands in its body, for a version. The answer's body comes back as `Answer`."""

    def __init__(self, request: Any, write: Callable[[int], bytes] | None = None) -> None:
        """`write` None: as the library writes it."""
        self._request = request
        self._write = write or (lambda version: bytes(request.encode(version=version)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)

    @property
    def API_VERSION(self) -> Any:
        return self._request.API_VERSION

    @API_VERSION.setter
    def API_VERSION(self, version: int) -> None:
        self._request.API_VERSION = version

    @property
    def header(self) -> "_Header":
        return _Header(self._request.header)

    def encode(self, version: int | None = None, header: bool = False, framed: bool = False) -> bytes:
        """As the library has it. `framed`: with its length before it."""
        body = self._write(self._request.API_VERSION if version is None else version)
        if header:
            body = bytes(self._request.encode_header(flexible=True)) + body
        return _FRAME.pack(len(body)) + body if framed else body


class _Header:
    """What the library keeps until the answer comes."""

    def __init__(self, header: Any) -> None:
        self._header = header

    def __getattr__(self, name: str) -> Any:
        return getattr(self._header, name)

    def get_response_class(self) -> "_AsItCame":
        return _AsItCame(self._header.get_response_class(), self._header.request_api_version)


class _AsItCame:
    def __init__(self, response: Any, version: int) -> None:
        self._response = response
        self._version = version

    def parse_header(self, buffer: Any) -> Any:
        return self._response.parse_header(buffer)

    def decode(self, buffer: Any) -> "Answer":
        return Answer(buffer.read(), self._version)


class Answer:
    """A body as it came."""

    def __init__(self, body: bytes, version: int) -> None:
        self.body = body
        self.version = version

    @property
    def throttle_time_ms(self) -> int:
        """The library waits so long, if the broker wishes it; it stands first in all that is read here."""
        return int(_FRAME.unpack_from(self.body)[0])


def length(body: bytes, at: int) -> tuple[int, int]:
    """A compact length, which counts one more than there is (-1: null), and where it ends."""
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value - 1, at
        shift += 7


def written_length(count: int) -> bytes:
    value, out = count + 1, bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def text(body: bytes, at: int) -> tuple[str | None, int]:
    size, at = length(body, at)
    if size < 0:
        return None, at
    return body[at : at + size].decode(), at + size


def written_text(value: str) -> bytes:
    encoded = value.encode()
    return written_length(len(encoded)) + encoded


def after_tags(body: bytes, at: int) -> int:
    """Tagged fields are for whoever knows them."""
    count, at = length(body, at)
    for _ in range(count + 1):
        _, at = length(body, at)
        size, at = length(body, at)
        at += size + 1
    return at


_OFFSET = struct.Struct(">ihqqi")
_PLAIN = struct.Struct(">4xh20xB")
"""Of the same error code, and how many tagged fields follow."""

Offsets = list[tuple[int, int, int]]
"""Of partitions number, error code and offset."""

TopicOffsets = tuple[str, Offsets]


class Told:
    """What an answer to ListOffsets 6 to 11 says, topic by topic, read anew each time."""

    def __init__(self, answer: Answer) -> None:
        self._body = answer.body

    def __iter__(self) -> Iterator[TopicOffsets]:
        body = self._body
        topics, at = length(body, 4)
        for _ in range(topics):
            name, count, at = _topic_at(body, at)
            found, at = _offsets_at(body, at, count)
            yield name, found

    def beside(self, other: "Told", size: int = PIECE) -> Iterator[list[tuple[str, Offsets, Offsets | None]]]:
        """Of each topic what both say of it, if the other answer has it at the same place; else None. Nothing of
        topics of which both say the very same, and no error: so are nearly all. After so many topics a list."""
        body, theirs = self._body, other._body
        topics, at = length(body, 4)
        found: list[tuple[str, Offsets, Offsets | None]] = []
        for number in range(1, topics + 1):
            begin = at
            at = _after_plain_topic(body, begin)
            if at < 0 or body[begin:at] != theirs[begin:at]:
                one, at = _both_at(body, theirs, begin)
                found.append(one)
            if not number % size:
                yield found
                found = []
        yield found


def _after_plain_topic(body: bytes, at: int) -> int:
    """Where it ends, if it is as nearly all are: a short name, few partitions, no error, no tagged field; else -1."""
    if (size := body[at]) > 127 or not 0 < (count := body[at + size]) < 128:
        return -1
    at += size + 1
    for _ in range(count - 1):
        if _PLAIN.unpack_from(body, at) != (0, 0):
            return -1
        at += _PLAIN.size
    return -1 if body[at] else at + 1


def _both_at(body: bytes, theirs: bytes, begin: int) -> tuple[tuple[str, Offsets, Offsets | None], int]:
    name, count, first = _topic_at(body, begin)
    found, at = _offsets_at(body, first, count)
    of_other = _offsets_at(theirs, first, count)[0] if body[begin:first] == theirs[begin:first] else None
    return (name, found, of_other), at


def _topic_at(body: bytes, at: int) -> tuple[str, int, int]:
    """Its name, how many partitions it has, and where they begin."""
    # What is short is most often so, and a call for each would be most of the time that this takes.
    if 0 < (size := body[at]) < 128:
        at += size
        name: str | None = body[at - size + 1 : at].decode()
    else:
        name, at = text(body, at)
    if (count := body[at] - 1) < 127:
        return name or "", count, at + 1
    return name or "", *length(body, at)


def _offsets_at(body: bytes, at: int, count: int) -> tuple[Offsets, int]:
    found = []
    for _ in range(count):
        id, code, _, offset, _ = _OFFSET.unpack_from(body, at)
        at += _OFFSET.size
        # Nearly always there are no tags.
        at = at + 1 if not body[at] else after_tags(body, at)
        found.append((id, code, offset))
    return found, at + 1 if not body[at] else after_tags(body, at)


METADATA_VERSIONS = (9, 13)
"""Those that are read here; Kafka 2.8 and newer knows them."""

_PARTITION = struct.Struct(">hiii")
_WITH_TOPIC_IDS = 10


class Broker(NamedTuple):
    """With the names that the library's own answers have."""

    node_id: int
    host: str
    port: int
    rack: str | None


class Partition(NamedTuple):
    """`error_code` 0: none. `leader_id` -1: nobody leads it."""

    error_code: int
    partition_index: int
    leader_id: int
    replica_nodes: tuple[int, ...]
    isr_nodes: tuple[int, ...]


class Topic(NamedTuple):
    error_code: int
    name: str
    topic_id: UUID | None
    is_internal: bool
    partitions: list[Partition]


class Metadata(NamedTuple):
    """`topics` are read when they are asked for; `of_topics`: how it tells of them."""

    brokers: list[Broker]
    cluster_id: str | None
    controller_id: int
    topics: Iterator[Topic]
    of_topics: memoryview


def metadata_in(answer: Answer) -> Metadata:
    """Of an answer to Metadata, of `METADATA_VERSIONS`."""
    body = answer.body
    count, at = length(body, 4)
    brokers = []
    for _ in range(count):
        (node,) = _FRAME.unpack_from(body, at)
        host, at = text(body, at + 4)
        (port,) = _FRAME.unpack_from(body, at)
        rack, at = text(body, at + 4)
        at = after_tags(body, at)
        brokers.append(Broker(node, host or "", port, rack))
    cluster, at = text(body, at)
    (controller,) = _FRAME.unpack_from(body, at)
    at += 4
    return Metadata(brokers, cluster, controller, _topics(body, at, answer.version), memoryview(body)[at:])


def _topics(body: bytes, at: int, version: int) -> Iterator[Topic]:
    count, at = length(body, at)
    for _ in range(count):
        code = int.from_bytes(body[at : at + 2], signed=True)
        name, at = text(body, at + 2)
        id = None
        if version >= _WITH_TOPIC_IDS:
            id, at = UUID(bytes=body[at : at + 16]), at + 16
        is_internal = bool(body[at])
        partitions, at = _partitions(body, at + 1)
        at = after_tags(body, at + 4)  # what one may do with it is not asked for
        yield Topic(code, name or "", id, is_internal, partitions)


def _partitions(body: bytes, at: int) -> tuple[list[Partition], int]:
    count, at = length(body, at)
    found = []
    for _ in range(count):
        code, id, leader, _ = _PARTITION.unpack_from(body, at)
        replicas, at = _numbers(body, at + _PARTITION.size)
        in_sync, at = _numbers(body, at)
        _, at = _numbers(body, at)
        at = at + 1 if not body[at] else after_tags(body, at)
        found.append(Partition(code, id, leader, replicas, in_sync))
    return found, at


def _numbers(body: bytes, at: int) -> tuple[tuple[int, ...], int]:
    count, at = length(body, at)
    return struct.unpack_from(f">{max(0, count)}i", body, at), at + 4 * max(0, count)
