"""The node's service network: cluster addresses, node ports and DNS. Its own process, it outlives the control plane.

- Every service address is local to the node's network (one AnyIP route), so a service port is an ordinary listener.
  Each connection is carried to a backend chosen at random; one that does not answer is passed over. A port without
  backends has no listener: the kernel refuses at once.
- A node port's listener is bound by the guardian, on the host's loopback, and handed over as a descriptor.
- 10.96.0.1:443 leads to the API's unix socket; TLS passes through unread.
- 10.96.0.10:53 is the cluster's DNS.

A configuration is always whole. It is kept in a file, so that a restarted relay serves as before without being
asked; listeners that it keeps, and all connections, are not touched by a new one.
"""

from __future__ import annotations

import json
import os
import random
import resource
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

from klamm.localkube.node import addresses, dns, epoll, linux, wire
from klamm.localkube.node.folders import Folders
from klamm.localkube.node.server import Peer, Server
from klamm.localkube.node.streams import Connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from klamm.localkube.node.wire import Message

Target = tuple[int, "tuple[str, int] | str"]
"""(address family, where): a backend's address and port, or a unix socket's path."""

_GUARDIAN_ANSWERS_WITHIN = 2.0
_NODE_PORTS_AGAIN_AFTER = 5.0
_RESET = struct.pack("ii", 1, 0)
_BACKLOG = 512
_READY_WITHIN = 8.0


class Backends:
    """What stands behind a port: pods that are ready, and pods that are published although they are not."""

    def __init__(self, ready: Sequence[Target] = (), unready: Sequence[Target] = ()) -> None:
        self.ready = tuple(ready)
        self.unready = tuple(unready)

    def __bool__(self) -> bool:
        return bool(self.ready or self.unready)


class Port:
    """A listener and what stands behind it.

    While only unready pods are published, a caller waits a moment for a ready one: clients that start together with
    their servers then connect when the first of these can answer, instead of being turned away into a pause.
    """

    def __init__(self, relay: Relay, listener: socket.socket, backends: Backends) -> None:
        self._backends = backends
        self._waiting: dict[socket.socket, epoll.Timer] = {}
        self._relay = relay
        self._listener = listener
        listener.setblocking(False)
        relay.loop.watch(listener.fileno(), epoll.READ, self._accept)

    def _accept(self, _: int) -> None:
        for _attempt in range(64):
            try:
                sock, _address = self._listener.accept()
            except OSError:
                return
            if self._backends.unready and not self._backends.ready:
                self._waiting[sock] = self._relay.loop.later(_READY_WITHIN, partial(self._lead, sock))
            else:
                self._lead(sock)

    def lead_to(self, backends: Backends) -> None:
        self._backends = backends
        if backends.ready:
            for sock in list(self._waiting):
                self._lead(sock)

    def _lead(self, sock: socket.socket) -> None:
        """To a ready pod, to an unready one when none takes it; the last of the list is dialled first."""
        timer = self._waiting.pop(sock, None)
        if timer is not None:
            timer.cancel()
        backends, shuffled = self._backends, self._relay.shuffled
        if backends:
            order = [*shuffled(backends.unready), *shuffled(backends.ready)]
            Connection(self._relay.loop, sock, order, refuse)
        else:
            refuse(sock)

    def close(self) -> None:
        for sock, timer in self._waiting.items():
            timer.cancel()
            refuse(sock)
        self._waiting.clear()
        self._relay.loop.forget(self._listener.fileno())
        self._listener.close()


def refuse(sock: socket.socket) -> None:
    """Close with a reset: the caller sees at once that nobody is there."""
    if sock.family == socket.AF_INET:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    sock.close()


