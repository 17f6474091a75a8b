"""klamm's exporter and kafka_exporter 1.9, if it is on PATH, beside the same broker: scrape, CPU, memory, freshness.

`python -m bench.exporter` runs only this.
"""

import asyncio
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.builders.commits import commit
from tests.builders.ports import free_port
from tests.builders.real_brokers import RealBrokers, real_brokers

from bench.by_hand import cpu_seconds, peak_mb, running
from klamm.base.clock import SystemClock
from klamm.base.deadlines import until
from klamm.distribution.provide import provide
from klamm.distribution.store import Store
from klamm.kafka.admin import Admin, Connection
from klamm.kafka.facts import NewTopic
from klamm.kafka.offsets import partition_offsets

KAFKA = "4.3.1"
TOPICS, PARTITIONS = 1000, 10
GROUPS, READ = 200, 2
"""Groups, and the topics that each reads: twenty partitions."""
TITLE = f"{TOPICS} topics × {PARTITIONS} partitions, {GROUPS} groups of {READ * PARTITIONS} partitions, one broker"
EVERY = 15.0
SCRAPES = 4
LOOKS, LOOK_EVERY = 50, 0.5
"""At the age of what is shown: two collections and more, however they fall."""
_PEER = "kafka_exporter"
_PEER_SPEAKS = "3.6.0"
"""Of what it speaks by default Kafka 4 has forgotten parts."""
_WITHIN = 300.0


@dataclass
class Measured:
    name: str
    scrapes: list[float] = field(default_factory=list)
    zipped: float = 0.0
    series: int = 0
    cpu: float = 0.0
    memory_mb: float = 0.0
    oldest: float = 0.0

    def line(self) -> str:
        slowest = f"(slowest {max(self.scrapes):.3f}, gzip {self.zipped:.3f})"
        return (
            f"  {self.name:20} scrape {min(self.scrapes):6.3f} s {slowest}  {self.series:6} series"
            f"  CPU {self.cpu:5.2f} s a minute  {self.memory_mb:5.1f} MB  data at most {self.oldest:.1f} s old"
        )


def measure(cache: Path) -> list[str]:
    provided = asyncio.run(provide(Store(cache), [KAFKA], java_home=None, clock=SystemClock()))
    lines = []
    with (
        tempfile.TemporaryDirectory(prefix="klamm-bench-") as folder,
        real_brokers(provided, Path(folder), KAFKA, heap="1g") as brokers,
    ):
        asyncio.run(_fill(brokers))
        for start in (_klamm, _kafka_exporter):
            try:
                with start(brokers) as (name, process, url):
                    lines.append(_measured(name, process, url).line())
            except NotToBeHad as why:
                lines.append(f"  no kafka_exporter beside it: {why}")
    return [*lines, "  goals: 0.15 s a scrape for kafka_exporter's series, at most 90 MB, never older than 15 s"]


class NotToBeHad(Exception):
    pass


async def _fill(brokers: RealBrokers) -> None:
    """Topics, and offsets committed by groups without members."""
    async with await Admin.connect(Connection(brokers.bootstrap, request_timeout=120.0)) as admin:
        for first in range(0, TOPICS, 100):
            await admin.create_topics([NewTopic(f"topic-{first + one:04}", PARTITIONS, 1) for one in range(100)])
            if not first:
                # Has the topic of offsets made: behind ten thousand partitions it would wait for minutes.
                await _commit(admin, 0)
        for number in range(1, GROUPS):
            await _commit(admin, number)
        await until(_WITHIN, f"{TOPICS} topics that answer", lambda: _reason_not(admin), every=1.0)


async def _reason_not(admin: Admin) -> str | None:
    """Why not all partitions are there yet: a broker that is told of thousands makes them for minutes."""
    topics = [f"topic-{number:04}" for number in range(TOPICS)]
    broker = (await admin.describe_cluster()).brokers[0].id
    offsets = await partition_offsets(admin, broker, {name: range(PARTITIONS) for name in topics}, "latest", 60.0)
    there = sum(map(len, offsets.by_topic.values()))
    return None if there == TOPICS * PARTITIONS else f"{there} partitions are"


