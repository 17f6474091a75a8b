"""The words that localkube's rooms share: objects, resources, selectors, refusals, and the door to the API.

The API server, the controllers and the kubelet run in one process and one event loop. Controllers and kubelet
reach objects by `Objects`, whose calls are synchronous (SQLite, tens of microseconds) and keep the rules that a
client meets over HTTP: resourceVersion conflicts, finalizers, graceful deletion, validation, admission.

Objects are plain JSON dictionaries. What `Objects` hands out is shared with caches and watchers:
**never change it in place**; build a new dictionary instead.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resource:
    """A served resource, e.g. ("apps", "v1", "deployments", "Deployment", namespaced)."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


NAMESPACES = Resource("", "v1", "namespaces", "Namespace", False)
NODES = Resource("", "v1", "nodes", "Node", False)
PODS = Resource("", "v1", "pods", "Pod")
SERVICES = Resource("", "v1", "services", "Service")
ENDPOINTS = Resource("", "v1", "endpoints", "Endpoints")
ENDPOINT_SLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
SECRETS = Resource("", "v1", "secrets", "Secret")
EVENTS = Resource("", "v1", "events", "Event")
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
PERSISTENT_VOLUMES = Resource("", "v1", "persistentvolumes", "PersistentVolume", False)
PERSISTENT_VOLUME_CLAIMS = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
STORAGE_CLASSES = Resource("storage.k8s.io", "v1", "storageclasses", "StorageClass", False)
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
REPLICA_SETS = Resource("apps", "v1", "replicasets", "ReplicaSet")
DAEMON_SETS = Resource("apps", "v1", "daemonsets", "DaemonSet")
STATEFUL_SETS = Resource("apps", "v1", "statefulsets", "StatefulSet")
JOBS = Resource("batch", "v1", "jobs", "Job")
POD_DISRUPTION_BUDGETS = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
CUSTOM_RESOURCE_DEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False
)


class WatchEventType(StrEnum):
    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class WatchEvent:
    type: WatchEventType
    object: Object


class Refused(Exception):
    """The API says no: what becomes a `Status` body over HTTP.

    `code` is the HTTP status, `reason` Kubernetes' StatusReason ("NotFound", "Conflict", "Invalid", …), `details`
    the Status' details (name, group, kind, causes) as served.
    """

    def __init__(self, code: int, reason: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = dict(details or {})

    @property
    def namespace_is_ending(self) -> bool:
        """Nothing can be made there any more, however often it is tried (Kubernetes' cause NamespaceTerminating)."""
        return any(cause.get("reason") == "NamespaceTerminating" for cause in self.details.get("causes") or ())


LabelMatch = Callable[[Mapping[str, str]], bool]
PropagationPolicy = Literal["Background", "Foreground", "Orphan"]


class Objects(Protocol):
    """The API as controllers and kubelet use it, in process. Every call may raise `Refused`."""

    def get(self, resource: Resource, namespace: str | None, name: str) -> Object: ...

    def find(self, resource: Resource, namespace: str | None, name: str) -> Object | None:
        """`get`, with None instead of 404."""
        ...

    def list(
        self, resource: Resource, namespace: str | None = None, *, labels: LabelMatch | None = None
    ) -> Sequence[Object]: ...

    def create(self, resource: Resource, namespace: str | None, obj: Object) -> Object: ...

    def update(self, resource: Resource, obj: Object, *, subresource: str | None = None) -> Object:
        """Replace; when obj carries metadata.resourceVersion and it is not the newest: Refused 409."""
        ...

    def patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        merge_patch: Object,
        *,
        subresource: str | None = None,
    ) -> Object:
        """JSON merge patch (RFC 7386)."""
        ...

    def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        grace_seconds: int | None = None,
        propagation: PropagationPolicy | None = None,
        uid: str | None = None,
    ) -> None:
        """As DELETE over HTTP. A bound pod only gets a deletionTimestamp; the kubelet ends it with grace_seconds=0."""
        ...

    def watch(self, resource: Resource, namespace: str | None = None) -> AsyncIterator[WatchEvent]:
        """First every existing object as ADDED, then each change in order; never drops, never ends by itself."""
        ...


@dataclass(frozen=True, slots=True)
class LogOptions:
    """The query of GET pods/NAME/log."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    since_seconds: float | None = None
    since_time: str | None = None
    limit_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class TerminalSize:
    columns: int
    rows: int


class ExecSession(Protocol):
    """A command that runs in a container, or a container that is attached to.

    Output ends (b"") when the command and its holders closed it.
    """

    async def read_stdout(self) -> bytes: ...

    async def read_stderr(self) -> bytes:
        """Always b"" with a terminal."""
        ...

    async def write_stdin(self, data: bytes) -> None: ...

    async def close_stdin(self) -> None: ...

    async def resize(self, size: TerminalSize) -> None: ...

    async def wait(self) -> int:
        """The exit code; 128+N after signal N. Of an attachment 0, whatever becomes of the container."""
        ...

    async def close(self) -> None:
        """Give up: the client went away. Ends the command; a container that was attached to runs on."""
        ...


Use = Literal["exec", "attach", "port-forward"]


class Streams(Protocol):
    """What the API server asks of the kubelet: pods/log, pods/exec, pods/attach, pods/portforward and nodes/proxy."""

    def logs(self, namespace: str, pod: str, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        """Raises `Refused` at once, before anything is read."""
        ...

    def expect_running(self, use: Use, namespace: str, pod: str, container: str = "") -> None:
        """Raises `Refused` in a kubelet's words when there is nothing to be used now.

        Asked before a connection becomes one of streams, because what goes wrong later is told otherwise.
        """
        ...

    async def exec(
        self, namespace: str, pod: str, container: str, command: Sequence[str], *, stdin: bool, tty: bool
    ) -> ExecSession: ...

    async def attach(self, namespace: str, pod: str, container: str, *, stdin: bool) -> ExecSession:
        """The running container's own input and output, from now on. Its own terminal, when it has one."""
        ...

    async def port_forward(self, namespace: str, pod: str, port: int) -> "PortConnection": ...

    async def metrics(self, node: str, path: str) -> str:
        """What the node's kubelet tells Prometheus at this path. Raises `Refused` when there is nothing."""
        ...


class PortConnection(Protocol):
    async def read(self) -> bytes:
        """b"" at the end."""
        ...

    async def write(self, data: bytes) -> None:
        """Raises ConnectionError when nobody reads any more."""
        ...

    async def end_input(self) -> None:
        """Nothing more is written; reading goes on."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Image:
    """What an image name means on this machine: the root file system and the defaults of the container."""

    mounts: "tuple[Mount, ...]"
    """Read-only binds that make up the root; the rest of the root is an empty tmpfs."""
    environment: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    """What runs when the pod gives no command."""
    arguments: tuple[str, ...] = ()
    """The image's CMD: used when the pod gives neither command nor args."""
    working_directory: str = "/"
    image_id: str = ""
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Mount:
    """`source` on the host seen at `target` in the container. A file or a folder; missing parents are made."""

    source: str
    target: str
    read_only: bool = True


class PullFailed(Exception):
    """The image is known, but its content could not be had now (no network, damaged download, disk full)."""


class ImageTable(Protocol):
    """What image names mean on this machine; handed in by `programs/`."""

    async def pull(self, name: str) -> Image | None:
        """The image, fetched first when needed; None when there is no such image here (ErrImagePull for good).

        Raises `PullFailed`, which is tried again with back-off. Waiting for one pull never holds up another pod.
        """
        ...

    def known(self) -> Sequence[str]:
        """The names there are, for messages."""
        ...
