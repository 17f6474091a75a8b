"""What a kubelet and Prometheus get to read."""

import asyncio

import pytest

from klamm.control.health import Health

PAGES = [
    ("GET /healthy HTTP/1.1", 200, "ok\n"),
    ("GET /ready HTTP/1.1", 503, "watch: pods were not listed yet\nbroken: the check itself failed: oops\n"),
    ("GET /metrics?x=1 HTTP/1.1", 200, "up 1\n"),
    ("HEAD /metrics HTTP/1.1", 200, ""),
    ("GET /secrets HTTP/1.1", 404, "there are /healthy, /ready and /metrics\n"),
    ("POST /healthy HTTP/1.1", 405, "only GET and HEAD\n"),
    ("nonsense", 404, None),
]


def _breaks() -> str | None:
    raise RuntimeError("oops")


def _health() -> Health:
    ready = {"api": lambda: None, "watch": lambda: "pods were not listed yet", "broken": _breaks}
    return Health({"loop": lambda: None}, ready, lambda: "up 1\n")


async def _ask(port: int, raw: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(("request_line", "code", "body"), PAGES, ids=[row[0] for row in PAGES])
async def test_pages(request_line: str, code: int, body: str | None) -> None:
    health = _health()
    port = await health.start("127.0.0.1", 0)
    head, _, said = (await _ask(port, f"{request_line}\r\nHost: x\r\n\r\n".encode())).partition(b"\r\n\r\n")
    health.close()
    if body is not None:
        assert int(head.split(b" ")[1]) == code
        assert said.decode() == body


async def test_whoever_says_too_much_is_let_go() -> None:
    health = _health()
    port = await health.start("127.0.0.1", 0)
    assert await _ask(port, b"x" * 100_000) == b""
    health.close()
