"""From nothing to a record that came back: six JVMs by hand, and `klamm up`, alternately."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.by_hand import ByHand, cpu_seconds
from klamm.distribution.artifacts import release
from klamm.distribution.homes import home_of
from klamm.distribution.provide import choose_java
from klamm.distribution.store import Store

VERSION = "3.6.0"
MANIFEST = Path(__file__).parent.parent / "examples" / "kafka-1.yaml"
PATIENCE = 120.0


@dataclass
class Series:
    name: str
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def line(self, beside: float | None = None) -> str:
        median = statistics.median(self.seconds)
        ratio = f"  ratio {median / beside:4.2f}" if beside else ""
        return (
            f"  {self.name:28} median {median:5.2f} s  (min {min(self.seconds):5.2f}, max {max(self.seconds):5.2f})"
            f"  CPU {statistics.median(self.cpu):5.2f} s{ratio}"
        )


def send_and_receive(bootstrap: str) -> None:
    """One record with acks=all, and back; tried until the brokers are there."""
    from kafka import KafkaConsumer, KafkaProducer
    from kafka.errors import KafkaError

    end = time.monotonic() + PATIENCE
    while True:
        try:
            producer = KafkaProducer(
                bootstrap_servers=bootstrap.split(","), acks="all", max_block_ms=3000, request_timeout_ms=5000
            )
            producer.send("bench", b"record").get(timeout=5)
            producer.close()
            break
        except (KafkaError, OSError):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
    consumer = KafkaConsumer("bench", bootstrap_servers=bootstrap.split(","), auto_offset_reset="earliest")
    next(iter(consumer))
    consumer.close()


def by_hand(folder: Path, store: Store, *, tls: bool) -> tuple[float, float]:
    java, home = choose_java(None), home_of(store, release(VERSION))
    started = time.monotonic()
    with ByHand(java.path, home.path, folder, tls=tls) as cluster:
        send_and_receive(cluster.bootstrap)
        return time.monotonic() - started, cluster.cpu_seconds()


def klamm_up(home: Path, cache: Path, keep: Callable[[dict[str, str]], None] | None = None) -> tuple[float, float]:
    environment = {**os.environ, "KLAMM_HOME": str(home), "KLAMM_CACHE": str(cache)}
    klamm = [sys.executable, "-m", "klamm.programs.klamm"]
    started = time.monotonic()
    try:
        subprocess.run([*klamm, "up", str(MANIFEST)], env=environment, check=True, stdout=subprocess.DEVNULL)
        send_and_receive(external_listener(environment))
        seconds, cpu = time.monotonic() - started, sum(cpu_seconds(pid) for pid in pids_of(home))
        if keep is not None:
            keep(environment)
        return seconds, cpu
    finally:
        subprocess.run([*klamm, "down", "--delete", "--timeout", "1"], env=environment, stderr=subprocess.DEVNULL)
        shutil.rmtree(home, ignore_errors=True)


def external_listener(environment: dict[str, str]) -> str:
    argv = [sys.executable, "-m", "klamm.programs.klamm", "get", "kafka", "my-cluster", "-o", "json"]
    found = json.loads(subprocess.run(argv, env=environment, check=True, capture_output=True).stdout)
    return next(str(one["bootstrapServers"]) for one in found["status"]["listeners"] if one["name"] == "external")


def pids_of(home: Path) -> list[int]:
    """The guardian of a home and everything below it."""
    parents = parents_of_processes()
    guardian = [pid for pid in parents if _is_guardian(pid, home)]
    found, fresh = set(guardian), set(guardian)
    while fresh:
        fresh = {pid for pid, parent in parents.items() if parent in fresh} - found
        found |= fresh
    return sorted(found)


def parents_of_processes() -> dict[int, int]:
    """Of every process that runs: by its number that of its parent."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    return parents


def _is_guardian(pid: int, home: Path) -> bool:
    try:
        argv = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"guardian" in argv and str(home).encode() in argv


def measure(rounds: int, cache: Path, keep: Callable[[dict[str, str]], None]) -> list[str]:
    """`keep` is called with the environment of the last klamm cluster while it still runs."""
    import kafka  # noqa: F401  (not part of what is measured)

    store = Store(cache)
    plain, tls, ours = Series("by hand, plain"), Series("by hand, mutual TLS"), Series("klamm up")
    with tempfile.TemporaryDirectory(prefix="klamm-bench-") as folder:
        warm_up(Path(folder) / "h", cache)
        for number in range(rounds):
            last = number == rounds - 1
            for series, (seconds, cpu) in (
                (plain, by_hand(Path(folder) / "p", store, tls=False)),
                (tls, by_hand(Path(folder) / "t", store, tls=True)),
                (ours, klamm_up(Path(folder) / "h", cache, keep if last else None)),
            ):
                series.seconds.append(seconds)
                series.cpu.append(cpu)
            print(
                f"  round {number + 1}: {plain.seconds[-1]:.2f} {tls.seconds[-1]:.2f} {ours.seconds[-1]:.2f}",
                flush=True,
            )
    base, beside_tls = statistics.median(plain.seconds), statistics.median(tls.seconds)
    return [
        plain.line(),
        tls.line(base),
        ours.line(base),
        f"  klamm up beside mutual TLS by hand: {statistics.median(ours.seconds) / beside_tls:4.2f}",
    ]


def warm_up(home: Path, cache: Path) -> None:
    """Artifacts and class archive present, as from the second start on."""
    subprocess.run([sys.executable, "-m", "klamm.programs.class_archive", str(cache), VERSION], check=True)
    klamm_up(home, cache)
