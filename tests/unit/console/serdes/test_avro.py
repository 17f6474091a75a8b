"""Our reader of Avro beside the one that others use, and what hostile bytes and schemas do to it."""

import io
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klamm.console.serdes import avro, avro_file
from klamm.console.serdes.cursor import Misfit
from klamm.console.serdes.shaped import to_text

ORDER = {
    "type": "record",
    "name": "Order",
    "namespace": "shop",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "small", "type": "int"},
        {"name": "ratio", "type": "double"},
        {"name": "part", "type": "float"},
        {"name": "paid", "type": "boolean"},
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "size", "type": {"type": "enum", "name": "Size", "symbols": ["S", "M", "L"]}},
        {"name": "hash", "type": {"type": "fixed", "name": "Hash", "size": 4}},
        {"name": "raw", "type": "bytes"},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        {"name": "counts", "type": {"type": "map", "values": "long"}},
        {"name": "next", "type": ["null", "Order"], "default": None},
    ],
}
FORM = avro.parse(json.dumps(ORDER))


@st.composite
def orders(draw: st.DrawFn, deep: int = 3) -> dict[str, Any]:
    return {
        "id": draw(st.integers(-(2**63), 2**63 - 1)),
        "small": draw(st.integers(-(2**31), 2**31 - 1)),
        "ratio": draw(st.floats(allow_nan=False)),
        "part": draw(st.floats(width=32, allow_nan=False)),
        "paid": draw(st.booleans()),
        "note": draw(st.none() | st.text()),
        "size": draw(st.sampled_from("SML")),
        "hash": draw(st.binary(min_size=4, max_size=4)),
        "raw": draw(st.binary()),
        "tags": draw(st.lists(st.text())),
        "counts": draw(st.dictionaries(st.text(), st.integers(-(2**63), 2**63 - 1))),
        "next": draw(orders(deep - 1)) if deep and draw(st.booleans()) else None,
    }


