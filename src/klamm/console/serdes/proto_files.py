"""Records in Protocol Buffers by files of the console's own: descriptor sets, or `.proto` sources (ProtobufFile).

Which type a topic's records have, the settings say: one for all, or by topic.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from klamm.console.serdes import CannotWrite, Part, Shown, protobuf
from klamm.console.serdes.builtin import as_it_is
from klamm.console.serdes.cursor import Misfit

NAME = "ProtobufFile"
_DESCRIPTORS = (".desc", ".pb", ".binpb", ".protoset", ".fds")
_LARGEST = 32 << 20


@dataclass(frozen=True, slots=True)
class FileSettings:
    """`files` are read relative to `folder`; without files all of the folder are. Types by their full names."""

    files: tuple[str, ...] = ()
    folder: str | None = None
    message: str | None = None
    message_by_topic: Mapping[str, str] = field(default_factory=dict)
    key_message: str | None = None
    key_message_by_topic: Mapping[str, str] = field(default_factory=dict)

    def type_of(self, topic: str, part: Part) -> str | None:
        if part == "key":
            return self.key_message_by_topic.get(topic, self.key_message)
        return self.message_by_topic.get(topic, self.message)


def load(settings: FileSettings) -> protobuf.Messages:
    """Reads the files. Raises `Misfit` with the file's name."""
    if (why := protobuf.missing()) is not None:
        raise Misfit(f"{why} is not installed here")
    paths = _paths(settings)
    from google.protobuf.descriptor_pb2 import FileDescriptorSet
    from google.protobuf.message import DecodeError

    from klamm.console.serdes.proto_text import descriptor

    files = {}
    for name, path in paths:
        try:
            if path.stat().st_size > _LARGEST:
                raise Misfit(f"{path} has more than {_LARGEST >> 20} MiB")
            if path.suffix == ".proto":
                files[name] = descriptor(path.read_text(), name)
            else:
                files |= {one.name: one for one in FileDescriptorSet.FromString(path.read_bytes()).file}
        except (OSError, UnicodeDecodeError, DecodeError) as error:
            raise Misfit(f"{path} cannot be read: {error}") from None
        except Misfit as misfit:
            raise Misfit(f"{path}: {misfit}") from None
    return protobuf.Messages(files.values())


def _paths(settings: FileSettings) -> Sequence[tuple[str, Path]]:
    """With the names that imports have for them."""
    if settings.folder is None:
        return [(Path(one).name, Path(one)) for one in settings.files]
    folder = Path(settings.folder)
    if settings.files:
        return [(one, folder / one) for one in settings.files]
    found = sorted(one for one in folder.rglob("*") if one.suffix in (".proto", *_DESCRIPTORS))
    return [(one.relative_to(folder).as_posix(), one) for one in found]


@dataclass(frozen=True, slots=True)
class ByFiles:
    """`messages`: or why there are none."""

    messages: protobuf.Messages | str
    type: str | None
    name: str = NAME

    async def prepare(self, samples: Sequence[bytes]) -> None:
        pass

    def _both(self) -> tuple[protobuf.Messages, str]:
        if isinstance(self.messages, str):
            raise Misfit(self.messages)
        if self.type is None:
            raise Misfit("the settings name no type for this topic (protobufMessageNameByTopic)")
        return self.messages, self.type

    def read(self, data: bytes) -> Shown:
        try:
            messages, type_ = self._both()
            return Shown("json", protobuf.to_json(messages.type(type_), data, messages), details=(("message", type_),))
        except Misfit as misfit:
            return as_it_is(data, f"{self.name}: {misfit}")

    def write(self, text: str) -> bytes:
        try:
            messages, type_ = self._both()
            return protobuf.from_json(messages.type(type_), text, messages)
        except Misfit as misfit:
            raise CannotWrite(f"{self.name}: {misfit}") from misfit
