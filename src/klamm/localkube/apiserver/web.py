"""HTTP: who calls, what is asked, and the answer in the form that was asked for.

Handlers are synchronous but for reading the body and for streams: the registry answers in microseconds. A `Refused`
anywhere below becomes its Status; anything else is our bug, and becomes a 500 that says so.
"""

import logging

from aiohttp import web

from klamm.localkube.apiserver import routing, statuses
from klamm.localkube.apiserver.answers import Api, bytes_response, json_response, nothing_here
from klamm.localkube.apiserver.authentication import Authenticator, Identity, Tokens
from klamm.localkube.apiserver.describing import describe
from klamm.localkube.apiserver.discovery import VERSION
from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.apiserver.routing import Target
from klamm.localkube.apiserver.upgrades import PING_SECONDS
from klamm.localkube.apiserver.web_objects import (
    create_object,
    delete_collection,
    delete_object,
    get_object,
    list_or_watch,
    patch_object,
    update_object,
)
from klamm.localkube.apiserver.web_subresources import on_subresource
from klamm.localkube.objects import Refused, Streams

_log = logging.getLogger(__name__)
_MOST_BODY = 3 * 1024 * 1024
_HEALTH = frozenset(f"/{name}{check}" for name in ("healthz", "livez", "readyz") for check in ("", "/ping", "/etcd"))
_PUBLIC = _HEALTH | {"/version"}


def build_app(
    registry: Registry,
    streams: Streams,
    authenticator: Authenticator,
    tokens: Tokens,
    ping_seconds: float = PING_SECONDS,
) -> web.Application:
    api = Api(registry, streams, authenticator, tokens, ping_seconds)

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
    response = json_response(statuses.body_of(refused), refused.code)
    retry = refused.details.get("retryAfterSeconds")
    if retry:
        response.headers["Retry-After"] = str(retry)
    return response


def _caller(api: Api, request: web.Request) -> Identity:
    transport = request.transport
    certificate = transport.get_extra_info("peercert") if transport is not None else None
    tls = transport.get_extra_info("ssl_object") if transport is not None else None
    encoded = tls.getpeercert(True) if tls is not None and certificate else None
    identity = api.authenticator.identify(certificate, request.headers.get("Authorization"), encoded)
    if identity is None:
        raise Refused(401, "Unauthorized", "Unauthorized")
    return identity


async def _answer(api: Api, request: web.Request) -> web.StreamResponse:
    path = request.path
    if path in _PUBLIC:
        if "Authorization" in request.headers:
            _caller(api, request)  # nobody needs a token here, but a wrong one is told
        return json_response(VERSION) if path == "/version" else bytes_response(b"ok", content_type="text/plain")
    caller = _caller(api, request)
    target = routing.parse(path)
    if target is None:
        return describe(api, request)
    kind = api.registry.kind(target.group, target.version, target.plural)
    if kind is None or not _placed_right(kind, target):
        if any(
            not one.custom and one.resource.group == target.group and one.resource.version == target.version
            for one in api.registry.kinds()
        ):
            raise statuses.not_served()
        return nothing_here()
    response = await _on_resource(api, request, kind, target, caller)
    if kind.deprecation and not response.prepared:
        response.headers.add("Warning", f'299 - "{kind.deprecation}"')
    return response


def _placed_right(kind: Kind, target: Target) -> bool:
    """Namespaced objects are named inside of a namespace, others outside; lists go over all namespaces."""
    if kind.resource.namespaced:
        return target.namespace is not None or not target.name
    return target.namespace is None


# Resources


async def _on_resource(
    api: Api, request: web.Request, kind: Kind, target: Target, caller: Identity
) -> web.StreamResponse:
    method = request.method
    if target.subresource:
        return await on_subresource(api, request, kind, target)
    if not target.name:
        if method == "GET":
            return await list_or_watch(api, request, kind, target)
        if method == "POST":
            return await create_object(api, request, kind, target, caller)
        if method == "DELETE":
            return await delete_collection(api, request, kind, target)
        raise statuses.method_not_allowed()
    if method == "GET":
        return get_object(api, request, kind, target)
    if method == "PUT":
        return await update_object(api, request, kind, target)
    if method == "PATCH":
        return await patch_object(api, request, kind, target)
    if method == "DELETE":
        return await delete_object(api, request, kind, target)
    raise statuses.method_not_allowed()