def shown(value: Any) -> Any:
    """As it is shown: bytes as characters."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        return {name: shown(one) for name, one in value.items()}
    return [shown(one) for one in value] if isinstance(value, list) else value


def theirs(schema: Any, value: Any) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), value)
    return out.getvalue()


@settings(max_examples=60, deadline=None)
@given(orders())
def test_what_others_write_is_read_and_written_alike(order: dict[str, Any]) -> None:
    data = theirs(ORDER, order)
    read = avro.decode(FORM, data)
    assert read == shown(order)
    assert avro.encode(FORM, read) == data


@pytest.mark.parametrize(
    ("type_", "value", "text"),
    [
        ({"type": "int", "logicalType": "date"}, date(2026, 11, 26), "2026-11-26"),
        ({"type": "int", "logicalType": "time-millis"}, time(13, 5, 7, 250000), "13:05:07.250"),
        ({"type": "long", "logicalType": "time-micros"}, time(13, 5, 7, 123456), "13:05:07.123456"),
        (
            {"type": "long", "logicalType": "timestamp-millis"},
            datetime(2026, 11, 26, 18, 0, 0, 5000, UTC),
            "2026-11-26T18:00:00.005Z",
        ),
        (
            {"type": "long", "logicalType": "timestamp-micros"},
            datetime(1969, 12, 31, 23, 59, 59, 999999, UTC),
            "1969-12-31T23:59:59.999999Z",
        ),
        ({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}, Decimal("-123.45"), "-123.45"),
        (
            {"type": "fixed", "name": "D", "size": 8, "logicalType": "decimal", "precision": 12, "scale": 3},
            Decimal("1.500"),
            "1.500",
        ),
    ],
)
def test_logical_types_are_shown_and_written_as_people_write_them(type_: Any, value: Any, text: str) -> None:
    form, data = avro.parse(json.dumps(type_)), theirs(type_, value)
    assert avro.decode(form, data) == text
    assert avro.encode(form, text) == data


def test_a_year_that_no_calendar_has_stays_a_number() -> None:
    form = avro.parse('{"type": "long", "logicalType": "timestamp-millis"}')
    assert avro.decode(form, avro.encode(form, 2**62)) == 2**62


def test_a_union_of_several_says_its_branch() -> None:
    form = avro.parse('["null", "string", {"type": "record", "name": "a.R", "fields": []}]')
    assert avro.decode(form, b"\x02\x02x") == {"string": "x"}
    assert avro.decode(form, b"\x04") == {"a.R": {}}
    assert avro.encode(form, {"R": {}}) == b"\x04"
    assert avro.encode(form, "x") == b"\x02\x02x"


@pytest.mark.parametrize(
    ("schema", "data", "why"),
    [
        ({"type": "array", "items": "null"}, b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f\x00", "more than 200000 values"),
        (
            {"type": "array", "items": {"type": "record", "name": "E", "fields": []}},
            b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f\x00",
            "more than 200000 values",
        ),
        (
            {"type": "record", "name": "N", "fields": [{"name": "n", "type": ["null", "N"]}]},
            b"\x02" * 2_000_000 + b"\x00",
            "more than 48 levels",
        ),
        ("string", b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f", "bytes are wanted"),
        ("string", b"\x01", "-1 bytes are wanted"),
        ("string", b"\x02\xff", "no UTF-8"),
        ("long", b"\xff" * 20, "does not end"),
        ("int", b"\x80\x80\x80\x80\x20", "does not fit into 32 bits"),
        ("boolean", b"\x02", "a boolean"),
        ("long", b"\x02\x02", "1 bytes are left over"),
        ("long", b"", "ends after 0 bytes"),
        (["null", "long"], b"\x06", "branch 3 of a union"),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, b"\x01", "symbol -1 of an enum"),
    ],
)
def test_hostile_bytes_have_an_end_and_a_reason(schema: Any, data: bytes, why: str) -> None:
    form = avro.parse(json.dumps(schema))
    with pytest.raises(Misfit, match=why):
        avro.decode(form, data)


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ("[" * 100_000, "nested too deep|JSON is wanted"),
        ('{"type": {"type": ' * 100 + '"int"' + "}}" * 100, "nested more than 48 levels"),
        ('{"type": "record", "name": "R"}', "has no fields"),
        ('{"type": "fixed", "name": "F", "size": -1}', "a number of bytes is wanted"),
        ('{"type": "fixed", "name": "F", "size": "x"}', "a number of bytes is wanted"),
        ('"Unknown"', "speaks of Unknown"),
        ("7", "is no Avro schema"),
        ("{", "JSON is wanted"),
        ('{"type": "enum", "name": "E", "symbols": 3}', "symbols is no list"),
    ],
)
def test_what_is_no_schema_is_told(schema: str, why: str) -> None:
    with pytest.raises(Misfit, match=why):
        avro.parse(schema)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({**shown({"id": 1}), "colour": 1}, "no field 'colour'"),
        ({"id": 1}, "small: it is missing"),
        ({"id": "x"}, "id: a whole number"),
        ({"id": 2**63}, "id: a whole number"),
        ({"id": True}, "id: a whole number"),
        ([], "an object is wanted"),
    ],
)
def test_a_value_that_does_not_fit_names_its_field(value: Any, why: str) -> None:
    with pytest.raises(Misfit, match=why):
        avro.encode(FORM, value)


def test_a_value_that_is_too_deep_is_told() -> None:
    form = avro.parse('{"type": "record", "name": "N", "fields": [{"name": "n", "type": ["null", "N"]}]}')
    value: Any = None
    for _ in range(2000):
        value = {"n": value}
    with pytest.raises(Misfit, match="nested too deep"):
        avro.encode(form, value)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    try:
        value = avro.decode(FORM, data)
    except Misfit:
        return
    # Another form of the same is possible only where blocks of lists carry their sizes.
    assert avro.decode(FORM, avro.encode(FORM, value)) == value or "NaN" in to_text(value)


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_a_file_of_avro_in_a_record(codec: str) -> None:
    out = io.BytesIO()
    schema = {"type": "record", "name": "R", "fields": [{"name": "n", "type": "int"}]}
    fastavro.writer(out, fastavro.parse_schema(schema), [{"n": 1}, {"n": 2}], codec=codec)
    assert avro_file.read(out.getvalue()) == [{"n": 1}, {"n": 2}]


def test_others_read_the_file_that_we_write() -> None:
    written = avro_file.write('{"type": "array", "items": "string"}', ["a", "b"])
    assert list(fastavro.reader(io.BytesIO(written))) == [["a", "b"]]
    assert avro_file.read(written) == ["a", "b"]


def test_a_small_file_does_not_become_a_large_one() -> None:
    out = io.BytesIO()
    fastavro.writer(out, fastavro.parse_schema({"type": "bytes"}), [bytes(40 << 20)], codec="deflate")
    with pytest.raises(Misfit, match="more than 32 MiB"):
        avro_file.read(out.getvalue())


@pytest.mark.parametrize("cut", [3, 4, 20, 60, -1])
def test_a_file_that_is_cut_is_told(cut: int) -> None:
    with pytest.raises(Misfit):
        avro_file.read(avro_file.write('"string"', "hello")[:cut])
