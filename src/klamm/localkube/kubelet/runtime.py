"""What the kubelet asks of the node: sandboxes (a pod's network), containers (processes) and the node's network.

The node (`localkube/node/`) is a supervisor process and a relay process outside the control plane. They own
namespaces, exit status, logs and ports, so that pods run on while the control plane is away, and tell a new
control plane what there is (`Runtime.state`). This module is the seam: the kubelet is tested with a fake that
keeps these promises, and the promises are tested against the real node.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from klamm.localkube.objects import ExecSession, Mount, PortConnection


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """A pod's network namespace, hostname and resolver. `id` is the pod's uid."""

    id: str
    namespace: str
    pod: str
    hostname: str
    domain: str
    """FQDN after the hostname ("my-cluster-kafka-brokers.kafka.svc.cluster.local") or ""."""
    dns_search: tuple[str, ...] = ()
    host_aliases: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Lines of /etc/hosts beside localhost and the pod itself: (ip, names)."""
    stop_wave: int = 0
    """When the whole node stops, pods of a lower wave end before those of a higher one are asked to."""
    grace_seconds: float = 30.0
    """When the whole node stops: how long the pod's containers have between SIGTERM and SIGKILL."""


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """One run of one container: a restart is a new spec with the next `attempt` in its id."""

    id: str
    """<pod uid>/<container name>/<attempt>; unique for ever."""
    sandbox_id: str
    command: tuple[str, ...]
    """argv, already expanded; argv[0] is looked up on PATH of `environment` inside the container."""
    environment: Mapping[str, str]
    working_directory: str
    root: tuple[Mount, ...]
    """The image."""
    mounts: tuple[Mount, ...]
    """The volumes, /etc/hosts and /etc/resolv.conf excepted (the node makes those); later ones lie over earlier."""
    memory_mounts: tuple[tuple[str, int | None], ...] = ()
    """tmpfs at path with a size limit in bytes: fresh and private to this container (/dev/shm and the like)."""
    log_path: str = ""
    """Output goes here, line by line, as the CRI writes it: `<RFC3339Nano> stdout|stderr F <line>`."""
    user: int | None = None
    group: int | None = None
    tty: bool = False
    stdin: bool = False
    read_only_root: bool = False
    termination_message_path: str = "/dev/termination-log"


@dataclass(frozen=True, slots=True)
class ContainerState:
    id: str
    running: bool
    pid: int | None = None
    started_at: float = 0.0
    """Seconds since the epoch."""
    finished_at: float | None = None
    exit_code: int | None = None
    signal: int | None = None
    message: str = ""
    """What the container wrote to its termination message path (at most 4096 bytes), or why it could not start."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a running container's processes have used so far, together."""

    cpu_seconds: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class SandboxState:
    id: str
    namespace: str
    pod: str
    ip: str


@dataclass(frozen=True, slots=True)
class NodeState:
    sandboxes: tuple[SandboxState, ...]
    containers: tuple[ContainerState, ...]
    """Running ones, and ended ones until `forget_container`."""


@dataclass(frozen=True, slots=True)
class Backend:
    address: str
    port: int
    ready: bool = True
    """False: published although its pod is not ready. Connections go there only when none that is ready turns up."""


@dataclass(frozen=True, slots=True)
class ServicePort:
    """One port of a Service with what stands behind it now. The relay balances connections over `backends`."""

    cluster_ip: str
    port: int
    protocol: str
    """"TCP" or "UDP"; the relay serves TCP."""
    node_port: int | None
    backends: tuple[Backend, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """All that relay and DNS need, always given whole: the newest replaces the one before."""

    ports: tuple[ServicePort, ...] = ()
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Lower-case FQDN without the last dot ("my-svc.ns.svc.cluster.local") → IPv4 addresses."""


class CannotStart(Exception):
    """The node could not make a sandbox or start a container; the message says what was being done, and why not."""


class NodeAway(CannotStart):
    """The node does not answer: any call may raise it. Try again later; nothing is said about what was asked."""


class Runtime(Protocol):
    async def state(self) -> NodeState: ...

    async def create_sandbox(self, spec: SandboxSpec) -> SandboxState:
        """Idempotent by id."""
        ...

    async def remove_sandbox(self, sandbox_id: str) -> None:
        """Ends what still runs in it (SIGKILL) and takes the namespace and address back. Idempotent."""
        ...

    async def start_container(self, spec: ContainerSpec) -> ContainerState:
        """Returns when the program is executed. Raises `CannotStart` (no such program, mount failed, …)."""
        ...

    async def signal_container(self, container_id: str, signal: int) -> None:
        """To the container's first process. A container that has ended is no error. SIGKILL ends all its processes."""
        ...

    async def forget_container(self, container_id: str) -> None: ...

    async def usage(self) -> Mapping[str, Usage]:
        """By id, of the containers that run now."""
        ...

    def exits(self) -> AsyncIterator[ContainerState]:
        """Every exit from now on (call before `state`, so that none is missed).

        When the node was replaced, everything that it ran is told as killed (137), and `state` no longer has the
        sandboxes. A stream that ends or raises is asked for again.
        """
        ...

    async def exec(
        self,
        container_id: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        stdin: bool,
        tty: bool,
    ) -> ExecSession:
        """Run in the container's namespaces as its user. Raises `CannotStart` when there is no such program."""
        ...

    async def attach(self, container_id: str, *, stdin: bool, stdin_once: bool) -> ExecSession:
        """The container's own streams, from now on, and with `stdin` its input, if it has any.

        `stdin_once`: when the input of this session ends, the container's does. Raises `CannotStart` when it has ended.
        """
        ...

    async def probe_tcp(self, sandbox_id: str, port: int, timeout: float) -> str | None:  # noqa: ASYNC109
        """Connect to the pod's address; None when it accepts, else why not."""
        ...

    async def connect(self, sandbox_id: str, port: int) -> PortConnection:
        """A stream to 127.0.0.1:port inside the sandbox (port-forward, HTTP probes)."""
        ...

    async def configure(self, network: Network) -> Mapping[int, str]:
        """Hand the relay its services and names. Returns the node ports that the host refuses now → why."""
        ...
