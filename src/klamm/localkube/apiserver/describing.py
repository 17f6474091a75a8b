"""GET of /api, /apis and /openapi: documents about what is served."""

from collections.abc import Callable
from functools import partial

from aiohttp import web

from klamm.localkube.apiserver import discovery, openapi, statuses
from klamm.localkube.apiserver.answers import Api, bytes_response, nothing_here
from klamm.localkube.objects import Object


def describe(api: Api, request: web.Request) -> web.Response:
    path = request.path.rstrip("/")
    groups = discovery.by_group(api.registry.kinds())
    if path in ("/api", "/apis") and "as=APIGroupDiscoveryList" in request.headers.get("Accept", ""):
        version = "v2" if "v=v2;" in request.headers["Accept"].replace(" ", "") + ";" else "v2beta1"
        name = f"apidiscovery.k8s.io/{version}"
        body = api.document(f"{path}#{version}", lambda: discovery.aggregated(groups, path == "/api", name))
        return bytes_response(body, 200, f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList")
    if path == "/openapi/v2" and openapi.PROTOBUF in request.headers.get("Accept", ""):
        return bytes_response(openapi.version_two_in_protobuf(), 200, openapi.PROTOBUF.replace("@", "."))
    make = _document_of(path, groups, request, api)
    if make is None and _is_version_of_known_group(path, groups):
        raise statuses.not_served()
    return nothing_here() if make is None else bytes_response(api.document(path, make))


def _is_version_of_known_group(path: str, groups: discovery.GroupVersions) -> bool:
    parts = path.strip("/").split("/")
    return (len(parts), parts[0]) == (2, "api") or (len(parts) == 3 and parts[0] == "apis" and parts[1] in groups)


def _document_of(
    path: str, groups: discovery.GroupVersions, request: web.Request, api: Api
) -> Callable[[], Object] | None:
    if path == "":
        return lambda: {
            "paths": [
                "/api",
                "/api/v1",
                "/apis",
                "/healthz",
                "/livez",
                "/openapi/v2",
                "/openapi/v3",
                "/readyz",
                "/version",
            ]
        }
    if path == "/api":
        return lambda: discovery.api_versions(request.host)
    if path == "/apis":
        return lambda: discovery.group_list(groups)
    if path == "/openapi/v2":
        return lambda: openapi.version_two(groups)
    if path == "/openapi/v3":
        return lambda: openapi.index(groups, str(api.registry.kinds_changed))
    parts = path.strip("/").split("/")
    if parts[:2] == ["openapi", "v3"]:
        group, version = _group_version(parts[2:])
        kinds = groups.get(group, {}).get(version)
        return partial(openapi.document, group, version, kinds) if kinds else None
    if parts[0] == "apis" and len(parts) == 2:
        versions = groups.get(parts[1])
        return (lambda: discovery.group_object(parts[1], versions, True)) if versions else None
    group, version = _group_version(parts)
    kinds = groups.get(group, {}).get(version)
    name = f"{group}/{version}" if group else version
    return (lambda: discovery.resource_list(name, kinds)) if kinds else None


def _group_version(parts: list[str]) -> tuple[str, str]:
    if len(parts) == 2 and parts[0] == "api":
        return "", parts[1]
    if len(parts) == 3 and parts[0] == "apis":
        return parts[1], parts[2]
    return "", ""
