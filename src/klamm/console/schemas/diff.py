"""What two versions of a schema differ in, line by line."""

import json
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

import msgspec

MOST_LINES = 5000


class Line(msgspec.Struct, frozen=True):
    """`old`, `new`: the line's numbers, from 1; None on the side where it is not."""

    text: str
    old: int | None
    new: int | None


def pretty(schema: str) -> str:
    """JSON with a key a line; what is no JSON, as it is."""
    try:
        return json.dumps(json.loads(schema), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return schema


def differences(old: str, new: str) -> Sequence[Line]:
    """All lines of both. Raises ValueError for schemas that are too long to compare."""
    before, after = pretty(old).splitlines(), pretty(new).splitlines()
    if max(len(before), len(after)) > MOST_LINES:
        raise ValueError(f"only schemas of up to {MOST_LINES} lines are compared")
    return list(_lines(before, after))


def _lines(before: Sequence[str], after: Sequence[str]) -> Iterator[Line]:
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=len(before) > 500).get_opcodes():
        if kind == "equal":
            for at in range(i2 - i1):
                yield Line(before[i1 + at], i1 + at + 1, j1 + at + 1)
            continue
        for at in range(i1, i2):
            yield Line(before[at], at + 1, None)
        for at in range(j1, j2):
            yield Line(after[at], None, at + 1)
