"""What a Kafka cluster says of itself, as plain values without any library's types."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Broker:
    id: int
    host: str
    port: int
    rack: str | None


@dataclass(frozen=True, slots=True)
class Cluster:
    id: str
    controller: int | None
    brokers: tuple[Broker, ...]


@dataclass(frozen=True, slots=True)
class Partition:
    topic: str
    id: int
    leader: int | None
    replicas: tuple[int, ...]
    in_sync: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    name: str
    id: str | None
    """Base64 as Kafka's tools print it; None on brokers that do not tell."""
    internal: bool
    partitions: tuple[Partition, ...]

    @property
    def replication_factor(self) -> int:
        return len(self.partitions[0].replicas) if self.partitions else 0


@dataclass(frozen=True, slots=True)
class ConfigValue:
    value: str | None
    set_here: bool
    """True when the value is set on this very resource (dynamic config), not inherited or default."""
    read_only: bool = False
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class NewTopic:
    name: str
    partitions: int | None = None
    """None: the broker's num.partitions."""
    replication_factor: int | None = None
    """None: the broker's default.replication.factor."""
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Created:
    """A topic was made. `id` as in `Topic`."""

    id: str | None


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """What to do to one resource's configuration; keys not named stay as they are (KIP-339)."""

    set: Mapping[str, str] = field(default_factory=dict)
    delete: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AclRule:
    """One ACL binding in Kafka's words, upper case: TOPIC, LITERAL, READ, ALLOW."""

    principal: str
    resource_type: str
    resource_name: str
    pattern_type: str
    operation: str
    permission: str
    host: str = "*"


@dataclass(frozen=True, slots=True)
class Quotas:
    """Limits of one user; None: no limit of his own (KIP-13, KIP-124, KIP-599)."""

    producer_byte_rate: float | None = None
    consumer_byte_rate: float | None = None
    request_percentage: float | None = None
    controller_mutation_rate: float | None = None


QuotaEntity = tuple[tuple[str, str | None], ...]
"""("user" | "client-id" | "ip", name) each; None: the default of all others."""


@dataclass(frozen=True, slots=True)
class QuotaEntry:
    """The limits that are set for exactly this entity, by Kafka's keys."""

    entity: QuotaEntity
    limits: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ScramCredential:
    """That there is a password; nobody can tell which. `mechanism`: SCRAM-SHA-256 or SCRAM-SHA-512."""

    user: str
    mechanism: str
    iterations: int


@dataclass(frozen=True, slots=True)
class Topology:
    """Brokers and topics as one broker told them in one answer.

    `failed`: topics that exist and could not be told of (one that is just being made, say), with the reason.
    """

    cluster: Cluster
    topics: Mapping[str, Topic]
    failed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Offsets:
    """By topic and partition what one broker answered. `moved`: it leads these no more; `gone`: no such topic."""

    by_topic: Mapping[str, Mapping[int, int]]
    moved: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ListedGroup:
    """A group as its coordinator lists it. `type`: classic, consumer, share, streams; `state`: "" on old brokers."""

    name: str
    type: str
    state: str
    protocol_type: str


@dataclass(frozen=True, slots=True)
class Member:
    id: str
    client_id: str
    host: str
    assigned: Mapping[str, tuple[int, ...]]
    """Partitions by topic."""


@dataclass(frozen=True, slots=True)
class DescribedGroup:
    """`protocol`: how partitions are assigned ("range", "uniform"), "" while nobody is a member."""

    state: str
    protocol: str
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class LogDir:
    """One directory of one broker. `total` and `usable`: bytes of its volume (KIP-827), None when not told."""

    path: str
    sizes: Mapping[str, int]
    """Bytes by topic."""
    total: int | None
    usable: int | None


@dataclass(frozen=True, slots=True)
class ListedTransaction:
    """`state`: Empty, Ongoing, PrepareCommit, PrepareAbort, CompleteCommit, CompleteAbort, …"""

    id: str
    producer_id: int
    state: str
    coordinator: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """As its coordinator knows it. `started_ms`: since 1970; None while nothing is open."""

    id: str
    state: str
    coordinator: int
    producer_id: int
    producer_epoch: int
    timeout_ms: int
    started_ms: int | None
    partitions: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class ActiveProducer:
    """A producer with an id, as a partition knows it. `last_ms`: when it wrote last, since 1970; -1: not known.
    `open_since`: the first offset of its open transaction; None when there is none."""

    topic: str
    partition: int
    producer_id: int
    producer_epoch: int
    last_sequence: int
    last_ms: int
    coordinator_epoch: int
    open_since: int | None


@dataclass(frozen=True, slots=True)
class QuorumMember:
    """`end`: of its log of metadata. Times in milliseconds since 1970; None when not told (the leader's own)."""

    id: int
    end: int
    fetched_ms: int | None
    caught_up_ms: int | None
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quorum:
    leader: int | None
    epoch: int
    high_watermark: int
    voters: tuple[QuorumMember, ...]
    observers: tuple[QuorumMember, ...]


@dataclass(frozen=True, slots=True)
class Features:
    """`finalized`: what the cluster has agreed on, by name; `supported`: least and most that this broker can."""

    epoch: int | None
    finalized: Mapping[str, int]
    supported: Mapping[str, tuple[int, int]]
