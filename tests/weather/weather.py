"""The proxy between operator and API server, and the one fault that is to happen.

Each life of the operator has a `Line` of its own: a port on the loopback whose connections lead to the API server. A
killed operator's line is severed at that moment, so that whatever its tasks do while they end reaches nobody.

Calls are counted from `begin` on. The armed fault meets its call, and the attempts right after it (`ATTEMPTS`), so that
it is the pass that sees the failure and not only the retry inside of one call.
"""

import asyncio
import json
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from tests.kubernetes.control_plane import ControlPlane
from tests.weather.calls import Asked, Call, Counted, asked
from tests.weather.faults import KILLS, KILLS_AFTER, Fault, Harm
from yarl import URL

from klamm.kube.connection import Connection

ATTEMPTS = 2
"""How often the operator's client tries in these tests; a failure lasts as long."""

LATE = 0.7
"""Seconds. Long beside everything that the operator does meanwhile, short beside its deadlines."""

SENSED = 0.4
"""Seconds after a lost event until the watch ends, as every watch does sooner or later."""

_ANSWERS = {
    Harm.FAULT_BEFORE: (500, "InternalError"),
    Harm.FAULT_AFTER: (504, "Timeout"),
    Harm.CONFLICT: (409, "Conflict"),
    Harm.BUSY: (429, "TooManyRequests"),
    Harm.GONE: (410, "Expired"),
}
_LASTING = frozenset({Harm.CUT_BEFORE, Harm.CUT_AFTER, *_ANSWERS} - {Harm.GONE})
_PASSED_ON = ("Content-Type", "Accept", "Authorization")


@dataclass(frozen=True, slots=True)
class Done:
    """A write that the server has answered."""

    call: Call
    status: int
    body: Mapping[str, Any]


@dataclass
class Weather:
    """`namespace`: calls to others are let through uncounted."""

    namespace: str = ""
    killed: asyncio.Event = field(default_factory=asyncio.Event)
    written: list[Done] = field(default_factory=list)
    in_flight: int = 0
    last_heard: float = 0.0
    met: int = 0
    _fault: Fault | None = None
    _counted: Counted = field(default_factory=Counted)
    _lists: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))

    def begin(self, fault: Fault | None) -> None:
        """A new step: calls are counted from one, and this happens to one of them."""
        self._fault, self._counted, self.met = fault, Counted(), 0
        self.written.clear()

    def calls(self) -> list[Call]:
        return self._counted.all()

    def count(self, one: Asked | None) -> Call | None:
        if one is None or one.namespace not in ("", self.namespace):
            return None
        return self._counted.call(one.verb, one.kind, one.name.replace(self.namespace, "NAMESPACE"))

    def harm_to(self, call: Call | None) -> Harm | None:
        """What happens to this call, if anything."""
        fault = self._fault
        if fault is None or call is None:
            return None
        lasting = fault.harm in _LASTING and 0 < call.number - fault.call.number < ATTEMPTS
        alike = (call.verb, call.kind, call.name) == (fault.call.verb, fault.call.kind, fault.call.name)
        if not alike or not (lasting or call.number == fault.call.number):
            return None
        self.met += 1
        return fault.harm

    def remember_list(self, target: str, body: bytes) -> None:
        self._lists[target].append(body)
        del self._lists[target][1:-1]

    def older_list(self, target: str) -> bytes | None:
        """The first answer that this list ever had."""
        return next(iter(self._lists[target]), None)

    def forget_lists(self) -> None:
        self._lists.clear()


