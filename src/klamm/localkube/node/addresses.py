"""The addresses inside the node, and which pod has which.

Pods live in 10.244.0.0/16 behind one bridge whose own address is 10.244.0.1; services in 10.96.0.0/16, which the
node holds as local addresses so that the relay can listen on each of them.
"""

from __future__ import annotations

BRIDGE = "cni0"
BRIDGE_ADDRESS = "10.244.0.1"
POD_PREFIX_LENGTH = 16
SERVICE_NETWORK = "10.96.0.0"
SERVICE_PREFIX_LENGTH = 16
API_ADDRESS = "10.96.0.1"
API_PORT = 443
DNS_ADDRESS = "10.96.0.10"
DNS_PORT = 53
CLUSTER_DOMAIN = "cluster.local"

_FIRST = 2
_LAST = (1 << 16) - 2


class NoAddressLeft(Exception):
    """All 65 533 pod addresses are in use."""


class AddressPool:
    """Hands out pod addresses: the one that a pod of this name had before, else in turn.

    Clients hold the address of a pod that went (a JVM caches names, and Kafka's own client asks again only when a
    connection has failed). They must not reach a stranger, so a freed address comes to another pod only after all
    others; and they should reach the pod's successor, which is there within seconds.
    """

    def __init__(self) -> None:
        self._next = _FIRST
        self._used: set[int] = set()
        self._owners: dict[int, str] = {}
        self._hosts: dict[str, int] = {}

    def take(self, pod: str) -> str:
        """`pod`: namespace and name."""
        host = self._hosts.get(pod)
        if host is None or host in self._used:
            host = self._next_free()
            self._hosts.pop(self._owners.get(host, ""), None)
            self._owners[host], self._hosts[pod] = pod, host
        self._used.add(host)
        return f"10.244.{host >> 8}.{host & 255}"

    def _next_free(self) -> int:
        for _ in range(_LAST - _FIRST + 1):
            host = self._next
            self._next = _FIRST if host == _LAST else host + 1
            if host not in self._used:
                return host
        raise NoAddressLeft(f"no pod address is left: {len(self._used)} are in use")

    def give_back(self, address: str) -> None:
        high, low = address.split(".")[2:]
        self._used.discard(int(high) << 8 | int(low))


def hardware_address(address: str) -> bytes:
    """A link's address made from its pod's: whoever remembers the one finds the pod's successor under the other."""
    return bytes((0x0A, 0x58, *(int(part) for part in address.split("."))))
