"""The console before a large cluster: every page's answer while it collects, memory, start to first answer.

The cluster is the fake of tests/builders (it speaks the protocol and is compared with real brokers there), in a process
of its own. `python -m bench.console` runs only this.
"""

import json
import multiprocessing
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from tests.builders.fake_kafka_server import FakeGroup, FakeServers, FakeTopic, fake_servers
from tests.builders.real_brokers import free_ports

from bench.by_hand import peak_mb
from klamm.console.table import ROUTES

BROKERS = 6
TOPICS, PARTITIONS = 9000, 39_000
GROUPS = 2200
TITLE = f"{TOPICS} topics, {PARTITIONS} partitions, {GROUPS} groups, {BROKERS} brokers that speak the protocol"
ROUNDS = 12
"""Of every page, over more than three collections."""
_WITHIN = 120.0
_PARAMETERS = {"cluster": "kafka", "topic": "topic-04321", "group": "group-0123", "broker": "1"}
_QUERIES = ("", "?search=43", "?sort=messages&order=DESC", "?perPage=500&page=9", "?sort=lag&order=DESC")


def measure() -> list[str]:
    with _cluster() as bootstrap:
        port = free_ports(1)[0]
        argv = [sys.executable, "-m", "klamm.programs.klamm", "ui", "--bootstrap", bootstrap, "--port", str(port)]
        url, begun = f"http://127.0.0.1:{port}", time.monotonic()
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            first = _until(url + "/actuator/health", begun)
            seen = _until(url + "/api/clusters/kafka", begun)
            lines = _pages(url)
            return [
                f"  first answer after {first:.2f} s, first look at the cluster after {seen:.2f} s",
                *lines,
                f"  memory at most {peak_mb(process.pid):.1f} MB",
                "  goals: every answer under 0.3 s, at most 250 MB, first answer under 1 s",
            ]
        finally:
            process.terminate()
            process.wait()


def _pages(url: str) -> list[str]:
    """The slowest answer of each; what the fake does not know is left out and named."""
    worst: dict[str, float] = {}
    unknown: dict[str, str] = {}
    for _ in range(ROUNDS):
        for path in _paths():
            begun = time.monotonic()
            try:
                with urllib.request.urlopen(url + path, timeout=_WITHIN) as answer:
                    answer.read()
            except urllib.error.HTTPError as error:
                unknown[path] = json.loads(error.read()).get("detail", "")[:80]
                continue
            worst[path] = max(worst.get(path, 0.0), time.monotonic() - begun)
        time.sleep(3.0)
    lines = [
        f"  {seconds:6.3f} s at most  {path}" for path, seconds in sorted(worst.items(), key=lambda item: -item[1])
    ]
    return [*lines, *(f"  not asked: {path}: {why}" for path, why in unknown.items())]


def _paths() -> list[str]:
    paths = []
    for route in ROUTES:
        if route.method != "GET" or route.events or route.path.startswith("/api/openapi"):
            continue
        names = re.findall(r"\{(\w+)", route.path)
        if all(name in _PARAMETERS for name in names):
            path = route.path.format(**_PARAMETERS)
            is_list = route.path.endswith(("/topics", "/consumer-groups"))
            paths += [path + query for query in (_QUERIES if is_list else ("",)) if _fits(route.path, query)]
    return paths


def _fits(path: str, query: str) -> bool:
    return not (("lag" in query and path.endswith("/topics")) or ("messages" in query and not path.endswith("/topics")))


def _until(url: str, begun: float) -> float:
    while time.monotonic() - begun < _WITHIN:
        try:
            with urllib.request.urlopen(url, timeout=_WITHIN) as answer:
                answer.read()
                return time.monotonic() - begun
        except OSError:
            time.sleep(0.01)
    raise AssertionError(f"{url} does not answer within {_WITHIN:g} s")


@contextmanager
def _cluster() -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_be_cluster, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("end")
        process.join()


def _be_cluster(told: Connection) -> None:
    brokers = list(range(1, BROKERS + 1))
    topics = {}
    for number in range(TOPICS):
        count = PARTITIONS // TOPICS + (number % TOPICS < PARTITIONS % TOPICS)
        ends = [1000 + number + one for one in range(count)]
        topics[f"topic-{number:05}"] = FakeTopic(ends, [brokers[(number + one) % BROKERS] for one in range(count)])
    groups = {}
    for number in range(GROUPS):
        name = f"topic-{number * 4 % TOPICS:05}"
        committed = {name: {one: 900 for one in range(len(topics[name].ends))}}
        groups[f"group-{number:04}"] = FakeGroup(committed, coordinator=brokers[number % BROKERS])
    servers = FakeServers(brokers, topics=topics, groups=groups, remember=True)
    with fake_servers(servers):
        told.send(",".join(servers.bootstrap))
        told.recv()


if __name__ == "__main__":
    print(f"console: {TITLE}", flush=True)
    print("\n".join(measure()))
