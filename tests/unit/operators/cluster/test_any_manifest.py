"""No manifest makes the operator raise: a valid one is damaged at any place of the schema, with anything.

Acto (SOSP 2023) found most of operators' bugs so: one field of the resource at a time gets another type, an extreme,
nothing, or is left out. Here an object that the API refuses goes to the operator all the same (it may come from an
older CRD); and what both take must lead to objects that the API takes.
"""

import itertools
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from functools import cache
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.builders.answers import NotMakeable, answer_to, operator_answer
from tests.builders.kafka import kafka_object

from klamm.resources.custom.kafka import Kafka
from klamm.resources.fields import Field, Items, Leaf, Open, QuantityMap, TextMap, fields_of
from klamm.resources.structure import Block

Path = tuple[str | int, ...]

TEXTS = [
    "",
    " ",
    "a",
    "x" * 300,
    "a b",
    "$(reboot)",
    "`id`",
    "a\nb=c",
    "\t",
    "\x00",
    "ünïcödé",
    "\u2028",
    "😀",
    "null",
    "-1",
    "1e999",
    "10Gi",
    "0",
    "../../etc",
    "a=b",
    "#",
    "{nodeId}",
    "${file:/etc/passwd:x}",
    "* * 0-1 ? * SUN",
    "2G",
]
NUMBERS = [0, 1, -1, 2, 7, 65536, 2**31, 2**63, -(2**63), 10**30, 0.5, -0.0, 1e308, 3.0]
VALUES: list[Any] = [None, True, False, [], {}, [None], [[]], {"": ""}, {"a": None}, {"a": {"b": []}}, *TEXTS, *NUMBERS]


def _below(field: Field, path: Path, depth: int) -> Iterator[Path]:
    yield path
    shape: Any = field.shape
    if isinstance(shape, Items):
        path, shape = (*path, 0), shape.of
        yield path
    if isinstance(shape, TextMap | QuantityMap | Open):
        yield (*path, "some.key")
    elif not isinstance(shape, Leaf) and depth < 7:
        yield from _paths(shape, path, depth + 1)


def _paths(block: type[Block], path: Path = (), depth: int = 0) -> Iterator[Path]:
    for field in fields_of(block).values():
        yield from _below(field, (*path, field.name), depth)


@cache
def all_paths() -> list[Path]:
    """Every place of spec, down to seven blocks; as many as there are fields."""
    return [("spec",), *(path for path in _paths(Kafka) if path[0] == "spec")]


def with_value(manifest: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """The manifest with what is above the place made where it is missing, valid where it can be."""
    changed = deepcopy(manifest)
    here: Any = changed
    for part, following in itertools.pairwise(path):
        fresh: Any = [] if isinstance(following, int) else {}
        if isinstance(part, int):
            if not here:
                here.append(fresh)
            if not isinstance(here[part], type(fresh)):
                here[part] = fresh
            here = here[part]
        else:
            if not isinstance(here.get(part), type(fresh)):
                here[part] = fresh
            here = here[part]
    if isinstance(path[-1], int):
        here[:] = [value]
    else:
        here[path[-1]] = value
    return changed


def without(manifest: Any, path: Path) -> Any:
    changed = deepcopy(manifest)
    here = changed
    for part in path[:-1]:
        here = here[part]
    del here[path[-1]]
    return changed


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield (*path, key)
        yield from places(child, (*path, key))


SEEN_BEFORE = settings(
    max_examples=250, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)


@SEEN_BEFORE
@given(st.lists(st.tuples(st.sampled_from(all_paths()), st.sampled_from(VALUES)), min_size=1, max_size=3))
def test_anything_anywhere(changes: list[tuple[Path, Any]]) -> None:
    manifest = kafka_object()
    for path, value in changes:
        manifest = with_value(manifest, path, value)
    with suppress(NotMakeable):  # the API would not have taken the resource itself
        operator_answer(manifest)
    answer_to(manifest)


def test_each_part_of_a_valid_manifest_may_be_missing_or_of_another_type() -> None:
    whole = kafka_object()
    for path in places(whole):
        if path[0] != "spec":
            continue  # nobody but the API writes metadata that are none
        operator_answer(without(whole, path))
        others: list[Any] = [None, True, "x", 7, [], {}]
        for value in others:
            operator_answer(with_value(whole, path, value))
