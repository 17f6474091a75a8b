"""`klamm ui`: the web console of Kafka clusters, until Ctrl-C."""

import argparse
import asyncio
import signal
from dataclasses import replace

from klamm.base import logs
from klamm.cli.context import Context
from klamm.cli.errors import Mistake, NotRunning
from klamm.console.service import serve
from klamm.console.settings import ClusterSettings, KubernetesSettings, Settings
from klamm.kafka.admin import Connection

AFTER_INTERRUPT = "The console has ended."


def run(context: Context, arguments: argparse.Namespace) -> int:
    settings = replace(settings_of(arguments), kubernetes=kubernetes_of(context))
    logs.set_up("INFO")
    asyncio.run(_serve(context, settings))
    return 0


def settings_of(arguments: argparse.Namespace) -> Settings:
    """What the flags mean. Raises `Mistake`, which names flag, value, rule and mend."""
    bootstrap = tuple(each.strip() for each in (arguments.bootstrap or "").split(",") if each.strip())
    for address in bootstrap:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise Mistake(f"--bootstrap: {address!r} names no broker; write HOST:PORT")
    if not bootstrap:
        raise Mistake("--bootstrap: names no broker; write HOST:PORT")
    clusters = (ClusterSettings(arguments.name, lambda: Connection(bootstrap, client_id="klamm-ui")),)
    return Settings(clusters, host=arguments.host, port=arguments.port)


def kubernetes_of(context: Context) -> KubernetesSettings | None:
    """The API of this home's cluster; None while it has none, and then there is no operator's view."""
    try:
        return KubernetesSettings(context.connection())
    except NotRunning:
        return None


async def _serve(context: Context, settings: Settings) -> None:
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    await serve(
        settings,
        context.clock,
        context.random,
        stop,
        lambda port: context.say(f"klamm: http://{settings.host}:{port}{settings.base}/"),
    )
