"""How a Kubernetes object is written as a type, and what else is known of each of its fields.

A piece of an object is a `Block`: a msgspec Struct whose Python names are snake_case and whose names on the wire are
camelCase; names that do not follow the rule (`podIP`, `-Xms`) are given with `msgspec.field(name=...)`. A field
that was not given is None or empty and is not written. Nothing is required here: what a user left out is for the
operator to notice, with a better sentence than a decoder has. Blocks are values: what came from a cache is never
changed in place (`msgspec.structs.replace` makes a changed copy).

Facts of a field that a type cannot carry (its description, range, the API versions that have it) stand beside it
as `Annotated[int | None, About("…", minimum=1)]`. They feed the CRDs (`resources.crds`) and the checks
(`resources.reading`), and cost nothing when an object is decoded.

`encode` gives the JSON dictionary of a block, `decode` its reverse for objects that the API server has accepted; for
what users wrote, `resources.reading.decode` explains what is wrong.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, cast

import msgspec

T = TypeVar("T")
B = TypeVar("B", bound="Block")

FreeForm = dict[str, Any]
"""A node whose content is not ours to judge (`spec.kafka.config`)."""

Quantity = int | float | str
"""A Kubernetes quantity: 2, 0.5, "500m", "10Gi"."""

Version = Literal["v1beta2", "v1"]
VERSIONS: tuple[Version, ...] = ("v1beta2", "v1")


class Block(msgspec.Struct, kw_only=True, omit_defaults=True, rename="camel", repr_omit_defaults=True):
    """A JSON object of the Kubernetes API with known fields; unknown ones are ignored when it is decoded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deprecated:
    """A field that still works (or is only tolerated), and what to write instead.

    `since` v1beta2: its users are warned. `since` v1: it is fine in v1beta2, and v1 does not have it any more; only
    who reads the object as v1 is told.
    """

    mend: str
    since: Version = "v1beta2"


@dataclass(frozen=True, slots=True)
class Rule:
    """A check over several fields of one block, in CEL, for the CRD versions whose schema has all its fields."""

    rule: str
    message: str
    only: Version | None = None


@dataclass(frozen=True, slots=True)
class ScalarsAsText:
    """Marks a map of strings in which users also write bare numbers and booleans (`UseG1GC: true`, `kafka: OFF`).

    The CRD leaves such a node open, and `resources.reading` turns the scalars into text, as Strimzi's users expect.
    """


Texts = Annotated[dict[str, str], ScalarsAsText()]


@dataclass(frozen=True, slots=True)
class Form:
    """How a string must look: a regular expression, and an example for the people who broke it."""

    pattern: str
    example: str


@dataclass(frozen=True, slots=True)
class About:
    """What is known of one field of a custom resource.

    `only` names the one API version that has the field (None: both have it). `required` is what both versions of the
    CRD demand; a field that one version lacks is never required by the schema, the operator checks it.
    `minimum`, `maximum`, `form` and `choices` apply to the value, or to each item when the field is a list.
    """

    text: str = ""
    only: Version | None = None
    required: bool = False
    minimum: int | None = None
    maximum: int | None = None
    form: Form | None = None
    choices: tuple[str, ...] = ()
    at_least: int | None = None  # items of a list
    deprecated: Deprecated | None = None


def always(value: T) -> T:
    """A default that is written all the same (`kind`, `apiVersion`).

    msgspec omits only the defaults that it knows by value, not what a factory makes.
    """
    made: T = msgspec.field(default_factory=lambda: value)
    return made


def encode(block: Block) -> dict[str, Any]:
    """The JSON dictionary of a block, without what was not given."""
    return cast(dict[str, Any], msgspec.to_builtins(block))


def decode(kind: type[B], obj: dict[str, Any]) -> B:
    """The typed form of an object that the API server gave us; msgspec.ValidationError when its types differ."""
    return msgspec.convert(obj, kind)
