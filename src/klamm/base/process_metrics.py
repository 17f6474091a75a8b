"""What Prometheus' users expect of every process, and what Strimzi's dashboards ask of operators that are JVMs.

Those names are answered with what comes closest in a Python process, and say so in their HELP: an empty panel tells
less than the memory that is really held.
"""

import gc
import os
from collections.abc import Callable
from pathlib import Path

from klamm.base.metrics import Family, Metrics, Rows, counter, gauge, summary

CPU = counter("process_cpu_seconds_total", "CPU time of this process, user and system")
RESIDENT = gauge("process_resident_memory_bytes", "Memory of this process that is in RAM")
VIRTUAL = gauge("process_virtual_memory_bytes", "Address space of this process")
OPEN_FILES = gauge("process_open_fds", "Files and sockets that this process has open")
MOST_FILES = gauge("process_max_fds", "Files and sockets that this process may have open")
START = gauge("process_start_time_seconds", "When this process began, in seconds since 1970")
MEMORY = gauge(
    "jvm_memory_used_bytes",
    "Memory of this process that is in RAM. It is Python's, there is no JVM; the name is what dashboards ask for",
    *("area", "id"),
)
PAUSES = summary(
    "jvm_gc_pause_seconds",
    "Runs of Python's garbage collector, during which nothing else runs. There is no JVM; the name is what dashboards "
    "ask for",
    *("action", "cause"),
)

FAMILIES: tuple[Family, ...] = (CPU, RESIDENT, VIRTUAL, OPEN_FILES, MOST_FILES, START, MEMORY, PAUSES)

_PROC = Path("/proc/self")
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def watch_process(metrics: Metrics) -> None:
    """Show, at each scrape, what every process is expected to show."""
    start = _start_time()
    _ask(metrics, CPU, lambda: sum(map(float, _stat()[11:13])) / _TICK)
    _ask(metrics, RESIDENT, _resident)
    _ask(metrics, VIRTUAL, lambda: float(_stat()[20]))
    _ask(metrics, OPEN_FILES, lambda: float(len(os.listdir(_PROC / "fd"))))
    _ask(metrics, MOST_FILES, _most_files)
    _ask(metrics, START, lambda: start)


def watch_in_place_of_a_jvm(metrics: Metrics, now: Callable[[], float]) -> None:
    """`now`: seconds of a clock that never goes back, for the collector's pauses."""
    metrics.ask(MEMORY, lambda: [(("heap", "resident"), _resident())])
    _watch_collector(metrics, now)


def _ask(metrics: Metrics, family: Family, value: Callable[[], float]) -> None:
    def rows() -> Rows:
        return [((), value())]

    metrics.ask(family, rows)


def _watch_collector(metrics: Metrics, now: Callable[[], float]) -> None:
    began = [0.0]
    metrics.show(PAUSES, action="collection", cause="python")

    def note(phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            began[0] = now()
        else:
            metrics.observe(PAUSES, now() - began[0], action="collection", cause="python")

    gc.callbacks.append(note)


def _stat() -> list[str]:
    """Fields after the command's name, which may hold spaces and brackets."""
    return (_PROC / "stat").read_text(encoding="latin-1").rpartition(")")[2].split()


def _resident() -> float:
    return float(int((_PROC / "statm").read_text().split()[1]) * _PAGE)


def _most_files() -> float:
    import resource

    return float(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _start_time() -> float:
    """The kernel tells it in ticks since the machine's boot."""
    lines = Path("/proc/stat").read_text(encoding="latin-1").splitlines()
    boot = next(float(line.split()[1]) for line in lines if line.startswith("btime "))
    return boot + float(_stat()[19]) / _TICK