class Line:
    """One operator's way to the API server."""

    def __init__(self, weather: Weather, upstream: aiohttp.ClientSession) -> None:
        self.connection = Connection("")
        self._weather = weather
        self._upstream = upstream
        self._transports: set[asyncio.BaseTransport] = set()
        self._serving: set[asyncio.Task[Any]] = set()
        """What is being answered; of watches nobody else ends the server's half when the operator's is cut."""
        self._severed = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Line"]:
        server = web.Server(self._serve, access_log=None)
        listening = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
        self.connection = Connection(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
        try:
            yield self
        finally:
            self.sever()
            listening.close()
            for answering in tuple(self._serving):
                answering.cancel()
            await server.shutdown(0.01)  # 0 would wait for ever

    def sever(self) -> None:
        """Nothing gets through any more, in either direction; what the server has already, it has."""
        self._severed = True
        self.cut_all()

    def cut_all(self) -> None:
        for transport in tuple(self._transports):
            transport.abort()  # type: ignore[attr-defined]
        self._transports.clear()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        answering = asyncio.current_task()
        assert answering is not None
        self._serving.add(answering)
        try:
            return await self._serve_one(request)
        finally:
            self._serving.discard(answering)

    async def _serve_one(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.transport is not None:
            self._transports.add(request.transport)
        body = await request.read()
        if self._severed:
            return self._cut(request)
        one = asked(request.method, request.path, request.query, request.content_type, body)
        call = self._weather.count(one)
        harm = self._weather.harm_to(call)
        if one is not None and one.verb == "watch":
            try:
                return await self._watch(request, one.kind, harm)
            except ConnectionError:  # the operator has gone
                return self._cut(request)
        self._weather.in_flight += 1
        try:
            return await self._answer(request, body, call, harm)
        finally:
            self._weather.in_flight -= 1
            self._weather.last_heard = asyncio.get_running_loop().time()

    async def _answer(
        self, request: web.BaseRequest, body: bytes, call: Call | None, harm: Harm | None
    ) -> web.StreamResponse:
        if harm is Harm.LATE_CALL:
            await asyncio.sleep(LATE)
        if (instead := self._before(request, harm)) is not None:
            return instead
        answer, content = await self._asked_upstream(request, body, call)
        if harm is Harm.STALE:
            content = self._weather.older_list(str(request.rel_url)) or content
        if call is not None and call.verb == "list":
            self._weather.remember_list(str(request.rel_url), content)
        if harm is Harm.LATE_ANSWER:
            await asyncio.sleep(LATE)
        if harm in KILLS_AFTER:
            self._kill()
        if self._severed or harm is Harm.CUT_AFTER:
            return self._cut(request)
        if harm is Harm.FAULT_AFTER:
            return _status(harm)
        return web.Response(status=answer.status, body=content, headers=_kept(answer))

    async def _asked_upstream(
        self, request: web.BaseRequest, body: bytes, call: Call | None
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        async with self._sent(request, body) as answer:
            content = await answer.read()
        if call is not None and call.is_write:
            self._weather.written.append(Done(call, answer.status, json.loads(body) if body else {}))
        return answer, content

    async def _watch(self, request: web.BaseRequest, kind: str, harm: Harm | None) -> web.StreamResponse:
        if (instead := self._before(request, harm)) is not None:
            return instead
        async with self._sent(request, None) as answer:
            if harm in KILLS_AFTER:
                self._kill()
                return self._cut(request)
            response = web.StreamResponse(status=answer.status, headers=_kept(answer))
            await response.prepare(request)
            told: list[bytes] = []
            async for line in answer.content:
                told.append(line)
                if not await self._tell(request, response, kind, told):
                    return response
            await response.write_eof()
            return response

    async def _tell(self, request: web.BaseRequest, response: web.StreamResponse, kind: str, told: list[bytes]) -> bool:
        """The last of `told`, or what becomes of it. False when the watch is over."""
        harm, line = self._harm_to_event(kind, told[-1]), told[-1]
        match harm:
            case Harm.KILLED_BEFORE | Harm.CUT_BEFORE:
                line = b""
            case Harm.DROPPED:
                asyncio.get_running_loop().call_later(SENSED, self.cut_all)
                return True
            case Harm.GONE:
                line = json.dumps({"type": "ERROR", "object": _body(Harm.GONE)}).encode() + b"\n"
            case Harm.REPLAYED:
                line = b"".join([line, *told])
            case Harm.LATE_ANSWER:
                await asyncio.sleep(LATE)
        if line:
            await response.write(line)
            self._weather.last_heard = asyncio.get_running_loop().time()
        if harm in KILLS:
            self._kill()
        elif harm in (Harm.CUT_BEFORE, Harm.CUT_AFTER):
            self._cut(request)
        elif harm is Harm.GONE:
            await response.write_eof()
        return harm in (None, Harm.REPLAYED, Harm.LATE_ANSWER)

    def _harm_to_event(self, kind: str, line: bytes) -> Harm | None:
        event = json.loads(line)
        if event["type"] in ("BOOKMARK", "ERROR"):
            return None
        metadata = event["object"]["metadata"]
        what = Asked("event", kind, f"{event['type']} {metadata['name']}", metadata.get("namespace", ""))
        return self._weather.harm_to(self._weather.count(what))

    def _before(self, request: web.BaseRequest, harm: Harm | None) -> web.StreamResponse | None:
        """What comes instead of asking the server."""
        if harm is Harm.KILLED_BEFORE:
            self._kill()
            return self._cut(request)
        if harm is Harm.CUT_BEFORE:
            return self._cut(request)
        if harm in _ANSWERS and harm is not Harm.FAULT_AFTER:
            return _status(harm)
        return None

    def _kill(self) -> None:
        self.sever()
        self._weather.killed.set()

    def _cut(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=503)  # which nobody gets

    def _sent(self, request: web.BaseRequest, body: bytes | None) -> aiohttp.client._RequestContextManager:
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        return self._upstream.request(
            request.method,
            URL(str(self._upstream._base_url).rstrip("/") + request.raw_path, encoded=True),
            data=body or None,
            headers=headers,
        )


@asynccontextmanager
async def to_the_server(plane: ControlPlane) -> AsyncIterator[aiohttp.ClientSession]:
    """The proxy's own session: as the administrator, without limits of time."""
    context = ssl.create_default_context(cafile=str(plane.folder / "ca.crt"))
    context.load_cert_chain(plane.folder / "admin.crt", plane.folder / "admin.key")
    connector = aiohttp.TCPConnector(ssl=context, limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    # Lines of a watch are as long as the largest object.
    async with aiohttp.ClientSession(
        plane.url, connector=connector, timeout=timeout, read_bufsize=2**22, headers={"Accept-Encoding": "identity"}
    ) as session:
        yield session


def _kept(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name in ("Content-Type", "Warning")}


def _body(harm: Harm) -> dict[str, Any]:
    code, reason = _ANSWERS[harm]
    text = f"{reason} (bad weather)"
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code, "message": text}


def _status(harm: Harm) -> web.Response:
    headers = {"Retry-After": "1"} if harm is Harm.BUSY else {}
    return web.json_response(_body(harm), status=_ANSWERS[harm][0], headers=headers)
