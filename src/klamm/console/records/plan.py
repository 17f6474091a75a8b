"""From where to where records are read, and in which direction. Nothing here asks Kafka.

Readers never wait at the end of a partition: its end is known before the first record is asked for, and reading
stops there, so an empty topic is answered at once. A cursor holds all that the next page needs, so the console keeps
nothing between two pages: `f.0:15,1:20` goes on forward from these offsets, `b.0:15` backward from before it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Mode = Literal[
    "EARLIEST", "LATEST", "FROM_OFFSET", "TO_OFFSET", "FROM_TIMESTAMP", "TO_TIMESTAMP", "TAILING"
]  # kafka-ui's words
MODES: tuple[str, ...] = get_args(Mode)
BACKWARD = frozenset({"LATEST", "TO_OFFSET", "TO_TIMESTAMP"})

_CURSOR = re.compile(r"([fb])\.(\d+:\d+(?:,\d+:\d+)*)")


@dataclass(frozen=True, slots=True)
class Span:
    """Offsets from `begin` to before `end`."""

    begin: int
    end: int

    @property
    def is_empty(self) -> bool:
        return self.begin >= self.end


@dataclass(frozen=True, slots=True)
class Plan:
    backward: bool
    spans: Mapping[int, Span]


@dataclass(frozen=True, slots=True)
class Cursor:
    """`places`: forward the next offset to read, backward the offset before which to read on."""

    backward: bool
    places: Mapping[int, int]

    def __str__(self) -> str:
        places = ",".join(f"{partition}:{offset}" for partition, offset in sorted(self.places.items()))
        return f"{'b' if self.backward else 'f'}.{places}"


def cursor_of(text: str) -> Cursor | None:
    """None when it is no cursor."""
    match = _CURSOR.fullmatch(text)
    if match is None:
        return None
    pairs = (pair.split(":") for pair in match[2].split(","))
    return Cursor(match[1] == "b", {int(partition): int(offset) for partition, offset in pairs})


def planned(
    mode: str, kept: Mapping[int, Span], offset: int | None = None, young: Mapping[int, int | None] | None = None
) -> Plan:
    """`kept`: what each partition holds. `young`: the first offset that belongs to the time of FROM_TIMESTAMP, or that
    is later than the one of TO_TIMESTAMP; None where no record is.

    TO_OFFSET and TO_TIMESTAMP include what they name. TAILING begins at the end.
    """
    return Plan(
        mode in BACKWARD, {one: _span(mode, span, offset, (young or {}).get(one)) for one, span in kept.items()}
    )


def _span(mode: str, kept: Span, offset: int | None, young: int | None) -> Span:
    if mode == "FROM_OFFSET":
        return Span(max(kept.begin, offset or 0), kept.end)
    if mode == "TO_OFFSET":
        return Span(kept.begin, min(kept.end, (offset or 0) + 1))
    if mode == "FROM_TIMESTAMP":
        return Span(kept.end if young is None else max(kept.begin, young), kept.end)
    if mode == "TO_TIMESTAMP":
        return Span(kept.begin, kept.end if young is None else min(kept.end, young))
    if mode == "TAILING":
        return Span(kept.end, kept.end)
    return kept


def resumed(cursor: Cursor, kept: Mapping[int, Span]) -> Plan:
    """Where the last page ended, as far as it is still there. What has been written since is after a forward cursor."""
    spans = {}
    for one, place in cursor.places.items():
        span = kept.get(one, Span(0, 0))
        spans[one] = (
            Span(span.begin, min(place, span.end)) if cursor.backward else Span(max(place, span.begin), span.end)
        )
    return Plan(cursor.backward, spans)
