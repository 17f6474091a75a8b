"""What `programs/` decides for the kubelet: nodes, folders, and the times that tests and CI shorten."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

KUBELET_VERSION = "v1.34.4-klamm"
RUNTIME_VERSION = "klamm://0.1"


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """A pretended node. All nodes are this machine; labels keep them apart for the scheduler."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    address: str = "127.0.0.1"
    """InternalIP: where node ports answer."""
    cpus: str = "4"
    """Quantities, as in Node.status.capacity."""
    memory: str = "8Gi"
    storage: str = "100Gi"
    pods: int = 110
    os_image: str = "Linux"
    kernel_version: str = ""
    architecture: str = "amd64"
    machine_id: str = ""


@dataclass(frozen=True, slots=True)
class BackOffPolicy:
    """Waits before restarts, in seconds; Kubernetes' values. The first restart is always immediate."""

    initial: float = 10.0
    maximum: float = 300.0
    reset_after: float = 600.0
    """A container that ran this long since its last restart starts from `initial` again."""


@dataclass(frozen=True, slots=True)
class EarlyReadiness:
    """Quiet tries of readiness and startup probes between the regular ones, until the first success.

    A listed difference from Kubernetes, where nothing is ready before `initialDelaySeconds`. Waits are in
    seconds and count from the container's start; failures of quiet tries neither count nor make events.
    """

    enabled: bool = True
    first: float = 0.2
    factor: float = 1.3
    longest: float = 0.5


@dataclass(frozen=True, slots=True)
class KubeletSettings:
    nodes: tuple[NodeSettings, ...]
    pods_folder: Path
    """Volumes live below; made with mode 0700."""
    memory_folder: Path
    """On a tmpfs: emptyDir volumes with medium Memory live below; made with mode 0700."""
    logs_folder: Path
    """`<logs_folder>/<namespace>_<pod>_<uid>/<container>/<attempt>.log`"""
    cluster_domain: str = "cluster.local"
    api_address: str = "10.96.0.1"
    api_port: int = 443
    early_readiness: EarlyReadiness = EarlyReadiness()
    back_off: BackOffPolicy = BackOffPolicy()
    status_gap: float = 0.03
    """Seconds between two status writes of one pod: what changes in between is written as one."""
    stop_wave: Callable[[Mapping[str, str]], int] = lambda labels: 0
    """A pod's labels → its wave when the node, or a namespace, ends: who needs others to end well goes before them.
    Wave 0 goes first with the node, and has no place in the order of a namespace."""
    forced_grace: float = 1.0
    """Seconds for containers whose pod object is gone already (deleted with grace 0)."""
