"""kafka-ui's settings of serdes, and which serde a topic has by them."""

from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from klamm.console.serdes import CannotWrite, UnknownSerde, proto_text, wishes
from klamm.console.serdes.of_cluster import ClusterSerdes

SOURCE = 'syntax = "proto3"; package shop; message Order { int32 id = 1; } message Key { string name = 1; }'


def serdes(*given: Any, key: str | None = None, value: str | None = None) -> ClusterSerdes:
    return ClusterSerdes(wishes.read(list(given), key, value))


def test_a_pattern_goes_before_the_default_and_that_before_the_automatic_choice() -> None:
    found = serdes({"name": "Int64", "topicKeysPattern": "count.*"}, key="String")
    assert found.get("counts", "key", None).name == "Int64"
    assert found.get("orders", "key", None).name == "String"
    assert found.get("orders", "value", None).name == "Auto"
    assert found.names("counts", "key")[:2] == ("Int64", "Auto")
    assert found.get("orders", "value", "Avro (Embedded)").name == "AvroEmbedded"
    with pytest.raises(UnknownSerde, match="there is no serde 'Other'; there are Auto"):
        found.get("orders", "value", "Other")


def test_a_serde_may_have_another_name() -> None:
    found = serdes(
        {"name": "Numbers", "className": "io.kafbat.ui.serdes.builtin.Int32Serde", "topicValuesPattern": "n"}
    )
    assert found.get("n", "value", None).read(b"\0\0\0\x07").text == "7"
    assert found.names("n", "value")[0] == "Numbers"


@pytest.mark.parametrize("as_set", [True, False])
def test_records_by_files_of_protocol_buffers(tmp_path: Path, as_set: bool) -> None:
    if as_set:
        files = FileDescriptorSet(file=[proto_text.descriptor(SOURCE, "shop.proto")])
        (tmp_path / "shop.desc").write_bytes(files.SerializeToString())
    else:
        (tmp_path / "shop.proto").write_text(SOURCE)
    properties = {
        "protobufFilesDir": str(tmp_path),
        "protobufMessageNameByTopic": {"orders": "shop.Order"},
        "protobufMessageNameForKey": "shop.Key",
    }
    found = serdes({"name": "ProtobufFile", "properties": properties})
    value = found.get("orders", "value", "ProtobufFile")
    assert (value.read(b"\x08\x07").text, value.write('{"id": 7}')) == ('{"id": 7}', b"\x08\x07")
    assert found.get("orders", "value", None).read(b"\x08\x07").text == '{"id": 7}'
    assert found.get("any", "key", "ProtobufFile").read(b"\x0a\x01a").text == '{"name": "a"}'
    assert "name no type for this topic" in (found.get("other", "value", "ProtobufFile").read(b"").why_not or "")
    with pytest.raises(CannotWrite, match="does not become a shop"):
        value.write('{"colour": 1}')


@pytest.mark.parametrize(
    ("files", "named", "why"),
    [
        ({}, ["none.proto"], "none.proto cannot be read"),
        ({"a.proto": "message {"}, ["a.proto"], "a.proto: line 1"),
        ({"a.desc": "no descriptor"}, ["a.desc"], "a.desc cannot be read"),
    ],
)
def test_files_that_cannot_be_read_are_told_with_the_record(
    tmp_path: Path, files: dict[str, str], named: list[str], why: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    properties = {"protobufFilesDir": str(tmp_path), "protobufFiles": named, "protobufMessageName": "A"}
    found = serdes({"name": "ProtobufFile", "properties": properties})
    assert why in (found.get("orders", "value", "ProtobufFile").read(b"").why_not or "")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "Own", "filePath": "/own.jar"}, "serde[0].filePath: '/own.jar' would load foreign code"),
        ({"name": "Own", "className": "org.example.OwnSerde"}, "serde[0]: 'Own' is no built-in serde"),
        ({"name": "String", "topicKeysPattern": "("}, "serde[0].topicKeysPattern: '(' is no regular expression"),
        ({"name": "ProtobufFile"}, "serde[0].properties: no files are named"),
        ({"name": "ProtobufFile", "properties": {"protobufFiles": 7}}, "serde[0].properties: Expected"),
        ({"nam": "String"}, "serde: Object"),
    ],
)
def test_what_is_wrong_is_told(given: Any, said: str) -> None:
    with pytest.raises(ValueError, match="serde") as caught:
        wishes.read([given])
    assert said in str(caught.value)


def test_a_default_that_is_no_serde_is_told() -> None:
    with pytest.raises(ValueError, match="defaultKeySerde: 'Strng' is no serde; write one of Auto"):
        wishes.read([], "Strng")
