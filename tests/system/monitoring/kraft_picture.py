"""Draws the board of clusters in KRaft mode, which no cluster of one machine's examples is: beside a lone broker.

    python -m tests.system.monitoring.kraft_picture docs/pictures 10

The broker is its own controller and gets a topic and some records now and then. `10`: minutes.
"""

import json
import sys
import tempfile
from pathlib import Path

from tests.builders.cluster import CLOCK, pause
from tests.builders.lone_broker import LoneBroker
from tests.builders.prometheus import running_prometheus
from tests.system.monitoring.pictures import Picture
from tests.system.test_broker_metrics import as_pod, started

from klamm.base.clock import SystemClock
from klamm.monitoring.dashboards.board import dashboard
from klamm.monitoring.dashboards.kraft import kraft
from klamm.monitoring.discovery import pod_targets
from klamm.monitoring.scraping import MONITORS, scrape_job

_BETWEEN_TOPICS = 20.0
_RECORDS = 2000


def main(folder: str, minutes: str) -> None:
    seconds = float(minutes) * 60
    with (
        tempfile.TemporaryDirectory(prefix="klamm-kraft-") as name,
        started(Path(name) / "broker", "4.3.1", kraft=True) as broker,
    ):
        targets = Path(name) / "pods.json"
        targets.write_text(json.dumps(pod_targets([as_pod(broker)])))
        job = scrape_job(MONITORS[2], {"file_sd_configs": [{"files": [str(targets)]}]})
        every = {"scrape_interval": "15s", "scrape_timeout": "15s"}
        with running_prometheus(Path(name), {"global": every, "scrape_configs": [job]}) as prometheus:
            _use(broker, seconds)
            drawn = Picture(dashboard(kraft()), prometheus, SystemClock().now().timestamp(), seconds).svg()
    path = Path(folder) / f"{kraft().uid}.svg"
    path.write_text(drawn, encoding="utf-8")
    print(path)


def _use(broker: LoneBroker, seconds: float) -> None:
    begun = CLOCK.monotonic()
    number = 0
    while CLOCK.monotonic() - begun < seconds:
        server = ("--bootstrap-server", broker.bootstrap, "--topic", f"orders-{number}")
        broker.tool("kafka-topics.sh", *server, "--create", "--partitions", str(1 + number % 5))
        broker.tool("kafka-console-producer.sh", *server, said="an order\n" * _RECORDS)
        number += 1
        pause(_BETWEEN_TOPICS)


if __name__ == "__main__":
    main(*sys.argv[1:])
