"""Protocol Buffers by their descriptors: bytes to JSON and back, by the library of the extra `console`.

The library reads at most a hundred levels and never makes more of bytes than they are.
"""

import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from klamm.console.serdes.cursor import Misfit

NAME = "the library protobuf (klamm's extra `console`)"


def missing() -> str | None:
    """What is not installed; None when all is there."""
    return None if importlib.util.find_spec("google.protobuf") else NAME


class Messages:
    """All message types of some files."""

    def __init__(self, files: Iterable[Any]) -> None:
        """`files`: FileDescriptorProtos, in any order; those of Google's that come with the library are known."""
        from google.protobuf import descriptor_pool

        self._pool = descriptor_pool.DescriptorPool()
        self._files: dict[str, Any] = {}
        given = {one.name: one for one in files}
        for name in given:
            self._add(name, given, ())

    @classmethod
    def of_set(cls, data: bytes) -> "Messages":
        """From a FileDescriptorSet (`protoc --include_imports --descriptor_set_out`)."""
        from google.protobuf.descriptor_pb2 import FileDescriptorSet
        from google.protobuf.message import DecodeError

        try:
            return cls(FileDescriptorSet.FromString(data).file)
        except DecodeError:
            raise Misfit("it is no FileDescriptorSet; protoc --descriptor_set_out makes one") from None

    @classmethod
    def of_sources(cls, sources: Mapping[str, str]) -> "Messages":
        """From `.proto` sources by their names, as imports spell them."""
        from klamm.console.serdes.proto_text import descriptor

        return cls([descriptor(source, name) for name, source in sources.items()])

    def _add(self, name: str, given: Mapping[str, Any], under: Sequence[str]) -> None:
        if name in self._files:
            return
        if name in under:
            raise Misfit(f"{name} imports itself")
        if name not in given:
            file = _of_google(name)
            if file is None:
                raise Misfit(f"{under[-1] if under else 'it'} imports {name}, which is not given")
            given = {**given, name: file}
        for wanted in given[name].dependency:
            self._add(wanted, given, (*under, name))
        try:
            self._pool.AddSerializedFile(given[name].SerializeToString())
        except (TypeError, KeyError, ValueError) as error:
            raise Misfit(f"{name}: {str(error).strip()}") from None
        self._files[name] = given[name]

    def type(self, name: str) -> Any:
        try:
            return self._pool.FindMessageTypeByName(name)
        except KeyError:
            raise Misfit(f"there is no message type {name}") from None

    def at(self, file: str, path: Sequence[int]) -> Any:
        """A type by its place in a file, as Confluent's wire format has it."""
        types, name = self._files[file].message_type, self._files[file].package
        for index in path:
            if not 0 <= index < len(types):
                raise Misfit(f"the schema has no message type at {list(path)}")
            name = f"{name}.{types[index].name}".lstrip(".")
            types = types[index].nested_type
        return self.type(name)


def to_json(type_: Any, data: bytes, messages: Messages) -> str:
    from google.protobuf import json_format, message_factory
    from google.protobuf.message import DecodeError

    try:
        message = message_factory.GetMessageClass(type_).FromString(data)
        return json_format.MessageToJson(message, indent=None, ensure_ascii=False, descriptor_pool=messages._pool)
    except (DecodeError, json_format.Error, RecursionError, ValueError, TypeError) as error:
        raise Misfit(f"it is no {type_.full_name}: {str(error).strip()}") from None


def from_json(type_: Any, text: str, messages: Messages) -> bytes:
    from google.protobuf import json_format, message_factory

    message = message_factory.GetMessageClass(type_)()
    try:
        json_format.Parse(text, message, descriptor_pool=messages._pool, max_recursion_depth=64)
        return bytes(message.SerializeToString())
    except (json_format.Error, RecursionError, ValueError, TypeError) as error:
        raise Misfit(f"it does not become a {type_.full_name}: {str(error).strip()}") from None


def _of_google(name: str) -> Any:
    """A file that comes with the library."""
    import google.protobuf
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    module = name.removeprefix("google/protobuf/").removesuffix(".proto")
    if module not in _COMES_ALONG:
        return None
    loaded = __import__(f"{google.protobuf.__name__}.{module}_pb2", fromlist=["DESCRIPTOR"])
    file = FileDescriptorProto()
    loaded.DESCRIPTOR.CopyToProto(file)
    return file


_COMES_ALONG = (
    "any", "api", "descriptor", "duration", "empty", "field_mask", "source_context", "struct", "timestamp", "type",
    "wrappers",
)  # fmt: skip
