"""Checks a custom object against its CRD's OpenAPI v3 schema; every violation is a `Cause` with path and rule.

CEL rules (`x-kubernetes-validations`) are kept and shown, not evaluated.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from klamm.localkube.apiserver.statuses import Cause, duplicate, invalid_value, required, unsupported

Raw = Mapping[str, Any]


def violations(value: Any, schema: Raw, path: str = "") -> Iterator[Cause]:
    if value is None and schema.get("nullable"):
        return
    wrong = _type_violation(value, schema, path)
    if wrong is not None:
        yield wrong
        return
    yield from _value_violations(value, schema, path)
    yield from _junctor_violations(value, schema, path)
    if isinstance(value, dict):
        yield from _object_violations(value, schema, path)
    elif isinstance(value, list):
        yield from _list_violations(value, schema, path)


_JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}


def _type_violation(value: Any, schema: Raw, path: str) -> Cause | None:
    want = schema.get("type", "")
    if schema.get("x-kubernetes-int-or-string"):
        if isinstance(value, str | int) and not isinstance(value, bool):
            return None
        return _type_invalid(path, value, "integer,string")
    have = _JSON_TYPES.get(type(value), "null")
    if not want or want == have or (want == "number" and have == "integer"):
        return None
    if want == "integer" and isinstance(value, float) and value.is_integer():
        return None
    return _type_invalid(path, value, want, have)


def _type_invalid(path: str, value: Any, want: str, have: str | None = None) -> Cause:
    have = have or _JSON_TYPES.get(type(value), "null")
    text = f'Invalid value: "{have}": {path or "<nil>"} in body must be of type {want}: "{have}"'
    return Cause("FieldValueTypeInvalid", path, text)


def _value_violations(value: Any, schema: Raw, path: str) -> Iterator[Cause]:
    allowed = schema.get("enum")
    if allowed is not None and value not in allowed:
        yield unsupported(path, value, [str(each) for each in allowed])
    if isinstance(value, str):
        yield from _string_violations(value, schema, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number_violations(value, schema, path)


_FORMS = {
    "date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "byte": re.compile(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"),
    "uuid": re.compile(r"(?i)[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}"),
    "ipv4": re.compile(r"(\d{1,3}\.){3}\d{1,3}"),
}
"""Formats of texts that are held; others are for people."""


def _string_violations(value: str, schema: Raw, path: str) -> Iterator[Cause]:
    form = _FORMS.get(schema.get("format", ""))
    if form is not None and not form.fullmatch(value):
        told = f'Invalid value: "{value}": {path} in body must be of type {schema["format"]}: "{value}"'
        yield Cause("FieldValueTypeInvalid", path, told)
    pattern = schema.get("pattern")
    if pattern is not None and not _compiled(pattern).search(value):
        yield invalid_value(path, value, f"{path} in body should match '{pattern}'")
    least, most = schema.get("minLength"), schema.get("maxLength")
    if least is not None and len(value) < least:
        yield invalid_value(path, value, f"{path} in body should be at least {least} chars long")
    if most is not None and len(value) > most:
        yield Cause("FieldValueTooLong", path, f"Too long: may not be more than {most} bytes")


@lru_cache(256)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Go's RE2 and Python differ little; what Python cannot read is let through."""
    try:
        return re.compile(pattern)
    except re.error:
        return re.compile("")


def _number_violations(value: float, schema: Raw, path: str) -> Iterator[Cause]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None:
        strict = bool(schema.get("exclusiveMinimum"))
        if value < least or (strict and value == least):
            word = "greater than" if strict else "greater than or equal to"
            yield invalid_value(path, value, f"{path} in body should be {word} {least}")
    if most is not None:
        strict = bool(schema.get("exclusiveMaximum"))
        if value > most or (strict and value == most):
            word = "less than" if strict else "less than or equal to"
            yield invalid_value(path, value, f"{path} in body should be {word} {most}")
    step = schema.get("multipleOf")
    if step and value % step:
        yield invalid_value(path, value, f"{path} in body should be a multiple of {step}")


def _fits(value: Any, schema: Raw, path: str) -> bool:
    return next(violations(value, schema, path), None) is None


def _junctor_violations(value: Any, schema: Raw, path: str) -> Iterator[Cause]:
    at = path or "<nil>"
    for part in schema.get("allOf") or ():
        yield from violations(value, part, path)
    some = schema.get("anyOf")
    if some and not schema.get("x-kubernetes-int-or-string") and not any(_fits(value, part, path) for part in some):
        yield Cause("FieldValueInvalid", path, f'Invalid value: "": "{at}" must validate at least one schema (anyOf)')
    one = schema.get("oneOf")
    if one:
        fitting = sum(_fits(value, part, path) for part in one)
        if fitting != 1:
            found = "Found none valid" if fitting == 0 else f"Found {fitting} valid alternatives"
            text = f'Invalid value: "": "{at}" must validate one and only one schema (oneOf). {found}'
            yield Cause("FieldValueInvalid", path, text)
    banned = schema.get("not")
    if banned and _fits(value, banned, path):
        yield Cause("FieldValueInvalid", path, f'Invalid value: "": "{at}" must not validate the schema (not)')


def _object_violations(value: dict[str, Any], schema: Raw, path: str) -> Iterator[Cause]:
    properties = schema.get("properties") or {}
    if schema.get("x-kubernetes-embedded-resource"):
        for name in ("apiVersion", "kind"):
            if not value.get(name):
                yield required(f"{path}.{name}")
    for name in schema.get("required") or ():
        if name not in value:
            yield required(f"{path}.{name}" if path else name)
    more = schema.get("additionalProperties")
    for name, child in value.items():
        part = properties.get(name)
        if part is None and isinstance(more, dict):
            part = more
        if part is not None and not (child is None and part.get("nullable")):
            yield from violations(child, part, f"{path}.{name}" if path else name)
    least, most = schema.get("minProperties"), schema.get("maxProperties")
    if least is not None and len(value) < least:
        yield invalid_value(path, len(value), f"{path} in body should have at least {least} properties")
    if most is not None and len(value) > most:
        yield Cause("FieldValueTooMany", path, f"Too many: {len(value)}: must have at most {most} items")


def _list_violations(value: list[Any], schema: Raw, path: str) -> Iterator[Cause]:
    items = schema.get("items")
    if items:
        for index, child in enumerate(value):
            yield from violations(child, items, f"{path}[{index}]")
    least, most = schema.get("minItems"), schema.get("maxItems")
    if least is not None and len(value) < least:
        yield invalid_value(path, len(value), f"{path} in body should have at least {least} items")
    if most is not None and len(value) > most:
        yield Cause("FieldValueTooMany", path, f"Too many: {len(value)}: must have at most {most} items")
    yield from _duplicates(value, schema, path)


def _duplicates(value: list[Any], schema: Raw, path: str) -> Iterator[Cause]:
    sort = schema.get("x-kubernetes-list-type")
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    if sort not in ("set", "map") and not schema.get("uniqueItems"):
        return
    seen = set()
    for index, item in enumerate(value):
        identity = {key: item.get(key) for key in keys} if sort == "map" and isinstance(item, dict) else item
        text = json.dumps(identity, sort_keys=True)
        if text in seen:
            yield duplicate(f"{path}[{index}]", identity)
        seen.add(text)
