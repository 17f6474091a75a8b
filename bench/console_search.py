"""A text among a million records: the console's search beside `kcat | grep -c`, on one real broker, in turn.

`python -m bench.console_search` runs only this.
"""

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.builders.real_brokers import RealBrokers, real_brokers
from tests.builders.running_console import RunningConsole, running_console
from tests.builders.streams import events_in

from klamm.base.clock import SystemClock
from klamm.distribution.provide import provide
from klamm.distribution.store import Store
from klamm.kafka.admin import Admin, Connection
from klamm.kafka.facts import NewTopic

KAFKA = "4.3.1"
RECORDS, PARTITIONS, ROUNDS = 1_000_000, 4, 3
CODECS = ("none", "lz4", "zstd")
TITLE = f"a text among {RECORDS} records of some 200 bytes in {PARTITIONS} partitions, beside kcat | grep -c"
_PEER = "kcat"
_NEEDLE, _EACH = "needle-in-the-hay", 100_000
_WITHIN = 300.0


@dataclass
class Measured:
    codec: str
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    def line(self) -> str:
        ours, theirs = min(self.ours), min(self.theirs)
        return (
            f"  {self.codec:5} klamm {ours:5.2f} s ({RECORDS / ours:9,.0f} records/s)  kcat|grep {theirs:5.2f} s "
            f"({RECORDS / theirs:9,.0f} records/s)  rate of klamm / of kcat|grep {theirs / ours:.2f}"
        )


def measure(cache: Path) -> list[str]:
    if shutil.which(_PEER) is None:
        return [f"  no {_PEER} on PATH: nothing to stand beside"]
    provided = asyncio.run(provide(Store(cache), [KAFKA], java_home=None, clock=SystemClock()))
    with (
        tempfile.TemporaryDirectory(prefix="klamm-bench-") as folder,
        real_brokers(provided, Path(folder), KAFKA, heap="512m") as brokers,
    ):
        return [one.line() for one in asyncio.run(_measured(brokers))]


async def _measured(brokers: RealBrokers) -> list[Measured]:
    measured = []
    async with running_console(brokers.bootstrap) as console:
        for codec in CODECS:
            topic = f"hay-{codec}"
            await _filled(brokers, topic, codec)
            one = Measured(codec)
            for _ in range(ROUNDS):
                one.ours.append(await _ours(console, topic))
                one.theirs.append(await asyncio.to_thread(_theirs, brokers, topic))
            measured.append(one)
    return measured


async def _filled(brokers: RealBrokers, topic: str, codec: str) -> None:
    async with await Admin.connect(Connection(brokers.bootstrap)) as admin:
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1, {})])
    await asyncio.to_thread(_fill, brokers, topic, codec)


def _fill(brokers: RealBrokers, topic: str, codec: str) -> None:
    argv = [_PEER, "-P", "-b", brokers.brokers[0].address, "-t", topic, "-z", codec, "-X", "linger.ms=50"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for lot in _lines():
            process.stdin.write(lot)
    assert process.returncode == 0


def _lines() -> Iterator[bytes]:
    lot = []
    for number in range(RECORDS):
        note = _NEEDLE if number % _EACH == _EACH // 2 else "nothing of note"
        lot.append(
            f'{{"order":{number},"customer":{{"name":"customer {number % 977}","city":"Praha"}},'
            f'"lines":[{{"article":"{number * 7919 % 100003}","count":{number % 9}}}],"total":{number * 31 % 100000},'
            f'"currency":"CZK","state":"shipped","note":"{note}"}}\n'
        )
        if len(lot) == 10_000:
            yield "".join(lot).encode()
            lot = []
    yield "".join(lot).encode()


async def _ours(console: RunningConsole, topic: str) -> float:
    """From the request to the end of the answer, as a browser has it."""
    begin = time.monotonic()
    path = f"/api/clusters/kafka/topics/{topic}/messages?mode=EARLIEST&limit=500&stringFilter={_NEEDLE}"
    said = await console.get(path)
    took = time.monotonic() - begin
    events = events_in(said.text)
    assert sum(one.name == "message" for one in events) == RECORDS // _EACH, said.text[-500:]
    (progress,) = [one.data for one in events if one.name == "consuming"][-1:]
    assert progress["messagesConsumed"] == RECORDS, progress
    return took


def _theirs(brokers: RealBrokers, topic: str) -> float:
    begin = time.monotonic()
    address = brokers.brokers[0].address
    kcat = subprocess.Popen([_PEER, "-C", "-b", address, "-t", topic, "-o", "beginning", "-e", "-q"], stdout=-1)
    found = subprocess.run(["grep", "-c", _NEEDLE], stdin=kcat.stdout, capture_output=True, timeout=_WITHIN)
    kcat.wait(_WITHIN)
    took = time.monotonic() - begin
    assert int(found.stdout) == RECORDS // _EACH
    return took


if __name__ == "__main__":
    print(f"console search: {TITLE}", flush=True)
    print("\n".join(measure(Path(os.environ.get("KLAMM_CACHE") or Path.home() / ".cache" / "klamm"))))
