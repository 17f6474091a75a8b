"""Java properties files, written line by line.

Nothing from a manifest can become a second line or another key: what `java.util.Properties` reads specially is
escaped. It reads bytes as Latin-1, so whatever is not plain ASCII goes in as `\\uXXXX`.
"""

from collections.abc import Iterable
from typing import Any

from klamm.releases.settings import as_text

_NAMED = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_END_A_KEY = frozenset("=: #!")


class Properties:
    """A properties file under construction, in sections that begin with a comment."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def section(self, *comment: str) -> None:
        """Begin a section: an empty line, then the comment."""
        if self._lines:
            self._lines.append("")
        self._lines += [f"# {line}" for line in comment]

    def set(self, key: str, value: Any) -> None:
        self._lines.append(f"{_escaped_key(key)}={_escaped(as_text(value))}")

    def update(self, values: Iterable[tuple[str, Any]]) -> None:
        for key, value in values:
            self.set(key, value)

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"


def _escaped_key(key: str) -> str:
    """A key ends at the first space, `=` or `:`, and a line that begins with `#` or `!` is a comment."""
    if _is_plain(key) and _END_A_KEY.isdisjoint(key):
        return key
    return "".join(f"\\{sign}" if sign in _END_A_KEY else _sign(sign) for sign in key)


def _escaped(text: str) -> str:
    """A value; a leading space would be dropped when it is read."""
    escaped = text if _is_plain(text) else "".join(map(_sign, text))
    return f"\\{escaped}" if escaped.startswith(" ") else escaped


def _is_plain(text: str) -> bool:
    """Whether no sign of it has to be escaped: nearly always, and every pass writes a thousand lines."""
    return text.isascii() and text.isprintable() and "\\" not in text


def _sign(sign: str) -> str:
    if sign in _NAMED:
        return _NAMED[sign]
    if sign.isascii() and sign.isprintable():
        return sign
    units = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
