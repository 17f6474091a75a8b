"""Records as Confluent's serializers write them: a zero byte, the schema's number in four bytes, then the value.

Avro, Protocol Buffers and JSON Schema (whose values are plain JSON). Of Protocol Buffers the type's place in its file
stands before the value. Schemas are fetched before records are read (`prepare`), and read once.
"""

import struct
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from klamm.base.together import side_by_side
from klamm.console.schemas.registry import Registry, RegistryFailure, Schema, whole
from klamm.console.serdes import CannotWrite, Part, Shown, avro, protobuf
from klamm.console.serdes.automatic import NotWrittenSo
from klamm.console.serdes.builtin import as_it_is
from klamm.console.serdes.cursor import Cursor, Misfit
from klamm.console.serdes.shaped import from_text, to_text

NAME = "SchemaRegistry"
_KEPT = 500
_MOST_AT_ONCE = 64
"""Schemas that are asked for by one batch of records: their numbers may be anything."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A schema that can be used. `read` and `write` raise `Misfit`."""

    kind: str
    read: Callable[[bytes], tuple[str, tuple[tuple[str, str], ...]]]
    write: Callable[[str], bytes]


@dataclass(slots=True)
class Schemas:
    """Those of one cluster, by number; a failure is kept as its words until it is tried again."""

    registry: Registry
    compiled: "OrderedDict[int, Compiled | str]" = field(default_factory=OrderedDict)

    async def need(self, ids: Sequence[int]) -> None:
        wanted = [id_ for id_ in ids if not isinstance(self.compiled.get(id_), Compiled)][:_MOST_AT_ONCE]
        if wanted:
            await side_by_side(*(self._one(id_) for id_ in wanted))
        while len(self.compiled) > _KEPT:
            self.compiled.popitem(last=False)

    async def _one(self, id_: int) -> None:
        try:
            schema = await self.registry.schema(id_)
            self.compiled[id_] = compiled(schema, await whole(self.registry, schema))
        except (RegistryFailure, Misfit) as failure:
            self.compiled[id_] = str(failure)


def compiled(schema: Schema, references: Sequence[tuple[str, Schema]] = ()) -> Compiled:
    match schema.schema_type:
        case "AVRO":
            return _avro(schema, references)
        case "JSON":
            return Compiled("JSON", _json_as_it_is, _json)
        case "PROTOBUF":
            if (why := protobuf.missing()) is not None:
                raise Misfit(f"{why} is not installed here")
            return _protobuf(schema, references)
    raise Misfit(f"schemas of type {schema.schema_type!r} are not known here")


def _avro(schema: Schema, references: Sequence[tuple[str, Schema]]) -> Compiled:
    names: dict[str, avro.Form] = {}
    for _, one in references:
        avro.parse_all(one.schema, names)
    form = avro.parse_all(schema.schema, names)
    return Compiled(
        "AVRO", lambda data: (to_text(avro.decode(form, data)), ()), lambda text: avro.encode(form, from_text(text))
    )


def _json_as_it_is(data: bytes) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Numbers stay as they were written."""
    text = _utf8(data)
    from_text(text)
    return text, ()


def _json(text: str) -> bytes:
    from_text(text)
    return text.encode()


def _utf8(data: bytes) -> str:
    return Cursor(data).text(len(data))


def _protobuf(schema: Schema, references: Sequence[tuple[str, Schema]]) -> Compiled:
    name = "schema.proto"
    messages = protobuf.Messages.of_sources({**{spoken: one.schema for spoken, one in references}, name: schema.schema})

    def read(data: bytes) -> tuple[str, tuple[tuple[str, str], ...]]:
        cursor = Cursor(data)
        count = cursor.zigzag()
        if not 0 <= count <= 32:
            raise Misfit(f"the type's place has {count} numbers")
        type_ = messages.at(name, [cursor.zigzag() for _ in range(count)] or [0])
        text = protobuf.to_json(type_, cursor.take(cursor.remaining), messages)
        return text, (("message", str(type_.full_name)),)

    return Compiled("PROTOBUF", read, lambda text: b"\x00" + protobuf.from_json(messages.at(name, [0]), text, messages))


@dataclass(slots=True)
class ByRegistry:
    """Of one topic's keys or values; written by the latest version of subject `<topic>-key` or `<topic>-value`."""

    schemas: Schemas
    topic: str
    part: Part
    name: str = NAME
    _latest: int | str = "it was not asked for yet"
    _is_absent: bool = False

    @property
    def subject(self) -> str:
        return f"{self.topic}-{self.part}"

    async def prepare(self, samples: Sequence[bytes]) -> None:
        if samples:
            await self.schemas.need(list(dict.fromkeys(id_ for data in samples if (id_ := _id(data)) is not None)))
            return
        try:
            version = await self.schemas.registry.version(self.subject, "latest")
        except RegistryFailure as failure:
            self._latest, self._is_absent = str(failure), failure.status == 404
        else:
            self._latest = version.id
            await self.schemas.need([version.id])

    def read(self, data: bytes) -> Shown:
        id_ = _id(data)
        if id_ is None:
            return as_it_is(data, f"{NAME}: it does not begin with 0 and a schema's number")
        found = self.schemas.compiled.get(id_, "it was not asked for")
        if isinstance(found, str):
            return as_it_is(data, f"{NAME}: schema {id_}: {found}")
        try:
            text, details = found.read(data[5:])
        except Misfit as misfit:
            return as_it_is(data, f"{NAME}: schema {id_} ({found.kind}): {misfit}")
        return Shown("json", text, details=(("schemaId", str(id_)), ("schemaType", found.kind), *details))

    def write(self, text: str) -> bytes:
        if isinstance(self._latest, str):
            raise (NotWrittenSo if self._is_absent else CannotWrite)(f"{NAME}: {self._latest}")
        found = self.schemas.compiled.get(self._latest, "it was not asked for")
        if isinstance(found, str):
            raise CannotWrite(f"{NAME}: schema {self._latest}: {found}")
        try:
            return struct.pack(">bI", 0, self._latest) + found.write(text)
        except Misfit as misfit:
            raise CannotWrite(f"{NAME}: schema {self._latest} of {self.subject}: {misfit}") from misfit


def _id(data: bytes) -> int | None:
    if len(data) < 5 or data[0] != 0:
        return None
    return int.from_bytes(data[1:5], "big")
