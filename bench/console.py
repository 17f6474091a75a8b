"""The console before a large cluster: every page's answer while it collects, memory, start to first answer.

The cluster is the fake of tests/builders (it speaks the protocol and is compared with real brokers there), in a process
of its own. It works out an answer when it is asked for the first time, which takes it seconds that real brokers do not
take; so another console asks for everything before, and what brokers worked meanwhile is told, then and of each path.
Beside each answer, at once, a bare aiohttp server gives the same bytes: on a machine that does much else the ratio says
more than the seconds. `python -m bench.console [ROUNDS]` runs only this.
"""

import json
import re
import statistics
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.builders.ports import free_port

from bench import console_doors
from bench.by_hand import peak_mb, running
from bench.console_world import TITLE, be_cluster, be_neighbours, be_peer, in_a_process
from klamm.console.table import ROUTES

ROUNDS = 12
"""Of every page, over more than three collections."""
STARTS = 5
_WITHIN = 120.0
_COLLECTED = 12.0
"""In which the cluster is looked at once more."""
_BARE = (
    "from aiohttp import web; app = web.Application(); "
    "app.router.add_get('/', lambda _: web.json_response(dict(status='UP'))); "
    "web.run_app(app, host='127.0.0.1', port={port}, print=None)"
)
_PARAMETERS = {
    "cluster": "kafka",
    "topic": "topic-04321",
    "group": "group-0123",
    "broker": "1",
    "subject": "topic-00123-value",
}
_LISTS = ("", "?search=43", "?sort=messages&order=DESC", "?perPage=500&page=9", "?sort=lag&order=DESC")
_QUERIES = {
    "/compare/topics": ("?other=other",),
    "/compare/brokers": ("?one=1&other=2",),
    "/acls/decision": ("?principal=User:user-1&operation=READ&resourceType=TOPIC&resourceName=topic-00001",),
    "/diff": ("?old=1&new=1",),
    "/messages": ("?mode=LATEST&limit=100",),
    "/messages/download": ("?mode=LATEST&limit=500",),
}


@dataclass
class Measured:
    """Seconds: `first` byte, `whole` answer, `cpu` of the console and of the `brokers` meanwhile, `bare`: the peer with
    the same bytes."""

    path: str
    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    brokers: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    size: int = 0

    def line(self) -> str:
        middle, bare = statistics.median(self.whole), statistics.median(self.bare)
        times = (middle, self.whole[0], max(self.whole), max(self.first), max(self.cpu), max(self.brokers))
        told = " ".join(f"{one:6.3f}" for one in (*times, bare, max(self.bare)))
        return f"  {told}  {middle / bare:6.1f}  {self.size / 1024:7.1f}  {self.path}"


HEAD = "  middle ask 1  worst  byte 1 CPU    brokers bare  worst   ratio   KB       path"


def measure(rounds: int = ROUNDS) -> list[str]:
    with (
        in_a_process(be_cluster) as (bootstrap, brokers),
        in_a_process(be_neighbours) as (other, registry),
        in_a_process(be_peer) as peer,
        tempfile.TemporaryDirectory(prefix="klamm-bench-") as folder,
    ):
        settings = Path(folder) / "settings.yaml"
        clusters = [
            {"name": "kafka", "bootstrapServers": bootstrap, "schemaRegistry": registry},
            {"name": "other", "bootstrapServers": other},
        ]
        settings.write_text(json.dumps({"kafka": {"clusters": clusters}}))
        lines = _starts(bootstrap)
        lines.append(_all_asked(settings, brokers))
        blocks = Path(folder) / "blocks.json"
        with _console(["-m", "bench.console_blocks", str(blocks), "ui", "--config", str(settings)]) as (
            url,
            pid,
            begun,
        ):
            _until(url + "/actuator/health", begun)
            lines.append(f"  then: first look after {_until(url + '/api/clusters/kafka', begun):.2f} s")
            lines += [HEAD, *_pages(url, f"http://127.0.0.1:{peer}", (pid, brokers), rounds)]
            memory = peak_mb(pid)
        lines.append(f"  memory at most {memory:.1f} MB")
        lines += _blocked(blocks)
        lines += ["  middle ask 1  worst", *console_doors.measure(bootstrap, rounds)]
        return [*lines, "  goals: every answer under 0.3 s, at most 250 MB, first answer under 1 s"]


def _starts(bootstrap: str) -> list[str]:
    """In turn with a bare aiohttp server that says one word."""
    ours, bare = [], []
    for _ in range(STARTS):
        with _console(["-m", "klamm.programs.klamm", "ui", "--bootstrap", bootstrap]) as (url, _, begun):
            ours.append(_until(url + "/actuator/health", begun))
        port = free_port()
        begun = time.monotonic()
        with running([sys.executable, "-c", _BARE.format(port=port)]):
            bare.append(_until(f"http://127.0.0.1:{port}/", begun))
    middle, of_bare = statistics.median(ours), statistics.median(bare)
    return [
        f"  first answer after {middle:.2f} s (best {min(ours):.2f}, worst {max(ours):.2f}), of a bare aiohttp server "
        f"after {of_bare:.2f} s (best {min(bare):.2f}): ratio {middle / of_bare:.1f}"
    ]


