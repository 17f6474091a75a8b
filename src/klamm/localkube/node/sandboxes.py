"""A pod's own network, hostname and System V IPC: made in the supervisor itself, without a process that holds them.

The supervisor enters a fresh namespace, keeps a descriptor of it, and goes back. It has one thread, so nothing else
runs meanwhile; whatever fails, it goes back first. The namespaces live as long as the descriptors (and the
container processes in them).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from klamm.localkube.node import addresses, linux
from klamm.localkube.node.netlink import Netlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from klamm.localkube.node.wire import Message

    Result = TypeVar("Result")

_KINDS = (("net", linux.CLONE_NEWNET), ("uts", linux.CLONE_NEWUTS), ("ipc", linux.CLONE_NEWIPC))
_LOOPBACK = 1


class NodeNetwork:
    """The node's side: bridge, the services' local route, and the pods' links."""

    def __init__(self) -> None:
        self.pool = addresses.AddressPool()
        self._netlink = Netlink()
        self._netlink.set_up(_LOOPBACK)
        self._netlink.add_bridge(addresses.BRIDGE, addresses.hardware_address(addresses.BRIDGE_ADDRESS))
        self._bridge = socket.if_nametoindex(addresses.BRIDGE)
        self._netlink.add_address(self._bridge, addresses.BRIDGE_ADDRESS, addresses.POD_PREFIX_LENGTH)
        self._netlink.add_local_route(_LOOPBACK, addresses.SERVICE_NETWORK, addresses.SERVICE_PREFIX_LENGTH)
        self._links = 0

    def connect(self, namespace: int, inside: Netlink, address: str) -> str:
        """Give the namespace eth0 with `address`; returns the name of the node's end."""
        self._links += 1
        link = f"veth{self._links}"
        self._netlink.add_veth(link, self._bridge, "eth0", namespace, addresses.hardware_address(address))
        try:
            inside.set_up(_LOOPBACK)
            eth0 = _index_of_eth0(namespace)
            inside.add_address(eth0, address, addresses.POD_PREFIX_LENGTH)
            inside.set_up(eth0)
            inside.add_default_route(addresses.BRIDGE_ADDRESS)
        except OSError:
            self._netlink.delete_link(link)
            raise
        return link

    def disconnect(self, link: str) -> None:
        self._netlink.delete_link(link)


class Sandbox:
    """What the pod's containers join: descriptors of its namespaces, and its files under `folder`."""

    def __init__(self, spec: Message, folder: str) -> None:
        self.id: str = spec["id"]
        self.namespace: str = spec["namespace"]
        self.pod: str = spec["pod"]
        self.hostname: str = spec["hostname"]
        self.stop_wave: int = spec.get("stop_wave", 0)
        self.grace_seconds: float = spec.get("grace_seconds", 30.0)
        self.folder = folder
        self.namespaces: dict[str, int] = {}
        self.ip = ""
        self._link = ""

    def make(self, network: NodeNetwork, spec: Message) -> None:
        self.ip = network.pool.take(f"{self.namespace}/{self.pod}")
        inside: Netlink | None = None
        try:
            inside = _within(_KINDS, self._enter_fresh)
            self._link = network.connect(self.namespaces["net"], inside, self.ip)
            self._write_files(spec)
        except OSError:
            self.remove(network)
            raise
        finally:
            if inside is not None:
                inside.close()

    def _enter_fresh(self) -> Netlink:
        linux.unshare(linux.CLONE_NEWNET | linux.CLONE_NEWUTS | linux.CLONE_NEWIPC)
        for kind, _ in _KINDS:
            self.namespaces[kind] = _open_namespace(f"/proc/self/ns/{kind}")
        linux.set_hostname(self.hostname[:63])
        _allow_low_ports()
        return Netlink()

    def _write_files(self, spec: Message) -> None:
        os.makedirs(self.folder, mode=0o755, exist_ok=True)
        for name, text in (
            ("hostname", f"{self.hostname}\n"),
            ("hosts", hosts_file(spec, self.ip)),
            ("resolv.conf", resolver_file(spec)),
        ):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write(text)

    def tcp_socket(self) -> socket.socket:
        """An unconnected socket that lives in the pod's network, whoever uses it."""
        net = (("net", linux.CLONE_NEWNET),)

        def make() -> socket.socket:
            linux.setns(self.namespaces["net"], linux.CLONE_NEWNET)
            return socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)

        return _within(net, make)

    def remove(self, network: NodeNetwork) -> None:
        """Idempotent; containers must have ended."""
        if self._link:
            try:  # noqa: SIM105
                network.disconnect(self._link)
            except OSError:
                pass  # the kernel took the pair away together with the pod's namespace
            self._link = ""
        for fd in self.namespaces.values():
            os.close(fd)
        self.namespaces.clear()
        if self.ip:
            network.pool.give_back(self.ip)
            self.ip = ""
        for name in ("hostname", "hosts", "resolv.conf"):
            try:
                os.unlink(os.path.join(self.folder, name))
            except OSError:
                continue


def hosts_file(spec: Message, ip: str) -> str:
    names = spec["hostname"]
    if spec.get("domain"):
        names = f"{spec['hostname']}.{spec['domain']} {names}"
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback", f"{ip} {names}"]
    lines += [f"{address} {' '.join(aliases)}" for address, aliases in spec.get("host_aliases", ())]
    return "\n".join(lines) + "\n"


def resolver_file(spec: Message) -> str:
    """`ClusterFirst`: the cluster's DNS, the namespace's search list, ndots:5 (Kubernetes' DNS specification)."""
    domain = addresses.CLUSTER_DOMAIN
    search = spec.get("dns_search") or (f"{spec['namespace']}.svc.{domain}", f"svc.{domain}", domain)
    return f"nameserver {addresses.DNS_ADDRESS}\nsearch {' '.join(search)}\noptions ndots:5\n"


def _within(kinds: tuple[tuple[str, int], ...], work: Callable[[], Result]) -> Result:
    """`work` may leave the supervisor's namespaces of these kinds; they are entered again whatever happens."""
    own = [(_open_namespace(f"/proc/self/ns/{kind}"), flag) for kind, flag in kinds]
    try:
        return work()
    finally:
        for fd, flag in own:
            linux.setns(fd, flag)
            os.close(fd)


def _open_namespace(path: str) -> int:
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _index_of_eth0(namespace: int) -> int:
    def enter_and_look() -> int:
        linux.setns(namespace, linux.CLONE_NEWNET)
        return socket.if_nametoindex("eth0")

    return _within((("net", linux.CLONE_NEWNET),), enter_and_look)


def _allow_low_ports() -> None:
    """As container runtimes do: any user of the pod may listen on port 80."""
    try:
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", "w", encoding="ascii") as file:
            file.write("0")
    except OSError:
        return
