"""A schema registry by Confluent's HTTP API, which Karapace and Apicurio speak, too.

Schemas never change under their id, so they are asked for once. What a registry says is bounded in size and time, and
it is not followed elsewhere. Ids come from records, that is from strangers: one that is not there is not asked for
again for a while.
"""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec

from klamm.base.clock import Clock

TIMEOUT = 10.0
LARGEST = 8 << 20
"""Bytes of one answer."""

_KEPT = 2000
"""Schemas."""
_NOT_THERE_FOR = 30.0
"""Seconds that an unknown id, or a silent registry, is taken for granted."""
T = TypeVar("T")

_TYPE = "application/vnd.schemaregistry.v1+json"

LEVELS = ("BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE", "NONE")
KINDS = ("AVRO", "JSON", "PROTOBUF")


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """`urls`: tried in order. `tls`: asked again for what certificate files hold now."""

    urls: tuple[str, ...]
    username: str = ""
    password: str = field(default="", repr=False)
    tls: Callable[[], ssl.SSLContext | None] = lambda: None


class RegistryFailure(Exception):
    """`status`: of HTTP; 0 when no registry answered. `code`: the registry's own."""

    def __init__(self, doing: str, status: int, code: int, said: str) -> None:
        super().__init__(f"{doing}: {said}")
        self.status = status
        self.code = code


class Reference(msgspec.Struct, frozen=True):
    """To a schema of another subject; `name` as the schema speaks of it."""

    name: str
    subject: str
    version: int


class Schema(msgspec.Struct, frozen=True, rename="camel"):
    schema: str
    schema_type: str = "AVRO"
    references: tuple[Reference, ...] = ()


class Version(msgspec.Struct, frozen=True, rename="camel"):
    """One version of a subject."""

    subject: str
    version: int
    id: int
    schema: str
    schema_type: str = "AVRO"
    references: tuple[Reference, ...] = ()


class Verdict(msgspec.Struct, frozen=True):
    """Whether a new schema fits those that are there; `messages`: why not."""

    is_compatible: bool
    messages: tuple[str, ...] = ()


class Registry:
    def __init__(self, settings: RegistrySettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._known: OrderedDict[int, Schema] = OrderedDict()
        self._failed: OrderedDict[int, tuple[float, RegistryFailure]] = OrderedDict()
        self._asking: dict[int, asyncio.Task[Schema]] = {}

    async def close(self) -> None:
        for task in list(self._asking.values()):
            task.cancel()
        if self._session is not None:
            await self._session.close()

    async def subjects(self) -> list[str]:
        return sorted(await self._ask("GET", "/subjects", list[str], "list subjects"))

    async def versions(self, subject: str) -> list[int]:
        return sorted(await self._ask("GET", f"/subjects/{_quoted(subject)}/versions", list[int], f"subject {subject}"))

    async def version(self, subject: str, version: int | str) -> Version:
        """`version`: a number, or "latest"."""
        path = f"/subjects/{_quoted(subject)}/versions/{version}"
        return await self._ask("GET", path, Version, f"version {version} of subject {subject}")

    async def schema(self, id_: int) -> Schema:
        if (found := self.known(id_)) is not None:
            return found
        if (failed := self._failed.get(id_)) is not None:
            if self._clock.monotonic() < failed[0] + _NOT_THERE_FOR:
                raise failed[1]
            del self._failed[id_]
        task = self._asking.get(id_)
        if task is None:
            task = self._asking[id_] = asyncio.create_task(self._fetch(id_))
            task.add_done_callback(lambda done: self._end(id_, done))
        # One reader that goes must not take the answer from the others.
        return await asyncio.shield(task)

    def known(self, id_: int) -> Schema | None:
        """What is at hand, without asking."""
        return self._known.get(id_)

    async def _fetch(self, id_: int) -> Schema:
        try:
            found = await self._ask("GET", f"/schemas/ids/{id_}", Schema, f"schema {id_}")
        except RegistryFailure as failure:
            _keep(self._failed, id_, (self._clock.monotonic(), failure))
            raise
        _keep(self._known, id_, found)
        return found

    def _end(self, id_: int, task: "asyncio.Task[Schema]") -> None:
        del self._asking[id_]
        if not task.cancelled():
            task.exception()

    async def register(self, subject: str, schema: Schema) -> int:
        """Its id, an old one where the same schema is there already."""
        path = f"/subjects/{_quoted(subject)}/versions"
        made = await self._ask("POST", path, _Id, f"a new version of subject {subject}", _wire(schema))
        return made.id

    async def check(self, subject: str, schema: Schema) -> Verdict:
        """Against the latest version, by the subject's level."""
        path = f"/compatibility/subjects/{_quoted(subject)}/versions/latest?verbose=true"
        return await self._ask("POST", path, Verdict, f"compatibility with subject {subject}", _wire(schema))

    async def delete_subject(self, subject: str) -> None:
        await self._ask("DELETE", f"/subjects/{_quoted(subject)}", object, f"delete subject {subject}")

    async def delete_version(self, subject: str, version: int) -> None:
        path = f"/subjects/{_quoted(subject)}/versions/{version}"
        await self._ask("DELETE", path, object, f"delete version {version} of subject {subject}")

    async def compatibility(self, subject: str | None = None) -> str | None:
        """The level of a subject (None: it has none of its own) or of all."""
        path = "/config" + (f"/{_quoted(subject)}" if subject else "")
        try:
            found = await self._ask("GET", path, dict[str, Any], f"compatibility of {subject or 'all subjects'}")
        except RegistryFailure as failure:
            if subject and failure.status == 404:
                return None
            raise
        level = found.get("compatibilityLevel") or found.get("compatibility")
        return None if level is None else str(level)

    async def set_compatibility(self, level: str, subject: str | None = None) -> None:
        path = "/config" + (f"/{_quoted(subject)}" if subject else "")
        await self._ask("PUT", path, object, f"compatibility of {subject or 'all subjects'}", {"compatibility": level})

    async def _ask(self, method: str, path: str, wanted: type[T], doing: str, body: Any = None) -> T:
        failure = RegistryFailure(doing, 0, 0, "no registry is configured")
        for url in self._settings.urls:
            try:
                status, content = await self._send(method, url.rstrip("/") + path, body)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                failure = RegistryFailure(
                    doing, 0, 0, f"{_place(url)} does not answer: {error or type(error).__name__}"
                )
                continue
            return _read(doing, url, status, content, wanted)
        raise failure

    async def _send(self, method: str, url: str, body: Any) -> tuple[int, bytes]:
        if self._session is None:
            settings = self._settings
            headers = {"Accept": f"{_TYPE}, application/json", "User-Agent": "klamm"}
            if settings.username:
                headers["Authorization"] = aiohttp.encode_basic_auth(settings.username, settings.password)
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=TIMEOUT),
                headers=headers,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        data = None if body is None else msgspec.json.encode(body)
        async with self._session.request(
            method,
            _url(url),
            data=data,
            headers={"Content-Type": _TYPE} if body is not None else {},
            ssl=self._settings.tls() or True,
            allow_redirects=False,
        ) as answer:
            content = bytearray()
            async for piece in answer.content.iter_chunked(1 << 16):
                content += piece
                if len(content) > LARGEST:
                    raise aiohttp.ClientPayloadError(f"the answer has more than {LARGEST >> 20} MiB")
            return answer.status, bytes(content)


