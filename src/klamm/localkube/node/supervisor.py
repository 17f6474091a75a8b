"""The node: process 1 of its own pid namespace, root of its own user namespace, owner of every pod's processes.

It serves the control plane on a unix socket, and outlives it. Its own death takes every process of the node with it
(the kernel ends a pid namespace with its first process), and the guardian's death makes it end the pods in order and
then itself. How it comes to be there: `supervisor_start`.

One thread and one epoll loop; nothing in it blocks for longer than a fork takes.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial

from klamm.localkube.node import epoll, wire
from klamm.localkube.node.children import Process, program_argv, reap
from klamm.localkube.node.containers import Container, Execution, Report
from klamm.localkube.node.folders import Folders
from klamm.localkube.node.sandboxes import NodeNetwork, Sandbox
from klamm.localkube.node.server import Peer, Server
from klamm.localkube.node.usage import usage_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from klamm.localkube.node.wire import Message

PROTOCOL = 1
_ORPHANED_GRACE_SECONDS = 30.0
_RELAY_RESTARTS_AFTER = (0.05, 0.2, 1.0, 5.0)


class Supervisor:
    def __init__(self, loop: epoll.Loop, folders: Folders, guardian: wire.Channel, now_ns: Callable[[], int]) -> None:
        self._loop = loop
        self._folders = folders
        self._guardian = guardian
        self._now_ns = now_ns
        self._network = NodeNetwork()
        self._own_pid_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self._maps_all_ids = maps_all_ids()
        self._sandboxes: dict[str, Sandbox] = {}
        self._containers: dict[str, Container] = {}
        self._by_pid: dict[int, Container] = {}
        self._executions: dict[int, tuple[Execution, Peer]] = {}
        self._execution_number = 0
        self._relay = Process(loop, "relay", self._spawn_relay, _RELAY_RESTARTS_AFTER)
        self._stopping = False
        self._asked_to_end: set[str] = set()
        operations: dict[str, Callable[[Peer, Message], None]] = {
            "hello": lambda peer, request: peer.answer(request, protocol=PROTOCOL),
            "state": self._state,
            "create_sandbox": self._create_sandbox,
            "remove_sandbox": self._remove_sandbox,
            "start_container": self._start_container,
            "signal_container": self._signal_container,
            "forget_container": self._forget_container,
            "usage": self._usage,
            "attach": self._attach,
            "close_stdin": self._close_stdin,
            "exec": self._exec,
            "end_exec": self._end_exec,
            "socket": self._socket,
        }
        self._server = Server(loop, wire.listen(folders.node_socket), operations, self._lose)
        loop.on_signal(signal.SIGCHLD, self._reap)
        loop.on_signal(signal.SIGTERM, lambda: self.stop(_ORPHANED_GRACE_SECONDS))
        loop.watch(guardian.fileno(), epoll.READ, self._hear_guardian)
        self._relay.start()
        guardian.send({"ready": True})

    # Requests

    def _state(self, peer: Peer, request: Message) -> None:
        sandboxes = [{"id": s.id, "namespace": s.namespace, "pod": s.pod, "ip": s.ip} for s in self._sandboxes.values()]
        containers = [c.state() for c in self._containers.values() if c.report is None]
        peer.answer(request, sandboxes=sandboxes, containers=containers)

    def _create_sandbox(self, peer: Peer, request: Message) -> None:
        spec = request["spec"]
        sandbox = self._sandboxes.get(spec["id"])
        if sandbox is None:
            sandbox = Sandbox(spec, os.path.join(self._folders.pods, spec["id"].replace("/", "_")))
            sandbox.make(self._network, spec)
            self._sandboxes[sandbox.id] = sandbox
        peer.answer(request, id_=sandbox.id, namespace=sandbox.namespace, pod=sandbox.pod, ip=sandbox.ip)

    def _remove_sandbox(self, peer: Peer, request: Message) -> None:
        """Answers when the last process has ended, which SIGKILL makes certain."""
        sandbox = self._sandboxes.get(request["sandbox"])
        left = [c for c in self._containers.values() if c.sandbox is sandbox and c.running]
        if sandbox is not None and left:
            for container in left:
                container.send_signal(signal.SIGKILL)
            self._loop.later(0.01, lambda: self._server.handle(peer, request))
            return
        if sandbox is not None:
            del self._sandboxes[sandbox.id]
            sandbox.remove(self._network)
            try:  # noqa: SIM105
                os.rmdir(sandbox.folder)
            except OSError:
                pass
        peer.answer(request)

    def _start_container(self, peer: Peer, request: Message) -> None:
        spec = request["spec"]
        known = self._containers.get(spec["id"])
        if known is not None:
            peer.answer(request, state=known.state())
            return
        sandbox = self._sandboxes.get(spec["sandbox_id"])
        if sandbox is None or self._stopping:
            peer.refuse(request, f"there is no sandbox {spec['sandbox_id']} on the node")
            return
        container = Container(spec, sandbox, sandbox.folder, self._maps_all_ids)
        try:
            fd = container.start(self._loop, self._own_pid_namespace, self._now_ns, self._folders.root_mount_point)
        except OSError:
            container.let_go()
            raise
        self._containers[container.id] = container
        self._by_pid[container.pid] = container
        container.report = Report(self._loop, fd, lambda why: self._started(container, peer, request, why))

    def _started(self, container: Container, peer: Peer, request: Message, why: str) -> None:
        container.report = None
        if why:
            del self._containers[container.id]
            container.let_go()
            peer.refuse(request, why)
        else:
            container.take_terminal(self._loop)
            peer.answer(request, state=container.state())

    def _usage(self, peer: Peer, request: Message) -> None:
        running = {c.pid: c.id for c in self._containers.values() if c.running and c.report is None}
        peer.answer(request, usage={running[pid]: used for pid, used in usage_of(running).items()})

    def _signal_container(self, peer: Peer, request: Message) -> None:
        container = self._containers.get(request["container"])
        if container is not None:
            container.send_signal(request["signal"])
        peer.answer(request)

    def _forget_container(self, peer: Peer, request: Message) -> None:
        container = self._containers.get(request["container"])
        if container is not None and not container.running:
            del self._containers[container.id]
        peer.answer(request)

    def _attach(self, peer: Peer, request: Message) -> None:
        container = self._containers.get(request["container"])
        if container is None or not container.running or container.report is not None:
            peer.refuse(request, f"container {request['container']} is not running")
            return
        theirs = container.attach(bool(request["stdin"]))
        peer.answer(request, theirs, tty=container.terminal)
        for fd in theirs:
            os.close(fd)

    def _close_stdin(self, peer: Peer, request: Message) -> None:
        container = self._containers.get(request["container"])
        if container is not None:
            container.close_stdin()
        peer.answer(request)

    def _exec(self, peer: Peer, request: Message) -> None:
        container = self._containers.get(request["container"])
        if container is None or not container.running:
            peer.refuse(request, f"container {request['container']} is not running")
            return
        self._execution_number += 1
        execution = Execution(container, self._execution_number)
        fd, theirs = execution.start(request, self._own_pid_namespace)
        self._executions[execution.pid] = (execution, peer)
        execution.report = Report(self._loop, fd, lambda why: self._executed(execution, theirs, peer, request, why))

    def _executed(self, execution: Execution, theirs: list[int], peer: Peer, request: Message, why: str) -> None:
        execution.report = None
        if why:
            self._executions.pop(execution.pid, None)
            peer.refuse(request, why)
        else:
            peer.answer(request, theirs, exec=execution.number)
        for fd in theirs:
            os.close(fd)

    def _end_exec(self, peer: Peer, request: Message) -> None:
        for execution, owner in self._executions.values():
            if execution.number == request["exec"] and owner is peer:
                execution.kill()
        peer.answer(request)

    def _socket(self, peer: Peer, request: Message) -> None:
        sandbox = self._sandboxes.get(request["sandbox"])
        if sandbox is None:
            peer.refuse(request, f"there is no sandbox {request['sandbox']} on the node")
            return
        with sandbox.tcp_socket() as sock:
            peer.answer(request, [sock.fileno()], ip=sandbox.ip)

    def _lose(self, peer: Peer) -> None:
        """A caller that went away cannot read its commands' output: they end."""
        for execution, owner in self._executions.values():
            if owner is peer:
                execution.kill()

    # Ends

    def _spawn_relay(self) -> int:
        argv = program_argv(["relay", "--home", self._folders.home])
        return os.posix_spawn(argv[0], argv, {"LC_ALL": "C.UTF-8"}, setsigdef=(signal.SIGPIPE, signal.SIGXFSZ))

    def _reap(self) -> None:
        for pid, status in reap():
            self._ended(pid, status)

    def _ended(self, pid: int, status: int) -> None:
        container = self._by_pid.pop(pid, None)
        if container is not None:
            self._container_ended(container, status)
        elif pid in self._executions:
            self._execution_ended(pid, status)
        elif pid == self._relay.pid:
            self._relay.ended(status)

    def _container_ended(self, container: Container, status: int) -> None:
        if container.report is not None:
            container.report.read()
        container.finish(status, self._now_ns() / 1e9)
        if container.id in self._containers:
            self._server.tell_all({"news": "exit", "state": container.state()})
        if self._stopping:
            self._stop_next_wave()

    def _execution_ended(self, pid: int, status: int) -> None:
        execution, peer = self._executions[pid]
        if execution.report is not None:
            execution.report.read()
        execution.ended = True
        if self._executions.pop(pid, None) is None:
            return  # it never ran: refused already
        code = os.waitstatus_to_exitcode(status)
        peer.send({"news": "exec", "exec": execution.number, "code": code if code >= 0 else 128 - code})

    # The guardian

    def _hear_guardian(self, _: int) -> None:
        try:
            for message, _fds in self._guardian.receive():
                if "stop" in message:
                    self.stop(float(message["stop"]))
        except wire.ChannelClosed:
            self._loop.forget(self._guardian.fileno())
            self.stop(_ORPHANED_GRACE_SECONDS)

    def stop(self, grace_seconds: float) -> None:
        """End the containers wave by wave (SIGTERM, and SIGKILL after the pod's own grace), then the node.

        Whatever is left after `grace_seconds` is killed.
        """
        self._stopping = True
        self._stop_next_wave()
        self._loop.later(grace_seconds, self._kill_all)

    def _stop_next_wave(self) -> None:
        """Ask those of the lowest wave that still runs; nothing is asked twice."""
        if not self._by_pid:
            self._loop.stop()
            return
        wave = min(container.sandbox.stop_wave for container in self._by_pid.values())
        for container in list(self._by_pid.values()):
            if container.sandbox.stop_wave == wave and container.id not in self._asked_to_end:
                self._asked_to_end.add(container.id)
                container.send_signal(signal.SIGTERM)
                self._loop.later(container.sandbox.grace_seconds, partial(self._kill, container))

    @staticmethod
    def _kill(container: Container) -> None:
        if container.running:
            container.send_signal(signal.SIGKILL)

    def _kill_all(self) -> None:
        for container in self._by_pid.values():
            container.send_signal(signal.SIGKILL)


def maps_all_ids() -> bool:
    """Whether this user namespace knows more ids than the caller's own (klamm was started by root)."""
    with open("/proc/self/uid_map", encoding="ascii") as file:
        return sum(int(line.split()[2]) for line in file) > 1
