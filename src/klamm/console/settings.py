"""What the console is told, as plain values; `configuration.py` reads them in the spelling of kafka-ui."""

from collections.abc import Callable
from dataclasses import dataclass, field

from klamm.console.audit import AuditSettings
from klamm.console.identity.settings import Access
from klamm.console.masking import Masking
from klamm.console.schema_registry import RegistrySettings
from klamm.console.serdes.of_cluster import SerdeSettings
from klamm.kafka.admin import Connection
from klamm.observing import collector


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """`connection` is asked again for what certificate files hold now."""

    name: str
    connection: Callable[[], Connection]
    read_only: bool = False
    collecting: collector.Settings = field(default_factory=collector.Settings)
    registry: RegistrySettings | None = None
    serdes: SerdeSettings = field(default_factory=SerdeSettings)
    masking: Masking = field(default_factory=Masking)
    audit: AuditSettings = field(default_factory=AuditSettings)


@dataclass(frozen=True, slots=True)
class Settings:
    """`host`: None listens on all addresses. `base`: the path under which everything is, "" or "/kafka-ui", say.

    `access`: how people log in, and their roles. `body_within`: seconds that a request's body may take to come.
    """

    clusters: tuple[ClusterSettings, ...]
    host: str | None = "127.0.0.1"
    port: int = 8080
    base: str = ""
    body_within: float = 30.0
    access: Access = field(default_factory=Access)
