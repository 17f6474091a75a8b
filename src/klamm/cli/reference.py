"""The commands and options as a page of documentation, from the parser itself, so that they cannot differ."""

import argparse
from collections.abc import Iterator

from klamm.cli.arguments import parser

NAME = "commands"


def with_reference(page: str) -> str:
    """The page with its generated part made anew. Raises ValueError when the marks are missing."""
    return with_part(page, NAME, reference())


def with_part(page: str, name: str, part: str) -> str:
    """The page with what stands between the marks of this name replaced. Raises ValueError when they are missing."""
    begin, end = f"<!-- generated: {name} -->", f"<!-- end of what is generated: {name} -->"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"the page needs one {begin!r} and one {end!r}")
    before, after = page.split(begin)[0], page.split(end)[1]
    return f"{before}{begin}\n\n{part}\n{end}{after}"


def reference() -> str:
    return "\n".join(line for command, about in _commands(parser(), "klamm") for line in _section(command, about))


def _commands(top: argparse.ArgumentParser, prefix: str) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, command in action.choices.items():
                nested = list(_commands(command, f"{prefix} {name}"))
                yield from nested or [(command, helps.get(name, ""))]


def _section(command: argparse.ArgumentParser, about: str) -> Iterator[str]:
    yield f"### `{command.prog}`"
    yield ""
    yield f"{about[:1].upper()}{about[1:]}."
    yield ""
    for action in command._actions:
        if action.help is not argparse.SUPPRESS and action.dest != "help":
            yield f"- `{_written(action)}`: {action.help or ''}".rstrip(": ")
    yield ""


def _written(action: argparse.Action) -> str:
    if not action.option_strings:
        return str(action.metavar or action.dest)
    value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
    return ", ".join(f"{option}{value}" for option in action.option_strings)
