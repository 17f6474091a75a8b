"""Broker settings: of what type they are, which values they take, and whether a running broker takes a change.

The table is `broker_settings`, one line a setting, as each release of Kafka prints it itself (see there). Topic
and client settings would be tables of the same form beside it.

Unknown settings are no mistakes: plugins have settings of their own (Strimzi behaviour: they pass through).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any


class Scope(StrEnum):
    """KIP-226: how a setting of a running broker can be changed."""

    READ_ONLY = "read-only"
    PER_BROKER = "per-broker"
    CLUSTER_WIDE = "cluster-wide"


_INTEGERS = {"short": 2**15, "int": 2**31, "long": 2**63}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `type` is one of Kafka's ConfigDef types in lower case; `choices` apply to each item of a list."""

    key: str
    type: str
    scope: Scope
    minimum: int | float | None = None
    maximum: int | float | None = None
    choices: tuple[str, ...] = ()

    def complaint(self, value: Any) -> str | None:
        """The rule that a value breaks ("must be at least 1"), None when it is fine."""
        text = as_text(value).strip()
        if self.type == "boolean":
            return None if text.lower() in ("true", "false") else "must be true or false"
        if self.type in _INTEGERS or self.type == "double":
            return self._complaint_about_number(text)
        items = [item.strip() for item in text.split(",")] if self.type == "list" else [text]
        if self.choices and any(item and item not in self.choices for item in items):
            return f"must be one of {', '.join(self.choices)}"
        return None

    def _complaint_about_number(self, text: str) -> str | None:
        try:
            number = int(text) if self.type in _INTEGERS else float(text)
        except ValueError:
            return "must be a number" if self.type == "double" else "must be an integer"
        bound = _INTEGERS.get(self.type)
        if bound is not None and not -bound <= number < bound:
            return f"must be between {-bound} and {bound - 1}"
        if self.minimum is not None and number < self.minimum:
            return f"must be at least {self.minimum}"
        if self.maximum is not None and number > self.maximum:
            return f"must be at most {self.maximum}"
        return None


def as_text(value: Any) -> str:
    """A value of a manifest as it stands in server.properties; lists are joined by commas (Strimzi behaviour)."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(as_text(item) for item in value)
    return "" if value is None else str(value)


@cache
def broker_settings(version: str) -> Mapping[str, Setting]:
    """The settings of the brokers of a release by their keys; empty for a release that is not in the table."""
    from klamm.releases.broker_settings import LINES  # 20 KB that only checks of `config` need

    parsed = (line.split() for line in LINES.splitlines())
    return {
        key: _setting(key, type_, scope, values)
        for key, type_, scope, values, releases in parsed
        if version in releases.split(",")
    }


def dynamic_broker_settings(version: str) -> frozenset[str]:
    """The keys that a running broker of the release takes without a restart."""
    return frozenset(key for key, s in broker_settings(version).items() if s.scope is not Scope.READ_ONLY)


def _setting(key: str, type_: str, scope: str, values: str) -> Setting:
    if ".." in values:
        low, high = (_bound(text) for text in values.split(".."))
        return Setting(key, type_, Scope(scope), low, high)
    return Setting(key, type_, Scope(scope), choices=() if values == "-" else tuple(values.split("|")))


def _bound(text: str) -> int | float | None:
    if not text:
        return None
    return float(text) if "." in text else int(text)