class _Id(msgspec.Struct, frozen=True):
    id: int


def _url(url: str) -> Any:
    """With the path as it is quoted: a subject may have a slash in its name."""
    from yarl import URL

    return URL(url, encoded=True)


def _place(url: str) -> str:
    """What messages say of it: the rest may hold what is nobody's business."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _read(doing: str, url: str, status: int, content: bytes, wanted: type[T]) -> T:
    if 200 <= status < 300:
        try:
            return msgspec.json.decode(content, type=wanted)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise RegistryFailure(doing, 502, 0, f"{_place(url)} does not answer as a registry does: {error}") from None
    code, said = 0, content[:300].decode("utf-8", "replace").strip() or f"status {status}"
    try:
        told = msgspec.json.decode(content)
        code, said = int(told.get("error_code", 0)), str(told.get("message", said))
    except (msgspec.DecodeError, AttributeError, TypeError, ValueError):
        pass
    raise RegistryFailure(doing, status, code, said)


def _wire(schema: Schema) -> Mapping[str, Any]:
    """Avro is not named: old registries know nothing else."""
    body: dict[str, Any] = {"schema": schema.schema}
    if schema.schema_type != "AVRO":
        body["schemaType"] = schema.schema_type
    if schema.references:
        body["references"] = [msgspec.structs.asdict(one) for one in schema.references]
    return body


def _quoted(subject: str) -> str:
    if subject in (".", ".."):  # a path with it leads elsewhere, however it is quoted
        raise RegistryFailure(f"subject {subject}", 422, 0, "no subject can have this name; write another one")
    return quote(subject, safe="")


def _keep(kept: "OrderedDict[int, Any]", id_: int, value: Any) -> None:
    kept[id_] = value
    while len(kept) > _KEPT:
        kept.popitem(last=False)


async def whole(registry: Registry, schema: Schema, deepest: int = 20) -> Sequence[tuple[str, Schema]]:
    """The schemas that it refers to, each before those that refer to it, by the names that they are spoken of."""
    found: dict[str, Schema] = {}
    await _gather(registry, schema, found, deepest)
    return list(found.items())


async def _gather(registry: Registry, schema: Schema, found: dict[str, Schema], deepest: int) -> None:
    if deepest < 0 or len(found) > 500:
        raise RegistryFailure("references of a schema", 422, 0, "there are too many, or they go in a circle")
    for one in schema.references:
        if one.name in found:
            continue
        version = await registry.version(one.subject, one.version)
        inner = Schema(version.schema, version.schema_type, version.references)
        await _gather(registry, inner, found, deepest - 1)
        found[one.name] = inner
