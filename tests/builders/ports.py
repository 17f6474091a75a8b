"""Ports of the loopback for programs that are told theirs before they listen.

The kernel gives its own range (`ip_local_port_range`) to whoever calls out, and to whoever asks for port 0: a port of
it that was free a moment ago may be the near end of somebody's connection by the time a program binds it, or binds it
again after a restart. These are of none of its range, nor of the NodePorts, and none is given twice.
"""

import socket
from collections.abc import Iterator
from pathlib import Path
from random import Random

_KERNELS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_OURS = range(20_000, 30_000)
"""Below the NodePorts."""


def free_port() -> int:
    return next(_PORTS)


def free_ports(count: int) -> list[int]:
    return [free_port() for _ in range(count)]


def _all_free() -> Iterator[int]:
    """In an order of this process' own, for others may look at the same moment."""
    lowest, highest = map(int, _KERNELS.read_text().split())
    candidates = [port for port in _OURS if not lowest <= port <= highest]
    Random().shuffle(candidates)
    for port in candidates:
        if _is_free(port):
            yield port
    raise AssertionError(f"no port of {_OURS} is free that is not of {lowest} to {highest}")


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


_PORTS = _all_free()
