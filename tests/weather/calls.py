"""How one call of the operator is named, so that it is found again when the same is done once more.

Steps of a pass run side by side, so a call's place in the order says nothing: it is named by what it asks, of which
object, and how many times that was asked before. News of a watch are named alike.

    apply secrets my-cluster-cluster-ca #1          list pods #2          event pods "ADDED my-cluster-kafka-0" #1
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

_PATH = re.compile(
    r"^/(?:api/v1|apis/(?P<group>[^/]+)/[^/]+)"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<kind>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<sub>[^/]+))?$"
)
_APPLY = "application/apply-patch+yaml"
READING = frozenset({"get", "list", "watch", "event"})


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """`number` counts calls that are otherwise alike, from 1."""

    verb: str
    kind: str
    name: str = ""
    number: int = 1

    def __str__(self) -> str:
        return " ".join(part for part in (self.verb, self.kind, self.name, f"#{self.number}") if part)

    @property
    def is_write(self) -> bool:
        return self.verb not in READING


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as far as it can be named; `namespace` is "" for lists of all of them and for cluster-wide objects."""

    verb: str
    kind: str
    name: str
    namespace: str


def asked(method: str, path: str, query: Mapping[str, str], content_type: str, body: bytes) -> Asked | None:
    """None for what is no object's (discovery, /version)."""
    found = _PATH.match(path)
    if found is None:
        return None
    kind, name = found["kind"], found["name"] or ""
    if found["sub"]:
        kind = f"{kind}/{found['sub']}"
    verb = method.lower()
    if verb == "get" and not name:
        verb = "watch" if query.get("watch") else "list"
    elif verb == "post":
        verb, name = "create", _name_in(body, kind)
    elif verb == "patch" and content_type == _APPLY:
        verb = "apply"
    elif verb == "put":
        verb = "replace"
    return Asked(verb, kind, name, found["namespace"] or "")


def _name_in(body: bytes, kind: str) -> str:
    """Names of events hold the moment; they are all alike here."""
    return "" if kind == "events" else str(json.loads(body)["metadata"].get("name", ""))


class Counted:
    """Numbers calls in the order in which they come."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, str, str]] = Counter()

    def call(self, verb: str, kind: str, name: str) -> Call:
        self._seen[verb, kind, name] += 1
        return Call(verb, kind, name, self._seen[verb, kind, name])

    def all(self) -> list[Call]:
        """Every call up to now, sorted."""
        return sorted(Call(*what, number) for what, count in self._seen.items() for number in range(1, count + 1))
