"""One tree from many spellings: Spring's relaxed binding, as kafka-ui's users know it.

    kafka.clusters[0].bootstrapServers          in YAML, nested or with dots, camelCase or kebab-case
    KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS           in the environment

A shape says which keys there are. Keys come out as the shape spells them, values in their types; what no shape knows
is told and left out. `${NAME:otherwise}` is filled in from the environment. A list from the environment takes the place
of the file's whole list; everything else is merged, the environment first. All of that is Spring's rule.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from klamm.console.configuring.told import Told

_PLACEHOLDER = re.compile(r"\$\{([^${}:]+)(?::([^${}]*))?\}")
_TRUTHS = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}
_MOST_FILLED = 20


@dataclass(frozen=True, slots=True)
class Text:
    pass


@dataclass(frozen=True, slots=True)
class Truth:
    pass


@dataclass(frozen=True, slots=True)
class Number:
    least: int = 0
    most: int = 1 << 62


@dataclass(frozen=True, slots=True)
class Whatever:
    """Taken as it stands."""


@dataclass(frozen=True, slots=True)
class Properties:
    """Names with dots, as Kafka's clients have them: `security.protocol`; nested spelling means the same."""


@dataclass(frozen=True, slots=True)
class Many:
    of: "Shape"


@dataclass(frozen=True, slots=True)
class Named:
    """Names that people choose, each with the same shape. `known`: those that have capitals."""

    of: "Shape"
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fields:
    of: Mapping[str, "Shape"]

    def key(self, name: str) -> str | None:
        plain = _plain(name)
        return next((key for key in self.of if _plain(key) == plain), None)


Shape = Text | Truth | Number | Whatever | Properties | Many | Named | Fields


def _plain(name: str) -> str:
    return re.sub(r"[-_.]", "", name).lower()


# Values


@dataclass(frozen=True, slots=True)
class Reader:
    """`environment`: for placeholders."""

    told: Told
    environment: Mapping[str, str]

    def read(self, shape: Shape, given: Any, where: str) -> Any:
        """None where nothing usable is given; why is told."""
        if isinstance(given, str):
            given = self._filled(given, where)
        if given is None or (given == "" and not isinstance(shape, Text)):
            return None
        match shape:
            case Fields():
                return self._fields(shape, given, where)
            case Named():
                return self._named(shape, given, where)
            case Many(of):
                return self._many(of, given, where)
            case Properties():
                return self._properties(given, where)
            case Whatever():
                return self._whatever(given, where)
        return self._leaf(shape, given, where)

    def _leaf(self, shape: Text | Truth | Number, given: Any, where: str) -> Any:
        if isinstance(given, Mapping | list):
            self.told.refuse(where, given, "is no single value; write one")
            return None
        text = _as_text(given)
        if isinstance(shape, Text):
            return text
        if isinstance(shape, Truth):
            if text.strip().lower() not in _TRUTHS:
                self.told.refuse(where, given, "is neither true nor false; write one of them")
            return _TRUTHS.get(text.strip().lower())
        number = _whole(text)
        if number is None:
            self.told.refuse(where, given, "is no whole number; write digits")
            return None
        if not shape.least <= number <= shape.most:
            self.told.refuse(where, number, f"is out of range; write {shape.least} to {shape.most}")
            return None
        return number

    def _fields(self, shape: Fields, given: Any, where: str) -> dict[str, Any] | None:
        if not isinstance(given, Mapping):
            self.told.refuse(where or "configuration", given, f"has no fields; write some of {', '.join(shape.of)}")
            return None
        read: dict[str, Any] = {}
        for name, value in _undotted(shape, given).items():
            path = f"{where}.{name}" if where else str(name)
            key = shape.key(str(name))
            if key is None:
                self.told.unknown(path, str(name), shape.of)
            elif (one := self.read(shape.of[key], value, f"{where}.{key}" if where else key)) is not None:
                read[key] = merged(one, read[key]) if key in read else one
        return read

    def _named(self, shape: Named, given: Any, where: str) -> dict[str, Any] | None:
        if not isinstance(given, Mapping):
            self.told.refuse(where, given, "has no names; write name: value")
            return None
        spelled = {_plain(one): one for one in shape.known}
        read = {
            spelled.get(_plain(str(name)), str(name)): self.read(shape.of, value, f"{where}.{name}")
            for name, value in given.items()
        }
        return {name: value for name, value in read.items() if value is not None}

    def _many(self, of: Shape, given: Any, where: str) -> list[Any] | None:
        if isinstance(given, str) and isinstance(of, Text):
            given = [one.strip() for one in given.split(",") if one.strip()]
        if isinstance(given, Mapping) and all(isinstance(one, int) for one in given):
            given = [given[index] for index in sorted(given)]
        if not isinstance(given, list):
            self.told.refuse(where, given, "is no list; write one")
            return None
        read = [self.read(of, one, f"{where}[{index}]") for index, one in enumerate(given)]
        return [one for one in read if one is not None]

    def _properties(self, given: Any, where: str) -> dict[str, str] | None:
        if not isinstance(given, Mapping):
            self.told.refuse(where, given, "holds no properties; write name: value")
            return None
        found: dict[str, str] = {}
        for name, value in given.items():
            if isinstance(value, Mapping):
                inner = self._properties(value, f"{where}.{name}") or {}
                found |= {f"{name}.{rest}": one for rest, one in inner.items()}
            elif isinstance(value, list):
                found[str(name)] = ",".join(map(_as_text, value))
            elif value is not None:
                found[str(name)] = self._filled(_as_text(value), f"{where}.{name}") or ""
        return found

    def _whatever(self, given: Any, where: str) -> Any:
        """Variables spell a list by its numbers: {"0": first, "1": second}."""
        if isinstance(given, Mapping):
            if given and all(str(key).isdecimal() for key in given):
                given = [given[key] for key in sorted(given, key=lambda key: int(key))]
            else:
                return {key: self._whatever(value, f"{where}.{key}") for key, value in given.items()}
        if isinstance(given, list):
            return [self._whatever(one, f"{where}[{index}]") for index, one in enumerate(given)]
        return self._filled(given, where) if isinstance(given, str) else given

    def _filled(self, text: str, where: str) -> str | None:
        for _ in range(_MOST_FILLED):
            found = _PLACEHOLDER.search(text)
            if found is None:
                return text
            name, otherwise = found[1].strip(), found[2]
            value = self.environment.get(name)
            if value is None:
                value = self.environment.get(re.sub(r"[.\[]", "_", name).replace("-", "").replace("]", "").upper())
            if value is None:
                value = otherwise
            if value is None:
                self.told.refuse(where, found[0], f"names nothing; set {name} in the environment")
                return None
            text = text[: found.start()] + value + text[found.end() :]
        self.told.refuse(where, text, "holds placeholders without an end; write their values")
        return None


