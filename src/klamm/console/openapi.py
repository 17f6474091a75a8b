"""The API's OpenAPI 3.1 document, made from the table of routes and the Structs that it names."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from klamm import __version__
from klamm.console.problems import Said
from klamm.console.routes import Route

_PARAMETER = re.compile(r"\{(\w+)(?::[^}]*)?\}")


def document(routes: Sequence[Route], base: str = "") -> dict[str, Any]:
    structs: list[type[msgspec.Struct]] = [Said]
    for route in routes:
        structs += [one for one in (route.body, route.answer, *route.events) if one is not None]
    schemas, components = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
    reference = dict(zip(structs, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        operations = paths.setdefault(_PARAMETER.sub(r"{\1}", route.path), {})
        operations[route.method.lower()] = _operation(route, reference)
    return {
        "openapi": "3.1.0",
        "info": {"title": "klamm console", "version": __version__, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": base or "/"}],
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(route: Route, reference: dict[type[msgspec.Struct], Any]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": f"{route.handler.__module__.rpartition('.')[2]}_{route.handler.__name__}",
        "summary": route.summary,
        "parameters": [*_of_path(route), *_of_query(route)],
        "responses": {
            "200" if route.answer or route.events else "204": {
                "description": route.summary,
                **_content(route, reference),
            },
            "default": {
                "description": "What went wrong",
                "content": {"application/problem+json": {"schema": reference[Said]}},
            },
        },
    }
    if route.right is not None:
        said["x-right"] = f"{route.right.resource}:{route.right.action}"
    if route.body is not None:
        said["requestBody"] = {"required": True, "content": {"application/json": {"schema": reference[route.body]}}}
    return said


def _content(route: Route, reference: dict[type[msgspec.Struct], Any]) -> dict[str, Any]:
    if route.events:
        schema = {"oneOf": [reference[one] for one in route.events]}
        return {"content": {"text/event-stream": {"schema": schema}}}
    if route.answer is not None:
        return {"content": {"application/json": {"schema": reference[route.answer]}}}
    return {}


def _of_path(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(route.path)
    ]


def _of_query(route: Route) -> list[dict[str, Any]]:
    (schema,), components = msgspec.json.schema_components([route.query], ref_template="{name}")
    properties = components[schema["$ref"]]["properties"] if "$ref" in schema else schema.get("properties", {})
    required = components[schema["$ref"]].get("required", []) if "$ref" in schema else []
    return [
        {"name": name, "in": "query", "required": name in required, "schema": of} for name, of in properties.items()
    ]
