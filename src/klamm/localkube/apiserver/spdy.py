"""SPDY/3.1 framing: bytes in, frames out, and back. No sockets, no waiting.

kubectl and client libraries carry exec, attach and port-forward in SPDY streams, either on a connection that was
upgraded to it or, newer ones, inside of WebSocket messages. Kubernetes uses the frames alone: no flow control
(WINDOW_UPDATE and SETTINGS are read and mean nothing), no server push, no priorities.

Source: "SPDY Protocol - Draft 3.1" (Belshe, Peon), 2.2 Framing, 2.6 Control frames. Header blocks are compressed by
zlib; one compressor lasts as long as the connection and begins with the dictionary of 2.6.10.1, a constant that
both sides must share to understand each other.

What the other side can make us hold is bounded: data is handed on in the pieces in which it comes, a control frame
may have 16 KiB, its header block 64 KiB after decompression. Whatever breaks a rule raises `SpdyError`, which names
it; nothing can be read after it, because the compressor's state is lost.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_WORDS: Final = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status"
)
_PHRASES: Final = ("200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin")
_TEXT: Final = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
_counted = b"".join(struct.pack(">I", len(word)) + word.encode() for word in (*_WORDS.split(), *_PHRASES))
DICTIONARY: Final = _counted + _TEXT.encode()
"""2.6.10.1: words with their lengths before them, then common values run together."""

_VERSION = 3
_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _HEADERS, _WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
_FIN, _UNIDIRECTIONAL = 0x01, 0x02
_CONTROL = 0x8000_0000
_HEAD = struct.Struct(">II")
_LONGEST_CONTROL_FRAME = 16 << 10
_LONGEST_HEADER_BLOCK = 64 << 10
LONGEST_DATA = (1 << 24) - 1

PROTOCOL_ERROR, INVALID_STREAM, REFUSED_STREAM, CANCEL, INTERNAL_ERROR = 1, 2, 3, 5, 6
"""Reasons of RST_STREAM (2.6.3)."""


class SpdyError(Exception):
    """The other side does not speak SPDY/3.1. The connection is of no more use."""


@dataclass(frozen=True, slots=True)
class SynStream:
    stream: int
    headers: Mapping[str, str]
    fin: bool = False
    unidirectional: bool = False


@dataclass(frozen=True, slots=True)
class SynReply:
    stream: int
    headers: Mapping[str, str]
    fin: bool = False


@dataclass(frozen=True, slots=True)
class Headers:
    stream: int
    headers: Mapping[str, str]
    fin: bool = False


@dataclass(frozen=True, slots=True)
class RstStream:
    stream: int
    status: int


@dataclass(frozen=True, slots=True)
class Settings:
    values: tuple[tuple[int, int], ...]
    """(flags and id, value), as they came."""


@dataclass(frozen=True, slots=True)
class Ping:
    id: int


@dataclass(frozen=True, slots=True)
class GoAway:
    last_stream: int
    status: int = 0


@dataclass(frozen=True, slots=True)
class WindowUpdate:
    stream: int
    delta: int


@dataclass(frozen=True, slots=True)
class Data:
    """A frame of data, or a piece of one: only the last piece carries `fin`."""

    stream: int
    payload: bytes
    fin: bool = False


Frame = SynStream | SynReply | Headers | RstStream | Settings | Ping | GoAway | WindowUpdate | Data


class FrameReader:
    def __init__(self) -> None:
        self._buffer = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._data: tuple[int, int, bool] | None = None
        """The data frame that is being handed on: (stream, bytes to come, fin)."""
        self._broken = ""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete now. Take all of them before feeding more."""
        if self._broken:
            raise SpdyError(self._broken)
        self._buffer += data
        try:
            while (frame := self._next()) is not None:
                yield frame
        except SpdyError as error:
            self._broken = str(error)
            self._buffer.clear()
            raise

    def _next(self) -> Frame | None:
        if self._data is not None:
            return self._next_piece(self._data)
        if len(self._buffer) < _HEAD.size:
            return None
        first, second = _HEAD.unpack_from(self._buffer)
        flags, length = second >> 24, second & LONGEST_DATA
        if not first & _CONTROL:
            return self._begin_data(first, flags, length)
        version, kind = first >> 16 & 0x7FFF, first & 0xFFFF
        if version != _VERSION:
            raise SpdyError(f"a control frame of SPDY version {version}: only version 3 is spoken here")
        if length > _LONGEST_CONTROL_FRAME:
            raise SpdyError(f"a control frame of {length} bytes: at most {_LONGEST_CONTROL_FRAME} are taken")
        end = _HEAD.size + length
        if len(self._buffer) < end:
            return None
        body = self._take(end)[_HEAD.size :]
        return self._control(kind, flags, body)

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _begin_data(self, stream: int, flags: int, length: int) -> Frame | None:
        if stream == 0:
            raise SpdyError("data for stream 0, which is none")
        del self._buffer[: _HEAD.size]
        fin = bool(flags & _FIN)
        if length == 0:
            return Data(stream, b"", fin)
        self._data = (stream, length, fin)
        return self._next_piece(self._data)

    def _next_piece(self, data: tuple[int, int, bool]) -> Frame | None:
        stream, left, fin = data
        piece = self._take(min(left, len(self._buffer)))
        if not piece:
            return None
        left -= len(piece)
        self._data = (stream, left, fin) if left else None
        return Data(stream, piece, fin and not left)

    def _control(self, kind: int, flags: int, body: bytes) -> Frame:
        if kind == _SYN_STREAM:
            stream, _, _, _ = _unpack(">IIBB", "SYN_STREAM", body, at_least=True)
            headers = self._headers("SYN_STREAM", body[10:])
            return SynStream(_known(stream), headers, bool(flags & _FIN), bool(flags & _UNIDIRECTIONAL))
        if kind in (_SYN_REPLY, _HEADERS):
            name = "SYN_REPLY" if kind == _SYN_REPLY else "HEADERS"
            (stream,) = _unpack(">I", name, body, at_least=True)
            made = SynReply if kind == _SYN_REPLY else Headers
            return made(_known(stream), self._headers(name, body[4:]), bool(flags & _FIN))
        return _without_headers(kind, body)

    def _headers(self, frame: str, block: bytes) -> dict[str, str]:
        try:
            text = self._inflate.decompress(block, _LONGEST_HEADER_BLOCK + 1)
        except zlib.error as error:
            raise SpdyError(f"the headers of {frame} cannot be decompressed: {error}") from error
        if len(text) > _LONGEST_HEADER_BLOCK or self._inflate.unconsumed_tail:
            raise SpdyError(f"the headers of {frame} have more than {_LONGEST_HEADER_BLOCK} bytes")
        return _pairs(frame, text)


