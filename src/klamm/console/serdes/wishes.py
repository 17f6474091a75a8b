"""kafka-ui's settings of serdes, as YAML gives them, to ours.

    serde:
      - name: ProtobufFile
        topicValuesPattern: "orders.*"
        properties: {protobufFilesDir: /protos, protobufMessageName: shop.v1.Order}
    defaultKeySerde: String
    defaultValueSerde: SchemaRegistry

`className` and `filePath` would load code of somebody's, so they are refused. `protobufFiles` may be sources or
descriptor sets.
"""

import re
from typing import Any

import msgspec

from klamm.console.serdes.builtin import AUTO, BUILT_IN
from klamm.console.serdes.by_registry import NAME as REGISTRY
from klamm.console.serdes.of_cluster import SerdeSettings, Wish
from klamm.console.serdes.own import ALIASES, KEYS
from klamm.console.serdes.proto_files import NAME as PROTO_FILES
from klamm.console.serdes.proto_files import FileSettings


class _Properties(msgspec.Struct, frozen=True, rename="camel"):
    protobuf_file: str | None = None
    protobuf_files: tuple[str, ...] = ()
    protobuf_files_dir: str | None = None
    protobuf_message_name: str | None = None
    protobuf_message_name_by_topic: dict[str, str] = {}
    protobuf_message_name_for_key: str | None = None
    protobuf_message_name_for_key_by_topic: dict[str, str] = {}


class _Serde(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    name: str
    class_name: str | None = None
    file_path: str | None = None
    properties: dict[str, Any] = {}
    topic_keys_pattern: str | None = None
    topic_values_pattern: str | None = None


def read(given: Any, key: str | None = None, value: str | None = None) -> SerdeSettings:
    """`given`: the list under `serde`. Raises ValueError with field, value, rule and mend."""
    try:
        serdes = msgspec.convert(given or [], list[_Serde])
    except msgspec.ValidationError as error:
        raise ValueError(f"serde: {error}") from None
    wishes = tuple(_wish(f"serde[{at}]", one) for at, one in enumerate(serdes))
    known = {AUTO, REGISTRY, *BUILT_IN, *KEYS, *ALIASES, *(one.name for one in wishes)}
    for field, name in (("defaultKeySerde", key), ("defaultValueSerde", value)):
        if name is not None and name not in known:
            raise ValueError(f"{field}: {name!r} is no serde; write one of {', '.join(sorted(known))}")
    return SerdeSettings(wishes, key, value)


def _wish(field: str, one: _Serde) -> Wish:
    if one.file_path:
        raise ValueError(f"{field}.filePath: {one.file_path!r} would load foreign code; only built-in serdes are there")
    of = ALIASES.get(one.name, one.name)
    if one.class_name:
        of = one.class_name.rpartition(".")[2].removesuffix("Serde")
    keys = _pattern(f"{field}.topicKeysPattern", one.topic_keys_pattern)
    values = _pattern(f"{field}.topicValuesPattern", one.topic_values_pattern)
    if of == PROTO_FILES:
        return Wish(one.name, keys, values, files=_files(field, one.properties))
    if of not in {AUTO, REGISTRY, *BUILT_IN, *KEYS}:
        raise ValueError(f"{field}: {of!r} is no built-in serde; those are {', '.join(sorted({*BUILT_IN, *KEYS}))}")
    return Wish(one.name, keys, values, of=of)


def _files(field: str, properties: dict[str, Any]) -> FileSettings:
    try:
        found = msgspec.convert(properties, _Properties)
    except msgspec.ValidationError as error:
        raise ValueError(f"{field}.properties: {error}") from None
    files = (*((found.protobuf_file,) if found.protobuf_file else ()), *found.protobuf_files)
    if not files and found.protobuf_files_dir is None:
        raise ValueError(f"{field}.properties: no files are named; write protobufFiles or protobufFilesDir")
    return FileSettings(
        files,
        found.protobuf_files_dir,
        found.protobuf_message_name,
        found.protobuf_message_name_by_topic,
        found.protobuf_message_name_for_key,
        found.protobuf_message_name_for_key_by_topic,
    )


def _pattern(field: str, pattern: str | None) -> "re.Pattern[str] | None":
    try:
        return None if pattern is None else re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{field}: {pattern!r} is no regular expression: {error}") from None
