"""A node (`Runtime`) without processes: containers run until the test ends them or they are signalled.

Keeps the promises of `runtime.py`: sandboxes are idempotent by id, every exit is told once, ended containers are
known until they are forgotten, SIGKILL always ends. What programs do is set beforehand, by container name.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from klamm.base.clock import Clock
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
from klamm.localkube.objects import ExecSession, PortConnection, TerminalSize


@dataclass
class Program:
    """How containers of one name behave."""

    exits: list[int] = field(default_factory=list)
    """Exit codes of the first attempts, each right after `runs_for` seconds; then it runs until it is ended."""
    runs_for: float = 0.0
    missing: bool = False
    """start_container raises CannotStart."""
    ends_after_term: float | None = 0.1
    """Seconds from SIGTERM to the exit; None: ignores it."""


Answer = Callable[[str, Sequence[str]], tuple[int, bytes]]


class FakeNode:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.programs: dict[str, Program] = {}
        self.sandboxes: dict[str, SandboxState] = {}
        self.containers: dict[str, ContainerState] = {}
        self.specs: dict[str, ContainerSpec] = {}
        self.sandbox_specs: dict[str, SandboxSpec] = {}
        self.told: list[str] = []
        """What was asked of the node, in order: "start web/0", "signal 15 web/0", "remove sandbox"."""
        self.answer: Answer = lambda container, command: (0, b"")
        """What exec gives."""
        self.executed: list[tuple[float, str, tuple[str, ...]]] = []
        self.environments: list[Mapping[str, str]] = []
        self.listening: dict[int, bytes] = {}
        """Ports that accept, in every sandbox, and what they answer to an HTTP request."""
        self.requests: list[bytes] = []
        self.sandbox_trouble: list[str] = []
        """Messages with which the next create_sandbox calls fail."""
        self.away = False
        """exec finds no node."""
        self.unreachable_starts = 0
        """So many start_container calls find no node."""
        self._listeners: list[asyncio.Queue[ContainerState | None]] = []

    def lose_everything(self) -> None:
        """The machine was restarted."""
        self.sandboxes.clear()
        self.containers.clear()

    def replace_node(self) -> None:
        """The supervisor was killed and started again: all is told as killed, and nothing is known any more."""
        running = [identity for identity, state in self.containers.items() if state.running]
        for identity in running:
            self._end(identity, 137)
        self.lose_everything()

    def cut_off(self) -> None:
        """The connection to the node breaks: every stream of exits ends."""
        for queue in self._listeners:
            queue.put_nowait(None)

    def end(self, name: str, code: int = 0, signal_number: int | None = None, message: str = "") -> None:
        """The running container of that name ends."""
        identity = next(i for i, state in self.containers.items() if state.running and i.split("/")[1] == name)
        self._end(identity, code, signal_number, message)

    def running(self) -> list[str]:
        return sorted(_short(identity) for identity, state in self.containers.items() if state.running)

    async def state(self) -> NodeState:
        return NodeState(tuple(self.sandboxes.values()), tuple(self.containers.values()))

    async def create_sandbox(self, spec: SandboxSpec) -> SandboxState:
        if self.sandbox_trouble:
            raise CannotStart(self.sandbox_trouble.pop(0))
        await asyncio.sleep(0.01)
        self.sandbox_specs[spec.id] = spec
        self.told.append(f"create sandbox {spec.pod}")
        fresh = SandboxState(spec.id, spec.namespace, spec.pod, f"10.244.0.{len(self.sandbox_specs) + 1}")
        return self.sandboxes.setdefault(spec.id, fresh)

    async def remove_sandbox(self, sandbox_id: str) -> None:
        for identity, state in list(self.containers.items()):
            if identity.startswith(f"{sandbox_id}/") and state.running:
                self._end(identity, 0, signal.SIGKILL)
        found = self.sandboxes.pop(sandbox_id, None)
        self.told.append(f"remove sandbox {found.pod if found else sandbox_id}")

    async def start_container(self, spec: ContainerSpec) -> ContainerState:
        if spec.sandbox_id not in self.sandboxes:
            raise CannotStart(f"no sandbox {spec.sandbox_id}")
        if self.unreachable_starts:
            self.unreachable_starts -= 1
            raise ConnectionResetError("the node's socket is closed")
        program = self.programs.get(spec.id.split("/")[1], Program())
        self.specs[spec.id] = spec
        self.told.append(f"start {_short(spec.id)}")
        await asyncio.sleep(0.01)
        if program.missing:
            raise CannotStart(f"{spec.command[0]}: no such program")
        state = ContainerState(spec.id, True, pid=100, started_at=self._clock.now().timestamp())
        self.containers[spec.id] = state
        if program.exits:
            code = program.exits.pop(0)
            asyncio.get_running_loop().call_later(program.runs_for, self._end, spec.id, code)
        return state

    async def signal_container(self, container_id: str, signal: int) -> None:
        self.told.append(f"signal {int(signal)} {_short(container_id)}")
        state = self.containers.get(container_id)
        if state is None or not state.running:
            return
        program = self.programs.get(container_id.split("/")[1], Program())
        if signal == 9:
            self._end(container_id, 0, 9)
        elif program.ends_after_term is not None:
            asyncio.get_running_loop().call_later(program.ends_after_term, self._end, container_id, 143)

    async def forget_container(self, container_id: str) -> None:
        self.containers.pop(container_id, None)

    async def usage(self) -> Mapping[str, Usage]:
        """A second of CPU and a mebibyte for each that runs."""
        return {state.id: Usage(1.0, 1 << 20) for state in self.containers.values() if state.running}

    async def exits(self) -> AsyncIterator[ContainerState]:
        queue: asyncio.Queue[ContainerState | None] = asyncio.Queue()
        self._listeners.append(queue)
        try:
            while (state := await queue.get()) is not None:
                yield state
        finally:
            self._listeners.remove(queue)

    async def exec(
        self,
        container_id: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        stdin: bool,
        tty: bool,
    ) -> ExecSession:
        if self.away:
            raise NodeAway("the connection was lost")
        self.executed.append((self._clock.monotonic(), _short(container_id), tuple(command)))
        self.environments.append(environment)
        code, output = self.answer(_short(container_id), command)
        return FakeExec(code, output)

    async def attach(self, container_id: str, *, stdin: bool, stdin_once: bool) -> ExecSession:
        self.told.append(f"attach {_short(container_id)} stdin={stdin} once={stdin_once}")
        return FakeExec(0, b"")

    async def probe_tcp(self, sandbox_id: str, port: int, timeout: float) -> str | None:
        return None if port in self.listening else f"connection refused on port {port}"

    async def connect(self, sandbox_id: str, port: int) -> PortConnection:
        if port not in self.listening:
            raise ConnectionRefusedError(f"connection refused on port {port}")
        return FakeConnection(self, port)

    async def configure(self, network: Network) -> Mapping[int, str]:
        raise NotImplementedError

    def _end(self, identity: str, code: int, signal_number: int | None = None, message: str = "") -> None:
        state = self.containers.get(identity)
        if state is None or not state.running:
            return
        now = self._clock.now().timestamp()
        ended = replace(state, running=False, finished_at=now, exit_code=code, signal=signal_number, message=message)
        self.containers[identity] = ended
        for queue in self._listeners:
            queue.put_nowait(ended)


def _short(identity: str) -> str:
    return identity.split("/", 1)[1]


class FakeExec:
    def __init__(self, code: int, output: bytes) -> None:
        self._code = code
        self._output = output

    async def read_stdout(self) -> bytes:
        output, self._output = self._output, b""
        return output

    async def read_stderr(self) -> bytes:
        return b""

    async def write_stdin(self, data: bytes) -> None: ...

    async def close_stdin(self) -> None: ...

    async def resize(self, size: TerminalSize) -> None: ...

    async def wait(self) -> int:
        if self._code < 0:
            await asyncio.sleep(10_000)
        return self._code

    async def close(self) -> None: ...


class FakeConnection:
    def __init__(self, node: FakeNode, port: int) -> None:
        self._node = node
        self._answer = node.listening[port]

    async def read(self) -> bytes:
        answer, self._answer = self._answer, b""
        return answer

    async def write(self, data: bytes) -> None:
        self._node.requests.append(data)

    async def end_input(self) -> None: ...

    async def close(self) -> None: ...
