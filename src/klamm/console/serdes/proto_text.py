"""Sources of Protocol Buffers (`.proto`), as registries keep them, to descriptors, without a compiler.

Messages, enums, oneofs, maps, nested types, imports; syntax proto2 and proto3. Options are passed over but for
`packed` and `json_name`, services and extensions are passed over whole. Names are resolved by the library that the
descriptors are given to.
"""

import re
from typing import Any

from klamm.console.serdes.cursor import DEEPEST, Misfit

_TOKEN = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
    r"""|(?P<word>[.\w][\w.+]*|-(?=[\w.]))|(?P<sign>[{}\[\]()<>;=,:/&|!?-])""",
    re.S,
)
_TYPES = {
    "double": 1, "float": 2, "int64": 3, "uint64": 4, "int32": 5, "fixed64": 6, "fixed32": 7, "bool": 8, "string": 9,
    "bytes": 12, "uint32": 13, "sfixed32": 15, "sfixed64": 16, "sint32": 17, "sint64": 18,
}  # fmt: skip
"""FieldDescriptorProto.Type"""
_LABELS = {"optional": 1, "required": 2, "repeated": 3}
_LONGEST = 1 << 20
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def descriptor(source: str, name: str) -> Any:
    """A `FileDescriptorProto` called `name`. Raises `Misfit` with the line of what is not understood."""
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    return _Parser(source).file(FileDescriptorProto(name=name))


