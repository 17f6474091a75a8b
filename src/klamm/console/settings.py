"""What the console is told, as plain values; `configuring/` reads them in the spelling of kafka-ui."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from klamm.console.access.masking import Masking
from klamm.console.audit.trail import AuditSettings
from klamm.console.identity.settings import Access
from klamm.console.schemas.registry import RegistrySettings
from klamm.console.serdes.of_cluster import SerdeSettings
from klamm.kafka.admin import Connection
from klamm.kube.connection import Connection as KubeConnection
from klamm.observing import collector


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """`connection` is asked again when what `files` gives has changed: certificates are renewed. `resource`:
    "namespace/name" of the Kafka resource that this cluster is, where neither its id nor its addresses tell. `given`:
    all that is configured of it, for parts that read their own (kafkaConnect, metrics, …); it holds passwords.
    """

    name: str
    connection: Callable[[], Connection]
    read_only: bool = False
    collecting: collector.Settings = field(default_factory=collector.Settings)
    registry: RegistrySettings | None = None
    serdes: SerdeSettings = field(default_factory=SerdeSettings)
    masking: Masking = field(default_factory=Masking)
    audit: AuditSettings = field(default_factory=AuditSettings)
    resource: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict, repr=False)
    files: Callable[[], tuple[bytes, ...]] = tuple
    """What the connection is made of, as it is in files now."""
    patience: float = 5.0
    """Seconds that an answer waits for Kafka before it says that there is none."""


@dataclass(frozen=True, slots=True)
class KubernetesSettings:
    """Where the operator's resources are. `namespaces`: () is all, for which a ClusterRole is needed."""

    connection: KubeConnection
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """`host`: None listens on all addresses. `base`: the path under which everything is, "" or "/kafka-ui", say.

    `access`: how people log in, and their roles. `body_within`: seconds that a request's body may take to come.
    `kubernetes`: None without the operator's view.
    """

    clusters: tuple[ClusterSettings, ...]
    host: str | None = "127.0.0.1"
    port: int = 8080
    base: str = ""
    body_within: float = 30.0
    access: Access = field(default_factory=Access)
    kubernetes: KubernetesSettings | None = None
