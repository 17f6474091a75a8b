"""The control plane's side of the node: `Runtime` over the supervisor's and the relay's unix sockets.

Both outlive the control plane, so a new one connects to what runs and asks (`state`). A lost connection is made
again with back-off; calls made meanwhile wait for it up to a deadline. After a reconnection the exits that nobody
heard of are told, and when the supervisor itself was replaced every container that it had is told as killed,
because the kernel ended them with it.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from klamm.base.together import ended
from klamm.localkube.kubelet.runtime import (
    CannotStart,
    ContainerSpec,
    ContainerState,
    Network,
    NodeAway,
    NodeState,
    SandboxSpec,
    SandboxState,
    Usage,
)
from klamm.localkube.node import wire
from klamm.localkube.node.folders import Folders
from klamm.localkube.node.processes import NodeAttachSession, NodeExecSession, NodePortConnection
from klamm.localkube.objects import ExecSession, PortConnection

_ANSWER_WITHIN = 60.0
_CONNECTED_WITHIN = 30.0
_RECONNECT_AFTER = (0.02, 0.05, 0.1, 0.3, 1.0)
_ASKED_AGAIN = 2
_KILLED = 137


class ConnectionLost(NodeAway):
    """While a request was under way."""


class Connection:
    """Requests and answers over one socket path, connected again whenever it is lost."""

    def __init__(self, path: str, news: Callable[[wire.Message], None], connected: Callable[[], None]) -> None:
        self._path = path
        self._news = news
        self._on_connected = connected
        self._channel: wire.Channel | None = None
        self._pending: dict[int, asyncio.Future[tuple[wire.Message, list[int]]]] = {}
        self._number = 0
        self._up = asyncio.Event()
        self._lost = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._keeper = asyncio.create_task(self._keep(), name=f"connection to {self._path}")
        await self._wait_until_up()

    async def close(self) -> None:
        if self._keeper is not None:
            await ended(self._keeper)
        self._drop()

    async def ask(self, op: str, **fields: Any) -> tuple[wire.Message, list[int]]:
        """Raises `NodeAway`, or `CannotStart` with the node's refusal. The caller owns the descriptors.

        Every operation but exec may be asked twice, so one whose connection is lost is asked again on the next.
        """
        for _ in range(0 if op == "exec" else _ASKED_AGAIN):
            try:
                return await self._ask_once(op, fields)
            except ConnectionLost:
                continue
        return await self._ask_once(op, fields)

    async def _ask_once(self, op: str, fields: Mapping[str, Any]) -> tuple[wire.Message, list[int]]:
        await self._wait_until_up()
        assert self._channel is not None
        self._number += 1
        number = self._number
        future: asyncio.Future[tuple[wire.Message, list[int]]] = asyncio.get_running_loop().create_future()
        self._pending[number] = future
        try:
            self._send({"id": number, "op": op, **fields})
            async with asyncio.timeout(_ANSWER_WITHIN):
                answer, descriptors = await future
        except TimeoutError:
            raise NodeAway(f"{op}: the node did not answer within {_ANSWER_WITHIN:g} s") from None
        finally:
            self._pending.pop(number, None)
        if "error" in answer:
            raise CannotStart(answer["error"])
        return answer, descriptors

    async def _wait_until_up(self) -> None:
        try:
            async with asyncio.timeout(_CONNECTED_WITHIN):
                await self._up.wait()
        except TimeoutError:
            raise NodeAway(f"nobody listens at {self._path} for {_CONNECTED_WITHIN:g} s") from None

    def _send(self, message: wire.Message) -> None:
        channel = self._channel
        if channel is None:
            raise ConnectionLost(f"the connection to {self._path} was lost")
        try:
            channel.send(message)
            if channel.has_waiting:
                asyncio.get_running_loop().add_writer(channel.fileno(), self._flush)
        except wire.ChannelClosed as error:
            self._drop()
            raise ConnectionLost(f"the connection to {self._path} was lost: {error}") from error

    async def _keep(self) -> None:
        attempt = 0
        while True:
            try:
                sock = wire.connect(self._path, 5.0)
            except OSError:
                await asyncio.sleep(_RECONNECT_AFTER[min(attempt, len(_RECONNECT_AFTER) - 1)])
                attempt += 1
                continue
            attempt = 0
            self._channel = wire.Channel(sock)
            self._lost.clear()
            asyncio.get_running_loop().add_reader(sock.fileno(), self._receive)
            self._up.set()
            self._on_connected()
            await self._lost.wait()

    def _flush(self) -> None:
        assert self._channel is not None
        try:
            self._channel.flush()
            if not self._channel.has_waiting:
                asyncio.get_running_loop().remove_writer(self._channel.fileno())
        except wire.ChannelClosed:
            self._drop()

    def _receive(self) -> None:
        assert self._channel is not None
        try:
            for message, descriptors in self._channel.receive():
                self._deliver(message, descriptors)
        except wire.ChannelClosed:
            self._drop()

    def _deliver(self, message: wire.Message, descriptors: list[int]) -> None:
        future = self._pending.get(message.get("id", 0))
        if future is not None and not future.done():
            future.set_result((message, descriptors))
            return
        for fd in descriptors:
            os.close(fd)  # its caller gave up
        if "news" in message:
            self._news(message)

    def _drop(self) -> None:
        channel, self._channel = self._channel, None
        if channel is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(channel.fileno())
        loop.remove_writer(channel.fileno())
        channel.close()
        self._up.clear()
        self._lost.set()
        for future in self._pending.values():
            if not future.done():
                future.set_exception(ConnectionLost(f"the connection to {self._path} was lost"))


class NodeRuntime:
    """`Runtime` over the node of one home."""

    def __init__(self, home: str) -> None:
        folders = Folders(home)
        self._node = Connection(folders.node_socket, self._hear, self._node_connected)
        self._relay = Connection(folders.relay_socket, lambda news: None, self._relay_connected)
        self._network: Network | None = None
        self._listeners: set[asyncio.Queue[ContainerState]] = set()
        self._running: set[str] = set()
        self._told: set[str] = set()
        self._sessions: dict[int, NodeExecSession] = {}
        self._early_codes: dict[int, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Connect; raises `NodeAway` when no node answers."""
        await self._node.open()
        await self._relay.open()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self._node.close()
        await self._relay.close()

    async def state(self) -> NodeState:
        answer, _ = await self._node.ask("state")
        containers = tuple(ContainerState(**state) for state in answer["containers"])
        self._running |= {state.id for state in containers if state.running}
        self._told |= {state.id for state in containers if not state.running}
        return NodeState(tuple(SandboxState(**sandbox) for sandbox in answer["sandboxes"]), containers)

    async def create_sandbox(self, spec: SandboxSpec) -> SandboxState:
        fields = {name: getattr(spec, name) for name in spec.__slots__}
        answer, _ = await self._node.ask("create_sandbox", spec=fields)
        return SandboxState(spec.id, answer["namespace"], answer["pod"], answer["ip"])

    async def remove_sandbox(self, sandbox_id: str) -> None:
        await self._node.ask("remove_sandbox", sandbox=sandbox_id)

    async def start_container(self, spec: ContainerSpec) -> ContainerState:
        fields: dict[str, Any] = {name: getattr(spec, name) for name in spec.__slots__}
        fields["environment"] = dict(spec.environment)
        for name in ("root", "mounts"):
            fields[name] = [{"source": m.source, "target": m.target, "read_only": m.read_only} for m in fields[name]]
        self._running.add(spec.id)
        try:
            answer, _ = await self._node.ask("start_container", spec=fields)
        except CannotStart:
            self._running.discard(spec.id)
            raise
        return ContainerState(**answer["state"])

    async def signal_container(self, container_id: str, signal: int) -> None:
        await self._node.ask("signal_container", container=container_id, signal=signal)

    async def forget_container(self, container_id: str) -> None:
        await self._node.ask("forget_container", container=container_id)
        self._told.discard(container_id)

    async def usage(self) -> Mapping[str, Usage]:
        answer, _ = await self._node.ask("usage")
        return {container: Usage(*used) for container, used in answer["usage"].items()}

    async def exits(self) -> AsyncIterator[ContainerState]:
        queue: asyncio.Queue[ContainerState] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)

    async def exec(
        self,
        container_id: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        stdin: bool,
        tty: bool,
    ) -> ExecSession:
        answer, descriptors = await self._node.ask(
            "exec",
            container=container_id,
            command=list(command),
            environment=dict(environment),
            stdin=stdin,
            tty=tty,
        )
        number = answer["exec"]
        session = NodeExecSession(descriptors, tty, lambda: self._end_exec(number))
        if number in self._early_codes:
            session.ended(self._early_codes.pop(number))
        else:
            self._sessions[number] = session
        return session

    async def attach(self, container_id: str, *, stdin: bool, stdin_once: bool) -> ExecSession:
        answer, descriptors = await self._node.ask("attach", container=container_id, stdin=stdin)

        async def end_stdin() -> None:
            await self._node.ask("close_stdin", container=container_id)

        return NodeAttachSession(descriptors, answer["tty"], stdin, end_stdin if stdin_once else None)

    async def probe_tcp(self, sandbox_id: str, port: int, timeout: float) -> str | None:  # noqa: ASYNC109
        try:
            sock, ip = await self._socket(sandbox_id)
        except CannotStart as error:
            return str(error)
        with sock:
            return await _dial(sock, ip, port, timeout)

    async def connect(self, sandbox_id: str, port: int) -> PortConnection:
        """Some programs listen on the pod's address only: that is the second try."""
        refusals = []
        for on_loopback in (True, False):
            sock, ip = await self._socket(sandbox_id)
            refusal = await _dial(sock, "127.0.0.1" if on_loopback else ip, port, 10.0)
            if refusal is None:
                return await NodePortConnection.over(sock)
            refusals.append(refusal)
            sock.close()
        raise CannotStart("; ".join(refusals))

    async def configure(self, network: Network) -> Mapping[int, str]:
        self._network = network
        answer, _ = await self._relay.ask("configure", network=_network_message(network))
        return {int(port): why for port, why in answer["problems"].items()}

    async def _socket(self, sandbox_id: str) -> tuple[socket.socket, str]:
        answer, descriptors = await self._node.ask("socket", sandbox=sandbox_id)
        sock = socket.socket(fileno=descriptors[0])
        sock.setblocking(False)
        return sock, answer["ip"]

    async def _end_exec(self, number: int) -> None:
        if number in self._sessions:
            await self._node.ask("end_exec", exec=number)

    def _hear(self, news: wire.Message) -> None:
        if news["news"] == "exit":
            self._tell(ContainerState(**news["state"]))
        elif news["news"] == "exec":
            session = self._sessions.pop(news["exec"], None)
            if session is None:
                self._early_codes[news["exec"]] = news["code"]
            else:
                session.ended(news["code"])

    def _tell(self, state: ContainerState) -> None:
        if state.id in self._told:
            return
        self._told.add(state.id)
        self._running.discard(state.id)
        for queue in self._listeners:
            queue.put_nowait(state)

    def _node_connected(self) -> None:
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            session.ended(_KILLED)
        self._early_codes.clear()
        self._background(self._catch_up())

    def _relay_connected(self) -> None:
        """It may be a new one without its file: what was configured last is configured again."""
        if self._network is not None:
            self._background(self.configure(self._network))

    def _background(self, work: Any) -> None:
        async def guarded() -> None:
            try:
                await work
            except CannotStart:
                return  # the connection was lost again: the next one catches up

        task = asyncio.create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _catch_up(self) -> None:
        """Tell the exits of the time without a connection."""
        known = set(self._running)
        if not known:
            return
        answer, _ = await self._node.ask("state")
        present = {state["id"]: state for state in answer["containers"]}
        for container_id in known:
            state = present.get(container_id)
            if state is None:
                gone = "the node was started again; what ran on it was killed"
                self._tell(ContainerState(container_id, False, exit_code=_KILLED, signal=9, message=gone))
            elif not state["running"]:
                self._tell(ContainerState(**state))


def _network_message(network: Network) -> wire.Message:
    ports = [
        {
            "cluster_ip": port.cluster_ip,
            "port": port.port,
            "protocol": port.protocol,
            "node_port": port.node_port,
            "backends": [(backend.address, backend.port, backend.ready) for backend in port.backends],
        }
        for port in network.ports
    ]
    return {"ports": ports, "names": {name: list(found) for name, found in network.names.items()}}


async def _dial(sock: socket.socket, address: str, port: int, timeout: float) -> str | None:  # noqa: ASYNC109
    try:
        async with asyncio.timeout(timeout):
            await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except TimeoutError:
        return f"dial tcp {address}:{port}: no answer within {timeout:g} s"
    except OSError as error:
        return f"dial tcp {address}:{port}: {os.strerror(error.errno or 0)}"
    return None