class _Parser:
    def __init__(self, source: str) -> None:
        if len(source) > _LONGEST:
            raise Misfit(f"the source has more than {_LONGEST} characters")
        self.source = source
        self.tokens: list[tuple[str, int]] = []
        at = 0
        while at < len(source):
            found = _TOKEN.match(source, at)
            if found is None:
                raise self._misfit(f"{source[at]!r} is not understood", at)
            if found.lastgroup:
                self.tokens.append((found.group(), at))
            at = found.end()
        self.at = 0
        self.proto3 = False

    def _misfit(self, what: str, at: int) -> Misfit:
        return Misfit(f"line {self.source.count(chr(10), 0, at) + 1} of the source: {what}")

    @property
    def peek(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        if self.at >= len(self.tokens):
            raise self._misfit("it ends in the middle of a definition", len(self.source))
        self.at += 1
        return self.tokens[self.at - 1][0]

    def want(self, sign: str) -> None:
        if (found := self.next()) != sign:
            raise self._misfit(f"{sign!r} is wanted, not {found!r}", self.tokens[self.at - 1][1])

    def number(self) -> int:
        found = self.next()
        negative = found == "-"
        found = self.next() if negative else found
        try:
            value = int(found, 8) if re.fullmatch(r"0[0-7]+", found) else int(found, 0)
        except ValueError:
            raise self._misfit(f"a number is wanted, not {found!r}", self.tokens[self.at - 1][1]) from None
        value = -value if negative else value
        if not -(2**31) <= value < 2**31:
            raise self._misfit(f"{value} is no number of a field or an enum", self.tokens[self.at - 1][1])
        return value

    def string(self) -> str:
        found = self.next()
        if found[:1] not in ("'", '"'):
            raise self._misfit(f"a string is wanted, not {found!r}", self.tokens[self.at - 1][1])
        return re.sub(r"\\(.)", lambda one: _ESCAPES.get(one[1], one[1]), found[1:-1])

    def skip(self) -> None:
        """To the end of a statement, or of its block."""
        depth = 0
        while True:
            found = self.next()
            depth += (found in "{[(") - (found in "}])")
            if not depth and found in (";", "}"):
                return

    def file(self, file: Any) -> Any:
        while self.peek:
            match self.next():
                case "syntax":
                    self.want("=")
                    file.syntax = self.string()
                    self.proto3 = file.syntax == "proto3"
                    self.want(";")
                case "package":
                    file.package = self.next()
                    self.want(";")
                case "import":
                    if self.peek in ("public", "weak"):
                        self.next()
                    file.dependency.append(self.string())
                    self.want(";")
                case "message":
                    self.message(file.message_type.add(), 0)
                case "enum":
                    self.enum(file.enum_type.add())
                case "option" | "service" | "extend":
                    self.skip()
                case ";":
                    pass
                case other:
                    raise self._misfit(f"{other!r} is not understood", self.tokens[self.at - 1][1])
        return file

    def message(self, message: Any, depth: int) -> None:
        if depth > DEEPEST:
            raise Misfit("the source's messages are nested too deep")
        message.name = self.next()
        self.want("{")
        while (found := self.next()) != "}":
            match found:
                case "message" if self.peek not in ("=",):
                    self.message(message.nested_type.add(), depth + 1)
                case "enum":
                    self.enum(message.enum_type.add())
                case "oneof":
                    self.oneof(message)
                case "option" | "reserved" | "extensions" | "extend":
                    self.skip()
                case "map" if self.peek == "<":
                    self.map(message)
                case "optional" | "required" | "repeated":
                    self.field(message, self.next(), found)
                case ";":
                    pass
                case _:
                    self.field(message, found, "")
        self._number_optionals(message)

    def oneof(self, message: Any) -> None:
        message.oneof_decl.add(name=self.next())
        at = len(message.oneof_decl) - 1
        self.want("{")
        while (found := self.next()) != "}":
            if found == "option":
                self.skip()
            elif found != ";":
                self.field(message, found, "").oneof_index = at

    def field(self, message: Any, kind: str, label: str) -> Any:
        field = message.field.add(name=self.next(), label=_LABELS.get(label, 1))
        if kind == "group":
            raise self._misfit("groups are not read", self.tokens[self.at - 1][1])
        if kind in _TYPES:
            field.type = _TYPES[kind]
        else:
            field.type_name = kind
        self.want("=")
        field.number = self.number()
        if self.proto3 and label == "optional":
            field.proto3_optional = True
        self._options(field)
        return field

    def map(self, message: Any) -> None:
        self.want("<")
        key = self.next()
        self.want(",")
        value = self.next()
        self.want(">")
        name = self.next()
        self.want("=")
        entry = message.nested_type.add(name="".join(part[:1].upper() + part[1:] for part in name.split("_")) + "Entry")
        entry.options.map_entry = True
        for number, (part, kind) in enumerate((("key", key), ("value", value)), 1):
            field = entry.field.add(name=part, number=number, label=1)
            if kind in _TYPES:
                field.type = _TYPES[kind]
            else:
                field.type_name = kind
        field = message.field.add(name=name, number=self.number(), label=3, type=11, type_name=entry.name)
        self._options(field)

    def _options(self, field: Any) -> None:
        if self.peek == "[":
            begin = self.at
            depth = 0
            while True:
                depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(self.next(), 0)
                if not depth:
                    break
            words = [word for word, _ in self.tokens[begin : self.at]]
            for name, sign, value in zip(words, words[1:], words[2:], strict=False):
                if sign == "=" and name == "packed":
                    field.options.packed = value == "true"
                if sign == "=" and name == "json_name":
                    field.json_name = value[1:-1]
        self.want(";")

    def enum(self, enum: Any) -> None:
        enum.name = self.next()
        self.want("{")
        while (found := self.next()) != "}":
            if found in ("option", "reserved"):
                self.skip()
                # an alias is no mistake
                enum.options.allow_alias = True
            elif found != ";":
                self.want("=")
                enum.value.add(name=found, number=self.number())
                while self.next() != ";":
                    pass

    def _number_optionals(self, message: Any) -> None:
        """proto3's optional fields are oneofs of one, after all others."""
        for field in message.field:
            if field.proto3_optional:
                message.oneof_decl.add(name=f"_{field.name}")
                field.oneof_index = len(message.oneof_decl) - 1
