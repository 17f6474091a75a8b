"""Who lives where: three nodes on one machine, each in namespaces of its own, on a network that no one else sees.

The same addresses serve any number of clusters side by side, because each has network namespaces of its own.
"""

from dataclasses import dataclass
from pathlib import Path

CACHE = Path.home() / ".cache" / "klamm-tests"
DOMAIN = "cluster.local"
API_ADDRESS, API_PORT = "10.90.0.1", 6443
LAN = "10.90.0.0/24"
PODS = "10.244.0.0/16"
SERVICES, API_SERVICE, DNS_SERVICE = "10.96.0.0/16", "10.96.0.1", "10.96.0.10"
PAUSE_IMAGE = "docker.io/klamm-tests/pause:1"
COREDNS_IMAGE = "docker.io/klamm-tests/coredns:1.12.4"


@dataclass(frozen=True)
class Machine:
    """One node."""

    name: str
    zone: str
    address: str
    pods: str


MACHINES = tuple(
    Machine(f"node-{letter}", f"zone-{letter}", f"10.90.0.{10 + number}", f"10.244.{number}.0/24")
    for number, letter in enumerate("abc", start=1)
)


@dataclass(frozen=True)
class Folders:
    """Everything that a cluster writes is below `root`, seen at the same path by everyone."""

    root: Path

    @property
    def certificates(self) -> Path:
        return self.root / "certificates"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def temporary(self) -> Path:
        """What stands at /tmp inside."""
        return self.root / "tmp"

    @property
    def volumes(self) -> Path:
        """Of the default StorageClass: /tmp/hostpath_pv inside, which is the hostpath provisioner's own choice."""
        return self.temporary / "hostpath_pv"

    def kubeconfig(self, who: str) -> Path:
        return self.root / f"{who}.kubeconfig"

    def machine(self, machine: Machine) -> Path:
        return self.root / machine.name

    def containerd_socket(self, machine: Machine) -> Path:
        return self.machine(machine) / "containerd.sock"
