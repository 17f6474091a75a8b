"""A block of lines that is kept up to date in place on a terminal. Twenty control sequences' worth of work: a
library that draws would take longer to import than a cluster's control plane takes to start.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

_UP_AND_CLEAR = "\x1b[{}F\x1b[J"
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"
_CODES = {"good": "32", "bad": "31", "busy": "33", "quiet": "2", "strong": "1"}

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


@dataclass(frozen=True, slots=True)
class Style:
    """Colours and signs, or plain text where nobody would see them as such."""

    colours: bool

    def __call__(self, text: str, how: str) -> str:
        return f"\x1b[{_CODES[how]}m{text}\x1b[0m" if self.colours and text else text


@dataclass(frozen=True, slots=True)
class Line:
    """`how` colours the whole line."""

    text: str
    how: str = ""


def style_of(out: TextIO, *, no_color: bool = False, term: str = "") -> Style:
    return Style(out.isatty() and not no_color and term != "dumb")


class Block:
    """Context manager; what was painted last is taken away at its end, so that a summary can stand in its place."""

    def __init__(self, out: TextIO, style: Style) -> None:
        self._out = out
        self._style = style
        self._height = 0

    def __enter__(self) -> "Block":
        self._out.write(_HIDE_CURSOR)
        return self

    def __exit__(self, *_: object) -> None:
        self._out.write(self._back() + _SHOW_CURSOR)
        self._out.flush()

    def paint(self, lines: Sequence[Line]) -> None:
        size = shutil.get_terminal_size()
        shown = list(lines)
        if len(shown) > size.lines - 1:
            left = len(shown) - (size.lines - 2)
            shown = [*shown[: size.lines - 2], Line(f"… and {left} more", "quiet")]
        texts = [self._line(line, size.columns - 1) for line in shown]
        self._out.write(_NO_WRAP + self._back() + "".join(f"{text}\n" for text in texts) + _WRAP)
        self._out.flush()
        self._height = len(texts)

    def _line(self, line: Line, width: int) -> str:
        cut = line.text if len(line.text) <= width else line.text[: width - 1] + "…"
        return self._style(cut, line.how) if line.how else cut

    def _back(self) -> str:
        height, self._height = self._height, 0
        return _UP_AND_CLEAR.format(height) if height else ""
