"""Reads what users wrote: the typed resource, or every problem with the place, the value, the rule and the mend.

The API server checks a manifest against the CRD, but not always (objects of an older CRD, servers without validation,
fields that the CRD leaves open), and it knows no mends. So the operators read with `decode`. What does no
harm is not a problem but a remark: unknown fields (a typing error, most often) and deprecated ones; the operators
write them into a Warning condition.

Nulls count as not given (Kubernetes behaviour for fields that are not nullable). Numbers and booleans in maps of
strings become text (`resources.structure.Texts`). Nobody is blamed for a status.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from klamm.resources.fields import Field, Items, Leaf, Open, QuantityMap, Shape, TextMap, fields_of
from klamm.resources.structure import About, Block, Version

B = TypeVar("B", bound=Block)

_UNCHECKED = frozenset({"metadata"})
"""Fields of a resource that the API server alone answers for."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at one place, e.g. `spec.kafka.listeners[0].port`; `value` is None when there is none."""

    path: str
    value: Any
    rule: str
    mend: str

    def __str__(self) -> str:
        subject = self.path if self.value is None else f"{self.path}: {_shown(self.value)}"
        return f"{subject} {self.rule}; {self.mend}"


@dataclass(frozen=True, slots=True)
class Invalid:
    """The resource cannot be used until its user changes it."""

    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        return ". ".join(str(problem) for problem in self.problems)


@dataclass(frozen=True, slots=True)
class UnknownField:
    """A field that no version of the kind has; `meant` is a known one with a similar name."""

    path: str
    meant: str | None

    def __str__(self) -> str:
        hint = f" (did you mean {self.meant}?)" if self.meant else ""
        return f"{self.path} is not a known field and is ignored{hint}"


@dataclass(frozen=True, slots=True)
class DeprecatedField:
    """A field that should not be used any more, and what to do instead."""

    path: str
    mend: str

    def __str__(self) -> str:
        return f"{self.path} is deprecated: {self.mend}"


@dataclass(slots=True)
class Reading:
    """Everything that one look at an object finds. `cleaned` is the object without nulls and unknown fields."""

    cleaned: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unknown: list[UnknownField] = field(default_factory=list)
    deprecated: list[DeprecatedField] = field(default_factory=list)


def decode(kind: type[B], obj: Mapping[str, Any]) -> B | Invalid:
    """The typed form of an object, or all that is wrong with its values.

    What is missing is not looked at (see `missing_fields`), nor are unknown fields.
    """
    reading = read(kind, obj)
    if reading.problems:
        return Invalid(tuple(reading.problems))
    return msgspec.convert(reading.cleaned, kind)


def unknown_fields(kind: type[Block], obj: Mapping[str, Any]) -> list[UnknownField]:
    """The fields of an object that no version of its kind has."""
    return read(kind, obj).unknown


def deprecated_fields(kind: type[Block], obj: Mapping[str, Any]) -> list[DeprecatedField]:
    """The fields of an object that should not be used any more in the API version that it is read in."""
    return read(kind, obj).deprecated


def missing_fields(kind: type[Block], obj: Mapping[str, Any]) -> list[Problem]:
    """What both API versions require and the object lacks, below nodes that it has."""
    return list(_missing(kind, obj, ""))


def read(kind: type[Block], obj: Mapping[str, Any]) -> Reading:
    """One look at an object."""
    reading = Reading()
    version: Version = "v1" if str(obj.get("apiVersion", "")).endswith("/v1") else "v1beta2"
    written = {name: value for name, value in obj.items() if name != "status"}
    reading.cleaned = _Walk(reading, version).block(kind, written, "")
    if isinstance(obj.get("status"), Mapping):
        reading.cleaned |= _status(kind, obj["status"], version)
    return reading


def _status(kind: type[Block], status: Mapping[str, Any], version: Version) -> dict[str, Any]:
    """The status is an operator's own, perhaps another version's: what cannot be read counts as not there."""
    reading = Reading()
    cleaned = _Walk(reading, version).block(kind, {"status": status}, "")
    return {} if reading.problems else cleaned


