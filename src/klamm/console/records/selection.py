"""Which records are shown: a text that they hold, a filter that they pass.

A text is looked for in the raw bytes of whole batches first, where the serdes show bytes as they are. Where they do
not (numbers, Avro), and where something is masked, it is looked for in what is shown: what is hidden cannot be found.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from klamm.console.records.cel import Filter, Verdict
from klamm.console.records.shown import Message, Showing
from klamm.kafka.batches import Batch, Record

_AS_THEY_ARE = frozenset({"Auto", "String", "Json"})
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True, slots=True)
class Selection:
    """`text` "": any; `filter`: None without one."""

    showing: Showing
    text: str = ""
    filter: Filter | None = None
    _needle: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_needle", self.text.encode() if self._is_raw else b"")

    @property
    def _is_raw(self) -> bool:
        showing = self.showing
        serdes = (showing.key, showing.value)
        rewrites = any(one.name not in _AS_THEY_ARE or getattr(one, "rewrites", False) for one in serdes)
        return not rewrites and not showing.serdes.masks(showing.topic)

    @property
    def searches(self) -> bool:
        """Whether most records may be of no interest."""
        return bool(self.text) or self.filter is not None

    @property
    def is_quick(self) -> bool:
        """Bytes tell: megabytes can be looked through at once."""
        return bool(self._needle)

    def may_be_among(self, fetched: bytes) -> bool:
        """Whether bytes that are not compressed can hold it at all: one look for many batches."""
        return not self._needle or self._needle in fetched

    def fitting(self, batch: Batch, is_among: bool) -> list[Record]:
        """As far as bytes tell; `is_among`: what `may_be_among` said of the bytes around. Raises `Corrupt`."""
        needle = self._needle
        if not needle or not self._is_plain(batch):
            return batch.records()
        if not (is_among or batch.is_packed) or needle not in batch.body():
            return []
        return [one for one in batch.records() if _holds(one, needle)]

    def _is_plain(self, batch: Batch) -> bool:
        """Whether its records are shown as they are. A batch is of one writer, who writes all alike: the first tells.
        `Auto` shows what is no text by other serdes; a Protocol Buffer may begin with a line's end."""
        first = batch.first()
        return first is None or all(_is_text(part) for part in (first.key, first.value) if part)

    async def verdicts(self, messages: Sequence[Message]) -> list[Verdict]:
        """The rest, for those that fit."""
        verdicts: list[Verdict] = [self._shows(one) for one in messages]
        if self.filter is None:
            return verdicts
        asked = [at for at, verdict in enumerate(verdicts) if verdict is True]
        for at, verdict in zip(asked, await self.filter.verdicts([messages[at] for at in asked]), strict=True):
            verdicts[at] = verdict
        return verdicts

    def _shows(self, message: Message) -> bool:
        if not self.text:
            return True
        texts = (
            message.key.text,
            message.value.text,
            *(part for one in message.headers for part in (one.name, one.value)),
        )
        return any(text is not None and self.text in text for text in texts)


def _is_text(data: bytes) -> bool:
    try:
        return data[:1] != b"\n" and _NO_TEXT.search(data.decode()) is None
    except UnicodeDecodeError:
        return False


def _holds(record: Record, needle: bytes) -> bool:
    return (
        (record.value is not None and needle in record.value)
        or (record.key is not None and needle in record.key)
        or any(needle in name.encode() or (value is not None and needle in value) for name, value in record.headers)
    )
