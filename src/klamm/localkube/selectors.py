"""Label selectors: the structured form of specs, the string form of queries; pure.

Rules (Kubernetes docs, "Labels and Selectors"; apimachinery's grammar):
- All requirements must hold. `NotIn` and `!=` also hold for objects that lack the key.
- In a spec, a missing selector (None) selects nothing, an empty one ({}) everything.
- In a query, the empty string selects everything. Forms: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`,
  `a`, `!a`, `a>1`, `a<1`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from klamm.localkube.objects import LabelMatch


class InvalidSelector(ValueError):
    """The selector cannot be understood; the message says where."""


@dataclass(frozen=True, slots=True)
class Requirement:
    key: str
    operator: str
    """In, NotIn, Exists, DoesNotExist, Gt or Lt."""
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case "In":
                return value in self.values
            case "NotIn":
                return value is None or value not in self.values
            case "Exists":
                return value is not None
            case "DoesNotExist":
                return value is None
        return _compares(value, self.operator, self.values[0])


def label_selector(selector: Mapping[str, Any] | None) -> LabelMatch:
    """Return the match of a spec's LabelSelector (`matchLabels`, `matchExpressions`)."""
    if selector is None:
        return _nothing
    wanted = equalities(selector.get("matchLabels") or {})
    return all_of([*wanted, *(requirement(e) for e in selector.get("matchExpressions") or ())])


def equality_selector(labels: Mapping[str, str] | None) -> LabelMatch:
    """Return the match of a plain map, as in Service.spec.selector; without labels it selects nothing."""
    return all_of(equalities(labels)) if labels else _nothing


def parse_selector(text: str) -> LabelMatch:
    """Return the match of a query's `labelSelector`. Raises `InvalidSelector`."""
    return all_of(parse_requirements(text))


def parse_requirements(text: str) -> tuple[Requirement, ...]:
    """Return the requirements of the string form, in order. Raises `InvalidSelector`."""
    return tuple(_parse_one(part) for part in _split(text) if part or _complain(text, "an empty requirement"))


def requirement(expression: Mapping[str, Any]) -> Requirement:
    """Return one matchExpressions entry, checked. Raises `InvalidSelector`."""
    key, operator = str(expression.get("key", "")), str(expression.get("operator", ""))
    values = tuple(str(v) for v in expression.get("values") or ())
    if operator not in _OPERATORS:
        raise InvalidSelector(f"{operator!r} is not a valid label selector operator; use one of {_OPERATORS}")
    if operator in ("In", "NotIn") and not values:
        raise InvalidSelector(f"values of {key!r}: operator {operator} needs at least one value")
    if operator in ("Exists", "DoesNotExist") and values:
        raise InvalidSelector(f"values of {key!r}: operator {operator} takes no values")
    if operator in ("Gt", "Lt") and len(values) != 1:
        raise InvalidSelector(f"values of {key!r}: operator {operator} takes exactly one integer")
    return Requirement(key, operator, values)


def equalities(labels: Mapping[str, str]) -> list[Requirement]:
    return [Requirement(key, "In", (value,)) for key, value in labels.items()]


def all_of(requirements: Iterable[Requirement]) -> LabelMatch:
    wanted = tuple(requirements)
    return lambda labels: all(r.holds(labels) for r in wanted)


def _nothing(labels: Mapping[str, str]) -> bool:
    return False


def _compares(value: str | None, operator: str, bound: str) -> bool:
    try:
        left, right = int(value or ""), int(bound)
    except ValueError:
        return False
    return left > right if operator == "Gt" else left < right


_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
_KEY: Final = r"(?P<key>[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?)"
_VALUE: Final = r"(?P<value>([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?)"
_SET: Final = re.compile(rf"{_KEY}\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)")
_EQUALITY: Final = re.compile(rf"{_KEY}\s*(?P<op>==|=|!=|>|<)\s*{_VALUE}")
_EXISTENCE: Final = re.compile(rf"(?P<not>!?)\s*{_KEY}")
_FORMS: Final = {"=": "In", "==": "In", "!=": "NotIn", "in": "In", "notin": "NotIn", ">": "Gt", "<": "Lt"}


def _split(text: str) -> list[str]:
    """Split at the commas that stand outside parentheses."""
    if not text.strip():
        return []
    return [part.strip() for part in re.split(r",(?![^()]*\))", text)]


def _parse_one(text: str) -> Requirement:
    if found := _SET.fullmatch(text):
        values = tuple(v.strip() for v in found["values"].split(","))
        return Requirement(found["key"], _FORMS[found["op"]], values)
    if found := _EQUALITY.fullmatch(text):
        if found["op"] in "<>" and not re.fullmatch(r"-?\d+", found["value"]):
            raise InvalidSelector(f"unable to parse requirement {text!r}: {found['op']} needs an integer")
        return Requirement(found["key"], _FORMS[found["op"]], (found["value"],))
    if found := _EXISTENCE.fullmatch(text):
        return Requirement(found["key"], "DoesNotExist" if found["not"] else "Exists")
    raise InvalidSelector(f"unable to parse requirement {text!r}: expected KEY, !KEY, KEY=VALUE or KEY in (A,B)")


def _complain(text: str, what: str) -> bool:
    raise InvalidSelector(f"unable to parse selector {text!r}: it has {what}")
