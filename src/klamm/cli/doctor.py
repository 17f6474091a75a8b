"""`klamm doctor`: what klamm needs of this machine, tried for real, each finding with its mend.

Levels: `ok`; `look` for what is worth knowing but stops nothing; `bad` for what forbids klamm to work (exit code 3).
"""

import argparse
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from klamm.cli.columns import aligned
from klamm.cli.context import Context
from klamm.cli.errors import Complaint, Impossible
from klamm.cli.home import Home
from klamm.cli.settings import LocalSettings, read_settings
from klamm.cli.starting import without_number
from klamm.localkube.node.client import GuardianClient, GuardianError

Level = Literal["ok", "look", "bad"]

NEEDED = 1 << 30
"""Bytes free for the first start: a release (110 MB), its class archive (60 MB), the volumes of six pods, logs."""
COMFORTABLE = 5 << 30
MEMORY = 3 << 30
"""Bytes that three ZooKeepers, three brokers and the operators hold."""


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    level: Level
    told: str
    mend: str = ""


def run(context: Context, arguments: argparse.Namespace) -> int:
    findings: list[Finding] = []
    for check in _checks(context, arguments):
        for finding in check():
            findings.append(finding)
            if not context.for_programs:
                _tell(context, finding)
    forbidden = [one for one in findings if one.level == "bad"]
    if context.for_programs:
        context.give(
            {
                "works": not forbidden,
                "findings": [
                    {"what": one.what, "level": one.level, "told": one.told, "mend": one.mend} for one in findings
                ],
            }
        )
    else:
        context.say(f"\n{verdict(findings)}")
    return Impossible.exit_code if forbidden else 0


def _checks(context: Context, arguments: argparse.Namespace) -> list[Callable[[], Iterator[Finding]]]:
    home = context.home
    return [
        lambda: of_python(sys.version_info[:3]),
        of_namespaces,
        lambda: of_java(context.java_home),
        lambda: of_folder("home", home.path, "KLAMM_HOME"),
        lambda: of_folder("store", home.cache, "KLAMM_CACHE"),
        lambda: of_memory(_meminfo()),
        lambda: of_releases(home, thorough=not arguments.quick),
        lambda: of_cluster(home),
    ]


_SIGNS = {"ok": ("✓", "good"), "look": ("!", "busy"), "bad": ("✗", "bad")}


def _tell(context: Context, finding: Finding) -> None:
    sign, how = _SIGNS[finding.level]
    told = "\n".join(aligned([[f"{sign} {finding.what.ljust(28)}", finding.told]]))
    context.put(context.style(told, how) if context.out.isatty() else told)
    if finding.mend:
        for line in finding.mend.splitlines():
            context.put(f"    {line}")


def verdict(findings: list[Finding]) -> str:
    bad = sum(1 for one in findings if one.level == "bad")
    look = sum(1 for one in findings if one.level == "look")
    if bad:
        return f"klamm cannot work here yet: {bad} finding{'s' * (bad > 1)} above forbid{'s' * (bad == 1)} it"
    return "klamm works here" + (f"; {look} finding{'s' * (look > 1)} worth a look" if look else "")


def of_python(version: tuple[int, ...]) -> Iterator[Finding]:
    text = ".".join(str(part) for part in version)
    if tuple(version) >= (3, 11):
        yield Finding("Python", "ok", text)
    else:
        yield Finding("Python", "bad", text, "klamm needs Python 3.11 or newer: install it, and klamm for it")


def of_namespaces() -> Iterator[Finding]:
    from klamm.localkube.node.requirements import check

    told: set[str] = set()
    for one in check():
        # One setting forbids several things: its mend stands at the first of them.
        mend = "" if one.mend in told else one.mend
        told.add(one.mend)
        yield Finding(one.name, "bad" if one.problem else "ok", without_number(one.problem) or "allowed", mend)


def of_java(java_home: Path | None) -> Iterator[Finding]:
    from klamm.distribution.java import JavaDoesNotFit
    from klamm.distribution.provide import choose_java

    try:
        java = choose_java(java_home)
    except JavaDoesNotFit as error:
        mend = f"unset KLAMM_JAVA_HOME, which is {java_home}, to take the one that klamm brings" if java_home else ""
        yield Finding("Java", "bad", str(error), mend)
    else:
        yield Finding("Java", "ok", f"{java.version} in {java.path}")


