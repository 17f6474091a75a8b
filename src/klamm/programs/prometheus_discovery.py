"""Writes the pods and nodes of a local cluster as files of targets for the Prometheus that runs beside it."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

import msgspec

from klamm.base.tasks import OnFailure, Supervisor
from klamm.distribution.store import write_whole
from klamm.kube.client import Client, connect
from klamm.kube.native import NODES, PODS
from klamm.kube.watching import Watched
from klamm.monitoring.discovery import FOLDER, NODES_FILE, PODS_FILE, node_targets, pod_targets
from klamm.programs import process

_REST = 0.5
"""Seconds between two writes: a cluster that comes up changes many times a second."""


async def keep(cache: Watched[Any], path: Path, targets: Callable[[], list[dict[str, Any]]]) -> None:
    """Write the file whenever the targets have changed, for ever."""
    changed = asyncio.Event()
    cache.subscribe(lambda old, new: changed.set())
    await cache.synced()
    written = None
    while True:
        found = targets()
        if found != written:
            write_whole(path, msgspec.json.encode(found))
            written = found
        await changed.wait()
        await asyncio.sleep(_REST)
        changed.clear()


async def run(client: Client, folder: Path, random: Random) -> None:
    stop = process.told_to_stop()
    pods, nodes = Watched(client, PODS, random), Watched(client, NODES, random)
    async with Supervisor("discovery", random) as tasks:
        tasks.start("watch of pods", pods.run)
        tasks.start("watch of nodes", nodes.run)
        for name, work in {
            PODS_FILE: lambda: keep(pods, folder / PODS_FILE, lambda: pod_targets(pods.all())),
            NODES_FILE: lambda: keep(nodes, folder / NODES_FILE, lambda: node_targets(nodes.all())),
        }.items():
            tasks.start(name, work, OnFailure.END)
        process.settle()
        await stop.wait()


async def _main(environment: Mapping[str, str]) -> None:
    random = SystemRandom()
    async with connect(process.api_connection(environment), "klamm-prometheus-discovery", random) as client:
        await run(client, Path(FOLDER), random)


def main() -> None:
    environment = dict(os.environ)  # noqa: TID251 (a program reads its environment)
    process.set_up_logs(environment)
    try:
        asyncio.run(_main(environment))
    except process.BadSetting as error:
        sys.exit(f"prometheus discovery: {error}")


if __name__ == "__main__":
    main()
