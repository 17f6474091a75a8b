"""Serdes of this folder's readers, under kafka-ui's names: they need no settings and no network."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from klamm.console.serdes import Serde, Shown, avro_file, cbor, kafka_own, wire
from klamm.console.serdes.builtin import Plain
from klamm.console.serdes.cursor import DEEPEST, MOST_VALUES, Misfit
from klamm.console.serdes.shaped import from_text, to_text

NAMELESS = ("fields", "by number")
"""A detail of what is shown without the fields' names: rules of masks that go by names cannot find them."""

FORM = "form"
"""A detail of what is shown by a form with names of its own: by bytes of another form, they are not the fields'."""


def json_serde(
    name: str, read: Callable[[bytes], Any], write: Callable[[Any], bytes] | None = None, has_form: bool = False
) -> Plain:
    """`write`: None where nobody but Kafka should write such bytes. `has_form`: the names are the form's, not the
    record's."""

    def written(text: str) -> bytes:
        if write is None:
            raise Misfit("such records are only read here; write them as Hex or Base64")
        try:
            return write(from_text(text))
        except (RecursionError, OverflowError) as error:
            raise Misfit(f"it cannot be written so: {error}") from None

    details = ((FORM, name),) if has_form else ()
    return Plain(name, lambda data: Shown("json", to_text(read(data)), details=details), written)


def message_pack(data: bytes) -> Any:
    """Of extensions only the timestamp's means something here; others are shown by number and bytes."""
    try:
        value = msgspec.msgpack.decode(data, ext_hook=lambda code, ext: {"ext": code, "bytes": bytes(ext)})
    except (msgspec.DecodeError, ValueError, TypeError, RecursionError) as error:
        raise Misfit(str(error)) from None
    _count(value)
    return value


def _count(value: Any) -> None:
    """No more than the other readers make of a record."""
    left, level = MOST_VALUES, [value]
    for _ in range(DEEPEST):
        left -= len(level)
        if left < 0:
            raise Misfit(f"it holds more than {MOST_VALUES} values")
        level = [
            one
            for outer in level
            if isinstance(outer, dict | list | tuple)
            for one in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise Misfit(f"it is nested more than {DEEPEST} levels deep")


def _embedded(text: str) -> bytes:
    """`{"schema": …, "value": …}`: the schema travels with the value, so it must be written, too."""
    given = from_text(text)
    if not isinstance(given, dict) or given.keys() != {"schema", "value"}:
        raise Misfit('write {"schema": {…}, "value": …}: the schema is embedded in the record')
    return avro_file.write(to_text(given["schema"]), given["value"])


AVRO_EMBEDDED = Plain("AvroEmbedded", lambda data: Shown("json", to_text(avro_file.read(data))), _embedded)
MESSAGE_PACK = json_serde("MessagePack", message_pack, msgspec.msgpack.encode)
CBOR = json_serde("Cbor", cbor.decode, cbor.encode)
STRUCT = json_serde("Struct", wire.read_struct, wire.write_struct, has_form=True)
PROTOBUF_RAW = Plain(
    "ProtobufRaw",
    lambda data: Shown("json", to_text(wire.raw(data)), details=(NAMELESS,)),
    lambda text: json_serde("ProtobufRaw", wire.raw).writing(text),
)

KEYS: Mapping[str, Serde] = {
    one.name: one
    for one in (
        AVRO_EMBEDDED,
        MESSAGE_PACK,
        CBOR,
        STRUCT,
        PROTOBUF_RAW,
        json_serde("ConsumerOffsets", kafka_own.offsets_key, has_form=True),
        json_serde("Heartbeat", kafka_own.heartbeat_key, has_form=True),
        json_serde("OffsetSync", kafka_own.offset_sync_key, has_form=True),
        json_serde("Checkpoint", kafka_own.checkpoint_key, has_form=True),
    )
}
VALUES: Mapping[str, Serde] = {
    **KEYS,
    "ConsumerOffsets": json_serde("ConsumerOffsets", kafka_own.offsets_value, has_form=True),
    "Heartbeat": json_serde("Heartbeat", kafka_own.heartbeat_value, has_form=True),
    "OffsetSync": json_serde("OffsetSync", kafka_own.offset_sync_value, has_form=True),
    "Checkpoint": json_serde("Checkpoint", kafka_own.checkpoint_value, has_form=True),
}

ALIASES: Mapping[str, str] = {
    "Avro (Embedded)": "AvroEmbedded",
    "__consumer_offsets": "ConsumerOffsets",
    "ProtobufDecodeRaw": "ProtobufRaw",
    "UUIDBinary": "UuidBinary",
    "CBOR": "Cbor",
}
"""How kafka-ui's screens spell some."""


def of_kafka(topic: str) -> str | None:
    """The serde of a topic that Kafka or MirrorMaker 2 writes for itself."""
    if topic == "__consumer_offsets":
        return "ConsumerOffsets"
    if topic == "heartbeats" or topic.endswith(".heartbeats"):
        return "Heartbeat"
    if topic.startswith("mm2-offset-syncs.") and topic.endswith(".internal"):
        return "OffsetSync"
    return "Checkpoint" if topic.endswith(".checkpoints.internal") else None
