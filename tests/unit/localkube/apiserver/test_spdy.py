"""SPDY framing: whatever is sent arrives, however it is cut; what is no SPDY is named, and costs nothing."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klamm.localkube.apiserver import spdy
from klamm.localkube.apiserver.spdy import (
    Data,
    Frame,
    FrameReader,
    FrameWriter,
    GoAway,
    Headers,
    Ping,
    RstStream,
    Settings,
    SpdyError,
    SynReply,
    SynStream,
    WindowUpdate,
)

numbers = st.integers(1, 2**31 - 1)
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
headers = st.dictionaries(words, words, max_size=6)
frames = st.one_of(
    st.builds(SynStream, numbers, headers, st.booleans(), st.booleans()),
    st.builds(SynReply, numbers, headers, st.booleans()),
    st.builds(Headers, numbers, headers, st.booleans()),
    st.builds(RstStream, numbers, st.integers(1, 11)),
    st.builds(Settings, st.lists(st.tuples(numbers, numbers), max_size=4).map(tuple)),
    st.builds(Ping, numbers),
    st.builds(GoAway, st.integers(0, 2**31 - 1), st.integers(0, 2)),
    st.builds(WindowUpdate, numbers, numbers),
    st.builds(Data, numbers, st.binary(max_size=300), st.booleans()),
)


def whole(pieces: list[Frame]) -> list[Frame]:
    """Pieces of data put together again: they end with `fin` or with another frame."""
    joined: list[Frame] = []
    for piece in pieces:
        before = joined[-1] if joined else None
        if isinstance(piece, Data) and isinstance(before, Data) and before.stream == piece.stream and not before.fin:
            joined[-1] = Data(piece.stream, before.payload + piece.payload, piece.fin)
        else:
            joined.append(piece)
    return joined


@given(st.lists(frames, max_size=8), st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_any_split_of_the_bytes_gives_the_same_frames(sent: list[Frame], cuts: list[int]) -> None:
    writer, reader = FrameWriter(), FrameReader()
    data = b"".join(writer.encode(frame) for frame in sent)
    got: list[Frame] = []
    at, turn = 0, 0
    while at < len(data):
        step = cuts[turn % len(cuts)]
        got += reader.feed(data[at : at + step])
        at, turn = at + step, turn + 1
    assert whole(got) == whole(sent)


@given(st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=10))
def test_what_is_no_spdy_ends_in_an_error_or_waits_for_more_and_holds_little(pieces: list[bytes]) -> None:
    reader = FrameReader()
    fed = 0
    try:
        for piece in pieces:
            fed += len(piece)
            handed_on = sum(len(frame.payload) for frame in reader.feed(piece) if isinstance(frame, Data))
            assert handed_on <= fed
            assert len(reader._buffer) <= (16 << 10) + 8
    except SpdyError:
        with pytest.raises(SpdyError):
            list(reader.feed(b"more"))


@given(st.lists(frames, min_size=1, max_size=4), st.data())
def test_a_flipped_bit_never_hangs_or_crashes(sent: list[Frame], data: st.DataObject) -> None:
    writer = FrameWriter()
    wire = bytearray(b"".join(writer.encode(frame) for frame in sent))
    at = data.draw(st.integers(0, len(wire) * 8 - 1))
    wire[at // 8] ^= 1 << at % 8
    reader = FrameReader()
    try:
        list(reader.feed(bytes(wire)))
    except SpdyError:
        assert reader._broken


def control(kind: int, body: bytes, version: int = 3, length: int | None = None) -> bytes:
    return struct.pack(">HHI", 0x8000 | version, kind, len(body) if length is None else length) + body


def block(text: bytes) -> bytes:
    deflate = zlib.compressobj(zdict=spdy.DICTIONARY)
    return deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH)


SYN = struct.pack(">IIBB", 1, 0, 0, 0)
PAIR = struct.pack(">I", 1) + b"a" + struct.pack(">I", 1) + b"b"
HOSTILE = [
    ("another version", control(1, SYN, version=2), "SPDY version 2"),
    ("HTTP", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + b"x" * 8, ""),
    ("an endless control frame", control(1, b"", length=2**24 - 1), "at most 16384 are taken"),
    ("an unknown frame", control(77, b""), "unknown type 77"),
    ("a frame that is too short", control(3, b"\0\0\0\1"), "RST_STREAM of 4 bytes: it has 8"),
    ("a frame that is too long", control(6, b"\0" * 5), "PING of 5 bytes: it has 4"),
    ("stream 0", control(3, b"\0" * 8), "stream 0"),
    ("data for stream 0", struct.pack(">II", 0, 4) + b"data", "stream 0"),
    ("headers that are not compressed", control(1, SYN + b"plain text"), "cannot be decompressed"),
    ("a small block that grows", control(1, SYN + block(b"\0" * 2_000_000)), "more than 65536 bytes"),
    ("more headers promised", control(1, SYN + block(struct.pack(">I", 2**31) + PAIR)), "end after 2 of"),
    ("a word that is cut off", control(1, SYN + block(struct.pack(">II", 1, 99) + b"a")), "within a word of 99"),
    ("a name twice", control(1, SYN + block(struct.pack(">I", 2) + PAIR + PAIR)), "twice"),
    ("bytes behind the headers", control(1, SYN + block(struct.pack(">I", 1) + PAIR + b"x")), "1 bytes behind"),
    ("settings that are not there", control(4, struct.pack(">I", 9)), "SETTINGS of 9 values in 4 bytes"),
]


@pytest.mark.parametrize(("wire", "says"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_a_broken_rule_is_named(wire: bytes, says: str) -> None:
    reader = FrameReader()
    if not says:
        # "GET " read as a data frame's head asks for more bytes than will ever come: it is handed on, not collected.
        assert all(isinstance(frame, Data) for frame in reader.feed(wire))
        return
    with pytest.raises(SpdyError, match=says):
        list(reader.feed(wire))
    with pytest.raises(SpdyError, match=says):
        list(reader.feed(b""))


def test_a_big_frame_is_handed_on_as_it_comes() -> None:
    reader = FrameReader()
    assert list(reader.feed(struct.pack(">II", 5, 1 << 24 | 10_000_000))) == []
    assert list(reader.feed(b"abc")) == [Data(5, b"abc")]
    assert list(reader.feed(b"d" * 9_999_997)) == [Data(5, b"d" * 9_999_997, True)]
