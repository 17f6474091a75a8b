"""What was seen of a Kafka cluster, whole and unchanging: exporter, console and alerts read the same.

Times are seconds of the collector's monotonic clock. What could not be read this time is as it was read last, and
`parts` says how old that is: a broker that hangs makes its values old, never zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from klamm.kafka.facts import Cluster, LogDir, Member, Topic
from klamm.kafka.offsets import Bundle

Kind = Literal["connection", "topology", "groups", "members", "committed", "earliest", "latest", "logs"]


@dataclass(frozen=True, slots=True)
class PartKey:
    """One thing that is asked of one broker; None: of any."""

    kind: Kind
    broker: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """How a part fared. `seconds`: what the last success took; `row`: failures since then."""

    read_at: float | None = None
    seconds: float = 0.0
    failure: str | None = None
    row: int = 0
    tries: int = 0
    failures: int = 0

    def succeeded(self, at: float, seconds: float) -> "Part":
        return Part(at, seconds, None, 0, self.tries + 1, self.failures)

    def failed(self, why: str) -> "Part":
        return Part(self.read_at, self.seconds, why, self.row + 1, self.tries + 1, self.failures + 1)


@dataclass(frozen=True, slots=True)
class Group:
    """`protocol`: how partitions are assigned, "" if nobody is there. `members`: None when they were never read."""

    name: str
    type: str
    state: str
    protocol_type: str
    protocol: str
    coordinator: int
    members: tuple[Member, ...] | None


@dataclass(frozen=True, slots=True)
class Lag:
    """Records behind the end, and how long ago the first of them came; None when that is not known."""

    records: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Beyond:
    """So many records beyond the end is what was committed. How far behind the group is, nobody knows."""

    records: int


Partitions = Mapping[str, Mapping[int, int]]
"""A number for each partition of each topic."""

Lags = Mapping[str, Mapping[str, Mapping[int, Lag | Beyond]]]
"""By group, topic and partition."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    number: int
    at: float
    """When its collection began. What came late was asked for before: `parts` says when."""
    seconds: float
    """What the collection took."""
    cluster: Cluster
    topics: Mapping[str, Topic]
    earliest: Partitions
    latest: Partitions
    groups: Mapping[str, Group]
    committed: Mapping[str, Partitions]
    """By group."""
    lags: Lags
    """Each of an end and of what was committed when it was asked for."""
    log_dirs: Mapping[int, tuple[LogDir, ...]]
    """By broker."""
    unread: int
    """Partitions whose end was not read this time."""
    parts: Mapping[PartKey, Part]
    led: Mapping[int, Bundle] | None = None
    """By broker the partitions that it leads, of `topics`; None where that is not made."""