def _whole(text: str) -> int | None:
    """Helm writes 1000000 as 1e+06."""
    if re.fullmatch(r"-?\d{1,18}", text.strip(), re.ASCII):
        return int(text)
    if re.fullmatch(r"\d(\.\d{1,15})?e\+?\d{1,2}", text.strip(), re.ASCII) and float(text).is_integer():
        return int(float(text))
    return None


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _undotted(shape: Fields, given: Mapping[Any, Any]) -> dict[Any, Any]:
    """`server.port: 80` → `server: {port: 80}`, where no key has that name itself."""
    found: dict[Any, Any] = {}
    for name, value in given.items():
        head, dot, rest = str(name).partition(".")
        if dot and shape.key(str(name)) is None and shape.key(head):
            name, value = head, {rest: value}
        found[name] = merged(value, found[name]) if name in found else value
    return found


def merged(first: Any, other: Any) -> Any:
    """Of two trees; `first` has precedence, a list as a whole."""
    if isinstance(first, Mapping) and isinstance(other, Mapping):
        both = {**other, **first}
        return {
            name: merged(first[name], other[name]) if name in first and name in other else value
            for name, value in both.items()
        }
    return first


# Environment


def tree_of(shape: Fields, environment: Mapping[str, str], told: Told, roots: Sequence[str]) -> dict[str, Any]:
    """What the variables set. One that begins with a root and fits nothing is told; others are not ours."""
    tree: dict[Any, Any] = {}
    for name, value in sorted(environment.items()):
        words = name.replace("-", "").lower().split("_")
        path = _path(shape, words)
        if path is not None:
            _set(tree, path, value)
        elif any(name.startswith(root) for root in roots):
            told.unknown(name, name, _variables(shape))
    return tree


def _path(shape: Shape, words: Sequence[str]) -> list[str | int] | None:
    if not words:
        return [] if isinstance(shape, Text | Truth | Number | Whatever | Many) else None
    match shape:
        case Fields():
            return _path_of_field(shape, words)
        case Many(of) if words[0].isdecimal():
            rest = _path(of, words[1:])
            return None if rest is None else [int(words[0]), *rest]
        case Properties():
            return [".".join(words)]
        case Whatever():
            return list(words)
        case Named(of):
            # A name may have underscores of its own: the shortest that leaves a field.
            for count in range(1, len(words) + 1):
                if (rest := _path(of, words[count:])) is not None:
                    return ["_".join(words[:count]), *rest]
    return None


def _path_of_field(shape: Fields, words: Sequence[str]) -> list[str | int] | None:
    """bootstrapServers is BOOTSTRAPSERVERS, and older habit writes BOOTSTRAP_SERVERS."""
    for count in range(1, len(words) + 1):
        key = shape.key("".join(words[:count]))
        if key is not None and (rest := _path(shape.of[key], words[count:])) is not None:
            return [key, *rest]
    return None


def _set(tree: dict[Any, Any], path: Sequence[str | int], value: str) -> None:
    for step in path[:-1]:
        inner = tree.setdefault(step, {})
        if not isinstance(inner, dict):
            inner = tree[step] = {}
        tree = inner
    tree[path[-1]] = value


def _variables(shape: Shape, before: str = "") -> list[str]:
    """Names of variables, the first of each list only; for "did you mean"."""
    match shape:
        case Fields(of):
            return [each for key, one in of.items() for each in _variables(one, f"{before}_{_plain(key)}".strip("_"))]
        case Many(of):
            return [before.upper(), *_variables(of, f"{before}_0")]
        case Named(of):
            return _variables(of, f"{before}_name")
    return [before.upper()]
