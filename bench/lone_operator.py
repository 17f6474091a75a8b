"""`python -m bench.lone_operator KUBECONFIG`: the cluster operator as in its pod, with a Kafka that always answers."""

import asyncio
import gc
import signal
import sys
from pathlib import Path
from random import SystemRandom

from tests.kubernetes.pretended_kafka import PretendedKafka
from tests.kubernetes.running_operator import operator_settings

from klamm.base import logs
from klamm.kube.client import connect
from klamm.kube.connection import from_kubeconfig
from klamm.programs.cluster_operator import MANAGER, run

RESYNC = 20.0
"""Seconds between passes that look at everything; in use it is 120."""
_PODS = tuple(f"my-cluster-{part}-{number}" for part in ("kafka", "zookeeper") for number in range(3))


async def work(kubeconfig: Path) -> None:
    random, stop = SystemRandom(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    outside = PretendedKafka(lambda _: _PODS).outside
    async with connect(from_kubeconfig(kubeconfig), MANAGER, random) as client:
        gc.freeze()
        await run(operator_settings(RESYNC), client, random, stop, outside)


if __name__ == "__main__":
    logs.set_up(level="DEBUG")
    asyncio.run(work(Path(sys.argv[1])))