async def _commit(admin: Admin, number: int) -> None:
    read = [f"topic-{(number * READ + one) % TOPICS:04}" for one in range(READ)]
    await commit(admin, f"group-{number:03}", {name: dict.fromkeys(range(PARTITIONS), 0) for name in read})


@contextmanager
def _klamm(brokers: RealBrokers) -> Iterator[tuple[str, "subprocess.Popen[bytes]", str]]:
    port = free_port()
    listen = f"--web.listen-address=127.0.0.1:{port}"
    argv = [sys.executable, "-m", "klamm.programs.klamm", "exporter", f"--kafka.server={brokers.bootstrap[0]}", listen]
    with running(argv) as process:
        yield "klamm", process, f"http://127.0.0.1:{port}/metrics"


@contextmanager
def _kafka_exporter(brokers: RealBrokers) -> Iterator[tuple[str, "subprocess.Popen[bytes]", str]]:
    port = free_port()
    program = shutil.which(_PEER)
    if program is None:
        raise NotToBeHad(f"there is no {_PEER} on PATH")
    listen = f"--web.listen-address=127.0.0.1:{port}"
    argv = [program, f"--kafka.server={brokers.bootstrap[0]}", f"--kafka.version={_PEER_SPEAKS}", listen]
    with running(argv) as process:
        yield "kafka_exporter 1.9", process, f"http://127.0.0.1:{port}/metrics"


def _measured(name: str, process: "subprocess.Popen[bytes]", url: str) -> Measured:
    measured = Measured(name)
    _until_it_answers(process, url)
    _scrape(url, "identity")
    begun, cpu = time.monotonic(), cpu_seconds(process.pid)
    for number in range(SCRAPES):
        time.sleep(max(0.0, begun + number * EVERY - time.monotonic()))
        took, text = _scrape(url, "identity")
        measured.scrapes.append(took)
        measured.oldest = max(measured.oldest, took)
    time.sleep(max(0.0, begun + SCRAPES * EVERY - time.monotonic()))
    measured.cpu = (cpu_seconds(process.pid) - cpu) * 60.0 / (time.monotonic() - begun)
    measured.series = len([line for line in text.splitlines() if not line.startswith("#")])
    measured.zipped, _ = _scrape(url, "gzip")
    measured.memory_mb = peak_mb(process.pid)
    measured.oldest = _oldest(url) or measured.oldest
    return measured


def _oldest(url: str) -> float | None:
    """What is shown grows old until the next collection is: so it is looked at often."""
    oldest = 0.0
    for _ in range(LOOKS):
        age = _age(_scrape(url, "gzip")[1])
        if age is None:
            return None
        oldest = max(oldest, age)
        time.sleep(LOOK_EVERY)
    return oldest


def _until_it_answers(process: "subprocess.Popen[bytes]", url: str) -> None:
    end = time.monotonic() + _WITHIN
    while True:
        if process.poll() is not None:
            raise NotToBeHad(f"it ended with {process.returncode}")
        try:
            _scrape(url, "identity")
            return
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.3)


def _scrape(url: str, encoding: str) -> tuple[float, str]:
    begun = time.monotonic()
    asked = urllib.request.Request(url, headers={"Accept-Encoding": encoding})
    with urllib.request.urlopen(asked, timeout=_WITHIN) as answer:
        body = answer.read()
    took = time.monotonic() - begun
    return took, (gzip.decompress(body) if encoding == "gzip" else body).decode()


def _age(text: str) -> float | None:
    """Of the oldest offset that is shown; None for whoever reads while it is scraped."""
    parts = re.findall(r'^kafka_exporter_part_age_seconds\{part="(?:latest|committed)".*\} (\S+)$', text, re.MULTILINE)
    return max(map(float, parts), default=None)


if __name__ == "__main__":
    print(f"exporter: {TITLE}", flush=True)
    print("\n".join(measure(Path(os.environ.get("KLAMM_CACHE") or Path.home() / ".cache" / "klamm"))))
