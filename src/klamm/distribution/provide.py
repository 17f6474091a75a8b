"""The door to this room: bring Kafka releases and their Java to this machine, once, and say where they are.

    provided = await provide(store, ["3.6.0"], java_home=None, clock=clock, report=show)
    provided.homes["3.6.0"].path

What is there already costs a few milliseconds: a stat per jar. The first time needs the network and shows progress.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from klamm.base.clock import Clock
from klamm.distribution import homes, images, java
from klamm.distribution.artifacts import Release, release
from klamm.distribution.homes import KafkaHome
from klamm.distribution.java import JavaHome
from klamm.distribution.progress import Progress, Report, silent
from klamm.distribution.store import Store


@dataclass(frozen=True, slots=True)
class Provided:
    homes: Mapping[str, KafkaHome]
    """By Kafka version: those that were asked for."""
    java: JavaHome


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in the store is not as it should be; `mend` says what puts it right."""

    what: str
    mend: str


def choose_java(java_home: Path | None) -> JavaHome:
    """The user's JAVA_HOME when given, else the wheel's. Raises `JavaDoesNotFit`."""
    return java.inspect(java_home) if java_home else java.bundled()


async def provide(
    store: Store,
    versions: Sequence[str],
    *,
    java_home: Path | None,
    clock: Clock,
    report: Report = silent,
    repository: str | None = None,
) -> Provided:
    """Make sure that these Kafka releases can run here.

    `repository` is the base URL of a Maven repository (None: the default one). Raises `UnknownRelease`,
    `JavaDoesNotFit`, `DownloadFailed`, `StoreBusy`, `StoreUnusable`.
    """
    chosen = choose_java(java_home)
    wanted = [release(version) for version in versions]
    for one in wanted:
        java.check(chosen, one.kafka)
    images.prepare_base(store)
    ready = {}
    for one in wanted:
        home = homes.home_of(store, one)
        ready[one.kafka] = home if homes.is_whole(home, one) else await _make(store, one, clock, report, repository)
    return Provided(ready, chosen)


async def _make(store: Store, wanted: Release, clock: Clock, report: Report, repository: str | None) -> KafkaHome:
    # Only who has something to fetch pays for importing an HTTP client.
    from klamm.distribution import download

    name = f"Kafka {wanted.kafka}"

    def waiting() -> None:
        report(Progress(f"{name}: waiting", 0, 1, "another klamm is filling the store"))

    async with store.locked("artifacts", clock, waiting=waiting):
        absent = download.missing(store, wanted.artifacts)
        if absent:
            await download.fetch(store, absent, repository or download.default_repository(), name, report)
        home = await asyncio.to_thread(homes.build, store, wanted)
    return home


def examine(store: Store, versions: Sequence[str]) -> list[Finding]:
    """Read every byte of these releases and compare it with the pins (for `klamm doctor`; takes a second each)."""
    from klamm.distribution import download

    findings = []
    for version in versions:
        pinned = release(version)
        home = homes.home_of(store, pinned)
        if not home.path.is_dir():
            continue
        for artifact in download.damaged(store, pinned.artifacts):
            path = store.artifacts / artifact.coordinate.path
            findings.append(
                Finding(
                    f"{path} is not the pinned {artifact.coordinate}",
                    f"remove it and the home that links it: rm -rf '{path}' '{home.path}'",
                )
            )
        for name in homes.altered(home, pinned):
            findings.append(Finding(f"{home.path / name} was changed", f"remove the home: rm -rf '{home.path}'"))
    return findings
