"""Properties files: whatever is written comes back as one key and one value when Java's rules read it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klamm.desired.properties import Properties

_SIGNS = {"t": "\t", "n": "\n", "f": "\f", "r": "\r"}


def as_java_reads(text: str) -> dict[str, str]:
    """java.util.Properties.load for files without continued lines (its documentation), bytes as Latin-1."""
    found = {}
    for line in text.encode("ascii").decode("latin-1").split("\n"):
        line = line.lstrip(" \t\f")
        if not line or line[0] in "#!":
            continue
        end = next((i for i, sign in enumerate(line) if sign in "=: \t\f" and not _escaped_at(line, i)), len(line))
        rest = line[end:].lstrip(" \t\f")
        value = rest[1:].lstrip(" \t\f") if rest[:1] in ("=", ":") and rest else rest
        found[_unescaped(line[:end])] = _unescaped(value)
    return found


def _escaped_at(line: str, index: int) -> bool:
    before = line[:index]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _unescaped(text: str) -> str:
    signs, units = iter(text), ""
    for sign in signs:
        if sign != "\\":
            units += sign
            continue
        escaped = next(signs)
        if escaped == "u":
            units += chr(int("".join(next(signs) for _ in range(4)), 16))
        else:
            units += _SIGNS.get(escaped, escaped)
    return units.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=4))
def test_everything_comes_back(settings: dict[str, str]) -> None:
    properties = Properties()
    properties.update(settings.items())
    assert as_java_reads(properties.text()) == settings


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("plain", "a=b:c", "plain=a=b:c"),
        ("a", "1\nlisteners=x", "a=1\\nlisteners=x"),
        ("\tlisteners", "x", "\\tlisteners=x"),
        ("a=b", "c", "a\\=b=c"),
        ("#a", "c", "\\#a=c"),
        ("a", " b", "a=\\ b"),
        ("a", "ü\u2028", "a=\\u00fc\\u2028"),
        ("a", "C:\\x", "a=C:\\\\x"),
        ("a", True, "a=true"),
        ("a", [1, "b"], "a=1,b"),
    ],
)
def test_a_line(key: str, value: object, line: str) -> None:
    properties = Properties()
    properties.set(key, value)
    assert properties.text() == f"{line}\n"
