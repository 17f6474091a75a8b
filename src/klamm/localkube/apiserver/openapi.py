"""OpenAPI documents: v3 per group version (kubectl explain, field validation), and a small v2.

Native types come from types.json.gz and have no descriptions of their own: a generic sentence names the page that has
them. CRDs bring theirs.
"""

import hashlib
from typing import Any

from klamm.localkube.apiserver.discovery import GroupVersions
from klamm.localkube.apiserver.kinds import Kind, table
from klamm.localkube.apiserver.schema import DROPPED, MICRO, ZEROS
from klamm.localkube.objects import Object

_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_REFERENCE = "https://kubernetes.io/docs/reference/kubernetes-api/"


def path_of(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def index(groups: GroupVersions, stamp: str) -> Object:
    """`stamp` changes with the CRDs, so that clients know when to fetch again."""
    paths = {}
    for group, versions in groups.items():
        for version in versions:
            path = path_of(group, version)
            digest = hashlib.sha256(f"{path}#{stamp}".encode()).hexdigest().upper()
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return {"paths": paths}


def document(group: str, version: str, kinds: list[Kind]) -> Object:
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.34.4"},
        "paths": {path: item for kind in kinds for path, item in _paths(kind).items()},
        "components": {"schemas": _schemas(kinds)},
    }


def _paths(kind: Kind) -> dict[str, Object]:
    resource = kind.resource
    base = f"/{path_of(resource.group, resource.version)}"
    collection = (
        f"{base}/namespaces/{{namespace}}/{resource.plural}" if resource.namespaced else f"{base}/{resource.plural}"
    )
    action = {
        "x-kubernetes-group-version-kind": {
            "group": resource.group,
            "version": resource.version,
            "kind": resource.kind,
        }
    }
    response = {"200": {"description": "OK"}}
    reading = {**action, "responses": response}
    query = [
        {"name": name, "in": "query", "schema": {"type": "string"}}
        for name in ("dryRun", "fieldManager", "fieldValidation")
    ]
    writing = {**reading, "parameters": query}
    paths: dict[str, Object] = {}
    if "list" in kind.verbs:
        paths[collection] = {
            "get": {**reading, "x-kubernetes-action": "list"},
            "post": {**writing, "x-kubernetes-action": "post"},
        }
    if "get" in kind.verbs:
        paths[f"{collection}/{{name}}"] = {
            "get": {**reading, "x-kubernetes-action": "get"},
            "put": {**writing, "x-kubernetes-action": "put"},
            "patch": {**writing, "x-kubernetes-action": "patch", "requestBody": {"content": _patch_contents(kind)}},
            "delete": {**reading, "x-kubernetes-action": "delete"},
        }
    return paths


def _patch_contents(kind: Kind) -> Object:
    sorts = ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"]
    if not kind.custom:
        sorts.append("application/strategic-merge-patch+json")
    return {sort: {"schema": {"type": "object"}} for sort in sorts}


def _schemas(kinds: list[Kind]) -> Object:
    types = table().types
    schemas: Object = {}
    waiting = [_META]
    for kind in kinds:
        if kind.custom:
            schemas[kind.type_name] = _custom_schema(kind)
        elif kind.type_name:
            waiting.append(kind.type_name)
    while waiting:
        name = waiting.pop()
        if name not in schemas and name in types:
            schemas[name] = _described(name, types[name])
            waiting += _references(types[name])
    return schemas


def _references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for each in schema for name in _references(each)]
    if not isinstance(schema, dict):
        return []
    found = [name for value in schema.values() for name in _references(value)]
    reference = schema.get("$ref")
    return [*found, reference.rsplit("/", 1)[1]] if isinstance(reference, str) else found


def _described(name: str, schema: Any) -> Object:
    told = {key: value for key, value in schema.items() if key not in (DROPPED, MICRO, ZEROS)}
    return {"description": f"{name.rsplit('.', 1)[1]}: its fields are described at {_REFERENCE}", **told}


def _custom_schema(kind: Kind) -> Object:
    """The CRD's schema with apiVersion, kind and metadata as Kubernetes' types describe them."""
    raw = dict(kind.node.raw)
    raw["properties"] = {
        **raw["properties"],
        "metadata": {"allOf": [{"$ref": f"#/components/schemas/{_META}"}]},
    }
    resource = kind.resource
    gvk = {"group": resource.group, "kind": resource.kind, "version": resource.version}
    return {**raw, "x-kubernetes-group-version-kind": [gvk]}


def version_two(groups: GroupVersions) -> Object:
    """Enough for clients that look for kinds and scopes in the older document."""
    definitions: Object = {}
    for versions in groups.values():
        for kinds in versions.values():
            for kind in kinds:
                resource = kind.resource
                gvk = {"group": resource.group, "kind": resource.kind, "version": resource.version}
                name = kind.type_name or f"{resource.group}.{resource.version}.{resource.kind}"
                definitions[name] = {"type": "object", "x-kubernetes-group-version-kind": [gvk]}
    info = {"title": "Kubernetes", "version": "v1.34.4"}
    return {"swagger": "2.0", "info": info, "paths": {}, "definitions": definitions}


PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"


def version_two_in_protobuf() -> bytes:
    """The same as kubectl asks for it, which looks here only for kinds that the third version does not know: none.

    A Document of gnostic's OpenAPIv2.proto: swagger (1), info (2) with title (1) and version (2), paths (8).
    """

    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    info = field(1, b"Kubernetes") + field(2, b"v1.34.4")
    return field(1, b"2.0") + field(2, info) + field(8, b"")
