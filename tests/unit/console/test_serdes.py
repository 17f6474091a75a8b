"""What bytes say to people, and back."""

import pytest

from klamm.console.serdes import CannotWrite, UnknownSerde
from klamm.console.serdes.builtin import BUILT_IN, BuiltIns

_BOTH_WAYS = [
    ("Auto", b'{"a": 12345678901234567890}', "json", '{"a": 12345678901234567890}'),
    ("Auto", b"plain", "text", "plain"),
    ("Auto", "žluťoučký".encode(), "text", "žluťoučký"),
    ("String", b"\x00\x01", "text", "\x00\x01"),
    ("Json", b"1.50", "json", "1.50"),
    ("Int32", b"\xff\xff\xff\xff", "text", "-1"),
    ("Int64", b"\x00" * 7 + b"\x07", "text", "7"),
    ("UInt32", b"\xff\xff\xff\xff", "text", "4294967295"),
    ("UInt64", b"\xff" * 8, "text", "18446744073709551615"),
    ("Base64", b"\x00\xff", "text", "AP8="),
    ("Hex", b"\x00\xff", "binary", "00ff"),
    ("UuidBinary", bytes(range(16)), "text", "00010203-0405-0607-0809-0a0b0c0d0e0f"),
]


@pytest.mark.parametrize(("name", "data", "kind", "text"), _BOTH_WAYS)
def test_bytes_are_shown_and_written_back(name: str, data: bytes, kind: str, text: str) -> None:
    shown = BUILT_IN[name].read(data)
    assert (shown.kind, shown.text, shown.why_not) == (kind, text, None)
    assert BUILT_IN[name].write(text) == data


@pytest.mark.parametrize(
    ("name", "data", "kind", "why"),
    [
        ("Int32", b"abc", "text", "Int32: 3 bytes, and such a number has 4"),
        ("String", b"a\xff", "binary", "String: byte 1 is no UTF-8"),
        ("UuidBinary", b"", "text", "UuidBinary: 0 bytes, and a UUID has 16"),
        ("Json", b"[" * 200_000, "text", "Json: lists or objects are too deep in one another"),
        ("Json", b"{", "text", "Json: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ],
)
def test_what_cannot_be_read_is_shown_as_it_is_with_the_reason(name: str, data: bytes, kind: str, why: str) -> None:
    shown = BUILT_IN[name].read(data)
    assert (shown.kind, shown.why_not) == (kind, why)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Int32", "4294967295"),
        ("Int64", "x"),
        ("Json", "{"),
        ("Json", "[" * 200_000),
        ("Hex", "0"),
        ("Base64", "*"),
        ("Null", "x"),
    ],
)
def test_a_text_that_is_none_of_the_serdes_is_refused(name: str, text: str) -> None:
    with pytest.raises(CannotWrite, match=name):
        BUILT_IN[name].write(text)


@pytest.mark.parametrize(("name", "text"), [("Int64", "4111 1111 1111 1111"), ("Int32", "4111111111111111")])
def test_why_a_number_is_refused_tells_nothing_of_it(name: str, text: str) -> None:
    with pytest.raises(CannotWrite) as caught:
        BUILT_IN[name].write(text)
    assert "4111" not in str(caught.value)


def test_an_unknown_serde_names_those_that_there_are() -> None:
    with pytest.raises(UnknownSerde, match="there is no serde 'Avro'; there are Auto, String"):
        BuiltIns().get("orders", "value", "Avro")
    assert BuiltIns().get("orders", "value", None).name == "Auto"
