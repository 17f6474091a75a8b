"""What the values of the JMX exporter's settings have to be, each told by its place."""

from collections.abc import Iterator
from typing import Any

from klamm.resources.reading import Problem

_LARGEST = 2**31 - 1


def text(value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield Problem(path, value, "is no text", "put it in quotes")


def texts(value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield Problem(path, value, "is no list", "begin each part with a dash")
    for one in value if isinstance(value, list) else ():
        yield from text(one, path)


def switch(value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, bool):
        yield Problem(path, value, "is neither true nor false", "write one of them")


def integer(value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, int) or isinstance(value, bool) or not -_LARGEST <= value <= _LARGEST:
        yield Problem(path, value, "is no whole number", "write one like 5, without quotes")
