"""The pages: /metrics from the last snapshot, at once; /healthz while the process lives; /ready once it has one.

A snapshot is written as text when it comes, beside the loop; a scrape only adds what the exporter says of itself and
sends. Until there is a snapshot, /metrics answers 503 with the reason: a scrape that fails is noticed, and a page
without series would be taken for a cluster without topics.
"""

import asyncio
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from klamm.base.clock import Clock
from klamm.base.pages import METRICS, TEXT, Page, Request
from klamm.exporter.own import own_text
from klamm.exporter.text import Form, Text, Writer
from klamm.observing.collector import Collector
from klamm.observing.snapshot import Snapshot

_LEVEL = 1  # eighty thousand series: 0.05 s; a higher level takes thrice the time for a tenth fewer bytes
_AS_GZIP = 16 + zlib.MAX_WBITS


class _Zipped:
    """A body that is compressed once and can be ended by each reader's own few lines."""

    def __init__(self, body: bytes) -> None:
        self._packer: Any = zlib.compressobj(_LEVEL, zlib.DEFLATED, _AS_GZIP)
        self._begun: bytes = self._packer.compress(body)

    def ended_by(self, more: bytes) -> bytes:
        packer = self._packer.copy()
        ending: bytes = packer.compress(more) + packer.flush()
        return self._begun + ending


@dataclass(slots=True)
class _Written:
    snapshot: Snapshot
    text: Text
    zipped: _Zipped | None


class Exporter:
    """`more`: series of others (the probe's), asked for at each scrape."""

    def __init__(
        self,
        collector: Collector,
        form: Form,
        clock: Clock,
        metrics_path: str = "/metrics",
        more: Callable[[], str] = lambda: "",
    ) -> None:
        self._collector = collector
        self._writer = Writer(form)
        self._clock = clock
        self._path = metrics_path
        self._more = more
        self._written: _Written | None = None
        self._zipping = False
        """Whoever scrapes asks for gzip: it is made with the text."""

    async def run(self) -> None:
        """Write each snapshot that comes, for ever."""
        number = 0
        while True:
            snapshot = await self._collector.after(number)
            number = snapshot.number
            self._written = await asyncio.to_thread(self._write, snapshot)

    def _write(self, snapshot: Snapshot) -> _Written:
        text = self._writer.text(snapshot)
        return _Written(snapshot, text, _Zipped(text.body) if self._zipping else None)

    def page(self, request: Request) -> Page:
        if request.path == self._path:
            return self._metrics("gzip" in request.headers.get("accept-encoding", ""))
        match request.path:
            case "/healthz":
                return Page(200, TEXT, b"ok\n")
            case "/ready":
                return Page(503, TEXT, self._why_not().encode()) if self._written is None else Page(200, TEXT, b"ok\n")
        return Page(404, TEXT, f"there are {self._path}, /healthz and /ready\n".encode())

    def _metrics(self, gzip: bool) -> Page:
        written = self._written
        if written is None:
            return Page(503, TEXT, self._why_not().encode())
        own = own_text(written.snapshot, written.text, self._clock.monotonic()) + self._more()
        if not gzip:
            return Page(200, METRICS, written.text.body + own.encode())
        self._zipping = True
        if written.zipped is None:
            written.zipped = _Zipped(written.text.body)
        return Page(200, METRICS, written.zipped.ended_by(own.encode()), "gzip")

    def _why_not(self) -> str:
        return f"nothing was read of the cluster yet: {self._collector.reason_none or 'the text is being written'}\n"