def of_folder(what: str, path: Path, variable: str) -> Iterator[Finding]:
    """Whether there is room, and whether it is ours to write."""
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    if not there.is_dir():
        yield Finding(what, "bad", f"{there} is a file", f"move it away, or point {variable} elsewhere")
        return
    if not os.access(there, os.W_OK | os.X_OK):
        yield Finding(what, "bad", f"{there} cannot be written", f"point {variable} at a folder of yours")
        return
    free = shutil.disk_usage(there).free
    told = f"{path}, {_bytes(free)} free"
    mend = f"make room there, or point {variable} at a larger disk"
    level: Level = "bad" if free < NEEDED // 4 else "look" if free < COMFORTABLE else "ok"
    yield Finding(what, level, told, "" if level == "ok" else mend)


def of_memory(meminfo: str) -> Iterator[Finding]:
    """From /proc/meminfo. Never forbids: one broker needs less."""
    fields = dict(line.split(":", 1) for line in meminfo.splitlines() if ":" in line)
    if "MemAvailable" not in fields:
        return
    available = int(fields["MemAvailable"].split()[0]) * 1024
    if available < MEMORY:
        mend = (
            f"three brokers and three ZooKeepers hold about {_bytes(MEMORY)}: end other programs, or run fewer replicas"
        )
        yield Finding("memory", "look", f"{_bytes(available)} available", mend)
    else:
        yield Finding("memory", "ok", f"{_bytes(available)} available")


def of_releases(home: Home, *, thorough: bool) -> Iterator[Finding]:
    from klamm.distribution.artifacts import releases
    from klamm.distribution.homes import home_of
    from klamm.distribution.provide import examine
    from klamm.distribution.store import Store

    store = Store(home.cache)
    present = [version for version, one in releases().items() if home_of(store, one).path.is_dir()]
    if not present:
        yield Finding(
            "Kafka", "look", "no release here yet", "the first `klamm up` fetches one, for which it needs the network"
        )
    for version in present:
        damaged = examine(store, [version]) if thorough else []
        for one in damaged:
            yield Finding(f"Kafka {version}", "bad", one.what, one.mend)
        if not damaged:
            yield Finding(f"Kafka {version}", "ok", "every byte as pinned" if thorough else "here")


def of_cluster(home: Home) -> Iterator[Finding]:
    """The cluster of this home: running, down, or left behind by a crash."""
    try:
        settings = read_settings(home.settings)
    except Complaint as complaint:
        yield Finding("cluster", "bad", str(complaint))
        return
    if settings is None:
        yield Finding("cluster", "ok", f"none in {home.path} yet; `klamm up` makes one")
        return
    try:
        status = GuardianClient(str(home.path)).status()
    except GuardianError:
        yield from _of_stopped(home, settings)
        return
    process = status["control_plane"]
    told = f"runs, API on port {status['api_port']}"
    if process["restarts"]:
        log = home.logs / "control-plane.log"
        told += f", control plane started again {process['restarts']} times (last end: {process['last_end']})"
        yield Finding("cluster", "look", told, f"its log is {log}")
    else:
        yield Finding("cluster", "ok", told)


def _of_stopped(home: Home, settings: LocalSettings) -> Iterator[Finding]:
    if any(home.run.glob("*.sock")):
        mend = "nothing to do: the next `klamm up` takes the home over, with its data"
        yield Finding("cluster", "look", "it ended without `klamm down` (a crash, or a reboot)", mend)
    else:
        yield Finding("cluster", "ok", "down; `klamm up` starts it with its data")
    if settings.api_port and not port_is_free(settings.api_port):
        yield Finding(
            "API port",
            "bad",
            f"port {settings.api_port} of this cluster is in use by another program",
            f"end that program (`ss -ltnp 'sport = :{settings.api_port}'` shows it), or `klamm up --api-port PORT`",
        )


def port_is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
            trial.listen(1)
        except OSError:
            return False
    return True


def _meminfo() -> str:
    try:
        return Path("/proc/meminfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _bytes(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB" if count >= 1 << 30 else f"{count // (1 << 20)} MiB"
