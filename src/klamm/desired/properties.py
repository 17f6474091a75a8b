"""Java properties files, written line by line.

A value from a manifest can never become a second line: line breaks and backslashes are escaped as
`java.util.Properties` reads them.
"""

from collections.abc import Iterable
from typing import Any

from klamm.releases.settings import as_text


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
        self._lines.append(f"{_escaped(key)}={_escaped(as_text(value))}")

    def update(self, values: Iterable[tuple[str, Any]]) -> None:
        for key, value in values:
            self.set(key, value)

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"


def _escaped(text: str) -> str:
    r"""`\` and line breaks as properties files write them; a leading space would be dropped when it is read."""
    escaped = text.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")
    return f"\\{escaped}" if escaped.startswith(" ") else escaped
