"""The API server's own handlers as a client's transport: no sockets, so that operators run against it in virtual time.

Requests go through the same verbs, validation, ownership and watches as over HTTP; left out are TLS, authentication
and the bytes on a wire, which tests/unit/kube covers. `refuse` makes chosen requests fail, as admission control would;
of those that `loses` chooses the answer is lost, when the server has done what they ask.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web
from multidict import CIMultiDict, MultiDict

from klamm.kube import errors
from klamm.kube.exchange import Response, Stream
from klamm.kube.requests import Request
from klamm.localkube.apiserver import reading, routing, statuses, web_objects
from klamm.localkube.apiserver.answers import Api, json_response
from klamm.localkube.apiserver.authentication import Identity
from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.apiserver.negotiation import Accepted
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.apiserver.watching import Watch, WatchRequest
from klamm.localkube.apiserver.web_subresources import on_subresource
from klamm.localkube.objects import Refused

Refuse = Callable[[Request], Refused | None]


class RegistryTransport:
    """`requests`: what was asked, as "PATCH /api/v1/…"."""

    def __init__(self, registry: Registry) -> None:
        self._api = Api(registry, cast(Any, None), cast(Any, None), cast(Any, None))
        self.requests: list[str] = []
        self.refuse: Refuse = lambda _: None
        self.loses: Callable[[Request], bool] = lambda _: False

    async def send(self, request: Request) -> Response:
        self.requests.append(f"{request.method} {request.path}")
        try:
            refused = self.refuse(request)
            if refused is not None:
                raise refused
            answer = await self._answer(request)
        except Refused as refused:
            answer = json_response(statuses.body_of(refused), refused.code)
        if self.loses(request):
            raise errors.Unreachable(request.doing, "the answer was lost", sent=True)
        body = answer.body
        assert isinstance(body, bytes)
        return Response(answer.status, body, dict(answer.headers))

    async def _answer(self, request: Request) -> web.Response:
        target, kind = self._found(request)
        asked = _as_web(request)
        api, found = self._api, None
        if target.subresource:
            found = await on_subresource(api, asked, kind, target)
        elif request.method == "GET" and target.name:
            found = web_objects.get_object(api, asked, kind, target)
        elif request.method == "GET":
            found = await web_objects.list_or_watch(api, asked, kind, target)
        elif request.method == "POST":
            found = await web_objects.create_object(api, asked, kind, target, Identity("admin", ("system:masters",)))
        elif request.method == "PUT":
            found = await web_objects.update_object(api, asked, kind, target)
        elif request.method == "PATCH":
            found = await web_objects.patch_object(api, asked, kind, target)
        elif request.method == "DELETE":
            found = await web_objects.delete_object(api, asked, kind, target)
        assert isinstance(found, web.Response), request
        return found

    def _found(self, request: Request) -> tuple[routing.Target, Kind]:
        target = routing.parse(request.path)
        kind = self._api.registry.kind(target.group, target.version, target.plural) if target is not None else None
        if target is None or kind is None:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        return target, kind

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Stream]:
        target, kind = self._found(request)
        query = dict(request.query)
        watch = Watch(
            self._api.registry,
            WatchRequest(
                kind,
                reading.selection_of(kind, target.namespace, query),
                Accepted("object"),
                query.get("resourceVersion", ""),
                bookmarks=True,
                timeout=float(query.get("timeoutSeconds", 300)),
            ),
            self._api.now,
        )
        try:
            yield Stream(200, {}, watch.lines())
        finally:
            watch.end()

    async def close(self) -> None:
        pass


@dataclass(frozen=True)
class _Asked:
    """As much of aiohttp's request as the handlers read (its own mock of one takes 6 ms to make)."""

    method: str
    path: str
    query: MultiDict[str]
    headers: CIMultiDict[str]
    body: bytes

    async def read(self) -> bytes:
        return self.body


def _as_web(request: Request) -> web.Request:
    headers = CIMultiDict({"Content-Type": request.content_type, "Accept": request.accept})
    asked = _Asked(request.method, request.path, MultiDict(request.query), headers, request.body or b"")
    return cast(web.Request, asked)
