"""Which records are shown: a text that they hold, a filter that they pass.

A text is looked for in the raw bytes of whole batches first, where the serdes show bytes as they are. Where they do
not (numbers, Avro), and where something is masked, it is looked for in what is shown: what is hidden cannot be found.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from klamm.console.records.cel import Filter, Verdict
from klamm.console.records.shown import Message, Showing
from klamm.kafka.batches import Batch, Record

_AS_THEY_ARE = frozenset({"Auto", "String", "Json"})


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

    def may_be_in(self, batch: Batch) -> bool:
        return not self._needle or self._needle in batch.body()

    def fits(self, record: Record) -> bool:
        """As far as bytes tell."""
        needle = self._needle
        if not needle:
            return True
        return (
            (record.value is not None and needle in record.value)
            or (record.key is not None and needle in record.key)
            or any(needle in name.encode() or (value is not None and needle in value) for name, value in record.headers)
        )

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
        if not self.text or self._needle:
            return True
        texts = (
            message.key.text,
            message.value.text,
            *(part for one in message.headers for part in (one.name, one.value)),
        )
        return any(text is not None and self.text in text for text in texts)
