"""The releases of Apache Kafka that klamm runs, and what must be known of each before it runs.

A release with a ZooKeeper version can run with ZooKeeper; Kafka 4 removed that (KIP-866), so it has none.
`protocol` is the inter.broker.protocol.version and log.message.format.version that a release introduced (Kafka
upgrade notes), `metadata` the newest production metadata version it knows (`MetadataVersion` of the release).
A minor or patch release reads what older releases of its line wrote, so an upgrade may go to any newer
release, except that ZooKeeper's clusters cannot reach Kafka 4 without a migration to KRaft (KIP-866).
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """One release of Kafka. `zookeeper` is the ZooKeeper that it was released with, None when it is KRaft only."""

    version: str
    protocol: str
    metadata: str
    zookeeper: str | None
    log4j: int
    """Major version of log4j whose configuration files it reads: 1 (reload4j) or 2."""

    @property
    def number(self) -> tuple[int, ...]:
        return number(self.version)

    @property
    def runs_with_zookeeper(self) -> bool:
        return self.zookeeper is not None


SUPPORTED: tuple[Release, ...] = (
    Release("3.5.0", protocol="3.5", metadata="3.5-IV2", zookeeper="3.6.4", log4j=1),
    Release("3.5.1", protocol="3.5", metadata="3.5-IV2", zookeeper="3.6.4", log4j=1),
    Release("3.6.0", protocol="3.6", metadata="3.6-IV2", zookeeper="3.8.2", log4j=1),
    Release("4.3.1", protocol="4.3", metadata="4.3-IV0", zookeeper=None, log4j=2),
)
DEFAULT_WITH_ZOOKEEPER = "3.6.0"
DEFAULT_WITH_KRAFT = "4.3.1"


def versions_with_zookeeper() -> list[str]:
    """What clusters may run that have a ZooKeeper, oldest first."""
    return [release.version for release in SUPPORTED if release.runs_with_zookeeper]


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A version that klamm does not run."""

    version: str
    supported: tuple[str, ...]

    def __str__(self) -> str:
        return f"Kafka {self.version} is not supported; choose one of {', '.join(self.supported)}"


def release(version: str | None, *, zookeeper: bool) -> Release | Unsupported:
    """The release of a `spec.kafka.version`; without one, the default of clusters of that kind."""
    wanted = version or (DEFAULT_WITH_ZOOKEEPER if zookeeper else DEFAULT_WITH_KRAFT)
    usable = [r for r in SUPPORTED if r.runs_with_zookeeper or not zookeeper]
    found = next((r for r in usable if r.version == wanted), None)
    return found or Unsupported(wanted, tuple(r.version for r in usable))


def number(version: str) -> tuple[int, ...]:
    """A version as numbers that compare: "3.10" is above "3.9"; of "3.6-IV2" only 3.6 counts.

    ValueError when it does not begin with numbers and dots.
    """
    return tuple(int(part) for part in version.split("-", 1)[0].split("."))


def newest(releases: Iterable[Release]) -> Release:
    return max(releases, key=lambda r: r.number)
