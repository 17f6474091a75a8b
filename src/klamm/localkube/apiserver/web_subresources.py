"""Verbs on subresources: status, scale, tokens, evictions, bindings, and the streams of pods."""

from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from klamm.base.pages import METRICS
from klamm.localkube.apiserver import (
    commands,
    negotiation,
    pod_logs,
    pod_places,
    port_forward,
    reviews,
    shaping,
    statuses,
    subresources,
)
from klamm.localkube.apiserver.answers import Api, json_response
from klamm.localkube.apiserver.kinds import Kind, type_named
from klamm.localkube.apiserver.patches import Apply
from klamm.localkube.apiserver.routing import Target
from klamm.localkube.apiserver.web_objects import body_of, get_object, options_of, patch_object, update_object
from klamm.localkube.apiserver.write_rules import WriteOptions
from klamm.localkube.objects import NAMESPACES, NODES, Object, Refused

_SCALE = "io.k8s.api.autoscaling.v1.Scale"
_VERBS = {"GET": "get", "POST": "create"}
"""By which discovery calls the methods of what is neither status nor scale."""


async def on_subresource(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    name = target.subresource
    if kind.resource == NODES and name == "proxy":
        return await _node(api, request, kind, target)
    declared = kind.subresource(name)
    if declared is None or target.rest:
        if kind.custom:
            raise statuses.not_found(kind.resource, target.name)
        raise statuses.not_served()
    special = _SPECIAL.get((kind.resource.plural, name))
    if special is not None:
        if _VERBS.get(request.method) not in declared.verbs:
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
        scale = _of_type(change.on(scale, kind.node), _SCALE)
    elif request.method == "PUT":
        scale = await _asked(request, _SCALE, options)
    else:
        raise statuses.method_not_allowed()
    return json_response(subresources.write_scale(api.registry, kind, target.namespace, target.name, scale, options))


def _pod(api: Api, kind: Kind, target: Target) -> Object:
    return api.registry.view(kind, api.registry.stored(kind, target.namespace, target.name))


async def _logs(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    return await pod_logs.serve(request, api.streams, _pod(api, kind, target))


async def _exec(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    where = pod_places.container_of(_pod(api, kind, target), request.query.get("container"))
    wanted = commands.Wanted.of(request.query)
    command = request.query.getall("command", [])
    if not command:
        raise statuses.bad_request("you must specify at least 1 command for the container")
    expect = partial(api.streams.expect_running, "exec", *where)
    start = partial(api.streams.exec, *where, command, stdin=wanted.stdin, tty=wanted.tty)
    failing = "error executing command in container"
    return await commands.serve(request, commands.Use(wanted, expect, start, failing, api.ping_seconds))


async def _attach(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    where = pod_places.container_of(_pod(api, kind, target), request.query.get("container"))
    wanted = commands.Wanted.of(request.query)
    expect = partial(api.streams.expect_running, "attach", *where)
    start = partial(api.streams.attach, *where, stdin=wanted.stdin)
    failing = "error attaching to container"
    return await commands.serve(request, commands.Use(wanted, expect, start, failing, api.ping_seconds))


async def _forward(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    pod = pod_places.placed(_pod(api, kind, target))
    return await port_forward.serve(request, api.streams, pod, api.ping_seconds)


async def _node(api: Api, request: web.Request, kind: Kind, target: Target) -> web.Response:
    """The kubelet's own pages; of these localkube has the metrics."""
    if request.method != "GET":
        raise statuses.method_not_allowed()
    api.registry.stored(kind, None, target.name)
    text = await api.streams.metrics(target.name, target.rest)
    return web.Response(text=text, headers={"Content-Type": METRICS})


async def _bind(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    options = options_of(request, "binding")
    body = await _asked(request, "io.k8s.api.core.v1.Binding")
    return json_response(subresources.bind(api.registry, target.namespace or "", target.name, body, options), 201)


async def _asked(request: web.Request, type_name: str, options: WriteOptions | None = None) -> Object:
    """A body of a type that is no kind of its own."""
    return _of_type(await body_of(request, options), type_name)


def _of_type(body: Object, type_name: str) -> Object:
    """`body`, when its fields have the right types."""
    try:
        shaping.shape_native(body, type_named(type_name), [])
    except shaping.WrongType as error:
        *_, version, named = type_name.split(".")
        told = f'{named} in version "{version}" cannot be handled as a {named}: {error}'
        raise statuses.bad_request(told) from error
    return body


async def _evict(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    body = await _asked(request, "io.k8s.api.policy.v1.Eviction")
    return json_response(subresources.evict(api.registry, target.namespace or "", target.name, body), 201)


async def _token(api: Api, request: web.Request, kind: Kind, target: Target) -> web.StreamResponse:
    options = options_of(request, "token")
    body = await _asked(request, reviews.TOKEN_REQUEST)
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
