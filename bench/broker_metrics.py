"""What metrics cost a broker: scrape time and CPU with 1000 topics of 10 partitions, by each way of showing them.

One real broker 3.6.0 with its ZooKeeper, started anew on the same data for each way: with nothing, with the JMX
exporter under the tutorial's rules and under those of examples/metrics, and with Strimzi's reporter. "Idle" is without
any scrape. The heap is large: rules with `cache: true` keep a word for each rule, MBean and attribute. `python -m
bench.broker_metrics [TOPICS]`.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from tests.builders.lone_broker import Agent, LoneBroker
from tests.builders.metric_pages import read_page

from bench.by_hand import cpu_seconds, peak_mb
from klamm.base.clock import SystemClock
from klamm.desired.jmx_exporter import exporter_configuration
from klamm.desired.kafka.metrics_reporter import reporter_settings
from klamm.distribution.provide import provide
from klamm.distribution.store import Store
from klamm.kafka.admin import Admin, Connection
from klamm.kafka.facts import NewTopic
from klamm.resources.custom.process import MetricsConfig

TOPICS, PARTITIONS = 1000, 10
VERSION = "3.6.0"
HEAP = "3g"
IDLE_SECONDS = 15.0
SCRAPES = 5
A_MINUTE = 4
"""Scrapes in a minute, at one each 15 s."""

_EXAMPLES = Path(__file__).parents[1] / "examples"
_KEY = "kafka-metrics-config.yml"
_AT_ONCE = 25
"""Topics in one request."""


@dataclass(frozen=True, slots=True)
class Cost:
    first: float
    """Seconds of the first scrape: rules have nothing to remember yet, and code is not compiled."""
    seconds: float
    cpu: float
    series: int
    size: int


def measure(cache: Path, topics: int = TOPICS) -> Iterator[str]:
    """Lines as they become known."""
    provided = asyncio.run(provide(Store(cache), [VERSION], java_home=None, clock=SystemClock()))
    home = provided.homes[VERSION].path
    [jar] = (home / "agents").glob("jmx_prometheus_javaagent-*.jar")
    agents = {
        "the tutorial's rules": Agent(jar, _configuration("kafka-2.yaml")),
        "kafka-metrics.yaml": Agent(jar, _configuration("metrics/kafka-metrics.yaml")),
        "kafka-metrics-fast.yaml": Agent(jar, _configuration("metrics/kafka-metrics-fast.yaml")),
    }
    with (
        tempfile.TemporaryDirectory(prefix="klamm-bench-") as folder,
        LoneBroker(Path(folder) / "broker", provided.java.path, home, heap=HEAP) as broker,
    ):
        asyncio.run(_fill(broker.bootstrap, topics))
        yield f"{'nothing':<26} idle {_idle(broker) * 60:.2f} CPU s a minute; {peak_mb(broker.pid):.0f} MB"
        for name, agent in agents.items():
            broker.start_again(agent=agent)
            yield _line(name, broker)
        settings = reporter_settings(MetricsConfig(type="strimziMetricsReporter"), {})
        broker.start_again(reporter=settings)
        yield _line("strimziMetricsReporter", broker)


def _configuration(file: str) -> str:
    documents = [one for one in yaml.safe_load_all((_EXAMPLES / file).read_text()) if one["kind"] == "ConfigMap"]
    return json.dumps(exporter_configuration(yaml.safe_load(documents[0]["data"][_KEY]), VERSION))


async def _fill(bootstrap: str, topics: int) -> None:
    names = [f"topic-{number:04}" for number in range(topics)]
    async with await Admin.connect(Connection((bootstrap,), request_timeout=120.0)) as admin:
        for start in range(0, topics, _AT_ONCE):
            await admin.create_topics([NewTopic(one, PARTITIONS, 1, {}) for one in names[start : start + _AT_ONCE]])


def _idle(broker: LoneBroker) -> float:
    """CPU seconds a second, once the start is over and nobody asks for anything."""
    _quiet(broker)
    before = cpu_seconds(broker.pid)
    time.sleep(IDLE_SECONDS)
    return (cpu_seconds(broker.pid) - before) / IDLE_SECONDS


def _quiet(broker: LoneBroker) -> None:
    """Logs of thousands of partitions are loaded after the listener is there; a minute at the most."""
    for _ in range(20):
        before = cpu_seconds(broker.pid)
        time.sleep(3.0)
        if cpu_seconds(broker.pid) - before < 0.6:
            return


def _cost(broker: LoneBroker) -> Cost:
    first = _scraped(broker)[0]
    for _ in range(2):
        _scraped(broker)
    before = cpu_seconds(broker.pid)
    scraped = [_scraped(broker) for _ in range(SCRAPES)]
    cpu = (cpu_seconds(broker.pid) - before) / SCRAPES
    page = scraped[-1][1]
    return Cost(first, statistics.median(one[0] for one in scraped), cpu, len(read_page(page)), len(page))


def _scraped(broker: LoneBroker) -> tuple[float, str]:
    began = time.monotonic()
    page = broker.metrics()
    return time.monotonic() - began, page


def _line(name: str, broker: LoneBroker) -> str:
    idle = _idle(broker)
    try:
        cost = _cost(broker)
    except TimeoutError as error:
        return f"{name:<26} idle {idle * 60:.2f} CPU s a minute; a scrape did not end: {error}"
    return (
        f"{name:<26} idle {idle * 60:.2f} CPU s a minute; a scrape {cost.seconds:.2f} s (the first {cost.first:.2f}), "
        f"{cost.cpu:.2f} CPU s, {cost.cpu * A_MINUTE:.1f} CPU s a minute at one each 15 s; "
        f"{cost.series} series, {cost.size / 1e6:.1f} MB; the broker took {peak_mb(broker.pid):.0f} MB"
    )


def main() -> None:
    cache = Path(os.environ.get("KLAMM_CACHE") or Path.home() / ".cache" / "klamm")
    topics = int(sys.argv[1]) if len(sys.argv) > 1 else TOPICS
    print(f"metrics of a broker: {topics} topics of {PARTITIONS} partitions", flush=True)
    for line in measure(cache, topics):
        print(f"  {line}", flush=True)


if __name__ == "__main__":
    main()
