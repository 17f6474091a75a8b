"""The guardian of a home: the one process that `klamm up` leaves behind on the host, parent of all others.

It holds what must outlive every other process: the lock that makes one guardian a home's owner, the API's
listening socket on 127.0.0.1 (a client that connects while the control plane restarts waits instead of being
refused), and node ports on 127.0.0.1, which it binds on request and hands over as descriptors. It starts the node
and the control plane and starts them again when they end; neither takes the other along. When the guardian itself
is killed, the kernel tells the control plane (SIGTERM) and the node ends its pods in order.

Commands on `run/guardian.sock`: status, bind, release, restart_control_plane, stop (see `client.py`).
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable

from klamm.localkube.node import epoll, wire
from klamm.localkube.node.children import API_DESCRIPTOR, Process, program_argv, reap, spawn, write_id_maps
from klamm.localkube.node.folders import Folders
from klamm.localkube.node.server import Peer, Server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from klamm.localkube.node.wire import Message


_CONTROL_PLANE_ENDS_WITHIN = 10.0
_BACKLOG = 512
_LARGEST_LOG = 10 << 20


class Guardian:
    def __init__(
        self, loop: epoll.Loop, folders: Folders, api: socket.socket, control_plane: list[str], settings: dict[str, str]
    ) -> None:
        self._loop = loop
        self._folders = folders
        self._api = api
        self._argv = control_plane
        self._settings = settings
        self._environment = dict(os.environ)  # noqa: TID251 (handed on as it is)
        self._node_ports: dict[int, socket.socket] = {}
        self._node_channel: wire.Channel | None = None
        self._node_ready = False
        self._node_problem = ""
        self._stop_requests: list[tuple[Peer, Message]] = []
        self._stop_grace: float | None = None
        self._on_node_known: Callable[[str], None] = lambda problem: None
        self.control_plane = Process(loop, "control plane", self._spawn_control_plane)
        self.node = Process(loop, "node", self._spawn_node)
        operations: dict[str, Callable[[Peer, Message], None]] = {
            "status": self._status,
            "bind": self._bind,
            "release": self._release,
            "restart_control_plane": self._restart_control_plane,
            "stop": self._stop,
        }
        self._server = Server(loop, wire.listen(folders.guardian_socket), operations)
        loop.on_signal(signal.SIGCHLD, self._reap)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.on_signal(number, lambda: self.stop(30.0))

    def start(self, ready: Callable[[str], None]) -> None:
        """The node first, because it may be forbidden here: `ready("")`, or `ready(reason)` and the guardian ends."""
        self._on_node_known = ready
        self.node.start()

    # Children

    def _spawn_node(self) -> int:
        ours, theirs = socket.socketpair()
        arguments = ["supervisor", "--home", self._folders.home, "--guardian-fd", str(API_DESCRIPTOR)]
        pid = spawn(program_argv(arguments), {"LC_ALL": "C.UTF-8"}, theirs, self._log("node"))
        theirs.close()
        self._node_ready = False
        self._node_channel = wire.Channel(ours)
        self._loop.watch(ours.fileno(), epoll.READ, self._hear_node)
        return pid

    def _spawn_control_plane(self) -> int:
        argv = [part.replace("{api_fd}", str(API_DESCRIPTOR)) for part in self._argv]
        return spawn(argv, self._environment, self._api, self._log("control-plane"), signal.SIGTERM)

    def _log(self, name: str) -> str:
        path = os.path.join(self._folders.logs, f"{name}.log")
        if os.path.exists(path) and os.path.getsize(path) > _LARGEST_LOG:
            os.replace(path, path + ".1")
        return path

    def _hear_node(self, _: int) -> None:
        channel = self._node_channel
        assert channel is not None
        try:
            for message, _fds in channel.receive():
                self._handle_node(channel, message)
        except wire.ChannelClosed:
            self._loop.forget(channel.fileno())
            channel.close()
            self._node_channel = None
            if not self._node_ready:
                self._know_node(self._node_problem or f"the node ended while it started; see {self._log('node')}")

    def _handle_node(self, channel: wire.Channel, message: Message) -> None:
        if "map" in message:
            try:
                write_id_maps(message["map"])
                channel.send({"mapped": True})
            except OSError as error:
                channel.send({"failed": str(error)})
        elif "supervisor" in message:
            self.node.pid = message["supervisor"]
            channel.send({"known": True})
        elif "ready" in message:
            self._node_ready = True
            self._know_node("")
            self.control_plane.start()
        elif "failed" in message:
            self._node_problem = message["failed"]

    def _know_node(self, problem: str) -> None:
        known, self._on_node_known = self._on_node_known, lambda problem: None
        known(problem)

    def _reap(self) -> None:
        for pid, status in reap():
            for process in (self.control_plane, self.node):
                if pid == process.pid:
                    process.ended(status)
        self._go_on_stopping()

    # Commands

    def _status(self, peer: Peer, request: Message) -> None:
        peer.answer(
            request,
            pid=os.getpid(),
            home=self._folders.home,
            api_port=self._api.getsockname()[1],
            control_plane={**self.control_plane.state(), "argv": self._argv},
            node={**self.node.state(), "ready": self._node_ready, "problem": self._node_problem},
            node_ports=sorted(self._node_ports),
            stopping=self._stop_grace is not None,
            settings=self._settings,
        )

    def _bind(self, peer: Peer, request: Message) -> None:
        port = request["port"]
        sock = self._node_ports.get(port)
        if sock is None:
            sock = listen_on_loopback(port, "node port")
            self._node_ports[port] = sock
        peer.answer(request, [sock.fileno()], port=port)

    def _release(self, peer: Peer, request: Message) -> None:
        sock = self._node_ports.pop(request["port"], None)
        if sock is not None:
            sock.close()
        peer.answer(request)

    def _restart_control_plane(self, peer: Peer, request: Message) -> None:
        """A newer klamm takes over: its control plane in place of the running one; pods are not touched."""
        self._argv = request.get("argv") or self._argv
        self._environment = request.get("environment") or self._environment
        self._settings = request.get("settings") or self._settings
        self.control_plane.signal(signal.SIGTERM)
        pid = self.control_plane.pid
        self._loop.later(_CONTROL_PLANE_ENDS_WITHIN, lambda: self._kill_control_plane(pid))
        peer.answer(request)

    def _kill_control_plane(self, pid: int) -> None:
        if pid and self.control_plane.pid == pid:
            self.control_plane.signal(signal.SIGKILL)

    def _stop(self, peer: Peer, request: Message) -> None:
        """Answers when all has ended."""
        self._stop_requests.append((peer, request))
        self.stop(float(request.get("grace_seconds", 30.0)))

    def stop(self, grace_seconds: float) -> None:
        """The control plane first, so that it does not start again what ends; then the node with its pods."""
        if self._stop_grace is None:
            self._stop_grace = grace_seconds
            self.control_plane.wanted = self.node.wanted = False
            pid = self.control_plane.pid
            self.control_plane.signal(signal.SIGTERM)
            self._loop.later(_CONTROL_PLANE_ENDS_WITHIN, lambda: self._kill_control_plane(pid))
        self._go_on_stopping()

    def _go_on_stopping(self) -> None:
        if self._stop_grace is None or self.control_plane.pid:
            return
        if self.node.pid:
            if self._node_channel is not None:
                self._node_channel.send({"stop": self._stop_grace})
            return
        for peer, request in self._stop_requests:
            peer.answer(request, stopped=True)
        self._loop.stop()


def listen_on_loopback(port: int, what: str) -> socket.socket:
    """OSError names port and purpose."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"listen on 127.0.0.1:{port} ({what}): {os.strerror(error.errno or 0)}") from error
    return sock
