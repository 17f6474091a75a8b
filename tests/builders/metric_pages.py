"""A page of metrics, read as Prometheus reads it: series with their labels and values."""

import re

Series = tuple[str, frozenset[tuple[str, str]]]

_LINE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def read_page(text: str) -> dict[Series, float]:
    """Values by name and labels; fails for a line that is no sample, and for a series that comes twice."""
    found: dict[Series, float] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        match = _LINE.match(line)
        assert match is not None, f"no sample: {line}"
        series = match[1], frozenset(_LABEL.findall(match[2] or ""))
        assert series not in found, f"twice: {line}"
        found[series] = float(match[3])
    return found


def names_of(text: str) -> set[str]:
    return {name for name, _ in read_page(text)}
