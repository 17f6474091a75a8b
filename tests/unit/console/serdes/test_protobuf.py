"""Sources of Protocol Buffers without a compiler, and records by them."""

import json

import pytest
from google.protobuf import descriptor_pb2

from klamm.console.serdes import proto_text
from klamm.console.serdes.cursor import Misfit
from klamm.console.serdes.protobuf import Messages, from_json, to_json

SOURCE = """
// orders of a shop
syntax = "proto3";
package shop.v1;
import "google/protobuf/timestamp.proto";
import public 'shop/money.proto';
option java_package = "org.example.shop";
option (custom.thing) = { name: "x" other { more: [1, 2] } };

/* everything
   in one */
message Order {
  option deprecated = false;
  reserved 9, 20 to 30;
  reserved "old";
  enum Size { UNKNOWN = 0; SMALL = 1 [deprecated = true]; LARGE = 0x10; }
  message Line { string sku = 1; uint32 count = 2; map<string, Price> by = 3; }
  int64 id = 1;
  repeated Line lines = 2;
  Size size = 3;
  optional string note = 4;
  oneof how { string card = 5; bool cash = 6; }
  map<string, int32> counts = 7 [deprecated = true];
  google.protobuf.Timestamp made_at = 8 [json_name = "when"];
  repeated sint32 packed_ones = 10 [packed = true];
  .shop.v1.Order.Line best = 11;
  Order next = 12;
}
message Empty {}
service Orders { rpc Make (Order) returns (stream Empty) { option idempotency_level = IDEMPOTENT; } }
"""
MONEY = 'syntax = "proto3"; package shop.v1; message Price { double amount = 1; bytes raw = 2; }'
ORDER = {
    "id": "9007199254740993",
    "lines": [{"sku": "a", "count": 2, "by": {"x": {"amount": 1.5, "raw": "AQI="}}}],
    "size": "LARGE",
    "note": "",
    "cash": True,
    "counts": {"a": -1},
    "when": "2026-11-26T18:00:00Z",
    "packedOnes": [-1, 2],
    "best": {"sku": "b"},
    "next": {"id": "1"},
}


@pytest.fixture(scope="module")
def messages() -> Messages:
    return Messages.of_sources({"shop/order.proto": SOURCE, "shop/money.proto": MONEY})


def test_a_record_comes_back(messages: Messages) -> None:
    type_ = messages.type("shop.v1.Order")
    data = from_json(type_, json.dumps(ORDER), messages)
    assert json.loads(to_json(type_, data, messages)) == ORDER


def test_types_are_found_by_their_place(messages: Messages) -> None:
    file = "shop/order.proto"
    assert messages.at(file, [1]).full_name == "shop.v1.Empty"
    assert messages.at(file, [0, 0]).full_name == "shop.v1.Order.Line"
    for path in ([2], [0, 9], [-1], []):
        with pytest.raises(Misfit):
            messages.at(file, path)


def test_a_descriptor_set_does_as_well(messages: Messages) -> None:
    files = [proto_text.descriptor(SOURCE, "shop/order.proto"), proto_text.descriptor(MONEY, "shop/money.proto")]
    made = Messages.of_set(descriptor_pb2.FileDescriptorSet(file=files).SerializeToString())
    type_ = made.type("shop.v1.Order")
    assert to_json(type_, b"\x08\x05", made) == '{"id": "5"}'
    with pytest.raises(Misfit, match="no FileDescriptorSet"):
        Messages.of_set(b"\xff\xff")


def test_a_source_of_proto2() -> None:
    source = """message A { required int32 n = 1 [default = -5]; optional E e = 2 [default = Y]; extensions 100 to max;
                enum E { option allow_alias = true; X = -1; Y = -1; } }  extend A { optional int32 more = 100; }"""
    made = Messages.of_sources({"a.proto": source})
    assert json.loads(to_json(made.type("A"), b"\x08\x07", made)) == {"n": 7}
    with pytest.raises(Misfit, match="it is no A"):
        to_json(made.type("A"), b"\xff", made)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ('syntax = "proto3";\nmessage A { string a = x; }', "line 2 of the source: a number is wanted, not 'x'"),
        ("message A {\n\n string a = 1", "line 3 of the source: it ends in the middle"),
        ("message A { § }", "line 1 of the source: '§' is not understood"),
        ("thing A {}", "'thing' is not understood"),
        ('import "b.proto";', "imports b.proto, which is not given"),
        ('import "a.proto";', "a.proto imports itself"),
        ("message A { B b = 1; }", "a.proto: "),
        ("message A { string a = 1; string b = 1; }", "a.proto: "),
        ("message A { string a = 0; }", "a.proto: "),
        ("message A { string a = 99999999999; }", "is no number of a field"),
        ("message A {" * 100, "nested too deep"),
        ("message A { optional group G = 1 {} }", "groups are not read"),
        ("x" * 2_000_000, "more than 1048576 characters"),
    ],
)
def test_what_is_wrong_in_a_source_is_told(source: str, why: str) -> None:
    with pytest.raises(Misfit, match=why):
        Messages.of_sources({"a.proto": source})


def test_a_message_in_itself_without_end_is_refused_by_the_library() -> None:
    made = Messages.of_sources({"a.proto": 'syntax = "proto3"; message N { N n = 1; }'})
    data = b""
    for _ in range(300):
        data = (
            b"\x0a" + (bytes([len(data)]) if len(data) < 128 else bytes([len(data) & 127 | 128, len(data) >> 7])) + data
        )
    with pytest.raises(Misfit, match="it is no N"):
        to_json(made.type("N"), data, made)
    with pytest.raises(Misfit, match="does not become a N"):
        from_json(made.type("N"), '{"n":' * 3000 + "{}" + "}" * 3000, made)
