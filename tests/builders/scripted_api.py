"""An API server that says what a script tells it to: cuts, 410, 429, stale lists, replayed events.

The script stands at the client's one seam (`Transport`), where tests run in virtual time; `serving` puts the same
script behind a real socket.

    api = ScriptedApi()
    api.answers(listed([pod("a", version=5)], version=7), Cut(sent=True), status(429, "TooManyRequests"))
    api.watches([event("ADDED", pod("b", version=8)), Cut()], [gone()])
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from klamm.kube.errors import Unreachable
from klamm.kube.exchange import Response, Stream
from klamm.kube.requests import Request

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Cut:
    """The connection ends without an answer; `sent`: after the request has arrived."""

    sent: bool = True


@dataclass(frozen=True)
class Pause:
    """Nothing for that many seconds."""

    seconds: float


Answer = Response | Cut
Watching = Sequence[Json | Cut | Pause] | Answer


@dataclass
class ScriptedApi:
    """Answers to calls and to watches come from two scripts. A watch beyond the script stays silent."""

    requests: list[Request] = field(default_factory=list)
    calls: deque[Answer] = field(default_factory=deque)
    streams: deque[Watching] = field(default_factory=deque)

    def answers(self, *answers: Answer) -> None:
        self.calls.extend(answers)

    def watches(self, *watches: Watching) -> None:
        self.streams.extend(watches)

    @property
    def told(self) -> list[str]:
        """What was asked, e.g. "GET /api/v1/pods?limit=500"."""
        return [f"{request.method} {request.target}" for request in self.requests]

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        answer = self.calls.popleft() if self.calls else status(500, "InternalError", "the script is at its end")
        if isinstance(answer, Cut):
            raise Unreachable(request.doing, "cut", answer.sent)
        return answer

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Stream]:
        self.requests.append(request)
        watching = self.streams.popleft() if self.streams else [Pause(1e9)]
        if isinstance(watching, Cut):
            raise Unreachable(request.doing, "cut", watching.sent)
        if isinstance(watching, Response):
            yield Stream(watching.status, watching.headers, _once(watching.body))
            return
        yield Stream(200, {}, _pieces(request, watching))

    async def close(self) -> None:
        pass


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _pieces(request: Request, watching: Sequence[Json | Cut | Pause]) -> AsyncIterator[bytes]:
    for part in watching:
        if isinstance(part, Cut):
            raise Unreachable(request.doing, "cut", part.sent)
        if isinstance(part, Pause):
            await asyncio.sleep(part.seconds)
        else:
            line = json.dumps(part).encode() + b"\n"
            # In two pieces, as a network would do it on its worst day.
            yield line[:7]
            yield line[7:]


def answer(body: Json, code: int = 200, **headers: str) -> Response:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Response(code, json.dumps(body).encode(), named)


def status(code: int, reason: str, message: str = "", details: Json | None = None, **headers: str) -> Response:
    body = {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details or {}}
    return answer(body, code, **headers)


def listed(items: Sequence[Json], version: int, after: str = "") -> Response:
    metadata = {"resourceVersion": str(version), **({"continue": after} if after else {})}
    return answer({"kind": "List", "metadata": metadata, "items": list(items)})


def pod(name: str, version: int, namespace: str = "kafka", uid: str = "", **labels: str) -> dict[str, Any]:
    metadata = {
        "name": name,
        "namespace": namespace,
        "resourceVersion": str(version),
        "uid": uid or f"uid-of-{name}",
        "labels": labels,
    }
    return {"metadata": metadata, "spec": {"containers": []}}


def event(change: str, obj: Json) -> Json:
    return {"type": change, "object": obj}


def bookmark(version: int) -> Json:
    return event("BOOKMARK", {"metadata": {"resourceVersion": str(version)}})


def gone() -> Json:
    body = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
    return event("ERROR", body)


@asynccontextmanager
async def serving(api: ScriptedApi) -> AsyncIterator[str]:
    """The script on a loopback port of its own; gives "http://127.0.0.1:<port>"."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read_request(reader)) is not None:
                if not await _respond(api, request, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target, headers.get("authorization", ""), body=body or None)


async def _respond(api: ScriptedApi, request: Request, writer: asyncio.StreamWriter) -> bool:
    """Whether the connection stays."""
    try:
        if "watch=true" in request.target:
            async with api.stream(request) as stream:
                await _write_stream(stream, writer)
        else:
            response = await api.send(request)
            writer.write(_head(response.status, response.headers, f"Content-Length: {len(response.body)}"))
            writer.write(response.body)
    except Unreachable:
        return False
    await writer.drain()
    return True


async def _write_stream(stream: Stream, writer: asyncio.StreamWriter) -> None:
    writer.write(_head(stream.status, stream.headers, "Transfer-Encoding: chunked"))
    async for piece in stream.pieces:
        writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        await writer.drain()
    writer.write(b"0\r\n\r\n")


def _head(code: int, headers: Mapping[str, str], length: str) -> bytes:
    lines = [f"HTTP/1.1 {code} Said", "Content-Type: application/json", length]
    lines += [f"{key}: {value}" for key, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
