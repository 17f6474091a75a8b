"""Checks of single values that many kinds share: names, enumerations, ports, numbers, amounts, selectors."""

import re
from collections.abc import Iterator
from typing import Any

from klamm.base.quantities import parsed
from klamm.localkube.apiserver.metadata_rules import LABEL, LABEL_RULE, label_violations, qualified_name
from klamm.localkube.apiserver.statuses import Cause, duplicate, forbidden_value, invalid_value, required, unsupported

IMMUTABLE = "field is immutable"
_PERCENT = re.compile(r"[0-9]+%")
_PERCENT_RULE = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for "
    "validation is '[0-9]+%')"
)


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
        yield unsupported(f"{at}.{name}", spec[name], allowed)


def port_number(value: Any, at: str) -> Iterator[Cause]:
    if value is None:
        yield required(at)
    elif isinstance(value, int) and not 1 <= value <= 65535:
        yield invalid_value(at, value, "must be between 1 and 65535, inclusive")


def port_name(name: str, at: str) -> Iterator[Cause]:
    """A port may be called by a name of IANA's form."""
    if len(name) > 15:
        yield invalid_value(at, name, "must be no more than 15 characters long")
    if not re.fullmatch(r"[-a-z0-9]+", name):
        yield invalid_value(at, name, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search(r"[a-z]", name):
        yield invalid_value(at, name, "must contain at least one letter (a-z)")
    if "--" in name:
        yield invalid_value(at, name, "must not contain consecutive hyphens")
    if name.startswith("-") or name.endswith("-"):
        yield invalid_value(at, name, "must not begin or end with a hyphen")


def not_negative(spec: dict[str, Any], names: tuple[str, ...], at: str) -> Iterator[Cause]:
    for name in names:
        if isinstance(spec.get(name), int) and spec[name] < 0:
            yield invalid_value(f"{at}.{name}", spec[name], "must be greater than or equal to 0")


def number_or_percent(value: Any, at: str) -> Iterator[Cause]:
    if isinstance(value, str) and not _PERCENT.fullmatch(value):
        yield invalid_value(at, value, _PERCENT_RULE)
    elif isinstance(value, int) and value < 0:
        yield invalid_value(at, value, "must be greater than or equal to 0")


def amounts(resources: dict[str, Any], at: str) -> Iterator[Cause]:
    """Limits and requests: not below zero, and no request above its limit."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for sort, given in (("limits", limits), ("requests", requests)):
        for name, text in sorted(given.items()):
            if (parsed(text) or 0) < 0:
                yield invalid_value(f"{at}.{sort}[{name}]", str(text), "must be greater than or equal to 0")
            limit = limits.get(name)
            if sort == "requests" and limit is not None and (parsed(text) or 0) > (parsed(limit) or 0):
                told = f"must be less than or equal to {name} limit of {limit}"
                yield invalid_value(f"{at}.requests", str(text), told)


def label_selector_violations(selector: dict[str, Any], at: str) -> Iterator[Cause]:
    yield from label_violations(selector.get("matchLabels") or {}, f"{at}.matchLabels")
    for index, one in enumerate(selector.get("matchExpressions") or ()):
        place, operator, values = f"{at}.matchExpressions[{index}]", one.get("operator"), one.get("values") or ()
        if operator in ("In", "NotIn"):
            if not values:
                yield required(f"{place}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                told = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                yield forbidden_value(f"{place}.values", told)
        else:
            yield invalid_value(f"{place}.operator", operator, "not a valid selector operator")
        yield from qualified_name(one.get("key", ""), f"{place}.key", one.get("key", ""))
