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
    """Hands out pod addresses in turn: a freed one comes again only after all others.

    A client that still holds a dead pod's address (a JVM caches names) must not reach a stranger.
    """

    def __init__(self) -> None:
        self._next = _FIRST
        self._used: set[int] = set()

    def take(self) -> str:
        for _ in range(_LAST - _FIRST + 1):
            host = self._next
            self._next = _FIRST if host == _LAST else host + 1
            if host not in self._used:
                self._used.add(host)
                return f"10.244.{host >> 8}.{host & 255}"
        raise NoAddressLeft(f"no pod address is left: {len(self._used)} are in use")

    def give_back(self, address: str) -> None:
        high, low = address.split(".")[2:]
        self._used.discard(int(high) << 8 | int(low))
