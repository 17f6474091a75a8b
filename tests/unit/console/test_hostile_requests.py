"""Requests that nobody's browser would make, and answers that must be safe whatever was asked."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from aiohttp import web
from tests.builders.fake_kafka_server import FakeGroup, FakeServers, FakeTopic, fake_servers
from tests.builders.running_console import RunningConsole, cluster_settings, running_console

from klamm.base.clock import SystemClock
from klamm.console.audit.trail import Trail
from klamm.console.identity.gate import Gate
from klamm.console.identity.reading import access
from klamm.console.identity.settings import Access
from klamm.console.problems import Problem
from klamm.console.routes import Call, Cookie, Download, Event, Events, Route, Turn, Visit
from klamm.console.scene import Scene
from klamm.console.server import LARGEST_BODY, build_app
from klamm.console.settings import Settings


@dataclass(frozen=True)
class RawAnswer:
    status: int
    headers: dict[str, str]
    body: bytes


async def _raw(port: int, request: bytes, *, close: bool = True) -> RawAnswer:
    """What comes back for these very bytes; `close`: asks for the connection's end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1) if close else request)
        await writer.drain()
        async with asyncio.timeout(20):
            said = await reader.read()
    finally:
        writer.close()
    head, _, body = said.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return RawAnswer(int(first.split()[1]), headers, body)


def _port(console: RunningConsole) -> int:
    return int(console.url.split(":")[2].split("/")[0])


def _assert_safe(headers: Any) -> None:
    lowered = {name.lower(): value for name, value in headers.items()}
    policy = lowered["content-security-policy"]
    for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'self'"):
        assert part in policy
    assert "unsafe" not in policy
    assert lowered["x-content-type-options"] == "nosniff"
    assert lowered["x-frame-options"] == "DENY"
    assert lowered["referrer-policy"] == "no-referrer"
    assert lowered["cross-origin-resource-policy"] == "same-origin"
    assert lowered.get("access-control-allow-origin") is None
    assert lowered["server"] == "klamm"


@pytest.fixture
def servers() -> Iterator[FakeServers]:
    made = FakeServers([1], topics={"orders": FakeTopic([5], [1])}, groups={"shop": FakeGroup({"orders": {0: 1}})})
    with fake_servers(made) as running:
        yield running


# --- every answer


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/", None, 200),
        ("GET", "/console.js", None, 200),
        ("GET", "/clusters/kafka/topics/%3Cscript%3E", None, 200),
        ("GET", "/api/clusters", None, 200),
        ("GET", "/api/clusters/kafka/topics?page=x", None, 400),
        ("GET", "/api/nothing", None, 404),
        ("GET", "/api/clusters/<script>", None, 404),
        ("PUT", "/api/clusters", None, 405),
        ("PATCH", "/", None, 405),
        ("POST", "/api/clusters/kafka/topics", "x" * (LARGEST_BODY + 1), 413),
        ("POST", "/api/clusters/kafka/topics", {"name": 7}, 400),
        ("DELETE", "/api/clusters/kafka/topics/none", None, 404),
    ],
    ids=lambda one: str(one)[:40],
)
async def test_every_answer_is_safe(servers: FakeServers, method: str, path: str, body: Any, status: int) -> None:
    async with running_console(servers.bootstrap) as console:
        said = await console.ask(method, path, body)
        assert said.status == status
        _assert_safe(said.headers)
        if status >= 400:
            assert said.headers["Content-Type"] == "application/problem+json"


async def test_answers_to_who_has_not_logged_in_are_safe() -> None:
    given = {"auth": {"type": "LOGIN_FORM", "users": [{"name": "a", "password": "b"}]}}
    settings = Settings((cluster_settings(("127.0.0.1:1",)),), access=access(given, ["kafka"]))
    async with running_console(settings=settings) as console:
        for method, path in (("GET", "/api/clusters"), ("POST", "/api/login"), ("GET", "/oauth2/authorization/x")):
            _assert_safe((await console.ask(method, path)).headers)


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET / HTTP/9.9",
        b"GET /\x00 HTTP/1.1",
        b"G\xffT / HTTP/1.1",
        b"GET / HTTP/1.1\r\nContent-Length: x",
        b"POST /api/login HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000,
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=lambda one: repr(one)[:30],
)
async def test_what_is_no_http_is_refused_safely(servers: FakeServers, request_line: bytes) -> None:
    async with running_console(servers.bootstrap) as console:
        said = await _raw(_port(console), request_line + b"\r\nHost: localhost\r\n\r\n")
        assert said.status == 400
        assert said.headers["content-type"] == "text/plain; charset=utf-8"
        assert (await console.get("/actuator/health")).status == 200


