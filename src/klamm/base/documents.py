"""YAML from people whom nobody knows: read only when it is no deeper and no larger than an honest document.

PyYAML's fast reader composes by recursion in C, where fifty thousand "[" end the process; and a document of a few lines
can name itself, or hold a billion nodes by aliases of aliases, which come apart when it is written as JSON. The
events of a document tell both beforehand, without recursion.
"""

from collections.abc import Iterator
from typing import Any

import yaml

DEEPEST = 200
LARGEST = 1_000_000
"""Nodes, each alias counted as what it stands for. A thousand KafkaTopics have some fifty thousand."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(text: str | bytes) -> Any:
    """The one document. Raises `yaml.YAMLError`, which names line and column, or ValueError: a value out of range."""
    _check(text)
    return yaml.load(text, Loader=_LOADER)


def read_all(text: str | bytes) -> Iterator[Any]:
    """Every document, None for an empty one. Raises as `read` does."""
    _check(text)
    yield from yaml.load_all(text, Loader=_LOADER)


def _check(text: str | bytes) -> None:
    counted = _Count()
    for event in yaml.parse(text, Loader=_LOADER):
        counted.add(event)


class _Count:
    """Nodes so far, and how many each anchor stands for."""

    def __init__(self) -> None:
        self._nodes = 0
        self._open: list[tuple[str | None, int]] = []
        self._anchors: dict[str | None, int] = {}

    def add(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = self._open.pop()
            if anchor:
                self._anchors[anchor] = self._nodes - before
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open.append((event.anchor, self._nodes))
            self._nodes += 1
            if len(self._open) > DEEPEST:
                raise _refused(event, f"nested deeper than {DEEPEST} levels")
        elif isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in self._open):
                raise _refused(event, f"*{event.anchor} stands in what it names")
            self._nodes += self._anchors.get(event.anchor, 1)
        elif isinstance(event, yaml.ScalarEvent):
            self._nodes += 1
            if event.anchor:
                self._anchors[event.anchor] = 1
        if self._nodes > LARGEST:
            raise _refused(event, f"more than {LARGEST} nodes, aliases written out")


def _refused(event: yaml.Event, why: str) -> yaml.YAMLError:
    return yaml.MarkedYAMLError(problem=why, problem_mark=event.start_mark)  # type: ignore[arg-type]
