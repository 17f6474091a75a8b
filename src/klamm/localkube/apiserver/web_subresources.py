"""Verbs on subresources: status, scale, tokens, evictions, bindings, and the streams of pods."""

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from klamm.localkube.apiserver import negotiation, reviews, shaping, statuses, streaming, subresources
from klamm.localkube.apiserver.answers import Api, json_response
from klamm.localkube.apiserver.kinds import Kind, type_named
from klamm.localkube.apiserver.patches import Apply
from klamm.localkube.apiserver.routing import Target
from klamm.localkube.apiserver.web_objects import body_of, get_object, options_of, patch_object, update_object
from klamm.localkube.objects import NAMESPACES, ExecSession, Object, Refused


async def on_subresource(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    name = target.subresource
    declared = kind.subresource(name)
    if declared is None or target.rest:
        if kind.custom:
            raise statuses.not_found(kind.resource, target.name)
        raise statuses.not_served()
    special = _SPECIAL.get((kind.resource.plural, name))
    if special is not None:
        methods, handler = special
        if request.method not in methods:
            raise statuses.method_not_allowed()
        return await handler(api, request, kind, target)
    if name == "scale":
        return await _scale(api, request, kind, target)
    if name == "status" or (kind.resource == NAMESPACES and name == "finalize"):
        if request.method == "GET":
            return get_object(api, request, kind, target)
        if request.method == "PUT":
            return await update_object(api, request, kind, target, name)
        if request.method == "PATCH":
            return await patch_object(api, request, kind, target, name)
        raise statuses.method_not_allowed()
    text = f"localkube does not serve {kind.resource.plural}/{name}"
    raise Refused(501, "NotImplemented", text)


async def _scale(api: Api, request: web.Request, kind: Kind, target: Target) -> web.Response:
    stored = api.registry.stored(kind, target.namespace, target.name)
    scale = subresources.scale_of(kind, api.registry.view(kind, stored))
    if request.method == "GET":
        return json_response(scale)
    options = options_of(request, "scale")
    if request.method == "PATCH":
        content_type = negotiation.media_type(request.headers.get("Content-Type"))
        change = negotiation.read_patch(await request.read(), content_type, options)
        if isinstance(change, Apply):
            raise Refused(501, "NotImplemented", "localkube does not serve server-side apply on scale")
        scale = change.on(scale, kind.node)
    else:
        scale = await body_of(request, options)
    return json_response(subresources.write_scale(api.registry, kind, target.namespace, target.name, scale, options))


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

    async def start() -> ExecSession:
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
    options = options_of(request, "binding")
    body = await body_of(request)
    return json_response(subresources.bind(api.registry, target.namespace or "", target.name, body, options), 201)


async def _asked(request: web.Request, type_name: str) -> Object:
    """A body of a type that is no kind of its own, its fields of the right types."""
    body = await body_of(request)
    try:
        shaping.shape_native(body, type_named(type_name), [])
    except shaping.WrongType as error:
        named = type_name.rsplit(".", 1)[1]
        raise statuses.bad_request(f"the body cannot be handled as a {named}: {error}") from error
    return body


async def _evict(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    body = await _asked(request, "io.k8s.api.policy.v1.Eviction")
    return json_response(subresources.evict(api.registry, target.namespace or "", target.name, body), 201)


async def _token(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    options = options_of(request, "token")
    body = await _asked(request, "io.k8s.api.authentication.v1.TokenRequest")
    namespace = target.namespace or ""
    answer = reviews.token_request(api.registry, api.tokens, namespace, target.name, body, options.manager)
    return json_response(answer, 201)


Handler = Callable[[Api, web.Request, Kind, Target], Awaitable[web.StreamResponse]]
_STREAM = ("GET", "POST")
_SPECIAL: dict[tuple[str, str], tuple[Sequence[str], Handler]] = {
    ("pods", "log"): (("GET",), _logs),
    ("pods", "exec"): (_STREAM, _exec),
    ("pods", "attach"): (_STREAM, _attach),
    ("pods", "portforward"): (_STREAM, _forward),
    ("pods", "binding"): (("POST",), _bind),
    ("pods", "eviction"): (("POST",), _evict),
    ("serviceaccounts", "token"): (("POST",), _token),
}