def _without_headers(kind: int, body: bytes) -> Frame:
    if kind == _RST_STREAM:
        stream, status = _unpack(">II", "RST_STREAM", body)
        return RstStream(_known(stream), status)
    if kind == _PING:
        return Ping(_unpack(">I", "PING", body)[0])
    if kind == _GOAWAY:
        last, status = _unpack(">II", "GOAWAY", body)
        return GoAway(last & ~_CONTROL, status)
    if kind == _WINDOW_UPDATE:
        stream, delta = _unpack(">II", "WINDOW_UPDATE", body)
        return WindowUpdate(stream & ~_CONTROL, delta & ~_CONTROL)
    if kind == _SETTINGS:
        (count,) = _unpack(">I", "SETTINGS", body, at_least=True)
        if len(body) != 4 + 8 * count:
            raise SpdyError(f"SETTINGS of {count} values in {len(body)} bytes")
        return Settings(tuple(_HEAD.iter_unpack(body[4:])))
    raise SpdyError(f"a control frame of the unknown type {kind}")


def _unpack(form: str, frame: str, body: bytes, at_least: bool = False) -> tuple[int, ...]:
    size = struct.calcsize(form)
    if len(body) < size or (len(body) > size and not at_least):
        raise SpdyError(f"{frame} of {len(body)} bytes: it has {'at least ' if at_least else ''}{size}")
    return struct.unpack_from(form, body)