class Relay:
    def __init__(
        self, loop: epoll.Loop, folders: Folders, shuffled: Callable[[Sequence[Target]], list[Target]]
    ) -> None:
        self.loop = loop
        self.shuffled = shuffled
        self._folders = folders
        self._ports: dict[tuple[str, int], Port] = {}
        self._node_ports: dict[int, Port] = {}
        self._problems: dict[int, str] = {}
        self._wanted_node_ports: dict[int, Backends] = {}
        self._again: epoll.Timer | None = None
        api: Target = (socket.AF_UNIX, folders.api_socket)
        self._api = Port(self, listen(addresses.API_ADDRESS, addresses.API_PORT), Backends([api]))
        self._names = Names(loop)
        self._restore()
        Server(loop, wire.listen(folders.relay_socket), {"configure": self._configure, "hello": self._hello})

    @staticmethod
    def _hello(peer: Peer, request: Message) -> None:
        peer.answer(request, protocol=1)

    def _configure(self, peer: Peer, request: Message) -> None:
        network = request["network"]
        self._apply(network)
        self._keep(network)
        peer.answer(request, problems={str(port): why for port, why in self._problems.items()})

    def _apply(self, network: Message) -> None:
        self._names.table = dns.with_parents({n: tuple(a) for n, a in network["names"].items()})
        wanted: dict[tuple[str, int], Backends] = {}
        node_ports: dict[int, Backends] = {}
        for port in network["ports"]:
            if port["protocol"] != "TCP":
                continue
            backends = Backends(
                [(socket.AF_INET, (address, number)) for address, number, ready in port["backends"] if ready],
                [(socket.AF_INET, (address, number)) for address, number, ready in port["backends"] if not ready],
            )
            key = (port["cluster_ip"], port["port"])
            if backends and key[0] and key != (addresses.API_ADDRESS, addresses.API_PORT):
                wanted[key] = backends
            if port["node_port"]:
                node_ports[port["node_port"]] = backends
        self._set_ports(wanted)
        self._wanted_node_ports = node_ports
        self._set_node_ports()

    def _set_ports(self, wanted: dict[tuple[str, int], Backends]) -> None:
        for key in [key for key in self._ports if key not in wanted]:
            self._ports.pop(key).close()
        for key, backends in wanted.items():
            if key in self._ports:
                self._ports[key].lead_to(backends)
                continue
            try:
                self._ports[key] = Port(self, listen(*key), backends)
            except OSError as error:
                print(f"listen on {key[0]}:{key[1]}: {error}", file=sys.stderr, flush=True)

    def _set_node_ports(self) -> None:
        """Those that the host refuses now are tried again from time to time."""
        wanted = self._wanted_node_ports
        self._problems.clear()
        for port in [port for port in self._node_ports if port not in wanted]:
            self._node_ports.pop(port).close()
            self._ask_guardian({"op": "release", "port": port})
        for port, backends in wanted.items():
            if port in self._node_ports:
                self._node_ports[port].lead_to(backends)
                continue
            answer, descriptors = self._ask_guardian({"op": "bind", "port": port})
            if descriptors:
                self._node_ports[port] = Port(self, socket.socket(fileno=descriptors[0]), backends)
            else:
                self._problems[port] = answer["error"]
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if self._problems:
            self._again = self.loop.later(_NODE_PORTS_AGAIN_AFTER, self._set_node_ports)

    def _ask_guardian(self, request: Message) -> tuple[Message, list[int]]:
        try:
            return wire.ask(self._folders.guardian_socket, request, _GUARDIAN_ANSWERS_WITHIN)
        except OSError as error:
            return {"error": str(error)}, []

    def _keep(self, network: Message) -> None:
        path = self._folders.network_file
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(network, file)
        os.replace(path + ".new", path)

    def _restore(self) -> None:
        try:
            with open(self._folders.network_file, encoding="utf-8") as file:
                network = json.load(file)
            self._apply(network)
        except FileNotFoundError:
            return
        except (OSError, ValueError, LookupError, TypeError) as error:
            print(f"the kept network is not read: {error}", file=sys.stderr, flush=True)


class Names:
    """DNS over UDP and TCP."""

    def __init__(self, loop: epoll.Loop) -> None:
        self.table: dict[str, tuple[str, ...]] = {}
        self._loop = loop
        self._turn = 0
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._udp.bind((addresses.DNS_ADDRESS, addresses.DNS_PORT))
        self._tcp = listen(addresses.DNS_ADDRESS, addresses.DNS_PORT)
        self._tcp.setblocking(False)
        loop.watch(self._udp.fileno(), epoll.READ, self._receive)
        loop.watch(self._tcp.fileno(), epoll.READ, self._accept)

    def _receive(self, _: int) -> None:
        for _attempt in range(64):
            try:
                query, client = self._udp.recvfrom(4096)
            except OSError:
                return
            self._turn += 1
            answer = dns.answer(query, self.table, turn=self._turn)
            if answer is not None:
                try:
                    self._udp.sendto(answer, client)
                except OSError:
                    continue  # the client will ask again

    def _accept(self, _: int) -> None:
        try:
            sock, _address = self._tcp.accept()
        except OSError:
            return
        TcpQueries(self._loop, sock, self)

    def answer(self, query: bytes) -> bytes | None:
        self._turn += 1
        return dns.answer(query, self.table, 65535, self._turn)


class TcpQueries:
    """One client's queries, each after its length (RFC 7766). A client that is silent for 10 s is let go."""

    def __init__(self, loop: epoll.Loop, sock: socket.socket, names: Names) -> None:
        sock.setblocking(False)
        self._loop = loop
        self._socket = sock
        self._names = names
        self._data = b""
        self._silence = loop.later(10, self._close)
        loop.watch(sock.fileno(), epoll.READ, self._read)

    def _read(self, _: int) -> None:
        try:
            data = self._socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._data += data
        while len(self._data) >= 2:
            end = 2 + int.from_bytes(self._data[:2], "big")
            if len(self._data) < end:
                break
            answer = self._names.answer(self._data[2:end])
            self._data = self._data[end:]
            if answer is None or not self._send(answer):
                data = b""
                break
        if not data:
            self._close()

    def _send(self, answer: bytes) -> bool:
        message = len(answer).to_bytes(2, "big") + answer
        try:
            return self._socket.send(message) == len(message)
        except OSError:
            return False

    def _close(self) -> None:
        self._silence.cancel()
        if self._socket.fileno() >= 0:
            self._loop.forget(self._socket.fileno())
            self._socket.close()


def listen(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def main(arguments: list[str]) -> int:
    """`--home FOLDER`, started by the supervisor inside the node's network."""
    folders = Folders(arguments[1])
    linux.set_process_name("klamm-relay")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    loop = epoll.Loop(time.monotonic)  # noqa: TID251 (this is a program: its clock begins here)
    choice = random.Random()
    Relay(loop, folders, lambda targets: choice.sample(targets, len(targets)))
    loop.run()
    return 0
