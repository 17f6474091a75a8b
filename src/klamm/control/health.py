"""Three pages for kubelets and Prometheus: /healthy, /ready, /metrics.

A few lines of HTTP/1.1 over asyncio instead of aiohttp.web, whose import alone costs 2 MB and 25 ms in each of the
operators' processes, for pages that a probe reads every ten seconds.

A check returns why it is not well, or None. Checks say what they know and wait for nothing: a probe that hangs is a
probe that fails, and the kubelet kills for it.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from klamm.base import logs

_log = logs.room("control.health")

Checks = Mapping[str, Callable[[], str | None]]

_LONGEST_HEAD = 8192
_PATIENCE = 5.0
_TEXT = "text/plain; charset=utf-8"
_METRICS = "text/plain; version=0.0.4; charset=utf-8"
_SAID = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}


class Health:
    """`healthy` failing gets the process killed, `ready` failing only takes it out of its Service."""

    def __init__(self, healthy: Checks, ready: Checks, metrics: Callable[[], str] = lambda: "") -> None:
        self._healthy = healthy
        self._ready = ready
        self._metrics = metrics
        self._server: asyncio.Server | None = None

    async def start(self, host: str | None, port: int) -> int:
        """Listen (None: on all addresses; port 0: on a free one) and return the port."""
        self._server = await asyncio.start_server(self._converse, host, port, limit=_LONGEST_HEAD)
        return int(self._server.sockets[0].getsockname()[1])

    async def serve(self, host: str | None, port: int) -> None:
        """Listen until cancelled: for a supervisor."""
        await self.start(host, port)
        try:
            await asyncio.Event().wait()
        finally:
            self.close()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Whoever connects and says nothing, or too much, is let go: a port scan must not fill our memory.
        with suppress(TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(_PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answer(head))
                await writer.drain()
        writer.close()

    def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")
        code, kind, text = self._page(rest.split(" ")[0].split("?")[0])
        if method not in ("GET", "HEAD"):
            code, kind, text = 405, _TEXT, "only GET and HEAD\n"
        body = text.encode()
        lines = f"HTTP/1.1 {code} {_SAID[code]}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        return (lines + "Connection: close\r\n\r\n").encode() + (b"" if method == "HEAD" else body)

    def _page(self, path: str) -> tuple[int, str, str]:
        match path:
            case "/healthy":
                return _checked(self._healthy)
            case "/ready":
                return _checked(self._ready)
            case "/metrics":
                return 200, _METRICS, self._metrics()
        return 404, _TEXT, "there are /healthy, /ready and /metrics\n"


def _checked(checks: Checks) -> tuple[int, str, str]:
    wrong = [f"{name}: {why}" for name, check in checks.items() if (why := _asked(name, check)) is not None]
    return (503, _TEXT, "\n".join(wrong) + "\n") if wrong else (200, _TEXT, "ok\n")


def _asked(name: str, check: Callable[[], str | None]) -> str | None:
    try:
        return check()
    except Exception as error:
        _log.error("a health check failed", error, check=name)
        return f"the check itself failed: {error}"
