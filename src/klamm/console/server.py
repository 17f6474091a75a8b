"""HTTP in front of the routes: reads, asks who it is and whether he may, calls, writes.

Everything is made here for every route alike: log-in, rights, read-only clusters, sizes, errors, headers. A page may
load scripts, styles and pictures of this server only, and talk to nobody else.
"""

import asyncio
import functools
import ipaddress
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
from aiohttp import web
from aiohttp.typedefs import Middleware

from klamm.base import logs
from klamm.console.access.rights import Principal
from klamm.console.audit.noting import Noting
from klamm.console.clusters import Place
from klamm.console.problems import Problem, Said, forbidden, not_found
from klamm.console.routes import Call, Cookie, Download, Events, Route, Turn, Visit
from klamm.console.scene import Scene
from klamm.kafka.errors import KafkaFailure

_log = logs.room("console")

LARGEST_BODY = 4 << 20
_LONGEST_NAME = 200
"""Characters of a download's name."""

KEEP_ALIVE = 15.0
"""Seconds after which a silent stream of events says that it lives: proxies cut what is silent."""

_WEB = Path(__file__).parent / "web"
_INDEX = "index.html"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_ENCODE = msgspec.json.Encoder().encode

Identify = Callable[[Visit], Awaitable[Principal | None]]
"""Who asks; None when nobody has logged in, and somebody must."""


def build_app(scene: Scene, routes: Sequence[Route], identify: Identify) -> web.Application:
    base = scene.settings.base
    app = web.Application(client_max_size=LARGEST_BODY, middlewares=[_safe, _only_as_this_machine(scene)])
    app.on_response_prepare.append(_with_headers)
    for route in routes:
        app.router.add_route(route.method, base + route.path, _handler(scene, route, identify))
    app.router.add_get(base + "/api/{rest:.*}", _no_such_path)
    app.router.add_get(base + "/{page:.*}", _pages(base))
    if base:
        app.router.add_get("/", _moved_to(f"{base}/"))
    return app