def _known(stream: int) -> int:
    if not stream & ~_CONTROL:
        raise SpdyError("a control frame for stream 0, which is none")
    return stream & ~_CONTROL


def _pairs(frame: str, text: bytes) -> dict[str, str]:
    """2.6.10: a count, then names and values, each with its length before it."""
    words: list[str] = []
    at = 4
    if len(text) < at:
        raise SpdyError(f"the headers of {frame} end within their count")
    (count,) = struct.unpack_from(">I", text)
    while len(words) < 2 * count:
        if len(text) < at + 4:
            raise SpdyError(f"the headers of {frame} end after {len(words)} of {2 * count} words")
        (length,) = struct.unpack_from(">I", text, at)
        at += 4 + length
        if len(text) < at:
            raise SpdyError(f"the headers of {frame} end within a word of {length} bytes")
        words.append(text[at - length : at].decode("utf-8", "replace"))
    if at != len(text):
        raise SpdyError(f"the headers of {frame} have {len(text) - at} bytes behind their last word")
    found = dict(zip(words[::2], words[1::2], strict=True))
    if len(found) != count:
        raise SpdyError(f"the headers of {frame} name one of theirs twice")
    return found


class FrameWriter:
    def __init__(self) -> None:
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def encode(self, frame: Frame) -> bytes:
        """The order of calls is the order on the wire: the headers' compressor remembers."""
        match frame:
            case Data(stream, payload, fin):
                if len(payload) > LONGEST_DATA:
                    raise ValueError(f"a frame holds {LONGEST_DATA} bytes, not {len(payload)}")
                return _HEAD.pack(stream, (_FIN if fin else 0) << 24 | len(payload)) + payload
            case SynStream(stream, headers, fin, unidirectional):
                flags = (_FIN if fin else 0) | (_UNIDIRECTIONAL if unidirectional else 0)
                return _framed(_SYN_STREAM, struct.pack(">IIBB", stream, 0, 0, 0) + self._block(headers), flags)
            case SynReply(stream, headers, fin):
                return _framed(_SYN_REPLY, struct.pack(">I", stream) + self._block(headers), _FIN if fin else 0)
            case Headers(stream, headers, fin):
                return _framed(_HEADERS, struct.pack(">I", stream) + self._block(headers), _FIN if fin else 0)
            case RstStream(stream, status):
                return _framed(_RST_STREAM, _HEAD.pack(stream, status))
            case Settings(values):
                pairs = b"".join(_HEAD.pack(*value) for value in values)
                return _framed(_SETTINGS, struct.pack(">I", len(values)) + pairs)
            case Ping(number):
                return _framed(_PING, struct.pack(">I", number))
            case GoAway(last, status):
                return _framed(_GOAWAY, _HEAD.pack(last, status))
            case WindowUpdate(stream, delta):
                return _framed(_WINDOW_UPDATE, _HEAD.pack(stream, delta))

    def _block(self, headers: Mapping[str, str]) -> bytes:
        text = struct.pack(">I", len(headers))
        for word in (word.encode() for pair in headers.items() for word in pair):
            text += struct.pack(">I", len(word)) + word
        return self._deflate.compress(text) + self._deflate.flush(zlib.Z_SYNC_FLUSH)


def _framed(kind: int, body: bytes, flags: int = 0) -> bytes:
    return _HEAD.pack(_CONTROL | _VERSION << 16 | kind, flags << 24 | len(body)) + body