@contextmanager
def _console(arguments: Sequence[str]) -> Iterator[tuple[str, int, float]]:
    port, begun = free_port(), time.monotonic()
    with running([sys.executable, *arguments, "--port", str(port)]) as process:
        yield f"http://127.0.0.1:{port}", process.pid, begun


def _all_asked(settings: Path, brokers: int) -> str:
    """By a console of its own, so that the fake has worked out its answers."""
    with _console(["-m", "klamm.programs.klamm", "ui", "--config", str(settings)]) as (url, _, begun):
        looked = _until(url + "/api/clusters/kafka", begun)
        asked = [_asked_once(url, path, brokers) for path in _paths()]
        time.sleep(_COLLECTED)
        took, worked, path = max([*asked, *(_asked_once(url, path, brokers) for path in _paths())])
    return (
        f"  while the brokers work out their answers: first look at the cluster after {looked:.2f} s; slowest path "
        f"{took:.2f} s, of which {worked:.2f} s of the brokers' CPU: {path}"
    )


def _asked_once(url: str, path: str, brokers: int) -> tuple[float, float, str]:
    """How long it took, and the brokers' CPU meanwhile."""
    before, begun = _cpu(brokers), time.monotonic()
    with suppress(urllib.error.HTTPError):
        _got(url + path)
    return time.monotonic() - begun, _cpu(brokers) - before, path


def _pages(url: str, peer: str, pids: tuple[int, int], rounds: int) -> list[str]:
    """The slowest first; what could not be asked is left out and named. `pids`: of the console and the brokers."""
    found: dict[str, Measured] = {}
    unknown = {path: "" for path in _unnamed()}
    for _ in range(rounds):
        for path in _paths():
            before, begun = [_cpu(pid) for pid in pids], time.monotonic()
            try:
                first, body = _got(url + path)
            except urllib.error.HTTPError as error:
                unknown[path] = json.loads(error.read()).get("detail", "")[:120]
                continue
            one = found.setdefault(path, Measured(path))
            one.whole.append(time.monotonic() - begun)
            one.first.append(first - begun)
            ours, theirs = (_cpu(pid) - had for pid, had in zip(pids, before, strict=True))
            one.cpu.append(ours)
            one.brokers.append(theirs)
            one.size = len(body)
            urllib.request.urlopen(urllib.request.Request(peer + path, body, method="PUT")).close()
            begun = time.monotonic()
            _got(peer + path)
            one.bare.append(time.monotonic() - begun)
        time.sleep(3.0)
    lines = [one.line() for one in sorted(found.values(), key=lambda one: -statistics.median(one.whole))]
    worst = max(found.values(), key=lambda one: max(one.whole))
    slow = [one.path for one in found.values() if statistics.median(one.whole) > 0.3]
    return [
        *lines,
        f"  worst of all {max(worst.whole):.3f} s: {worst.path}; {len(slow)} paths take more than 0.3 s in the middle",
        *(f"  not asked: {path}: {why}" for path, why in unknown.items()),
    ]


def _got(url: str) -> tuple[float, bytes]:
    """When the first byte of the body came, and the body."""
    with urllib.request.urlopen(url, timeout=_WITHIN) as answer:
        first = answer.read(1)
        return time.monotonic(), first + answer.read()


def _paths() -> list[str]:
    paths = []
    for route in ROUTES:
        names = re.findall(r"\{(\w+)", route.path)
        if route.method == "GET" and all(name in _PARAMETERS for name in names):
            path = re.sub(r"\{(\w+)[^}]*\}", lambda match: _PARAMETERS[match[1]], route.path)
            is_list = route.path.endswith(("/topics", "/consumer-groups")) and "compare" not in route.path
            ending = next((one for one in _QUERIES if route.path.endswith(one)), "")
            queries = _LISTS if is_list else _QUERIES.get(ending, ("",))
            paths += [path + query for query in queries if _fits(route.path, query)]
    return paths


def _unnamed() -> list[str]:
    """Paths with names in them for which there is nothing here; console_doors has it."""
    return [
        route.path
        for route in ROUTES
        if route.method == "GET" and not all(name in _PARAMETERS for name in re.findall(r"\{(\w+)", route.path))
    ]


def _fits(path: str, query: str) -> bool:
    return not (("lag" in query and path.endswith("/topics")) or ("messages" in query and not path.endswith("/topics")))


def _cpu(pid: int) -> float:
    """Seconds that its threads have run."""
    return sum(_ran(one) for one in Path(f"/proc/{pid}/task").iterdir())


def _ran(thread: Path) -> float:
    try:
        return int((thread / "schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return 0.0  # it has ended


def _blocked(file: Path) -> list[str]:
    steps = json.loads(file.read_text())
    lines = [f"  {cpu:6.3f} s of CPU ({took:.3f} s) at once: {where}" for cpu, took, _, where in steps[:10]]
    return ["  longest steps of the event loop:", *lines]


def _until(url: str, begun: float) -> float:
    while time.monotonic() - begun < _WITHIN:
        try:
            with urllib.request.urlopen(url, timeout=_WITHIN) as answer:
                answer.read()
                return time.monotonic() - begun
        except OSError:
            time.sleep(0.01)
    raise AssertionError(f"{url} does not answer within {_WITHIN:g} s")


if __name__ == "__main__":
    print(f"console: {TITLE}", flush=True)
    print("\n".join(measure(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)))
