"""The fields of a block as data: wire name, shape of the value, what is known of it.

This is the one place that looks into annotations; CRDs, checks and coverage work on what it returns.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from klamm.resources.structure import About, Block, ScalarsAsText, Version


class Leaf(StrEnum):
    """A value without parts, by its OpenAPI type; INT_OR_STRING stands for ports, quantities and the like."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    INT_OR_STRING = "int-or-string"


@dataclass(frozen=True, slots=True)
class Items:
    """A list of values of one shape."""

    of: "Shape"


@dataclass(frozen=True, slots=True)
class TextMap:
    """Strings by name; `scalars` when bare numbers and booleans are turned into text."""

    scalars: bool


@dataclass(frozen=True, slots=True)
class QuantityMap:
    """Quantities by resource name."""


@dataclass(frozen=True, slots=True)
class Open:
    """An object whose content is free."""


Shape = Leaf | Items | TextMap | QuantityMap | Open | type[Block]

_PLAIN = {str: Leaf.STRING, int: Leaf.INTEGER, float: Leaf.NUMBER, bool: Leaf.BOOLEAN}
_NOTHING_KNOWN = About()


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    shape: Shape
    about: About

    def exists_in(self, version: Version) -> bool:
        return self.about.only is None or self.about.only == version


@cache
def fields_of(block: type[Block]) -> dict[str, Field]:
    """The fields of a block by their names on the wire."""
    return {f.encode_name: Field(f.encode_name, _shape(f.type), _about(f.type)) for f in msgspec.structs.fields(block)}


def fields_in(block: type[Block], version: Version) -> Iterator[Field]:
    return (field for field in fields_of(block).values() if field.exists_in(version))


def _about(annotation: Any) -> About:
    marks = getattr(annotation, "__metadata__", ())
    return next((mark for mark in marks if isinstance(mark, About)), _NOTHING_KNOWN)


def _shape(annotation: Any) -> Shape:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        if any(isinstance(mark, ScalarsAsText) for mark in arguments[1:]):
            return TextMap(scalars=True)
        return _shape(arguments[0])
    if origin in (Union, UnionType):
        return _shape_of_union([a for a in arguments if a is not NoneType])
    if origin is list:
        return Items(_shape(arguments[0]))
    if origin is dict:
        return _shape_of_map(arguments[1])
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return annotation
    raise TypeError(f"no shape is known for the annotation {annotation!r}")


def _shape_of_union(alternatives: list[Any]) -> Shape:
    return _shape(alternatives[0]) if len(alternatives) == 1 else Leaf.INT_OR_STRING


def _shape_of_map(value: Any) -> Shape:
    if value is Any:
        return Open()
    if value is str:
        return TextMap(scalars=False)
    return QuantityMap()
