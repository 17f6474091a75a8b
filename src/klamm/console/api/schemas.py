"""Schemas of a cluster's registry: subjects, versions, what fits, what differs."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

import msgspec

from klamm.base.together import outcomes_of
from klamm.console.access.rights import Right
from klamm.console.paging import PageQuery, cut
from klamm.console.problems import Problem, bad_value, forbidden
from klamm.console.routes import Call, NoQuery, Route
from klamm.console.schemas.diff import Line, differences, pretty
from klamm.console.schemas.registry import KINDS, LEVELS, Reference, Registry, RegistryFailure, Schema, Version

T = TypeVar("T")

_VIEW = Right("schema", "view", of="subject")
_CREATE = Right("schema", "create")
_DELETE = Right("schema", "delete", of="subject")
_EDIT = Right("schema", "edit", of="subject")
_ALL = Right("schema", "modify_global_compatibility")
_AT_ONCE = 8


class SubjectLine(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """`why`: the latest version could not be read, and why."""

    subject: str
    version: int | None = None
    id: int | None = None
    schema_type: str | None = None
    why: str | None = None


class SubjectList(msgspec.Struct, frozen=True, rename="camel"):
    """`compatibility`: of all subjects that have no level of their own; None where it is not told."""

    subjects: tuple[SubjectLine, ...]
    total: int
    pages: int
    compatibility: str | None


class SubjectView(msgspec.Struct, frozen=True, rename="camel"):
    """`compatibility`: of this subject; None: that of all holds. `shown`: the schema with a key a line."""

    version: Version
    shown: str
    versions: tuple[int, ...]
    compatibility: str | None


class VersionQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int | None = None


class DiffQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    old: int
    new: int


class Diff(msgspec.Struct, frozen=True):
    lines: tuple[Line, ...]


class SchemaBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    schema: str
    schema_type: str = "AVRO"
    references: tuple[Reference, ...] = ()


class SchemaWish(SchemaBody, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    subject: str


class Registered(msgspec.Struct, frozen=True):
    id: int


class Fits(msgspec.Struct, frozen=True):
    """`messages`: why it does not."""

    fits: bool
    messages: tuple[str, ...]


class LevelWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    compatibility: str


async def subjects(call: Call[PageQuery, None]) -> SubjectList:
    """Names are searched and cut first: each shown one costs the registry a question."""
    registry = _registry(call)
    allowed = call.who.allowed(call.place.name, "schema", "view", await _said(registry.subjects()))
    page = cut(call.query, allowed, str, {"subject": str})
    few = asyncio.Semaphore(_AT_ONCE)

    async def latest(subject: str) -> Version:
        async with few:
            return await registry.version(subject, "latest")

    level, *found = await outcomes_of(registry.compatibility(), *map(latest, page.items))
    lines = tuple(_line(subject, one) for subject, one in zip(page.items, found, strict=True))
    return SubjectList(lines, page.total, page.pages, level if isinstance(level, str) else None)


def _line(subject: str, found: Any) -> SubjectLine:
    if isinstance(found, RegistryFailure):
        return SubjectLine(subject, why=str(found))
    if isinstance(found, BaseException):
        raise found
    return SubjectLine(subject, found.version, found.id, found.schema_type)


async def subject(call: Call[VersionQuery, None]) -> SubjectView:
    registry, name = _registry(call), call.path["subject"]
    wanted = "latest" if call.query.version is None else _version(call.query.version)
    version = await _said(registry.version(name, wanted))
    versions = await _said(registry.versions(name))
    level = await _said(registry.compatibility(name))
    return SubjectView(version, pretty(version.schema), tuple(versions), level)


async def diff(call: Call[DiffQuery, None]) -> Diff:
    registry, name = _registry(call), call.path["subject"]
    old = await _said(registry.version(name, _version(call.query.old, "old")))
    new = await _said(registry.version(name, _version(call.query.new, "new")))
    try:
        return Diff(tuple(await asyncio.to_thread(differences, old.schema, new.schema)))
    except ValueError as error:
        raise Problem(422, "TooLong", f"versions {old.version} and {new.version} of {name}: {error}") from None


async def register(call: Call[NoQuery, SchemaWish]) -> Registered:
    wish = call.body
    if not wish.subject:
        raise bad_value("subject", wish.subject, "is no name; write <topic>-value, say")
    if not call.may("schema", "create", wish.subject):
        raise forbidden(f"{call.who.name} may not create schema {wish.subject}; a role must permit it (rbac.roles)")
    return Registered(await _said(_registry(call).register(wish.subject, _schema(wish))))


async def check(call: Call[NoQuery, SchemaBody]) -> Fits:
    """A subject that is not there yet takes every schema."""
    try:
        verdict = await _registry(call).check(call.path["subject"], _schema(call.body))
    except RegistryFailure as failure:
        if failure.status == 404:
            return Fits(True, ())
        raise _problem(failure) from failure
    return Fits(verdict.is_compatible, verdict.messages)


async def delete(call: Call[VersionQuery, None]) -> None:
    registry, name = _registry(call), call.path["subject"]
    if call.query.version is None:
        await _said(registry.delete_subject(name))
    else:
        await _said(registry.delete_version(name, _version(call.query.version)))


async def set_level(call: Call[NoQuery, LevelWish]) -> None:
    await _said(_registry(call).set_compatibility(_level(call.body), call.path["subject"]))


async def set_level_of_all(call: Call[NoQuery, LevelWish]) -> None:
    await _said(_registry(call).set_compatibility(_level(call.body)))


def _registry(call: Call[Any, Any]) -> Registry:
    if call.place.registry is None:
        raise Problem(
            404,
            "NoRegistry",
            f"cluster {call.place.name} has no schema registry; name one in its configuration (schemaRegistry)",
        )
    return call.place.registry


async def _said(awaited: Awaitable[T]) -> T:
    try:
        return await awaited
    except RegistryFailure as failure:
        raise _problem(failure) from failure


def _problem(failure: RegistryFailure) -> Problem:
    """Of our own credentials' failure nobody at a browser can be told to log in."""
    if failure.status in (404, 409, 422):
        return Problem(failure.status, "Registry", str(failure))
    return Problem(503 if failure.status == 0 else 502, "Registry", str(failure))


