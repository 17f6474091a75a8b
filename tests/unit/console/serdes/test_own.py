"""CBOR, MessagePack, Struct, Protocol Buffers without a schema, and what Kafka writes for itself."""

import json
import struct
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from google.protobuf import struct_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from klamm.console.serdes import CannotWrite, cbor, kafka_own, wire
from klamm.console.serdes.automatic import Automatic
from klamm.console.serdes.cursor import Misfit
from klamm.console.serdes.own import ALIASES, KEYS, MESSAGE_PACK, NAMELESS, PROTOBUF_RAW, VALUES, of_kafka

_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("data", "value"),
    [  # of RFC 8949, appendix A
        ("00", 0),
        ("1818", 24),
        ("1b000000e8d4a51000", 1000000000000),
        ("1bffffffffffffffff", 18446744073709551615),
        ("c249010000000000000000", 18446744073709551616),
        ("3bffffffffffffffff", -18446744073709551616),
        ("c349010000000000000000", -18446744073709551617),
        ("3903e7", -1000),
        ("f93c00", 1.0),
        ("f90001", 5.960464477539063e-8),
        ("fa47c35000", 100000.0),
        ("fb3ff199999999999a", 1.1),
        ("f4", False),
        ("f6", None),
        ("f7", None),
        ("f0", "simple(16)"),
        ("f8ff", "simple(255)"),
        ("c074323031332d30332d32315432303a30343a30305a", "2013-03-21T20:04:00Z"),
        ("4401020304", b"\x01\x02\x03\x04"),
        ("6449455446", "IETF"),
        ("62c3bc", "ü"),
        ("8301820203820405", [1, [2, 3], [4, 5]]),
        ("a26161016162820203", {"a": 1, "b": [2, 3]}),
        ("a201020304", {1: 2, 3: 4}),
        ("5f42010243030405ff", b"\x01\x02\x03\x04\x05"),
        ("7f657374726561646d696e67ff", "streaming"),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
    ],
)
def test_cbor_reads_the_examples_of_its_specification(data: str, value: Any) -> None:
    assert cbor.decode(bytes.fromhex(data)) == value


@settings(max_examples=150, deadline=None)
@given(_PLAIN)
def test_plain_values_come_back_from_cbor_and_message_pack(value: Any) -> None:
    assert cbor.decode(cbor.encode(value)) == value
    shown = MESSAGE_PACK.read(msgspec.msgpack.encode(value))
    assert shown.why_not is None
    assert MESSAGE_PACK.write(shown.text or "") == msgspec.msgpack.encode(json.loads(shown.text or ""))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", "are announced"),
        (b"\x9f" * 100_000, "more than 48 levels"),
        (b"\x81" * 100_000, "more than 48 levels"),
        (b"\xd8\x1c" * 100_000, "more than 48 levels"),
        (b"\xff", "a break"),
        (b"\x81\xff", "a break"),
        (b"\x1c", "begins no value"),
        (b"\xf8\x01", "begins no value"),
        (b"\xbf\x01\xff", "a key has no value"),
        (b"\x7f\x01\xff", "has another value among them"),
        (b"\x00\x00", "left over"),
        (b"", "ends after"),
        (b"\xc2\x59\x10\x00" + bytes(4096), "more than 4000 bits"),
    ],
)
def test_hostile_cbor_has_an_end_and_a_reason(data: bytes, why: str) -> None:
    with pytest.raises(Misfit, match=why):
        cbor.decode(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=100))
def test_no_bytes_break_a_serde(data: bytes) -> None:
    for serde in (*KEYS.values(), *VALUES.values(), Automatic()):
        shown = serde.read(data)
        assert shown.text is not None
        if shown.why_not is None and shown.kind == "json":
            json.loads(shown.text)


