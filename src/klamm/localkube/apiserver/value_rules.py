"""Checks of single values that many kinds share: names in lists, enumerations, ports, quantities."""

import re
from collections.abc import Iterator
from typing import Any

from klamm.localkube.apiserver.metadata_rules import LABEL, LABEL_RULE
from klamm.localkube.apiserver.statuses import Cause, duplicate, invalid_value, required, unsupported

IMMUTABLE = "field is immutable"
_QUANTITY_RULE = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_QUANTITY = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")


def unique_name(name: str, at: str, seen: set[str]) -> Iterator[Cause]:
    """`seen`: the names of those before it in the list; this one is added."""
    if not name:
        yield required(f"{at}.name")
    elif not LABEL.fullmatch(name):
        yield invalid_value(f"{at}.name", name, LABEL_RULE)
    elif name in seen:
        yield duplicate(f"{at}.name", name)
    seen.add(name)


def one_of(spec: dict[str, Any], name: str, allowed: tuple[str, ...], at: str) -> Iterator[Cause]:
    if spec.get(name) is not None and spec[name] not in allowed:
        yield unsupported(f"{at}.{name}", spec[name], sorted(allowed))


def port_number(value: Any, at: str) -> Iterator[Cause]:
    if value is None:
        yield required(at)
    elif isinstance(value, int) and not 1 <= value <= 65535:
        yield invalid_value(at, value, "must be between 1 and 65535, inclusive")


def quantities(resources: dict[str, Any], at: str) -> Iterator[Cause]:
    for sort in ("limits", "requests"):
        for name, quantity in (resources.get(sort) or {}).items():
            if not _is_quantity(quantity):
                yield invalid_value(f"{at}.{sort}[{name}]", quantity, _QUANTITY_RULE)


def _is_quantity(value: Any) -> bool:
    return bool(_QUANTITY.fullmatch(str(value)))