def _version(version: int, field: str = "version") -> int:
    if version < 1:
        raise bad_value(field, version, "is no version; they count from 1")
    return version


def _schema(body: SchemaBody) -> Schema:
    if body.schema_type not in KINDS:
        raise bad_value("schemaType", body.schema_type, f"is no type of schema; write one of {', '.join(KINDS)}")
    if not body.schema.strip():
        raise bad_value("schema", body.schema, "is no schema; write one")
    return Schema(body.schema, body.schema_type, body.references)


def _level(wish: LevelWish) -> str:
    if wish.compatibility not in LEVELS:
        raise bad_value("compatibility", wish.compatibility, f"is no level; write one of {', '.join(LEVELS)}")
    return wish.compatibility


_SCHEMAS = "/api/clusters/{cluster}/schemas"
_SUBJECT = f"{_SCHEMAS}/{{subject}}"
ROUTES = (
    Route("GET", _SCHEMAS, subjects, "Subjects, a page at a time", query=PageQuery, answer=SubjectList),
    Route("POST", _SCHEMAS, register, "Register a schema under a subject", _CREATE, body=SchemaWish, answer=Registered),
    Route("GET", _SUBJECT, subject, "A subject and one of its versions", _VIEW, VersionQuery, answer=SubjectView),
    Route("DELETE", _SUBJECT, delete, "Delete a subject, or one version", _DELETE, VersionQuery),
    Route("GET", f"{_SUBJECT}/diff", diff, "What two versions differ in", _VIEW, DiffQuery, answer=Diff),
    Route("POST", f"{_SUBJECT}/check", check, "Whether a schema would fit", _VIEW, body=SchemaBody, answer=Fits),
    Route("PUT", f"{_SUBJECT}/compatibility", set_level, "What must fit in a subject", _EDIT, body=LevelWish),
    Route(
        "PUT",
        "/api/clusters/{cluster}/schemas-compatibility",
        set_level_of_all,
        "What must fit in subjects that say nothing else",
        _ALL,
        body=LevelWish,
    ),
)