# --- paths


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "../..",
        "..%2F..%2Fetc%2Fpasswd",
        "%2e%2e",
        "%2F",
        "orders%2F..%2Fother",
        "orders%00",
        "orders%0d%0aSet-Cookie:%20a=b",
        "%FF%FE",
        "%ED%A0%80",
        "%",
        "%zz",
        "orders%252F",
        "orders;v=1",
        "%E2%80%AEsredro",
        "x" * 3000,
        "%00",
        "+",
        "orders%3Fa=b%23c",
    ],
    ids=lambda one: one[:20],
)
async def test_tricks_in_paths_name_nothing(servers: FakeServers, name: str) -> None:
    async with running_console(servers.bootstrap) as console:
        for path in (
            f"/api/clusters/{name}",
            f"/api/clusters/kafka/topics/{name}",
            f"/api/clusters/kafka/consumer-groups/{name}",
        ):
            said = await _raw(_port(console), f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert said.status in (400, 404), path
            _assert_safe(said.headers)
            assert "set-cookie" not in said.headers
        for path in (f"/{name}", f"/pages/{name}", f"/{name}/server.py", f"/pages/{name}/../../server.py"):
            said = await _raw(_port(console), f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert b"LARGEST_BODY" not in said.body, "no file but the pages'"
            assert b"root:" not in said.body


async def test_no_path_leads_out_of_the_pages_folder(servers: FakeServers) -> None:
    async with running_console(servers.bootstrap) as console:
        for path in (
            "/../server.py",
            "/%2e%2e/server.py",
            "//etc/passwd",
            "/pages/..%2f..%2fserver.py",
            "/\\..\\server.py",
        ):
            said = await _raw(_port(console), f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert b"<!doctype html>" in said.body or said.status >= 400


# --- bodies


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[" * 100_000,
        b'{"name":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"name": "x", "configs": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001,
        b'{"name": "\\ud800"}',
        b'{"name": "\xff\xfe"}',
        b'{"name": NaN}',
        b'{"name": "x", "partitions": 1e999}',
        b'{"name": "x", "partitions": 99999999999999999999999}',
        b'{"name": "x", "__proto__": {}}',
    ],
    ids=lambda one: repr(one)[:30],
)
async def test_bodies_that_make_no_sense_are_refused(servers: FakeServers, body: bytes) -> None:
    async with running_console(servers.bootstrap) as console:
        headers = {"Content-Type": "application/json"}
        url = f"{console.url}/api/clusters/kafka/topics"
        async with console.session.post(url, data=body, headers=headers) as said:
            assert said.status == 400, await said.text()
            assert len(await said.text()) < 1000
            _assert_safe(said.headers)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
async def test_what_a_form_of_another_site_can_send_is_not_read(servers: FakeServers, kind: str) -> None:
    async with running_console(servers.bootstrap) as console:
        url = f"{console.url}/api/clusters/kafka/topics"
        async with console.session.post(url, data=b'{"name": "x"}', headers={"Content-Type": kind}) as said:
            assert said.status == 415


async def test_a_body_that_does_not_come_ends(servers: FakeServers) -> None:
    settings = Settings((cluster_settings(servers.bootstrap),), body_within=0.2)
    async with running_console(settings=settings) as console:
        head = b"POST /api/clusters/kafka/topics HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        said = await _raw(_port(console), head + b"Content-Length: 100\r\n\r\n{")
        assert said.status == 408
        assert b"did not come within" in said.body


async def test_a_body_without_an_end_is_cut(servers: FakeServers) -> None:
    async with running_console(servers.bootstrap) as console:

        async def endless() -> AsyncIterator[bytes]:
            for _ in range(2 * LARGEST_BODY // 65536):
                yield b" " * 65536

        url = f"{console.url}/api/clusters/kafka/topics"
        headers = {"Content-Type": "application/json"}
        async with console.session.post(url, data=endless(), headers=headers) as said:
            assert said.status == 413


# --- streams and downloads


@asynccontextmanager
async def _answering(answer: Any, gate: Gate | None = None) -> AsyncIterator[int]:
    """A console whose only route gives this, to who came through the gate where there is one; its port."""

    async def give(_: Call[Any, Any]) -> Any:
        return answer

    clock = SystemClock()
    scene = Scene(Settings(()), {}, clock, gate or Gate(Access(), "", clock, lambda: "t"), Trail({}))
    route = Route("GET", "/api/it", give, "It", public=gate is None)
    runner = web.AppRunner(build_app(scene, [route], scene.gate.identify))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


_GET = b"GET /api/it HTTP/1.1\r\nHost: localhost\r\n\r\n"


class _Text(msgspec.Struct):
    text: str


async def test_a_stream_is_safe_and_one_event_stays_one() -> None:
    evil = "x\n\nevent: evil\ndata: {}\r\n\r\n\u2028data: y\0"

    async def events() -> AsyncIterator[Event]:
        yield Event("message", _Text(evil))
        raise Problem(503, "Bad", evil)

    async with _answering(Events(events())) as port:
        said = await _raw(port, _GET)
        _assert_safe(said.headers)
        assert said.headers["content-type"] == "text/event-stream"
        lines = [line for line in re.split(r"\r\n|\r|\n", said.body.decode()) if line.startswith(("event", "data"))]
        assert [line for line in lines if line.startswith("event:")] == ["event: message", "event: problem"]
        assert json.loads(lines[1].removeprefix("data: ")) == {"text": evil}


async def test_a_stream_ends_with_the_session_of_who_reads() -> None:
    form = access({"auth": {"type": "LOGIN_FORM", "users": [{"name": "a", "password": "b"}]}}, [])
    gate = Gate(form, "", SystemClock(), lambda: "t")
    _, cookie = await gate.log_in(Visit("", "", False, {}), "a", "b")
    coming: asyncio.Queue[str] = asyncio.Queue()

    async def events() -> AsyncIterator[Event]:
        while True:
            yield Event("message", _Text(await coming.get()))

    async with _answering(Events(events()), gate) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        said = f"Cookie: {cookie.name}={cookie.value}\r\nConnection: close\r\n\r\n".encode()
        writer.write(_GET.removesuffix(b"\r\n") + said)
        coming.put_nowait("while he is here")
        async with asyncio.timeout(20):
            await reader.readuntil(b"while he is here")
            gate.log_out(Visit("", "", False, {cookie.name: cookie.value}))
            coming.put_nowait("when he has gone")
            rest = await reader.read()
        assert b"when he has gone" not in rest
        assert b"the session has ended" in rest
        writer.close()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ('a"\r\nSet-Cookie: x=y\r\n\r\n<script>.json', "a___Set-Cookie__x_y_____script_.json"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("\u202egpj.exe", "_gpj.exe"),
        ("größe.csv", "gr__e.csv"),
        ("a;b=c.csv", "a_b_c.csv"),
        ("", ""),
        ("x" * 5000, "x" * 200),
    ],
    ids=lambda one: repr(one)[:20],
)
async def test_a_downloads_name_is_only_a_name(name: str, shown: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"content"

    async with _answering(Download(name, "text/csv", pieces())) as port:
        said = await _raw(port, _GET)
        _assert_safe(said.headers)
        assert said.headers["content-disposition"] == f'attachment; filename="{shown}"'
        assert "set-cookie" not in said.headers


async def test_a_place_to_go_holds_no_header() -> None:
    async with _answering(Turn((Cookie("a", "b\r\nX-Evil: 1"),), "/x\r\nX-Evil: 1")) as port:
        said = await _raw(port, _GET)
        assert said.status == 502
        assert "x-evil" not in said.headers
        _assert_safe(said.headers)
    async with _answering(Turn((Cookie("a", "b\r\nX-Evil: 1; Domain=evil"),), "/x")) as port:
        said = await _raw(port, _GET)
        assert said.status == 302
        assert "x-evil" not in said.headers
        assert said.headers["set-cookie"] == 'a="b\\015\\012X-Evil: 1\\073 Domain=evil"; HttpOnly; Path=/; SameSite=Lax'


async def test_a_bug_tells_its_kind_only() -> None:
    async with _answering(object()) as port:
        said = await _raw(port, _GET)
        assert said.status == 500
        _assert_safe(said.headers)
        assert b"Traceback" not in said.body
