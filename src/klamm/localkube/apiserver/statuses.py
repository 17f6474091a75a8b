"""Refusals and their `Status` bodies, in the words that Kubernetes' clients look for (reason, details, causes)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from klamm.localkube.objects import Object, Refused, Resource


@dataclass(frozen=True, slots=True)
class Cause:
    """One wrong field: `reason` is Kubernetes' CauseType (FieldValueRequired, FieldValueInvalid, …)."""

    reason: str
    field: str
    message: str

    def as_object(self) -> Object:
        return {"reason": self.reason, "message": f"{self.message}", "field": self.field}


def required(field: str, detail: str = "") -> Cause:
    return Cause("FieldValueRequired", field, "Required value" + (f": {detail}" if detail else ""))


def invalid_value(field: str, value: object, detail: str) -> Cause:
    return Cause("FieldValueInvalid", field, f"Invalid value: {_shown(value)}: {detail}")


def unsupported(field: str, value: object, allowed: Iterable[str]) -> Cause:
    names = ", ".join(f'"{each}"' for each in allowed)
    return Cause("FieldValueNotSupported", field, f"Unsupported value: {_shown(value)}: supported values: {names}")


def duplicate(field: str, value: object) -> Cause:
    return Cause("FieldValueDuplicate", field, f"Duplicate value: {_shown(value)}")


def forbidden_value(field: str, detail: str) -> Cause:
    return Cause("FieldValueForbidden", field, f"Forbidden: {detail}")


def _shown(value: object) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping | list):
        import json

        return json.dumps(value, separators=(",", ":"))
    return str(value)


def qualified(resource: Resource) -> str:
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def _details(resource: Resource, name: str, **more: Any) -> dict[str, Any]:
    details: dict[str, Any] = {"name": name} if name else {}
    if resource.group:
        details["group"] = resource.group
    return {**details, "kind": resource.plural, **more}


def not_found(resource: Resource, name: str) -> Refused:
    return Refused(404, "NotFound", f'{qualified(resource)} "{name}" not found', _details(resource, name))


def already_exists(resource: Resource, name: str, going: bool = False) -> Refused:
    """`going`: the other one is on its way out; a client may try again."""
    message = ("object is being deleted: " if going else "") + f'{qualified(resource)} "{name}" already exists'
    return Refused(409, "AlreadyExists", message, _details(resource, name))


def conflict(resource: Resource, name: str, why: str) -> Refused:
    message = f'Operation cannot be fulfilled on {qualified(resource)} "{name}": {why}'
    return Refused(409, "Conflict", message, _details(resource, name))


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def apply_conflict(causes: list[tuple[str, str]]) -> Refused:
    """Server-side apply met fields of other managers: (message, field) each."""
    listed = [{"reason": "FieldManagerConflict", "message": message, "field": field} for message, field in causes]
    plural = "s" if len(causes) > 1 else ""
    lines = _conflict_lines(causes)
    text = f"Apply failed with {len(causes)} conflict{plural}: {lines}"
    return Refused(409, "Conflict", text, {"causes": listed})


def _conflict_lines(causes: list[tuple[str, str]]) -> str:
    by_manager: dict[str, list[str]] = {}
    for message, field in causes:
        by_manager.setdefault(message, []).append(field)
    if len(causes) == 1:
        message, field = causes[0]
        return f"{message}: {field}"
    blocks = [
        f"{message.replace('conflict with', 'conflicts with')}:\n" + "\n".join(f"- {field}" for field in fields)
        for message, fields in sorted(by_manager.items())
    ]
    return "\n".join(blocks)


def invalid(group: str, kind: str, name: str, causes: list[Cause]) -> Refused:
    qualified_kind = f"{kind}.{group}" if group else kind
    texts = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes))
    joined = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    details: dict[str, Any] = {"name": name} if name else {}
    if group:
        details["group"] = group
    if kind:
        details["kind"] = kind
    details |= {"causes": [cause.as_object() for cause in causes]}
    return Refused(422, "Invalid", f'{qualified_kind} "{name}" is invalid: {joined}', details)


def no_number(text: object) -> str:
    """As Go's strconv says it, which clients see."""
    return f'strconv.ParseInt: parsing "{text}": invalid syntax'


def bad_request(message: str) -> Refused:
    return Refused(400, "BadRequest", message)


def forbidden(resource: Resource, name: str, why: str, causes: list[Cause] | None = None) -> Refused:
    more = {"causes": [cause.as_object() for cause in causes]} if causes else {}
    message = f'{qualified(resource)} "{name}" is forbidden: {why}'
    return Refused(403, "Forbidden", message, _details(resource, name, **more))


def expired(asked: int, oldest: int) -> Refused:
    return Refused(410, "Expired", f"too old resource version: {asked} ({oldest})")


def method_not_allowed() -> Refused:
    return Refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


_ALWAYS_WITH_DETAILS = frozenset(["Invalid", "MethodNotAllowed", "NotFound"])


def not_served() -> Refused:
    """A group and version that is served has no such resource."""
    return Refused(404, "NotFound", "the server could not find the requested resource")


def body_of(refused: Refused) -> Object:
    """What the client reads."""
    body: Object = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": refused.message,
        "reason": refused.reason,
    }
    if not refused.reason:
        del body["reason"]
    if refused.details or refused.reason in _ALWAYS_WITH_DETAILS:
        body["details"] = refused.details
    body["code"] = refused.code
    return body
