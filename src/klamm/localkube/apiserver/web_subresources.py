"""Verbs on subresources: status, scale, tokens, evictions, bindings, and the streams of pods."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from klamm.localkube.apiserver import negotiation, reviews, statuses, streaming, subresources
from klamm.localkube.apiserver.answers import Api, json_response
from klamm.localkube.apiserver.kinds import Kind
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
        if declared.verbs == ("create",) and request.method != "POST":
            raise statuses.method_not_allowed()
        return await special(api, request, kind, target)
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


async def _evict(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    body = await body_of(request)
    return json_response(subresources.evict(api.registry, target.namespace or "", target.name, body), 201)


async def _token(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    options = options_of(request, "token")
    body = await body_of(request)
    namespace = target.namespace or ""
    answer = reviews.token_request(api.registry, api.tokens, namespace, target.name, body, options.manager)
    return json_response(answer, 201)


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