@web.middleware
async def _safe(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        response = await handler(request)
    except Problem as problem:
        response = _problem(problem.said)
    except KafkaFailure as failure:
        response = _problem(Problem.of_kafka(failure).said)
    except web.HTTPException as error:
        response = _problem(Said(error.status, error.reason, f"{request.method} {request.path}: {error.reason}"))
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception as error:
        _log.error("a request failed", error, method=request.method, path=request.path)
        response = _problem(Said(500, "Bug", f"klamm failed: {type(error).__name__}. The console's log has more."))
    return response


async def _with_headers(_: web.Request, response: web.StreamResponse) -> None:
    """On every answer before it begins, streams and errors, too."""
    response.headers.update(_HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Server"] = "klamm"


def _problem(said: Said) -> web.Response:
    return web.Response(status=said.status, body=_ENCODE(said), content_type="application/problem+json")


def _handler(scene: Scene, route: Route, identify: Identify) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        _same_origin(request, route)
        visit = _visit(request)
        who = Principal("nobody", ()) if route.public else await identify(visit)
        if who is None:
            raise Problem(401, "LogIn", "log in first")
        path = dict(request.match_info)
        with Noting(scene, route, who, path, visit) as noting:
            place = _place(scene, who, path)
            _permit(route, who, path)
            if place is not None and place.settings.read_only and route.changes:
                raise forbidden(f"cluster {place.name} is read-only here; its configuration says readOnly: true")
            query = _converted(dict(request.query), route.query, "query")
            body = await _body(request, route, scene.settings.body_within)
            noting.asked(query, body)
            answer = await route.handler(Call(scene, who, path, query, body, place, visit))
        return await _answered(request, answer, visit, lambda: route.public or scene.gate.stands(visit))

    return handle


def _place(scene: Scene, who: Principal, path: dict[str, str]) -> Place | None:
    """The cluster of the path. One that is not there and one that he may not see look the same."""
    if "cluster" not in path:
        return None
    place = scene.places.get(path["cluster"])
    if place is None or not who.sees(path["cluster"]):
        raise not_found("cluster", path["cluster"])
    return place


def _visit(request: web.Request) -> Visit:
    forwarded = request.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
    is_secure = request.secure or forwarded == "https"
    origin = f"{'https' if is_secure else 'http'}://{request.host}"
    return Visit(request.remote or "", origin, is_secure, request.cookies)


def _permit(route: Route, who: Principal, path: dict[str, str]) -> None:
    right = route.right
    if right is None:
        return
    name = path[right.of] if right.of else None
    if not who.may(path.get("cluster"), right.resource, right.action, name):
        what = f"{right.resource} {name}" if name else right.resource
        raise forbidden(f"{who.name} may not {right.action} {what}; a role must permit it (rbac.roles)")


def _same_origin(request: web.Request, route: Route) -> None:
    """Another site's page must not do anything in the name of who is logged in here, nor let this console work.

    It may lead here, as a log-in's way back does, and does not learn what was answered."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site in ("same-origin", "none"):
        return
    if route.method == "GET":
        if site == "cross-site" and request.headers.get("Sec-Fetch-Mode") != "navigate":
            raise forbidden("a page of another site may not read this")
        return
    # Browsers say Sec-Fetch over TLS and to this machine only. A proxy that changes Host tells the one that was asked.
    hosts = (request.host, request.headers.get("X-Forwarded-Host", "").partition(",")[0].strip())
    said = None if origin is None else origin.partition("://")[2]
    # "null" is what a page without an origin says, one in a frame that is shut off, say; it names no host.
    if site is not None or (said is not None and (not said or said not in hosts)):
        raise forbidden(f"a page of {origin or 'another site'} may not do this here")


def _only_as_this_machine(scene: Scene) -> Middleware:
    """A console without log-in that only this machine reaches answers to this machine's names alone: a page of a name
    that was turned to 127.0.0.1 (DNS rebinding) would be of the same origin."""
    is_needed = scene.gate.is_open and _is_loopback(scene.settings.host or "")

    @web.middleware
    async def check(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if is_needed and not _is_of_this_machine(request.host):
            said = "this console answers to localhost only; a log-in or another --host opens it to more names"
            raise Problem(421, "OtherHost", said)
        return await handler(request)

    return check


def _is_of_this_machine(host: str) -> bool:
    name = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
    name = name.strip("[]").lower().rstrip(".")
    return name == "localhost" or name.endswith(".localhost") or _is_address(name)


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


async def _body(request: web.Request, route: Route, seconds: float) -> Any:
    return None if route.body is None else _converted(await _json(request, seconds), route.body, "body")


async def _json(request: web.Request, seconds: float) -> Any:
    if request.content_type != "application/json":
        raise Problem(415, "UnsupportedMediaType", f"{request.content_type} is not read; send application/json")
    try:
        async with asyncio.timeout(seconds):
            content = await request.read()
        return msgspec.json.decode(content)
    except TimeoutError as error:
        raise Problem(408, "TooSlow", f"body: did not come within {seconds:.0f} s; send it again") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(400, "BadJson", f"body: {error}") from error
    except RecursionError as error:
        raise Problem(400, "BadJson", "body: lists or objects are too deep in one another; send a flat one") from error


def _converted(given: Any, wanted: type[msgspec.Struct], where: str) -> Any:
    try:
        return msgspec.convert(given, wanted, strict=where == "body")
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        field = path.rstrip("`").lstrip(".")
        raise Problem(400, "BadValue", f"{where}{'.' + field if field else ''}: {message}", field or None) from error


async def _answered(request: web.Request, answer: Any, visit: Visit, stands: Callable[[], bool]) -> web.StreamResponse:
    if answer is None:
        return web.Response(status=204)
    if isinstance(answer, Turn):
        return _turned(answer, visit)
    if isinstance(answer, Events):
        return await _stream(request, answer, stands)
    if isinstance(answer, Download):
        return await _download(request, answer)
    response = web.Response(body=_ENCODE(answer), content_type="application/json", charset="utf-8")
    if response.body is not None and len(cast(bytes, response.body)) > 1400:
        response.enable_compression()
    return response


def _turned(turn: Turn, visit: Visit) -> web.Response:
    response = web.Response(status=302 if turn.location else 204)
    if turn.location:
        if not turn.location.isprintable():
            raise Problem(502, "BadPlace", "the place to go on to is no address; see the settings of the log-in")
        response.headers["Location"] = turn.location
    for one in turn.cookies:
        _set_cookie(response, one, visit)
    return response


def _set_cookie(response: web.Response, one: Cookie, visit: Visit) -> None:
    response.set_cookie(
        one.name, one.value, path="/", max_age=one.seconds, httponly=True, secure=visit.secure, samesite="Lax"
    )


async def _stream(request: web.Request, events: Events, stands: Callable[[], bool]) -> web.StreamResponse:
    """`stands`: whether the session of who reads is still open; asked before anything is written."""
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream",
            "X-Accel-Buffering": "no",
        }
    )
    await response.prepare(request)
    stream = aiter(events.stream)
    upcoming: asyncio.Future[Any] | None = None
    try:
        while True:
            upcoming = upcoming or asyncio.ensure_future(anext(stream))
            done, _ = await asyncio.wait([upcoming], timeout=KEEP_ALIVE)
            if not stands():
                said = Said(401, "LogIn", "the session has ended; log in again")
                await response.write(b"event: problem\ndata: %b\n\n" % _ENCODE(said))
                break
            if not done:
                await response.write(b": \n\n")
                continue
            event, upcoming = upcoming, None
            try:
                one = event.result()
            except StopAsyncIteration:
                break
            except (Problem, KafkaFailure) as error:
                said = error.said if isinstance(error, Problem) else Problem.of_kafka(error).said
                await response.write(b"event: problem\ndata: %b\n\n" % _ENCODE(said))
                break
            await response.write(b"event: %b\ndata: %b\n\n" % (one.name.encode(), _ENCODE(one.data)))
    except ConnectionError:
        pass  # the reader went
    finally:
        if upcoming is not None:
            upcoming.cancel()
            await asyncio.wait([upcoming])
        await stream.aclose()  # type: ignore[attr-defined]
    return response


async def _download(request: web.Request, download: Download) -> web.StreamResponse:
    name = "".join(one if (one.isascii() and one.isalnum()) or one in "-_." else "_" for one in download.name)
    response = web.StreamResponse(
        headers={
            "Content-Type": download.kind,
            "Content-Disposition": f'attachment; filename="{name[:_LONGEST_NAME]}"',
        }
    )
    await response.prepare(request)
    async for piece in download.stream:
        await response.write(piece)
    return response


async def _no_such_path(request: web.Request) -> web.StreamResponse:
    raise not_found("path", request.path)


_KINDS = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


@functools.cache
def _files() -> Mapping[str, tuple[bytes, str]]:
    """What a browser loads beside the index: content and kind of each file, by its path."""
    return {
        path.relative_to(_WEB).as_posix(): (path.read_bytes(), _KINDS.get(path.suffix, "application/octet-stream"))
        for path in _WEB.rglob("*")
        if path.is_file() and path.name != _INDEX
    }


def _pages(base: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A file, or the index: a path that is no file's is a page's, which the browser finds by itself."""
    files = _files()
    index = ((_WEB / _INDEX).read_text().replace("{base}", f"{base}/").encode(), "text/html")

    async def give(request: web.Request) -> web.StreamResponse:
        content, kind = files.get(request.match_info["page"], index)
        response = web.Response(body=content, content_type=kind, charset="utf-8", headers={"Cache-Control": "no-cache"})
        response.enable_compression()
        return response

    return give


def _moved_to(where: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def moved(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": where})

    return moved
