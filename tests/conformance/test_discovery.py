"""What localkube serves it tells of as Kubernetes does: groups, resources, types.

localkube serves fewer groups and kinds; of those that it serves, every word must be the same. Types are compared by the
names and types of their fields, as clients check objects by them and `kubectl explain` shows them.
"""

from typing import Any

import aiohttp
import pytest
from tests.conformance.case import FORMS
from tests.conformance.conftest import Sessions
from tests.conformance.transcripts import differences

from klamm.localkube.apiserver.kinds import Kind, table

KINDS = [kind for kind in table().kinds if kind.type_name]
GROUP_VERSIONS = sorted({(kind.resource.group, kind.resource.version) for kind in table().kinds})
_FACTS = ("type", "format", "default", "required", "enum", "$ref", "x-kubernetes-group-version-kind")
_WORKING = ("x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type")
_PATCHES = ("x-kubernetes-patch-strategy", "x-kubernetes-patch-merge-key", "x-kubernetes-int-or-string")


def path_of(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


async def asked(session: aiohttp.ClientSession, path: str, accept: str = "application/json") -> Any:
    async with session.get(path, headers={"Accept": accept}) as answer:
        assert answer.status == 200, f"{path}: {answer.status}"
        return await answer.json(content_type=None)


@pytest.mark.parametrize(("group", "version"), GROUP_VERSIONS, ids=[path_of(*each) for each in GROUP_VERSIONS])
async def test_each_group_tells_its_resources(
    group: str, version: str, localkube: Sessions, kubernetes: Sessions
) -> None:
    path = f"/{path_of(group, version)}"
    ours, theirs = await asked(localkube[0], path), await asked(kubernetes[0], path)
    found = {each["name"]: each for each in theirs["resources"]}
    assert {**ours, "resources": None} == {**theirs, "resources": None}
    missing = {each["name"]: found.get(each["name"]) for each in ours["resources"]}
    assert not differences({each["name"]: each for each in ours["resources"]}, missing)


@pytest.mark.parametrize("path", ["/api", "/apis"])
async def test_aggregated_discovery_tells_the_same(path: str, localkube: Sessions, kubernetes: Sessions) -> None:
    ours, theirs = [await asked(one[0], path, FORMS["aggregated"]) for one in (localkube, kubernetes)]
    known = {
        (item["metadata"].get("name", ""), version["version"], resource["resource"]): resource
        for item in theirs["items"]
        for version in item["versions"]
        for resource in version["resources"]
    }
    for item in ours["items"]:
        group = item["metadata"].get("name", "")
        for version in item["versions"]:
            for resource in version["resources"]:
                key = (group, version["version"], resource["resource"])
                assert not differences(resource, known.get(key)), key
    assert {**ours, "items": None} == {**theirs, "items": None}


async def test_groups_prefer_the_same_versions(localkube: Sessions, kubernetes: Sessions) -> None:
    ours, theirs = [(await asked(one[0], "/apis"))["groups"] for one in (localkube, kubernetes)]
    preferred = {group["name"]: group["preferredVersion"]["version"] for group in theirs}
    served = {group["name"]: [each["version"] for each in group["versions"]] for group in ours}
    assert {name: preferred[name] in versions for name, versions in served.items()} == dict.fromkeys(served, True) | {
        "autoscaling": True
    }


@pytest.fixture(scope="session")
def documents() -> dict[str, Any]:
    """OpenAPI documents of kube-apiserver by path: each is large, and asked for once."""
    return {}


@pytest.mark.parametrize("kind", KINDS, ids=[f"{kind.resource.api_version} {kind.resource.kind}" for kind in KINDS])
async def test_each_kind_has_the_same_fields(
    kind: Kind, localkube: Sessions, kubernetes: Sessions, documents: dict[str, Any]
) -> None:
    path = f"/openapi/v3/{path_of(kind.resource.group, kind.resource.version)}"
    if path not in documents:
        documents[path] = (await asked(kubernetes[0], path))["components"]["schemas"]
    ours = (await asked(localkube[0], path))["components"]["schemas"]
    names, seen = [kind.type_name], set[str]()
    while names:
        name = names.pop()
        if name in seen:
            continue
        seen.add(name)
        assert not differences(facts(ours[name]), facts(documents[path][name])), name
        names += references(ours[name])


def facts(schema: Any) -> Any:
    """The schema without what is written for people."""
    if isinstance(schema, list):
        return [facts(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: schema[name] for name in (*_FACTS, *_WORKING, *_PATCHES) if name in schema}
    for name in ("items", "additionalProperties", "allOf", "oneOf", "anyOf"):
        if name in schema:
            kept[name] = facts(schema[name])
    kept["properties"] = {name: facts(of) for name, of in (schema.get("properties") or {}).items()}
    return kept


def references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for each in schema for name in references(each)]
    if not isinstance(schema, dict):
        return []
    own = [schema["$ref"].rsplit("/", 1)[1]] if isinstance(schema.get("$ref"), str) else []
    return own + [name for value in schema.values() for name in references(value)]
