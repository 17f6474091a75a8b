"""`klamm ui`: the web console of Kafka clusters, until Ctrl-C.

Of this home's clusters; of brokers anywhere (`--bootstrap`); or of what a configuration of kafka-ui names (`--config`).
"""

import argparse
import asyncio
import base64
import errno
import signal
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from klamm.base import garbage, logs
from klamm.cli.applying import Served, list_objects, read
from klamm.cli.context import Context
from klamm.cli.doors import CLIENT_ID, Door, Identity, NoDoor, connection, door
from klamm.cli.errors import Impossible, Mistake, NotFound, NotRunning
from klamm.console.service import serve
from klamm.console.settings import ClusterSettings, KubernetesSettings, Settings
from klamm.kafka.admin import Connection
from klamm.kube.client import Client

AFTER_INTERRUPT = "The console has ended."

_KAFKAS = Served("kafka.strimzi.io/v1beta2", "Kafka", "kafkas", True, ("k",), "kafka")
_SECRETS = Served("v1", "Secret", "secrets", True)


def run(context: Context, arguments: argparse.Namespace) -> int:
    garbage.seldom()
    asyncio.run(_run(context, arguments))
    return 0


async def _run(context: Context, arguments: argparse.Namespace) -> None:
    settings = replace(await _settings(context, arguments), kubernetes=kubernetes_of(context))
    if arguments.host is not None:
        settings = replace(settings, host=arguments.host)
    if arguments.port is not None:
        settings = replace(settings, port=arguments.port)
    logs.set_up("INFO")
    await _serve(context, settings)


async def _settings(context: Context, arguments: argparse.Namespace) -> Settings:
    if arguments.bootstrap is not None:
        return settings_of_brokers(arguments.bootstrap, arguments.name)
    if arguments.config is not None:
        return _settings_of_file(context, arguments.config)
    return Settings(await _clusters_of_home(context, arguments.namespace, arguments.user))


def settings_of_brokers(text: str, name: str) -> Settings:
    """Raises `Mistake`, which names flag, value, rule and mend."""
    bootstrap = tuple(each.strip() for each in text.split(",") if each.strip())
    for address in bootstrap:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise Mistake(f"--bootstrap: {address!r} names no broker; write HOST:PORT")
    if not bootstrap:
        raise Mistake("--bootstrap: names no broker; write HOST:PORT")
    return Settings((ClusterSettings(name, lambda: Connection(bootstrap, client_id=CLIENT_ID)),))


def _settings_of_file(context: Context, path: str) -> Settings:
    # Here, for what reads kafka-ui's YAML is a tenth of all that is imported, and most consoles have none.
    from klamm.console.configuring.configuration import Place
    from klamm.console.configuring.files import read_places
    from klamm.console.configuring.told import Unusable

    try:
        configured = read_places([Place(path)], context.secrets, "127.0.0.1")
    except Unusable as error:
        raise Mistake(f"--config: {error}") from error
    for remark in configured.remarks:
        context.say(f"klamm: {remark}")
    return configured.settings


async def _clusters_of_home(context: Context, namespace: str | None, user: str | None) -> tuple[ClusterSettings, ...]:
    """Every cluster that can be reached; which ones cannot, and why, is said."""
    async with context.client() as client:
        found = [door(kafka, user) for kafka in await list_objects(client, _KAFKAS, namespace)]
        if not found:
            where = f" in {namespace}" if namespace else ""
            raise NotFound(
                f"there is no Kafka resource{where}; apply one (klamm up examples/kafka-1.yaml), or name brokers with "
                "--bootstrap"
            )
        doors = [one for one in found if isinstance(one, Door)]
        for one in found:
            if isinstance(one, NoDoor):
                context.say(f"klamm: Kafka {one.namespace}/{one.cluster} is left out: {one.why}")
        if not doors:
            raise Mistake("no cluster of this home can be reached from outside its pods")
        return tuple([await _cluster(client, one, _called(one, doors), user) for one in doors])


def _called(door: Door, doors: Sequence[Door]) -> str:
    """Its name, with its namespace where two have the same."""
    is_alone = sum(one.cluster == door.cluster for one in doors) == 1
    return door.cluster if is_alone else f"{door.namespace}.{door.cluster}"


async def _cluster(client: Client, door: Door, name: str, user: str | None) -> ClusterSettings:
    identity = await _identity(client, door.namespace, user) if user and door.authentication else None
    connect = partial(connection, door, identity)
    try:
        connect()
    except ValueError as error:
        raise Mistake(f"Kafka {door.namespace}/{door.cluster}: {error}") from error
    return ClusterSettings(name, connect, resource=f"{door.namespace}/{door.cluster}")


async def _identity(client: Client, namespace: str, user: str) -> Identity:
    secret = await read(client, _SECRETS, namespace, user)
    return Identity(user, {name: base64.b64decode(text) for name, text in (secret.get("data") or {}).items()})


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
    try:
        await serve(
            settings,
            context.clock,
            context.random,
            stop,
            lambda port: context.say(f"klamm: http://{settings.host}:{port}{settings.base}/"),
        )
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
            raise
        raise Impossible(
            f"{settings.host}:{settings.port} cannot be listened at: {error.strerror}; choose another with --port "
            "(0: a free one)"
        ) from error
