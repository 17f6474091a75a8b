"""A schema registry by Confluent's HTTP API in this process: subjects, versions, ids, levels; and its faults.

No real registry is there where these tests run. What it answers was written from the API's published reference, and
`test_the_fake_answers_as_the_reference_says` keeps it so: paths, fields, error codes. The client was driven once by
hand against Apicurio Registry 2.6.13 (`/apis/ccompat/v7`), which answers alike, but that a subject without a level of
its own says NONE there, not 40408.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

_TYPE = "application/vnd.schemaregistry.v1+json"


@dataclass
class FakeRegistry:
    """`asked`: "GET /subjects" and the like, in order. `refuses`: a schema with this in it does not fit."""

    subjects: dict[str, dict[int, int]] = field(default_factory=dict)
    """Ids by version."""
    schemas: dict[int, dict[str, Any]] = field(default_factory=dict)
    levels: dict[str | None, str] = field(default_factory=lambda: {None: "BACKWARD"})
    asked: list[str] = field(default_factory=list)
    refuses: str = "INCOMPATIBLE"
    password: str | None = None
    answer_anything: bytes | None = None
    """Instead of what is right."""
    hung: asyncio.Event | None = None
    """Nothing is answered before it is set."""
    url: str = ""

    def add(self, subject: str, schema: str, kind: str = "AVRO", references: list[dict[str, Any]] | None = None) -> int:
        """Returns the id; the same schema has the same one."""
        body: dict[str, Any] = {"schema": schema}
        if kind != "AVRO":
            body["schemaType"] = kind
        if references:
            body["references"] = references
        id_ = next((known for known, one in self.schemas.items() if one == body), len(self.schemas) + 1)
        self.schemas[id_] = body
        versions = self.subjects.setdefault(subject, {})
        if id_ not in versions.values():
            versions[max(versions, default=0) + 1] = id_
        return id_

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.rel_url.raw_path}")
        if self.hung is not None:
            await self.hung.wait()
        if self.answer_anything is not None:
            return web.Response(body=self.answer_anything, content_type=_TYPE)
        if self.password is not None and request.headers.get("Authorization") != f"Basic {self.password}":
            return _error(401, 401, "Unauthorized")
        body = json.loads(await request.text() or "null")
        parts = [*map(_unquoted, request.rel_url.raw_path.strip("/").split("/"))]
        match request.method, parts:
            case "GET", ["subjects"]:
                return _said(list(self.subjects))
            case "GET", ["schemas", "ids", id_]:
                found = self.schemas.get(int(id_))
                return _said(found) if found else _error(404, 40403, "Schema not found")
            case "GET", ["subjects", subject, "versions"] if subject in self.subjects:
                return _said(list(self.subjects[subject]))
            case method, ["subjects", subject, "versions", version] if subject in self.subjects:
                return self._version(method, subject, version)
            case "POST", ["subjects", subject, "versions"]:
                return self._register(subject, body)
            case "POST", ["compatibility", "subjects", subject, "versions", "latest"] if subject in self.subjects:
                fits = self.refuses not in body["schema"]
                return _said({"is_compatible": fits, "messages": [] if fits else ["a field was lost"]})
            case "DELETE", ["subjects", subject] if subject in self.subjects:
                return _said(list(self.subjects.pop(subject)))
            case "GET", ["config", *of]:
                level = self.levels.get(of[0] if of else None)
                return _said({"compatibilityLevel": level}) if level else _error(404, 40408, "Subject has no level")
            case "PUT", ["config", *of]:
                self.levels[of[0] if of else None] = body["compatibility"]
                return _said(body)
        return _error(404, 40401, f"Subject '{parts[1] if len(parts) > 1 else ''}' not found.")

    def _version(self, method: str, subject: str, version: str) -> web.Response:
        versions = self.subjects[subject]
        number = max(versions) if version == "latest" else int(version)
        if number not in versions:
            return _error(404, 40402, f"Version {number} not found.")
        if method == "DELETE":
            del versions[number]
            return _said(number)
        id_ = versions[number]
        return _said({"subject": subject, "version": number, "id": id_, **self.schemas[id_]})

    def _register(self, subject: str, body: dict[str, Any]) -> web.Response:
        kind = body.get("schemaType", "AVRO")
        if kind != "PROTOBUF":
            try:
                json.loads(body["schema"])
            except ValueError:
                return _error(422, 42201, f"Invalid schema of type {kind}")
        if self.refuses in body["schema"]:
            return _error(409, 409, "Schema being registered is incompatible with an earlier schema")
        return _said({"id": self.add(subject, body["schema"], kind, body.get("references"))})


def _said(value: Any) -> web.Response:
    return web.Response(text=json.dumps(value), content_type=_TYPE)


def _error(status: int, code: int, message: str) -> web.Response:
    return web.Response(status=status, text=json.dumps({"error_code": code, "message": message}), content_type=_TYPE)


def _unquoted(part: str) -> str:
    from urllib.parse import unquote

    return unquote(part)


@asynccontextmanager
async def fake_registry(registry: FakeRegistry | None = None) -> AsyncIterator[FakeRegistry]:
    made = registry or FakeRegistry()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        made.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
        yield made
    finally:
        await runner.cleanup()
