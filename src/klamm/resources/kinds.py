"""The eleven custom kinds: names, API versions, columns of `kubectl get`, scaling.

`kubectl get kafka` asks for the version that Kubernetes prefers, and Kubernetes prefers v1 to v1beta2 whatever the
CRD says. People know the columns of v1beta2, so v1 shows these first and its own behind them; where a
resource has no such value the cell stays empty.
"""

from dataclasses import dataclass, field
from importlib import import_module
from typing import cast

from klamm.resources.structure import VERSIONS, Block, Version

KAFKA_GROUP = "kafka.strimzi.io"
CORE_GROUP = "core.strimzi.io"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`; with priority 1 only `-o wide` shows it."""

    name: str
    path: str
    about: str
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Scale:
    """The paths of the scale subresource."""

    wanted: str = ".spec.replicas"
    found: str = ".status.replicas"
    selector: str | None = ".status.labelSelector"


@dataclass(frozen=True, slots=True)
class Kind:
    """A custom kind. `columns` are shown in both versions, `more_columns` behind them in v1."""

    name: str
    module: str
    short_name: str
    columns: tuple[Column, ...]
    more_columns: tuple[Column, ...] = ()
    group: str = KAFKA_GROUP
    versions: tuple[Version, ...] = field(default=VERSIONS)
    scale: Scale | None = None

    @property
    def plural(self) -> str:
        return f"{self.name.lower()}s"

    @property
    def crd_name(self) -> str:
        return f"{self.plural}.{self.group}"

    def type(self) -> type[Block]:
        """The Struct of the kind; imported when it is asked for."""
        module = import_module(f"klamm.resources.custom.{self.module}")
        return cast("type[Block]", getattr(module, self.name))

    def columns_in(self, version: Version) -> tuple[Column, ...]:
        return self.columns + (self.more_columns if version == "v1" else ())


def _condition(condition: str, about: str, name: str | None = None) -> Column:
    return Column(name or condition, f'.status.conditions[?(@.type=="{condition}")].status', about)


_READY = _condition("Ready", "Whether the operator has done what is wanted.")
_CLUSTER = Column("Cluster", r".metadata.labels.strimzi\.io/cluster", "The cluster this belongs to.")
_REPLICAS = Column("Desired replicas", ".spec.replicas", "Pods that are wanted.", "integer")

KAFKA = Kind(
    "Kafka",
    "kafka",
    "k",
    columns=(
        Column("Desired Kafka replicas", ".spec.kafka.replicas", "Brokers that are wanted.", "integer"),
        Column("Desired ZK replicas", ".spec.zookeeper.replicas", "ZooKeeper nodes that are wanted.", "integer"),
        _READY,
        Column("Metadata State", ".status.kafkaMetadataState", "Where the metadata lives."),
        _condition("Warning", "Whether there is something to look at.", "Warnings"),
    ),
    more_columns=(
        Column("Kafka version", ".status.kafkaVersion", "Version of Kafka in use."),
        Column("Metadata version", ".status.kafkaMetadataVersion", "Metadata version in use."),
    ),
)
KAFKA_NODE_POOL = Kind(
    "KafkaNodePool",
    "node_pool",
    "knp",
    columns=(_REPLICAS,),
    more_columns=(
        Column("Roles", ".status.roles", "What the nodes do."),
        Column("NodeIds", ".status.nodeIds", "Ids of the nodes."),
    ),
    scale=Scale(),
)
KAFKA_TOPIC = Kind(
    "KafkaTopic",
    "topic",
    "kt",
    columns=(
        _CLUSTER,
        Column("Partitions", ".spec.partitions", "Partitions that are wanted.", "integer"),
        Column("Replication factor", ".spec.replicas", "Replicas that are wanted.", "integer"),
        _READY,
    ),
)
KAFKA_USER = Kind(
    "KafkaUser",
    "user",
    "ku",
    columns=(
        _CLUSTER,
        Column("Authentication", ".spec.authentication.type", "How the user proves who it is."),
        Column("Authorization", ".spec.authorization.type", "Kind of the user's rules."),
        _READY,
    ),
)
KAFKA_CONNECT = Kind("KafkaConnect", "connect", "kc", columns=(_REPLICAS, _READY), scale=Scale())
KAFKA_CONNECTOR = Kind(
    "KafkaConnector",
    "connector",
    "kctr",
    columns=(
        _CLUSTER,
        Column("Connector class", ".spec.class", "Class of the connector."),
        Column("Max Tasks", ".spec.tasksMax", "Tasks at most.", "integer"),
        _READY,
    ),
    scale=Scale(".spec.tasksMax", ".status.tasksMax", None),
)
KAFKA_MIRROR_MAKER = Kind(
    "KafkaMirrorMaker",
    "mirror_maker",
    "kmm",
    columns=(
        _REPLICAS,
        Column("Consumer Bootstrap Servers", ".spec.consumer.bootstrapServers", "Copied from.", priority=1),
        Column("Producer Bootstrap Servers", ".spec.producer.bootstrapServers", "Copied to.", priority=1),
        _READY,
    ),
    versions=("v1beta2",),
    scale=Scale(),
)
KAFKA_MIRROR_MAKER_2 = Kind("KafkaMirrorMaker2", "mirror_maker_2", "kmm2", columns=(_REPLICAS, _READY), scale=Scale())
KAFKA_BRIDGE = Kind(
    "KafkaBridge",
    "bridge",
    "kb",
    columns=(
        _REPLICAS,
        Column("Bootstrap Servers", ".spec.bootstrapServers", "Brokers to start from.", priority=1),
        _READY,
    ),
    scale=Scale(),
)
KAFKA_REBALANCE = Kind(
    "KafkaRebalance",
    "rebalance",
    "kr",
    columns=(
        _CLUSTER,
        _condition("PendingProposal", "Whether a proposal was asked for."),
        _condition("ProposalReady", "Whether the proposal can be approved."),
        _condition("Rebalancing", "Whether partitions are being moved."),
        _condition("Ready", "Whether all is done."),
        _condition("NotReady", "Whether something went wrong."),
    ),
    more_columns=(
        Column("Template", r".metadata.annotations.strimzi\.io/rebalance-template", "Whether this is a template."),
        Column("Status", ".status.conditions[*].type", "How far it is."),
    ),
)
STRIMZI_POD_SET = Kind(
    "StrimziPodSet",
    "pod_set",
    "sps",
    group=CORE_GROUP,
    columns=(
        Column("Pods", ".status.pods", "Pods that belong here.", "integer"),
        Column("Ready Pods", ".status.readyPods", "Pods that are ready.", "integer"),
        Column("Current Pods", ".status.currentPods", "Pods that are as written.", "integer"),
        Column("Age", ".metadata.creationTimestamp", "Since when it is there.", "date"),
    ),
)

ALL: tuple[Kind, ...] = (
    KAFKA,
    KAFKA_CONNECT,
    STRIMZI_POD_SET,
    KAFKA_TOPIC,
    KAFKA_USER,
    KAFKA_NODE_POOL,
    KAFKA_BRIDGE,
    KAFKA_CONNECTOR,
    KAFKA_MIRROR_MAKER_2,
    KAFKA_REBALANCE,
    KAFKA_MIRROR_MAKER,
)
