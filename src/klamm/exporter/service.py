"""The exporter as a service, in a pod or at a shell: collector, pages, certificates that are read again."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from klamm.base import logs
from klamm.base.clock import Clock
from klamm.base.pages import Pages
from klamm.base.tasks import Supervisor
from klamm.base.together import side_by_side
from klamm.exporter.exporter import Exporter
from klamm.exporter.probe import Probe, ProbeSettings
from klamm.exporter.text import Form
from klamm.kafka.admin import Connection
from klamm.kafka.link import Link
from klamm.observing import collector
from klamm.observing.collector import Collector

_log = logs.room("exporter")

CERTIFICATES_EVERY = 30.0
"""Seconds between looks at the files of certificates; a kubelet brings changed ones within a minute."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`connection` is asked again for what files hold now; `host`: None listens on all addresses."""

    connection: Callable[[], Connection]
    files: Callable[[], tuple[bytes, ...]]
    """What the connection is made of, as it is in files now."""
    host: str | None
    port: int
    path: str = "/metrics"
    tls: ssl.SSLContext | None = None
    form: Form = field(default_factory=Form)
    collecting: collector.Settings = field(default_factory=collector.Settings)
    probe: ProbeSettings | None = None


async def serve(
    settings: Settings,
    clock: Clock,
    random: Random,
    stop: asyncio.Event,
    listening: Callable[[int], None] = lambda port: None,
) -> None:
    """Until `stop`; `listening` is told the port."""
    link, *of_probe = [Link(settings.connection(), random) for _ in range(3 if settings.probe else 1)]
    reader = Collector(link, clock, settings.collecting)
    probe = Probe(of_probe[0], of_probe[1], clock, random, settings.probe) if settings.probe else None
    exporter = Exporter(reader, settings.form, clock, settings.path, probe.tally.text if probe else lambda: "")
    pages = Pages(exporter.page)
    port = await pages.start(settings.host, settings.port, settings.tls)
    _log.info("listening", port=port, path=settings.path)
    listening(port)
    try:
        async with Supervisor("exporter", random) as tasks:
            tasks.start("collector", reader.run)
            tasks.start("text", exporter.run)
            tasks.start("certificates", lambda: follow(settings, (link, *of_probe)))
            if probe is not None:
                tasks.start("probe's writer", probe.write)
                tasks.start("probe's reader", probe.read)
            await stop.wait()
    finally:
        pages.close()
        await side_by_side(*(one.close() for one in (link, *of_probe)))


async def follow(settings: Settings, links: Sequence[Link]) -> None:
    """Connect anew when certificates were renewed, for ever."""
    known = settings.files()
    while True:
        await asyncio.sleep(CERTIFICATES_EVERY)
        try:
            now = settings.files()
            if now != known:
                for link in links:
                    await link.renew(settings.connection())
                known = now
                _log.info("certificates were renewed, connecting with the new ones")
        except Exception as error:
            # One file is new and another old, say: what is connected stays so, and the next look finds them whole.
            _log.warning("certificates cannot be read now", because=str(error))
