"""The JSONPath of CRD columns and scale: fields, indexes, wildcards, slices of none, filters `[?(@.type=="Ready")]`."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

Step = Callable[[Any], Iterator[Any]]
_TOKEN = re.compile(
    r"""\.\.?(?P<field>[A-Za-z0-9_\-/]+(?:\\\.[A-Za-z0-9_\-/]+)*|\*)
    |\[(?P<quoted>'[^']*'|"[^"]*")\]
    |\[(?P<index>-?\d+)\]
    |\[(?P<all>\*)\]
    |\[\?\((?P<filter>[^\]]*)\)\]""",
    re.VERBOSE,
)
_FILTER = re.compile(r"""^\s*@(?P<path>[^=!<>\s]*)\s*(?:(?P<op>==|!=|<=|>=|<|>)\s*(?P<value>.+?))?\s*$""")


def find(path: str, value: Any) -> list[Any]:
    """All values at the path; a path that cannot be read finds nothing."""
    found = [value]
    for step in _steps(path):
        found = [result for each in found for result in step(each)]
    return found


@lru_cache(512)
def _steps(path: str) -> tuple[Step, ...]:
    text = path.strip().removeprefix("{").removesuffix("}").removeprefix("$")
    steps = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return (lambda value: iter(()),)
        steps.append(_step(match))
        at = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> Step:
    if match["filter"] is not None:
        return _filter(match["filter"])
    if match["index"] is not None:
        return _at(int(match["index"]))
    if match["all"] is not None or match["field"] == "*":
        return _each
    name = match["quoted"][1:-1] if match["quoted"] else match["field"].replace("\\.", ".")
    return _field(name)


def _field(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _at(index: int) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _each(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        yield from value
    elif isinstance(value, dict):
        yield from value.values()


def _filter(text: str) -> Step:
    match = _FILTER.match(text)
    if match is None:
        return lambda value: iter(())
    path, operator, literal = match["path"], match["op"], match["value"]
    wanted = _literal(literal) if literal else None

    def step(value: Any) -> Iterator[Any]:
        for each in value if isinstance(value, list) else ():
            have = find(path, each)
            if have and (operator is None or _compares(have[0], operator, wanted)):
                yield each

    return step


def _literal(text: str) -> Any:
    if text[:1] in "'\"":
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def _compares(have: Any, operator: str, wanted: Any) -> bool:
    if operator == "==":
        return bool(have == wanted)
    if operator == "!=":
        return bool(have != wanted)
    if type(have) is not type(wanted):
        return False
    return bool({"<": have < wanted, ">": have > wanted, "<=": have <= wanted, ">=": have >= wanted}[operator])