@pytest.mark.parametrize(
    "data",
    [
        b"\x91" * 500_000 + b"\xc0",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\x91" * 100 + b"\xc0",
        b"\xdd" + struct.pack(">I", 300_000) + b"\xc0" * 300_000,
    ],
)
def test_hostile_message_pack_has_an_end_and_a_reason(data: bytes) -> None:
    assert (MESSAGE_PACK.read(data).why_not or "").startswith("MessagePack: ")


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(), _PLAIN.filter(lambda one: "e+" not in str(one)), max_size=5))
def test_a_struct_is_googles(value: dict[str, Any]) -> None:
    theirs = struct_pb2.Struct.FromString(wire.write_struct(value))
    read = wire.read_struct(theirs.SerializeToString())
    assert struct_pb2.Struct.FromString(wire.write_struct(read)) == theirs


@pytest.mark.parametrize("number", [0, 1, -0.5, 1e300, 2**53])
def test_a_number_of_a_struct_is_whole_where_it_is(number: float) -> None:
    assert wire.read_struct(wire.write_struct({"n": number})) == {"n": number}


def test_protocol_buffers_without_a_schema_show_numbers_of_fields() -> None:
    data = b"\x08\x96\x01\x12\x05hello\x1a\x03\x08\x01\x00"[:-1] + b"\x08\x02"
    with pytest.raises(Misfit):
        wire.raw(data)
    data = b"\x08\x96\x01\x12\x05hello\x1a\x02\x08\x01\x08\x02\x25\x00\x00\x80\x3f"
    assert wire.raw(data) == {"1": [150, 2], "2": "hello", "3": {"1": 1}, "4": 1.0}
    assert NAMELESS in PROTOBUF_RAW.read(data).details


@pytest.mark.parametrize(
    "data", [b"\x0b" * 100_000, b"\x0a\xff\xff\xff\xff\x0f", b"\x0b\x14", b"\x0b", b"\x00\x00", b"\x0f\x00"]
)
def test_hostile_protocol_buffers_have_an_end(data: bytes) -> None:
    with pytest.raises(Misfit):
        wire.raw(data)


def test_a_message_in_a_message_many_times_over_is_read_in_bounded_time() -> None:
    data = b"\x01"
    for _ in range(200):
        data = b"\x0a" + _varint(len(data)) + data
    assert wire.raw(data)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def _string(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def _bytes(data: bytes) -> bytes:
    return struct.pack(">i", len(data)) + data


def test_an_offset_of_a_group() -> None:
    key = struct.pack(">h", 1) + _string("shop") + _string("orders") + struct.pack(">i", 3)
    assert kafka_own.offsets_key(key) == {"kind": "offset-commit", "group": "shop", "topic": "orders", "partition": 3}
    value = struct.pack(">hqi", 3, 42, 7) + _string("note") + struct.pack(">q", 1000)
    wanted = {"offset": 42, "leaderEpoch": 7, "metadata": "note", "commitTimestamp": 1000}
    assert kafka_own.offsets_value(value) == wanted == kafka_own.offsets_value_of(key, value)


def test_a_classic_group() -> None:
    subscription = struct.pack(">hi", 0, 1) + _string("orders") + struct.pack(">i", -1)
    assignment = struct.pack(">hi", 0, 1) + _string("orders") + struct.pack(">iii", 2, 0, 1) + struct.pack(">i", -1)
    member = _string("m-1") + struct.pack(">h", -1) + _string("client") + _string("/10.0.0.1")
    member += struct.pack(">ii", 300000, 45000) + _bytes(subscription) + _bytes(assignment)
    value = struct.pack(">h", 3) + _string("consumer") + struct.pack(">i", 4) + _string("range") + _string("m-1")
    value += struct.pack(">q", 99) + struct.pack(">i", 1) + member
    read = kafka_own.offsets_value(value)
    assert (read["generation"], read["protocol"], read["currentStateTimestamp"]) == (4, "range", 99)
    assert read["members"][0]["subscription"] == ["orders"]
    assert read["members"][0]["assignment"] == {"orders": [0, 1]}
    assert kafka_own.offsets_value_of(struct.pack(">h", 2) + _string("shop"), value) == read


def test_records_of_mirror_maker() -> None:
    assert kafka_own.heartbeat_key(_string("a") + _string("b")) == {
        "sourceClusterAlias": "a",
        "targetClusterAlias": "b",
    }
    assert kafka_own.heartbeat_value(struct.pack(">hq", 0, 5)) == {"timestamp": 5}
    assert kafka_own.offset_sync_key(_string("t") + struct.pack(">i", 1)) == {"topic": "t", "partition": 1}
    assert kafka_own.offset_sync_value(struct.pack(">qq", 1, 2)) == {"upstreamOffset": 1, "downstreamOffset": 2}
    key = _string("g") + _string("t") + struct.pack(">i", 1)
    assert kafka_own.checkpoint_key(key) == {"group": "g", "topic": "t", "partition": 1}
    value = struct.pack(">hqq", 0, 1, 2) + _string("m")
    assert kafka_own.checkpoint_value(value) == {"upstreamOffset": 1, "downstreamOffset": 2, "metadata": "m"}
    with pytest.raises(Misfit, match="version 1 of a heartbeat"):
        kafka_own.heartbeat_value(struct.pack(">hq", 1, 5))


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("__consumer_offsets", "ConsumerOffsets"),
        ("heartbeats", "Heartbeat"),
        ("west.heartbeats", "Heartbeat"),
        ("mm2-offset-syncs.east.internal", "OffsetSync"),
        ("west.checkpoints.internal", "Checkpoint"),
        ("orders", None),
    ],
)
def test_topics_that_kafka_writes_have_their_serde(topic: str, name: str | None) -> None:
    assert of_kafka(topic) == name


