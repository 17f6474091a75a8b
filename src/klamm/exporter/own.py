"""What the exporter tells of itself: how old what it shows is, what reading it costs, and its process."""

import platform
from collections.abc import Mapping

from klamm import __version__
from klamm.base.metrics import Metrics, counter, gauge
from klamm.base.process_metrics import watch_process
from klamm.exporter.text import Text
from klamm.observing.snapshot import Part, PartKey, Snapshot

_OF_BUILD = ("branch", "goarch", "goos", "goversion", "revision", "tags", "version")
_OF_PART = ("part", "broker")

BUILD = gauge("kafka_exporter_build_info", "What runs here: klamm's exporter", *_OF_BUILD)
SNAPSHOT_AGE = gauge(
    "kafka_exporter_snapshot_age_seconds",
    "Since the last collection began; what it could not read is older, see kafka_exporter_part_age_seconds",
)
COLLECTION = gauge("kafka_exporter_collection_seconds", "What the last collection took")
COLLECTIONS = counter("kafka_exporter_collections_total", "Collections so far")
UNREAD = gauge("kafka_exporter_unread_partitions", "Partitions whose end was not read in the last collection")
AGE = gauge("kafka_exporter_part_age_seconds", "How long ago a part of what is shown was read", *_OF_PART)
UP = gauge("kafka_exporter_part_up", "1 if the last try to read it succeeded", *_OF_PART)
SECONDS = gauge("kafka_exporter_part_seconds", "What reading it took last", *_OF_PART)
READS = counter("kafka_exporter_part_reads_total", "Tries to read it", *_OF_PART)
FAILURES = counter("kafka_exporter_part_failures_total", "Tries that failed", *_OF_PART)
SERIES = gauge("kafka_exporter_series", "Series of the cluster that are told")
LEFT_OUT = gauge("kafka_exporter_series_left_out", "Series that are not told because there would be too many", "what")


def own_text(snapshot: Snapshot, text: Text, now: float) -> str:
    """`now` on the collector's clock."""
    metrics = Metrics(lambda: now)
    metrics.set(BUILD, 1, **_build())
    metrics.set(SNAPSHOT_AGE, _ago(snapshot.at, now))
    metrics.set(COLLECTION, round(snapshot.seconds, 4))
    metrics.count(COLLECTIONS, snapshot.number)
    metrics.set(UNREAD, snapshot.unread)
    for key, part in snapshot.parts.items():
        _tell_part(metrics, part, now, _labels(key))
    metrics.set(SERIES, text.series)
    for what, count in text.left_out.items():
        metrics.set(LEFT_OUT, count, what=what)
    watch_process(metrics)
    return metrics.text()


def _build() -> Mapping[str, str]:
    return {
        "branch": "klamm",
        "goarch": platform.machine(),
        "goos": platform.system().lower(),
        "goversion": f"python{platform.python_version()}",
        "revision": "",
        "tags": "",
        "version": __version__,
    }


def _tell_part(metrics: Metrics, part: Part, now: float, labels: Mapping[str, str]) -> None:
    if part.read_at is not None:
        metrics.set(AGE, _ago(part.read_at, now), **labels)
        metrics.set(SECONDS, round(part.seconds, 4), **labels)
    metrics.set(UP, int(part.failure is None), **labels)
    metrics.count(READS, part.tries, **labels)
    metrics.count(FAILURES, part.failures, **labels)


def _labels(key: PartKey) -> Mapping[str, str]:
    """No broker is an empty label, which Prometheus takes for none."""
    return {"part": key.kind, "broker": "" if key.broker is None else str(key.broker)}


def _ago(at: float, now: float) -> float:
    return round(max(0.0, now - at), 3)
