"""The operator with 1 and with 100 Kafkas on a real kube-apiserver with pretended nodes: memory, CPU, a quiet pass."""

import asyncio
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path

from tests.builders.go_builds import CannotBuild
from tests.kubernetes.operated import Operated, example, kubernetes_with_controllers, operated

from bench.by_hand import cpu_seconds
from bench.idle import memory_kib
from bench.lone_operator import RESYNC
from klamm.kube.kinds import Name

COUNTS = (1, 100)
READY_WITHIN = 600.0
SECONDS = 3 * RESYNC
_PASS = re.compile(rb"Kafka \S+: .*seconds=([0-9.]+)")


def measure() -> list[str]:
    lines = []
    try:
        for count in COUNTS:
            with tempfile.TemporaryDirectory(prefix="klamm-bench-") as folder:
                lines.append(_measured(Path(folder), count))
    except CannotBuild as why:
        return [f"  no kube-apiserver: {why}"]
    return [*lines, "  goals: 120 MB with 1, 250 MB with 100, 2 % of a core, 50 ms"]


def _measured(folder: Path, count: int) -> str:
    with kubernetes_with_controllers(folder) as plane:
        return asyncio.run(_with(plane.folder, count, lambda: operated(plane)))


async def _with(folder: Path, count: int, world: Callable[[], AbstractAsyncContextManager[Operated]]) -> str:
    log = folder / "operator.log"
    async with world() as place:
        with _operator(folder / "kubeconfig", log) as pid:
            begun = time.monotonic()
            for number in range(count):
                await place.make_namespace(f"kafka-{number}")
                await place.apply(f"kafka-{number}", example("kafka-1"))
            for number in range(count):
                await place.ready(Name(f"kafka-{number}", "my-cluster"), READY_WITHIN)
            made = time.monotonic() - begun
            await asyncio.sleep(RESYNC)
            before, told = cpu_seconds(pid), log.stat().st_size
            await asyncio.sleep(SECONDS)
            used, memory = cpu_seconds(pid) - before, memory_kib(pid) / 1024
            passes = [float(found) for found in _PASS.findall(log.read_bytes()[told:])]
    # A pass each 20 s is six times as many as in use.
    return (
        f"  {count:3} Kafka  {memory:6.1f} MB  a quiet pass {1000 * statistics.median(passes):5.1f} ms"
        f" ({1000 * used / len(passes):.1f} ms of CPU, all included)"
        f"  CPU {used / SECONDS:6.2%} of a core ({len(passes)} passes in {SECONDS:.0f} s;"
        f" {used / SECONDS * RESYNC / 120:6.2%} at one in 120 s)  all Ready after {made:.0f} s"
    )


@contextmanager
def _operator(kubeconfig: Path, log: Path) -> Iterator[int]:
    with log.open("wb") as output:
        argv = [sys.executable, "-m", "bench.lone_operator", str(kubeconfig)]
        process = subprocess.Popen(argv, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()
