"""What every pod's worker needs of the kubelet, handed in as one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from klamm.base.clock import Clock
from klamm.localkube.events import PodEvents
from klamm.localkube.kubelet.facts import PodKey
from klamm.localkube.kubelet.nodes import capacity
from klamm.localkube.kubelet.runtime import Runtime
from klamm.localkube.kubelet.settings import KubeletSettings, NodeSettings
from klamm.localkube.kubelet.tokens import TokenSource
from klamm.localkube.kubelet.turns import Turns
from klamm.localkube.objects import ImageTable, Object, Objects


@dataclass(frozen=True, slots=True)
class Parts:
    objects: Objects
    runtime: Runtime
    images: ImageTable
    settings: KubeletSettings
    clock: Clock
    tokens: TokenSource
    events: PodEvents
    turns: Turns
    finished: Callable[[str], None] = field(default=lambda uid: None)
    """Told the uid of a pod whose worker has nothing more to do."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.clock.now().timestamp()

    def node_of(self, pod: Object) -> NodeSettings:
        name = pod["spec"].get("nodeName")
        nodes = self.settings.nodes
        return next((node for node in nodes if node.name == name), nodes[0])

    def capacity_of(self, pod: Object) -> Mapping[str, str]:
        return capacity(self.node_of(pod))

    def log_folder(self, key: PodKey) -> Path:
        return self.settings.logs_folder / f"{key.namespace}_{key.name}_{key.uid}"

    def log_path(self, key: PodKey, container: str, attempt: int) -> Path:
        return self.log_folder(key) / container / f"{attempt}.log"
