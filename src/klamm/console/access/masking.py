"""What nobody may see of records: kafka-ui's masking rules, applied before anything leaves the server.

    masking:
      - {type: REMOVE, fields: [password], topicValuesPattern: "users|logins"}
      - {type: MASK, fieldsNamePattern: ".*card.*", maskingCharsReplacement: ["X", "x", "n", "-"]}
      - {type: REPLACE, replacement: "***", topicKeysPattern: ".*"}

Of an object or a list the named fields are masked at every depth (without names: all fields). Whatever is not one is
masked whole, whichever fields are named: text that could not be read may hold them. So is what stands in a list and in
no object: it has no name. The same holds for forms that tell no names of fields, Protocol Buffers without a schema,
say; else choosing another serde would be a way around the rule.

Rules hold before filters look at a record, for a filter that sees more than the reader tells him the rest by its yes
and no. A copy from topic to topic keeps bytes as they are, so it is only for pairs of topics where `uncovered` finds
no rule.
"""

import json
import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

_LONGEST_NAME = 512
"""Longer names of fields are masked, not matched: a pattern may take long on them."""

_SPACES = frozenset({"Zs", "Zl", "Zp"})


class RuleSettings(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """In the spelling of kafka-ui. A rule without patterns of topics holds for none."""

    type: Literal["REMOVE", "MASK", "REPLACE"]
    fields: tuple[str, ...] = ()
    fields_name_pattern: str | None = None
    masking_chars_replacement: tuple[str, str, str, str] = ("X", "x", "n", "-")
    """For upper-case letters, lower-case letters, digits and all else."""
    replacement: str = "***DATA_MASKED***"
    topic_keys_pattern: str | None = None
    topic_values_pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    settings: RuleSettings
    keys: "re.Pattern[str] | None"
    values: "re.Pattern[str] | None"
    field_pattern: "re.Pattern[str] | None"

    def holds(self, topic: str, of_keys: bool) -> bool:
        pattern = self.keys if of_keys else self.values
        return pattern is not None and pattern.fullmatch(topic) is not None

    def names(self, field: str) -> bool:
        if self.field_pattern is not None:
            return len(field) > _LONGEST_NAME or self.field_pattern.fullmatch(field) is not None
        return not self.settings.fields or field in self.settings.fields

    def text(self, text: str) -> str | None:
        match self.settings.type:
            case "REMOVE":
                return None
            case "REPLACE":
                return self.settings.replacement
        upper, lower, digit, other = self.settings.masking_chars_replacement
        of_kind = {"Lu": upper, "Ll": lower, "Nd": digit}

        def masked(one: str) -> str:
            kind = unicodedata.category(one)
            return one if kind in _SPACES else of_kind.get(kind, other)

        return "".join(map(masked, text))


@dataclass(frozen=True, slots=True)
class Mask:
    """What is done to the keys, or to the values, of one topic."""

    rules: tuple[Rule, ...]

    def __call__(self, text: str, tells_names: bool = True) -> str | None:
        """None: it is removed. `tells_names`: a JSON of this form has the fields' own names."""
        value = _container(text) if tells_names else None
        if value is not None:
            try:
                for rule in self.rules:
                    value = _walked(value, rule)
                return _text(value)
            except RecursionError:
                pass
        masked: str | None = text
        for rule in self.rules:
            masked = None if masked is None else rule.text(masked)
        return masked


@dataclass(frozen=True, slots=True)
class Masking:
    rules: tuple[Rule, ...] = ()

    def of(self, topic: str, keys: bool) -> Mask | None:
        """None: nothing of the topic's keys (or values) is masked."""
        found = tuple(rule for rule in self.rules if rule.holds(topic, keys))
        return Mask(found) if found else None

    def uncovered(self, source: str, target: str) -> Rule | None:
        """A rule that holds for the source and not for the target: a copy would show what it hides."""
        for rule in self.rules:
            for keys in (True, False):
                if rule.holds(source, keys) and not rule.holds(target, keys):
                    return rule
        return None


def masking(settings: Iterable[RuleSettings]) -> Masking:
    """Raises ValueError with field, value, rule and mend."""
    return Masking(tuple(_rule(at, one) for at, one in enumerate(settings)))


def read(given: Any) -> Masking:
    """From plain values, as YAML gives them. Raises ValueError likewise."""
    try:
        return masking(msgspec.convert(given, list[RuleSettings]))
    except msgspec.ValidationError as error:
        raise ValueError(f"masking: {error}") from None


def _rule(at: int, one: RuleSettings) -> Rule:
    if one.fields and one.fields_name_pattern:
        raise ValueError(f"masking[{at}]: fields and fieldsNamePattern are both there; write one of them")
    if one.topic_keys_pattern is None and one.topic_values_pattern is None:
        raise ValueError(f"masking[{at}]: it holds for no topic; write topicKeysPattern or topicValuesPattern")
    return Rule(
        one,
        _pattern(f"masking[{at}].topicKeysPattern", one.topic_keys_pattern),
        _pattern(f"masking[{at}].topicValuesPattern", one.topic_values_pattern),
        _pattern(f"masking[{at}].fieldsNamePattern", one.fields_name_pattern),
    )


def _pattern(field: str, pattern: str | None) -> "re.Pattern[str] | None":
    try:
        return None if pattern is None else re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{field}: {pattern!r} is no regular expression: {error}") from None


def _container(text: str) -> Any:
    """An object or a list; None for all else."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text, parse_float=_finite, parse_constant=str)
    except (ValueError, RecursionError):
        return None


def _finite(text: str) -> float | str:
    """What is too large for a float stays a text; else JSON would hold infinities."""
    return number if math.isfinite(number := float(text)) else text


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can hold and no answer can
        return json.dumps(value, separators=(",", ":"))
    return text


def _walked(value: Any, rule: Rule, has_name: bool = False) -> Any:
    if isinstance(value, list):
        return [_walked(one, rule, has_name) for one in value]
    if not isinstance(value, dict):
        return value if has_name else _leaves(value, rule)
    kept: dict[str, Any] = {}
    for name, one in value.items():
        if not rule.names(name):
            kept[name] = _walked(one, rule, has_name=True)
        elif rule.settings.type != "REMOVE":
            kept[name] = _leaves(one, rule)
    return kept


def _leaves(value: Any, rule: Rule) -> Any:
    """A field that is named is masked with all that is in it."""
    if isinstance(value, list):
        return [_leaves(one, rule) for one in value]
    if isinstance(value, dict):
        return {name: _leaves(one, rule) for name, one in value.items()}
    return rule.text(value if isinstance(value, str) else json.dumps(value))
