"""The console as a service: clusters, collectors, pages; in a pod, at a shell, in tests."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from functools import partial
from random import Random

from aiohttp import web

from klamm.base import logs
from klamm.base.clock import Clock
from klamm.base.tasks import Supervisor
from klamm.base.together import side_by_side
from klamm.console.audit.topics import write_entries
from klamm.console.audit.trail import Trail
from klamm.console.clusters import Place
from klamm.console.identity.gate import Gate
from klamm.console.kubernetes.watching import Kubernetes
from klamm.console.scene import Scene
from klamm.console.server import build_app
from klamm.console.settings import Settings
from klamm.console.table import ROUTES

_log = logs.room("console")

_NO_HTTP = logging.getLogger("klamm.console.http")
"""Where aiohttp writes a stack for everything that is no HTTP: anybody could fill the log. Our own failures are
written where they are caught."""
_NO_HTTP.setLevel(logging.CRITICAL)


async def serve(
    settings: Settings,
    clock: Clock,
    random: Random,
    stop: asyncio.Event,
    listening: Callable[[int], None] = lambda port: None,
) -> None:
    """Until `stop`; `listening` is told the port."""
    places = {one.name: Place(one, clock, random) for one in settings.clusters}
    gate = Gate(settings.access, settings.base, clock, secrets.token_urlsafe)
    trail = Trail({one.name: one.audit for one in settings.clusters})
    kubernetes = Kubernetes(settings.kubernetes, clock, random) if settings.kubernetes else None
    scene = Scene(settings, places, clock, gate, trail, kubernetes=kubernetes)
    app = build_app(scene, ROUTES, gate.identify)
    runner = web.AppRunner(app, access_log=None, logger=_NO_HTTP, shutdown_timeout=2.0, lingering_time=2.0)
    await runner.setup()
    try:
        # Before anything else is begun: whoever starts a console looks at it at once.
        port = await _listen(runner, settings)
        _log.info("listening", port=port)
        listening(port)
        async with Supervisor("console", random) as tasks:
            for place in places.values():
                tasks.start(f"collector of {place.name}", place.collector.run)
                tasks.start(f"certificates of {place.name}", place.follow_files)
                tasks.start(f"history of {place.name}", place.remember)
                tasks.start(f"trends of {place.name}", place.follow_trends)
            for name in trail.with_topics:
                tasks.start(f"audit of {name}", partial(write_entries, trail, places[name], clock))
            if kubernetes is not None:
                kubernetes.start(tasks)
            await stop.wait()
    finally:
        await runner.cleanup()
        await gate.close()
        await side_by_side(*(place.close() for place in places.values()), *([kubernetes.close()] if kubernetes else []))


async def _listen(runner: web.AppRunner, settings: Settings) -> int:
    """The port."""
    site = web.TCPSite(runner, settings.host, settings.port)
    await site.start()
    assert site._server is not None
    return int(site._server.sockets[0].getsockname()[1])  # type: ignore[attr-defined]
