"""HTTP: who calls, what is asked, and the answer in the form that was asked for.

Handlers are synchronous but for reading the body and for streams: the registry answers in microseconds. A `Refused`
anywhere below becomes its Status; anything else is our bug, and becomes a 500 that says so.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from klamm.localkube.apiserver import (
    deletion,
    discovery,
    negotiation,
    openapi,
    reading,
    routing,
    statuses,
    streaming,
    subresources,
)
from klamm.localkube.apiserver.authentication import Authenticator, Identity, Tokens
from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.apiserver.negotiation import Accepted
from klamm.localkube.apiserver.patches import Apply
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.apiserver.routing import Target
from klamm.localkube.apiserver.watching import Watch, WatchRequest, shaped
from klamm.localkube.apiserver.write_rules import WriteOptions
from klamm.localkube.objects import NAMESPACES, Object, Refused, Streams

_log = logging.getLogger(__name__)
_MOST_BODY = 3 * 1024 * 1024
_PUBLIC = frozenset(["/healthz", "/livez", "/readyz", "/version"])
_RETURNS_OBJECT = frozenset(
    ["Pod", "Service", "PersistentVolume", "PersistentVolumeClaim", "ServiceAccount", "PodTemplate", "ResourceQuota"]
)
_REVIEWS = frozenset(["authentication.k8s.io", "authorization.k8s.io"])
_WATCH_SECONDS = 1800.0


@dataclass(eq=False)
class Api:
    """What handlers need. One per server."""

    registry: Registry
    streams: Streams
    authenticator: Authenticator
    tokens: Tokens
    watches: set[Watch] = field(default_factory=set)
    documents: dict[tuple[int, str], bytes] = field(default_factory=dict)
    """Discovery and OpenAPI bodies by (state of the CRDs, path)."""

    def now(self) -> datetime:
        return self.registry.clock.now()

    def document(self, name: str, make: Callable[[], Object]) -> bytes:
        key = (self.registry.kinds_changed, name)
        body = self.documents.get(key)
        if body is None:
            self.documents = {at: kept for at, kept in self.documents.items() if at[0] == key[0]}
            body = self.documents[key] = msgspec.json.encode(make())
        return body


def build_app(registry: Registry, streams: Streams, authenticator: Authenticator, tokens: Tokens) -> web.Application:
    api = Api(registry, streams, authenticator, tokens)

    async def handle(request: web.Request) -> web.StreamResponse:
        return await _guarded(api, request)

    async def end_watches(app: web.Application) -> None:
        for watch in tuple(api.watches):
            watch.end()

    app = web.Application(client_max_size=_MOST_BODY)
    app.router.add_route("*", "/{path:.*}", handle)
    app.on_shutdown.append(end_watches)
    return app


async def _guarded(api: Api, request: web.Request) -> web.StreamResponse:
    try:
        return await _answer(api, request)
    except Refused as refused:
        return _refusal(refused)
    except web.HTTPRequestEntityTooLarge:
        return _refusal(Refused(413, "RequestEntityTooLarge", f"Request entity too large: limit is {_MOST_BODY}"))
    except (ConnectionError, web.HTTPException):
        raise
    except Exception as error:
        _log.exception("cannot answer %s %s", request.method, request.path)
        text = f"Internal error occurred: {request.method} {request.path}: {type(error).__name__}: {error}"
        return _refusal(Refused(500, "InternalError", text))


def _refusal(refused: Refused) -> web.Response:
    response = _json(statuses.body_of(refused), refused.code)
    retry = refused.details.get("retryAfterSeconds")
    if retry:
        response.headers["Retry-After"] = str(retry)
    return response


def _json(obj: Object, status: int = 200) -> web.Response:
    return _bytes(msgspec.json.encode(obj), status)


def _bytes(body: bytes, status: int = 200, content_type: str = "application/json") -> web.Response:
    headers = {"Content-Type": content_type, "Cache-Control": "no-cache, private"}
    return web.Response(body=body, status=status, headers=headers)


def _caller(api: Api, request: web.Request) -> Identity:
    transport = request.transport
    certificate = transport.get_extra_info("peercert") if transport is not None else None
    identity = api.authenticator.identify(certificate, request.headers.get("Authorization"))
    if identity is None:
        raise Refused(401, "Unauthorized", "Unauthorized")
    return identity


async def _answer(api: Api, request: web.Request) -> web.StreamResponse:
    path = request.path
    if path in _PUBLIC or path.startswith(("/livez/", "/readyz/", "/healthz/")):
        return _json(discovery.VERSION) if path == "/version" else _bytes(b"ok", content_type="text/plain")
    caller = _caller(api, request)
    target = routing.parse(path)
    if target is None:
        return _describe(api, request)
    kind = api.registry.kind(target.group, target.version, target.plural)
    if kind is None or not _placed_right(kind, target):
        return _nothing_here()
    return await _on_resource(api, request, kind, target, caller)


def _placed_right(kind: Kind, target: Target) -> bool:
    """Namespaced objects are named inside of a namespace, others outside; lists go over all namespaces."""
    if kind.resource.namespaced:
        return target.namespace is not None or not target.name
    return target.namespace is None


def _nothing_here() -> web.Response:
    return _bytes(b"404 page not found\n", 404, "text/plain; charset=utf-8")


# Discovery


def _describe(api: Api, request: web.Request) -> web.Response:
    path = request.path.rstrip("/")
    groups = discovery.by_group(api.registry.kinds())
    if path in ("/api", "/apis") and "as=APIGroupDiscoveryList" in request.headers.get("Accept", ""):
        version = "v2" if "v=v2;" in request.headers["Accept"].replace(" ", "") + ";" else "v2beta1"
        name = f"apidiscovery.k8s.io/{version}"
        body = api.document(f"{path}#{version}", lambda: discovery.aggregated(groups, path == "/api", name))
        return _bytes(body, 200, f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList")
    make = _document_of(path, groups, request, api)
    return _nothing_here() if make is None else _bytes(api.document(path, make))


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


# Resources


async def _on_resource(
    api: Api, request: web.Request, kind: Kind, target: Target, caller: Identity
) -> web.StreamResponse:
    method = request.method
    if target.subresource:
        return await _on_subresource(api, request, kind, target)
    if not target.name:
        if method == "GET":
            return await _list_or_watch(api, request, kind, target)
        if method == "POST":
            return await _create(api, request, kind, target, caller)
        if method == "DELETE":
            return await _delete_collection(api, request, kind, target)
        raise statuses.method_not_allowed(kind.resource, method.lower())
    if method == "GET":
        return _get(api, request, kind, target)
    if method == "PUT":
        return await _update(api, request, kind, target)
    if method == "PATCH":
        return await _patch(api, request, kind, target)
    if method == "DELETE":
        return await _delete(api, request, kind, target)
    raise statuses.method_not_allowed(kind.resource, method.lower())


def _allow(kind: Kind, verb: str) -> None:
    if verb not in kind.verbs:
        raise Refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def _include(request: web.Request) -> str:
    return request.query.get("includeObject", "Metadata")


def _get(api: Api, request: web.Request, kind: Kind, target: Target) -> web.Response:
    _allow(kind, "get")
    form = negotiation.accepted(request.headers.get("Accept"))
    stored = api.registry.stored(kind, target.namespace, target.name)
    body = reading.get_body(api.registry, kind, stored, form, _include(request), api.now())
    return _formed(body, form)


def _formed(body: bytes, form: Accepted, status: int = 200) -> web.Response:
    if not form.yaml:
        return _bytes(body, status)
    import yaml

    text = yaml.safe_dump(msgspec.json.decode(body), sort_keys=False).encode()
    return _bytes(text, status, "application/yaml")


async def _list_or_watch(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    _allow(kind, "list")
    form = negotiation.accepted(request.headers.get("Accept"))
    selection = reading.selection_of(kind, target.namespace, request.query)
    if request.query.get("watch", "") in ("1", "true", "True"):
        return await _watch(
            api,
            request,
            WatchRequest(
                kind,
                selection,
                form,
                request.query.get("resourceVersion", ""),
                request.query.get("allowWatchBookmarks") == "true",
                request.query.get("sendInitialEvents") == "true",
                _include(request),
                _watch_seconds(request),
            ),
        )
    page = reading.list_page(api.registry, kind, selection, request.query)
    body = reading.list_body(api.registry, kind, page, form, _include(request), api.now)
    return _formed(body, form)


def _watch_seconds(request: web.Request) -> float:
    try:
        seconds = float(request.query.get("timeoutSeconds", "0"))
    except ValueError as error:
        raise statuses.bad_request("timeoutSeconds must be a number") from error
    return seconds if seconds > 0 else _WATCH_SECONDS


async def _watch(api: Api, request: web.Request, wanted: WatchRequest) -> web.StreamResponse:
    watch = Watch(api.registry, wanted, api.now)
    api.watches.add(watch)
    try:
        headers = {"Content-Type": "application/json", "Cache-Control": "no-cache, private"}
        response = web.StreamResponse(headers=headers)
        response.enable_chunked_encoding()
        await response.prepare(request)
        async for chunk in watch.lines():
            await response.write(chunk)
        await response.write_eof()
        return response
    finally:
        watch.end()
        api.watches.discard(watch)


def _options(request: web.Request, subresource: str = "") -> WriteOptions:
    query = request.query
    validation = query.get("fieldValidation", "Warn")
    if validation not in ("Ignore", "Warn", "Strict"):
        text = f'Unsupported value: "{validation}": supported values: "Ignore", "Strict", "Warn"'
        cause = statuses.Cause("FieldValueNotSupported", "fieldValidation", text)
        raise statuses.invalid("meta.k8s.io", "CreateOptions", "", [cause])
    dry_run = query.getall("dryRun", [])
    if any(each != "All" for each in dry_run):
        cause = statuses.unsupported("dryRun", dry_run, ["All"])
        raise statuses.invalid("meta.k8s.io", "CreateOptions", "", [cause])
    return WriteOptions(
        manager=query.get("fieldManager") or _agent(request),
        subresource=subresource,
        dry_run=bool(dry_run),
        field_validation=validation,
        force=query.get("force", "") in ("1", "true"),
    )


def _agent(request: web.Request) -> str:
    return request.headers.get("User-Agent", "unknown").split("/")[0].split(" ")[0][:128] or "unknown"


async def _body(request: web.Request, options: WriteOptions | None = None) -> Object:
    content_type = negotiation.media_type(request.headers.get("Content-Type"))
    return negotiation.read_object(await request.read(), content_type, options)


def _written(
    api: Api, request: web.Request, kind: Kind, obj: Object, options: WriteOptions, status: int = 200
) -> web.Response:
    form = negotiation.accepted(request.headers.get("Accept"))
    answer = shaped(kind, obj, form, _include(request), api.now())
    response = _formed(msgspec.json.encode(answer), form, status)
    for text in options.warnings:
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    return response


async def _create(api: Api, request: web.Request, kind: Kind, target: Target, caller: Identity) -> web.Response:
    _allow(kind, "create")
    options = _options(request)
    obj = await _body(request, options)
    if kind.resource.group in _REVIEWS:
        return _json(subresources.review(kind, obj, caller, api.authenticator), 201)
    namespace = target.namespace
    if kind.resource.namespaced and namespace is None:
        raise statuses.bad_request("an empty namespace may not be set during creation")
    if kind.resource.kind == "Binding":
        name = (obj.get("metadata") or {}).get("name", "")
        return _json(subresources.bind(api.registry, namespace or "", name, obj, options), 201)
    return _written(api, request, kind, api.registry.create(kind, namespace, obj, options), options, 201)


async def _update(api: Api, request: web.Request, kind: Kind, target: Target, subresource: str = "") -> web.Response:
    options = _options(request, subresource)
    obj = await _body(request, options)
    written = api.registry.update(kind, target.namespace, target.name, obj, options)
    return _written(api, request, kind, written, options)


async def _patch(api: Api, request: web.Request, kind: Kind, target: Target, subresource: str = "") -> web.Response:
    options = _options(request, subresource)
    content_type = negotiation.media_type(request.headers.get("Content-Type"))
    change = negotiation.read_patch(await request.read(), content_type, options)
    if content_type.startswith("application/apply-patch") and not request.query.get("fieldManager"):
        cause = statuses.required("fieldManager", "is required for apply patch")
        raise statuses.invalid("meta.k8s.io", "PatchOptions", "", [cause])
    written = api.registry.patch(kind, target.namespace, target.name, change, options)
    return _written(api, request, kind, written.object, options, 201 if written.created else 200)


async def _read_delete_options(request: web.Request) -> deletion.DeleteOptions:
    data = await request.read()
    body = negotiation.read_object(data, negotiation.media_type(request.headers.get("Content-Type"))) if data else {}
    return subresources.delete_options(body, request.query)


async def _delete(api: Api, request: web.Request, kind: Kind, target: Target) -> web.Response:
    _allow(kind, "delete")
    options = await _read_delete_options(request)
    uid = api.registry.view(kind, api.registry.stored(kind, target.namespace, target.name))["metadata"]["uid"]
    deleted = api.registry.delete(kind, target.namespace, target.name, options)
    if not deleted.finished or kind.resource.kind in _RETURNS_OBJECT:
        return _json(_viewed(kind, deleted.object))
    details: Object = {"name": target.name}
    if kind.resource.group:
        details["group"] = kind.resource.group
    details |= {"kind": kind.resource.plural, "uid": uid}
    return _json({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})


def _viewed(kind: Kind, obj: Object) -> Object:
    return {**obj, "apiVersion": kind.resource.api_version}


async def _delete_collection(api: Api, request: web.Request, kind: Kind, target: Target) -> web.Response:
    _allow(kind, "deletecollection")
    options = await _read_delete_options(request)
    selection = reading.selection_of(kind, target.namespace, request.query)
    page = reading.list_page(api.registry, kind, selection, {})
    body = reading.list_body(api.registry, kind, page, Accepted("object"), "None", api.now)
    for stored in page.stored:
        if api.registry.storage.find(kind.storage_key, stored.namespace, stored.name) is not None:
            api.registry.delete(kind, stored.namespace or None, stored.name, options)
    return _bytes(body)


# Subresources


async def _on_subresource(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    name = target.subresource
    declared = kind.subresource(name)
    if declared is None or target.rest:
        return _nothing_here()
    special = _SPECIAL.get((kind.resource.plural, name))
    if special is not None:
        return await special(api, request, kind, target)
    if name == "scale":
        return await _scale(api, request, kind, target)
    if name == "status" or (kind.resource == NAMESPACES and name == "finalize"):
        if request.method == "GET":
            return _get(api, request, kind, target)
        if request.method == "PUT":
            return await _update(api, request, kind, target, name)
        if request.method == "PATCH":
            return await _patch(api, request, kind, target, name)
        raise statuses.method_not_allowed(kind.resource, request.method.lower())
    text = f"localkube does not serve {kind.resource.plural}/{name}"
    raise Refused(501, "NotImplemented", text)


async def _scale(api: Api, request: web.Request, kind: Kind, target: Target) -> web.Response:
    stored = api.registry.stored(kind, target.namespace, target.name)
    scale = subresources.scale_of(kind, api.registry.view(kind, stored))
    if request.method == "GET":
        return _json(scale)
    options = _options(request, "scale")
    if request.method == "PATCH":
        content_type = negotiation.media_type(request.headers.get("Content-Type"))
        change = negotiation.read_patch(await request.read(), content_type, options)
        if isinstance(change, Apply):
            raise Refused(501, "NotImplemented", "localkube does not serve server-side apply on scale")
        scale = change.on(scale, kind.node)
    else:
        scale = await _body(request, options)
    return _json(subresources.write_scale(api.registry, kind, target.namespace, target.name, scale, options))


def _pod(api: Api, kind: Kind, target: Target) -> Object:
    return api.registry.view(kind, api.registry.stored(kind, target.namespace, target.name))


async def _logs(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    pod = _pod(api, kind, target)
    container = streaming.container_of(pod, request.query.get("container"), "log")
    return await streaming.send_logs(request, api.streams, pod, container)


async def _exec(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    pod = _pod(api, kind, target)
    query = request.query
    container = streaming.container_of(pod, query.get("container"), "exec")
    command = query.getall("command", [])
    if not command:
        raise statuses.bad_request("you must specify at least 1 command for the container")
    metadata = pod["metadata"]

    async def start() -> Any:
        return await api.streams.exec(
            metadata["namespace"],
            metadata["name"],
            container,
            command,
            stdin=query.get("stdin") in ("1", "true"),
            tty=query.get("tty") in ("1", "true"),
        )

    return await streaming.run_command(request, start, query)


async def _attach(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    raise Refused(501, "NotImplemented", "localkube does not serve pods/attach: use kubectl logs -f or kubectl exec")


async def _forward(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    return await streaming.forward_ports(request, api.streams, _pod(api, kind, target))


async def _bind(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    options = _options(request, "binding")
    body = await _body(request)
    return _json(subresources.bind(api.registry, target.namespace or "", target.name, body, options), 201)


async def _evict(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    body = await _body(request)
    return _json(subresources.evict(api.registry, target.namespace or "", target.name, body), 201)


async def _token(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    body = await _body(request)
    answer = subresources.token_request(api.registry, api.tokens, target.namespace or "", target.name, body)
    return _json(answer, 201)


Handler = Callable[[Api, web.Request, Kind, Target], Awaitable[web.StreamResponse]]
_SPECIAL: dict[tuple[str, str], Handler] = {
    ("pods", "log"): _logs,
    ("pods", "exec"): _exec,
    ("pods", "attach"): _attach,
    ("pods", "portforward"): _forward,
    ("pods", "binding"): _bind,
    ("pods", "eviction"): _evict,
    ("serviceaccounts", "token"): _token,
}