class _Walk:
    """Goes down an object beside its type; each method returns the cleaned value."""

    def __init__(self, reading: Reading, version: Version) -> None:
        self._found = reading
        self._version = version

    def block(self, block: type[Block], value: Mapping[str, Any], path: str) -> dict[str, Any]:
        known = fields_of(block)
        cleaned = {}
        for name, child in value.items():
            if child is None:
                continue
            here = f"{path}.{name}" if path else name
            if name not in known:
                self._found.unknown.append(UnknownField(here, similar(name, known)))
            elif not path and name in _UNCHECKED and isinstance(child, Mapping):
                cleaned[name] = {key: part for key, part in child.items() if part is not None}
            else:
                cleaned[name] = self._field(known[name], child, here)
        return cleaned

    def _field(self, field: Field, value: Any, path: str) -> Any:
        about = field.about
        if about.deprecated is not None and about.deprecated.since in ("v1beta2", self._version):
            self._found.deprecated.append(DeprecatedField(path, about.deprecated.mend))
        if about.at_least is not None and isinstance(value, list) and len(value) < about.at_least:
            rule = f"must have at least {about.at_least} item"
            self._problem(path, value, rule, "add one, or leave the field out")
        return self._value(field.shape, about, value, path)

    def _value(self, shape: Shape, about: About, value: Any, path: str) -> Any:
        if isinstance(shape, Leaf):
            return self._leaf(shape, about, value, path)
        if isinstance(shape, Items):
            return self._items(shape, about, value, path)
        if not isinstance(value, Mapping):
            self._problem(path, value, "must be an object", "write fields below it, one `name: value` a line")
            return {}
        if isinstance(shape, Open):
            return value
        if isinstance(shape, (TextMap, QuantityMap)):
            return self._map(shape, value, path)
        return self.block(shape, value, path)

    def _items(self, shape: Items, about: About, value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            self._problem(path, value, "must be a list", "write each item on a line that begins with a dash")
            return []
        return [self._value(shape.of, about, item, f"{path}[{i}]") for i, item in enumerate(value)]

    def _map(self, shape: TextMap | QuantityMap, value: Mapping[str, Any], path: str) -> dict[str, Any]:
        cleaned: dict[str, Any] = {}
        for name, child in value.items():
            if child is None:
                continue
            if isinstance(shape, TextMap) and not isinstance(child, (str, int, float)):
                self._problem(f"{path}.{name}", child, "must be a string", "write a single value")
            elif isinstance(shape, TextMap):
                cleaned[name] = _as_text(child)
            elif isinstance(child, bool) or not isinstance(child, (str, int, float)):
                self._problem(f"{path}.{name}", child, "must be a quantity", "write for example 500m or 2Gi")
            else:
                cleaned[name] = child
        return cleaned

    def _leaf(self, leaf: Leaf, about: About, value: Any, path: str) -> Any:
        if not _fits(leaf, value):
            self._problem(path, value, f"must be {_TYPE_WORDS[leaf]}", _type_mend(leaf, value))
            return value
        for rule, mend in _broken_limits(about, value):
            self._problem(path, value, rule, mend)
        return int(value) if leaf is Leaf.INTEGER else value

    def _problem(self, path: str, value: Any, rule: str, mend: str) -> None:
        self._found.problems.append(Problem(path, value, rule, mend))


_TYPE_WORDS = {
    Leaf.STRING: "a string",
    Leaf.INTEGER: "an integer",
    Leaf.NUMBER: "a number",
    Leaf.BOOLEAN: "true or false",
    Leaf.INT_OR_STRING: "a number or a string",
}


def _fits(leaf: Leaf, value: Any) -> bool:
    if leaf is Leaf.BOOLEAN:
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if leaf is Leaf.STRING:
        return isinstance(value, str)
    if leaf is Leaf.INTEGER:
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, (int, float) if leaf is Leaf.NUMBER else (int, float, str))


def _type_mend(leaf: Leaf, value: Any) -> str:
    if leaf is Leaf.STRING and isinstance(value, (bool, int, float)):
        return f'put it in quotes: "{_as_text(value)}"'
    if isinstance(value, str) and _reads_as(leaf, value):
        return f"write it without quotes: {value}"
    if isinstance(value, (Mapping, list)):
        return "write a single value"
    examples = {Leaf.STRING: "a word", Leaf.INTEGER: "for example 3", Leaf.NUMBER: "for example 0.5"}
    return f"write {examples.get(leaf, 'true or false')}"


def _reads_as(leaf: Leaf, text: str) -> bool:
    if leaf is Leaf.BOOLEAN:
        return text in ("true", "false")
    pattern = r"[-+]?[0-9]+" if leaf is Leaf.INTEGER else r"[-+]?[0-9]+(\.[0-9]+)?"
    return re.fullmatch(pattern, text) is not None


def _broken_limits(about: About, value: Any) -> Iterator[tuple[str, str]]:
    if about.choices and value not in about.choices:
        near = similar(str(value), about.choices)
        mend = f"write {near}" if near else f"choose {about.choices[0]}" if len(about.choices) == 1 else "choose one"
        yield f"must be one of {', '.join(about.choices)}", mend
    if about.form is not None and not re.search(about.form.pattern, value):
        yield f"must match {about.form.pattern}", f"write for example {about.form.example}"
    if about.minimum is not None and value < about.minimum:
        yield f"must be at least {about.minimum}", f"write {about.minimum} or more"
    if about.maximum is not None and value > about.maximum:
        yield f"must be at most {about.maximum}", f"write {about.maximum} or less"


def _missing(block: type[Block], value: Mapping[str, Any], path: str) -> Iterator[Problem]:
    for name, known in fields_of(block).items():
        here = f"{path}.{name}" if path else name
        child = value.get(name)
        if child is None:
            if known.about.required:
                yield Problem(here, None, "must be given", f"add {name}: {_what(known)}")
        elif not isinstance(known.shape, (Leaf, TextMap, QuantityMap, Open)):
            yield from _missing_below(known.shape, child, here)


def _missing_below(shape: Items | type[Block], value: Any, path: str) -> Iterator[Problem]:
    if isinstance(shape, Items):
        if isinstance(value, list) and isinstance(shape.of, type):
            for i, item in enumerate(value):
                if isinstance(item, Mapping):
                    yield from _missing(shape.of, item, f"{path}[{i}]")
    elif isinstance(value, Mapping):
        yield from _missing(shape, value, path)


def _what(known: Field) -> str:
    text = known.about.text.split(";", 1)[0].rstrip(".")
    return text[:1].lower() + text[1:] if text else "a value"


def similar(name: str, known: Any) -> str | None:
    from difflib import get_close_matches  # only when something is wrong

    return next(iter(get_close_matches(name, list(known), n=1, cutoff=0.7)), None)


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