@pytest.mark.parametrize(
    ("data", "serde", "text"),
    [
        (b'{"a": 1.10}', "Json", '{"a": 1.10}'),
        (b"hello", "String", "hello"),
        (b"", "String", ""),
        (b"42", "String", "42"),
        (msgspec.msgpack.encode({"a": [1, 2]}), "MessagePack", '{"a":[1,2]}'),
        (bytes.fromhex("bf61610161629f0203ffff"), "Cbor", '{"a":1,"b":[2,3]}'),
        (b"\x00\x01\x02\xff", "Hex", "000102ff"),
        (b"\x2a\x00\x00\x00", "Hex", "2a000000"),
    ],
)
def test_the_automatic_choice_and_its_reasons(data: bytes, serde: str, text: str) -> None:
    shown = Automatic().read(data)
    details = dict(shown.details)
    assert (details.pop("serde"), shown.text, shown.why_not) == (serde, text, None)
    if shown.kind != "text":
        assert all(name.startswith("not ") and why for name, why in details.items())
        assert ("not Json" in details) == (serde != "Json")


def test_who_writes_what_only_kafka_writes_is_told() -> None:
    with pytest.raises(CannotWrite, match="only read here"):
        KEYS["ConsumerOffsets"].write("{}")
    with pytest.raises(CannotWrite, match="the schema is embedded"):
        KEYS["AvroEmbedded"].write("{}")
    schema = '{"schema": "string", "value": "x"}'
    assert KEYS["AvroEmbedded"].read(KEYS["AvroEmbedded"].write(schema)).text == '"x"'


@pytest.mark.parametrize("name", ["MessagePack", "Cbor", "Struct"])
@pytest.mark.parametrize("text", ['{"a":' * 900 + "1" + "}" * 900, '{"a": ' + "9" * 5000 + "}"])
def test_texts_that_are_too_much_are_told(name: str, text: str) -> None:
    with suppress(CannotWrite):
        assert KEYS[name].write(text)


def test_numbers_of_thousands_of_digits_are_told() -> None:
    with pytest.raises(CannotWrite, match="limit"):
        KEYS["Cbor"].write('{"a": ' + "9" * 5000 + "}")


def test_names_of_kafka_uis_screens_are_known() -> None:
    assert set(ALIASES.values()) - KEYS.keys() == {"UuidBinary"}
