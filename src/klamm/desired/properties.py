"""Java properties files, written line by line; and which of a user's settings may go into them.

A value from a manifest can never become a second line: line breaks and backslashes are escaped as
`java.util.Properties` reads them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


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
        self._lines.append(f"{_escaped(key)}={_escaped(text_of(value))}")

    def update(self, values: Iterable[tuple[str, Any]]) -> None:
        for key, value in values:
            self.set(key, value)

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"


@dataclass(frozen=True, slots=True)
class ForbiddenKeys:
    """Prefixes of keys that the operator sets itself, and the keys that are allowed all the same.

    Compared without regard to case: Kafka ignores unknown keys, so a wrongly written one would only mislead.
    """

    prefixes: Sequence[str]
    exceptions: Sequence[str]

    def forbids(self, key: str) -> bool:
        lowered = key.lower()
        if any(lowered.startswith(exception.lower()) for exception in self.exceptions):
            return False
        return any(lowered.startswith(prefix.lower()) for prefix in self.prefixes)

    def allowed(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The settings that are taken over, in the user's order."""
        return {key: value for key, value in config.items() if value is not None and not self.forbids(key)}

    def refused(self, config: Mapping[str, Any]) -> list[str]:
        """The keys that are left out."""
        return [key for key in config if self.forbids(key)]


def text_of(value: Any) -> str:
    """A setting's value as text: `true`, not `True`; a list joined by commas."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(text_of(item) for item in value)
    return str(value)


def _escaped(text: str) -> str:
    r"""`\` and line breaks as properties files write them; a leading space would be dropped when it is read."""
    escaped = text.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")
    return f"\\{escaped}" if escaped.startswith(" ") else escaped
