"""Serdes: what the bytes of a key or a value say to people, and back.

    serde = place.serdes.get("orders", "value", None)      # None: the one that is taken when nobody chooses
    await serde.prepare([record.value])
    shown = place.serdes.masked("orders", "value", serde.read(record.value))

A `Serde` reads and writes; `Serdes` says which of them there are for a topic. Reading never fails: what cannot be read
is shown as it is, with the reason. The built-in ones are in `builtin.py`; whoever knows more (a registry, files of
schemas, masks) hands out its own `Serdes`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["null", "text", "json", "binary"]
Part = Literal["key", "value"]


@dataclass(frozen=True, slots=True)
class Shown:
    """`text`: of kind "json" it is a JSON document whose numbers are exact; of "binary" it is hexadecimal; of "null"
    it is None. `why_not`: why the serde could not read the bytes; then they are shown as text or as binary.

    `details`: what is worth knowing beside ({"schemaId": "7", "subject": …}).
    """

    kind: Kind
    text: str | None
    why_not: str | None = None
    details: tuple[tuple[str, str], ...] = ()


class CannotWrite(Exception):
    """The text is none that this serde can write; the message says why, and how to mend it."""


class Serde(Protocol):
    @property
    def name(self) -> str:
        """As kafka-ui spells it."""
        ...

    async def prepare(self, samples: Sequence[bytes]) -> None:
        """Fetch what reading these needs (schemas of a registry); without samples: what writing needs.

        Does not raise: what could not be fetched, `read` and `write` say.
        """
        ...

    def read(self, data: bytes) -> Shown:
        """Never raises."""
        ...

    def write(self, text: str) -> bytes:
        """Raises `CannotWrite`."""
        ...


class UnknownSerde(Exception):
    """The message names those that there are."""


class Serdes(Protocol):
    """Those of one cluster."""

    def names(self, topic: str, part: Part) -> Sequence[str]:
        """Which can be chosen; the first is taken when nobody chooses."""
        ...

    def get(self, topic: str, part: Part, name: str | None) -> Serde:
        """Raises `UnknownSerde`."""
        ...

    def masks(self, topic: str) -> bool:
        """Whether anything of this topic is hidden: then filters look at what is shown, not at the bytes."""
        ...

    def uncovered(self, source: str, target: str) -> str | None:
        """Why a copy of records from topic to topic would show what is hidden; None: it would not."""
        ...

    def masked(self, topic: str, part: Part, shown: Shown) -> Shown:
        """With what must not be shown hidden."""
        ...
