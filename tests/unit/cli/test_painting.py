"""A block on a terminal is painted over in place, never wider or higher than the terminal."""

import io

from klamm.cli.painting import Block, Line, Style, style_of


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_second_painting_goes_back_over_the_first() -> None:
    out = Terminal()
    with Block(out, Style(False)) as block:
        block.paint([Line("a"), Line("b")])
        block.paint([Line("c")])
    assert "a\nb\n" in out.getvalue()
    assert "\x1b[2F\x1b[Jc\n" in out.getvalue()
    assert out.getvalue().endswith("\x1b[1F\x1b[J\x1b[?25h")


def test_long_lines_are_cut() -> None:
    out = Terminal()
    with Block(out, Style(False)) as block:
        block.paint([Line("x" * 500)])
    assert "x…\n" in out.getvalue()
    assert "x" * 300 not in out.getvalue()


def test_more_lines_than_a_terminal_has_are_counted() -> None:
    out = Terminal()
    with Block(out, Style(False)) as block:
        block.paint([Line(str(number)) for number in range(500)])
    assert "more\n" in out.getvalue()


def test_colours_are_for_terminals_that_want_them() -> None:
    assert style_of(Terminal()).colours
    assert not style_of(Terminal(), no_color=True).colours
    assert not style_of(Terminal(), term="dumb").colours
    assert not style_of(io.StringIO()).colours
    assert Style(True)("x", "good") == "\x1b[32mx\x1b[0m"
    assert Style(False)("x", "good") == "x"
