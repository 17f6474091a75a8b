"""The serde that is taken when nobody chooses: forms in order, and of each that does not fit, why not.

Forms that nearly anything fits (numbers, Protocol Buffers without a schema) are never guessed. MessagePack and CBOR
are taken for lists and objects only: any single byte is a number there.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from klamm.console.serdes import CannotWrite, Serde, Shown
from klamm.console.serdes.avro_file import MAGIC
from klamm.console.serdes.builtin import AUTO, as_it_is, as_json
from klamm.console.serdes.own import AVRO_EMBEDDED, CBOR, MESSAGE_PACK

_LONGEST_REASON = 300


class NotWrittenSo(CannotWrite):
    """Nobody said that this topic's records are of this form (its registry has no such subject, say)."""


@dataclass(frozen=True, slots=True)
class Automatic:
    """`first`: those that this topic may well have, tried before all others."""

    first: tuple[Serde, ...] = ()
    name: str = AUTO

    @property
    def rewrites(self) -> bool:
        """Whether what is shown may have words that the bytes have not: a search must look at what is shown."""
        return bool(self.first)

    async def prepare(self, samples: Sequence[bytes]) -> None:
        for one in self.first:
            await one.prepare(samples)

    def read(self, data: bytes) -> Shown:
        tried: list[tuple[str, str]] = []
        for one in self.first:
            shown = one.read(data)
            if shown.why_not is None:
                return self._told(one.name, shown, tried)
            tried.append((f"not {one.name}", shown.why_not))
        for name, attempt in _ATTEMPTS:
            found = attempt(data)
            if isinstance(found, Shown):
                return self._told(name, found, tried)
            tried.append((f"not {name}", found))
        return self._told("Hex", Shown("binary", data.hex()), tried)

    def _told(self, name: str, shown: Shown, tried: list[tuple[str, str]]) -> Shown:
        """For what is plainly a text nobody asks why it is no Avro."""
        reasons = [(name, why[:_LONGEST_REASON]) for name, why in tried] if shown.kind != "text" else []
        return Shown(shown.kind, shown.text, None, (("serde", name), *shown.details, *reasons))

    def write(self, text: str) -> bytes:
        """As the first of `first` that records of this topic are to have, else as text."""
        for one in self.first:
            with suppress(NotWrittenSo):
                return one.write(text)
        return text.encode()


Attempt = Callable[[bytes], Shown | str]
"""What is shown, or why not."""


def _json(data: bytes) -> Shown | str:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        return f"byte {error.start} is no UTF-8"
    return as_json(text) or "it is no JSON object or list"


def _text(data: bytes) -> Shown | str:
    shown = as_it_is(data)
    return shown if shown.kind == "text" else "it has control characters, or is no UTF-8"


def _container(serde: Serde) -> Attempt:
    def attempt(data: bytes) -> Shown | str:
        shown = serde.read(data)
        if shown.why_not is not None:
            return shown.why_not
        return shown if (shown.text or "")[:1] in ("{", "[") else "it is one number or text, as any byte could be"

    return attempt


def _embedded(data: bytes) -> Shown | str:
    if not data.startswith(MAGIC):
        return "it does not begin as a file of Avro"
    shown = AVRO_EMBEDDED.read(data)
    return shown if shown.why_not is None else shown.why_not


_ATTEMPTS: tuple[tuple[str, Attempt], ...] = (
    ("AvroEmbedded", _embedded),
    ("Json", _json),
    ("String", _text),
    ("MessagePack", _container(MESSAGE_PACK)),
    ("Cbor", _container(CBOR)),
)
