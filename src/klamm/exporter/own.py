"""What the exporter tells of itself: how old what it shows is, what reading it costs, and its process."""

import os
import platform
import resource
from collections.abc import Mapping
from pathlib import Path

from klamm import __version__
from klamm.exporter.text import Family, Text
from klamm.observing.snapshot import PartKey, Snapshot

_PAGE = os.sysconf("SC_PAGE_SIZE")


def own_text(snapshot: Snapshot, text: Text, now: float, started: float) -> str:
    """`now` on the collector's clock, `started` as seconds since 1970."""
    families = [*_build(), *_of_snapshot(snapshot, now), *_of_parts(snapshot, now), *_of_text(text), *_process(started)]
    return "".join(family.text() for family in families)


def _one(name: str, help: str, value: float, kind: str = "gauge") -> Family:
    family = Family(name, help, kind)
    family.add("", value)
    return family


def _build() -> list[Family]:
    info = Family("kafka_exporter_build_info", "What runs here: klamm's exporter")
    labels: Mapping[str, str] = {
        "branch": "klamm",
        "goarch": platform.machine(),
        "goos": platform.system().lower(),
        "goversion": f"python{platform.python_version()}",
        "revision": "",
        "tags": "",
        "version": __version__,
    }
    info.add(",".join(f'{name}="{value}"' for name, value in labels.items()), 1)
    return [info]


def _of_snapshot(snapshot: Snapshot, now: float) -> list[Family]:
    return [
        _one(
            "kafka_exporter_snapshot_age_seconds",
            "Since the last collection began; what it could not read is older, see kafka_exporter_part_age_seconds",
            _ago(snapshot.at, now),
        ),
        _one("kafka_exporter_collection_seconds", "What the last collection took", round(snapshot.seconds, 4)),
        _one("kafka_exporter_collections_total", "Collections so far", snapshot.number, "counter"),
        _one(
            "kafka_exporter_unread_partitions",
            "Partitions whose end was not read in the last collection",
            snapshot.unread,
        ),
    ]


def _of_parts(snapshot: Snapshot, now: float) -> list[Family]:
    age = Family("kafka_exporter_part_age_seconds", "How long ago a part of what is shown was read")
    up = Family("kafka_exporter_part_up", "1 if the last try to read it succeeded")
    seconds = Family("kafka_exporter_part_seconds", "What reading it took last")
    tries = Family("kafka_exporter_part_reads_total", "Tries to read it", "counter")
    failures = Family("kafka_exporter_part_failures_total", "Tries that failed", "counter")
    for key, part in snapshot.parts.items():
        labels = _labels(key)
        age.add_known(labels, None if part.read_at is None else _ago(part.read_at, now))
        up.add(labels, int(part.failure is None))
        seconds.add_known(labels, None if part.read_at is None else round(part.seconds, 4))
        tries.add(labels, part.tries)
        failures.add(labels, part.failures)
    return [age, up, seconds, tries, failures]


def _of_text(text: Text) -> list[Family]:
    without = Family("kafka_exporter_series_left_out", "Series that are not told because there would be too many")
    for what, count in text.left_out.items():
        without.add(f'what="{what}"', count)
    return [_one("kafka_exporter_series", "Series of the cluster that are told", text.series), without]


def _process(started: float) -> list[Family]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    virtual, resident = (int(pages) * _PAGE for pages in Path("/proc/self/statm").read_text().split()[:2])
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return [
        _one("process_cpu_seconds_total", "CPU time", round(used.ru_utime + used.ru_stime, 2), "counter"),
        _one("process_resident_memory_bytes", "Memory", resident),
        _one("process_virtual_memory_bytes", "Address space", virtual),
        _one("process_open_fds", "Open descriptors", len(os.listdir("/proc/self/fd"))),
        _one("process_max_fds", "Descriptors that may be open", most),
        _one("process_start_time_seconds", "Start, in seconds since 1970", round(started, 2)),
    ]


def _labels(key: PartKey) -> str:
    broker = "" if key.broker is None else f',broker="{key.broker}"'
    return f'part="{key.kind}"{broker}'


def _ago(at: float, now: float) -> float:
    return round(max(0.0, now - at), 3)
