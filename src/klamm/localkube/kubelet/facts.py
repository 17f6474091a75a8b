"""What the kubelet knows of one pod: the frozen input of `plan` and `statuses`.

`ContainerFacts` is about one container of the pod spec across its attempts; the pod's worker replaces it whenever
the node, a probe or a task reports something. Times are seconds since the epoch, because the node reports such.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from klamm.localkube.kubelet.runtime import ContainerState, SandboxState
from klamm.localkube.objects import Object


class Role(StrEnum):
    INIT = "init"
    SIDECAR = "sidecar"
    """An init container with restartPolicy Always: runs beside the main ones, and is ended after them."""
    MAIN = "main"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why the next attempt cannot start yet, in Kubernetes' words."""

    reason: str
    message: str
    retry_at: float = float("inf")
    """inf: only when something that the container refers to changes."""


@dataclass(frozen=True, slots=True)
class BackOff:
    """The wait that the newest restart has earned for the restart after it."""

    delay: float
    since: float


@dataclass(frozen=True, slots=True)
class ContainerFacts:
    name: str
    role: Role
    attempt: int = -1
    """The newest attempt, from 0; -1 when it never started."""
    state: ContainerState | None = None
    """Of the newest attempt."""
    previous: ContainerState | None = None
    """Of the newest attempt before that one that has ended."""
    in_sandbox: bool = True
    """False: `state` is from a sandbox that is gone (the machine was restarted)."""
    starting: bool = False
    stop_by: float | None = None
    """When SIGKILL follows, once it is being stopped."""
    started: bool = False
    """It runs, its postStart hook is done, and its startup probe succeeded."""
    ready: bool = False
    waiting: Waiting | None = None
    back_off: BackOff | None = None
    image: str = ""
    """Name of the image of the newest attempt."""
    image_id: str = ""

    @property
    def runs(self) -> bool:
        return self.state is not None and self.state.running

    @property
    def ended(self) -> ContainerState | None:
        return self.state if self.state is not None and not self.state.running else None


class VolumesAre(StrEnum):
    UNPREPARED = "unprepared"
    READY = "ready"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the kubelet itself ended the pod: `status.reason` and `status.message`."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Observed:
    now: float
    containers: Mapping[str, ContainerFacts]
    """In the order of the spec: init containers, then main ones."""
    sandbox: SandboxState | None = None
    sandbox_busy: bool = False
    """A call that makes or removes the sandbox is under way."""
    sandbox_retry_at: float = 0.0
    volumes: VolumesAre = VolumesAre.UNPREPARED
    gone: bool = False
    """The API has no such pod any more."""
    predecessor: str = ""
    """uid of an older pod of this name that is still being ended."""
    failure: Failure | None = None

    def of(self, *roles: Role) -> list[ContainerFacts]:
        return [facts for facts in self.containers.values() if facts.role in roles]


@dataclass(frozen=True, slots=True)
class PodKey:
    """Names of a pod, for messages, folders and events."""

    namespace: str
    name: str
    uid: str

    @classmethod
    def of(cls, pod: Object) -> "PodKey":
        meta = pod["metadata"]
        return cls(meta["namespace"], meta["name"], meta["uid"])

    def __str__(self) -> str:
        return f"{self.name}_{self.namespace}({self.uid})"


def containers_of(pod: Object) -> Iterator[tuple[Role, dict[str, Any]]]:
    """The pod's containers with their roles, init containers first."""
    spec = pod["spec"]
    for container in spec.get("initContainers") or ():
        yield (Role.SIDECAR if container.get("restartPolicy") == "Always" else Role.INIT), container
    for container in spec.get("containers") or ():
        yield Role.MAIN, container


def container_id(uid: str, name: str, attempt: int) -> str:
    return f"{uid}/{name}/{attempt}"


@dataclass(frozen=True, slots=True)
class ContainerId:
    uid: str
    name: str
    attempt: int

    @classmethod
    def parse(cls, text: str) -> "ContainerId | None":
        parts = text.removeprefix("klamm://").split("/")
        if len(parts) != 3 or not parts[2].isdigit():
            return None
        return cls(parts[0], parts[1], int(parts[2]))


@dataclass(frozen=True, slots=True)
class ProbeTimes:
    """A probe's numbers with Kubernetes' defaults, in seconds and tries."""

    initial_delay: float = 0.0
    period: float = 10.0
    timeout: float = 1.0
    success_threshold: int = 1
    failure_threshold: int = 3

    @classmethod
    def of(cls, probe: Mapping[str, Any]) -> "ProbeTimes":
        return cls(
            float(probe.get("initialDelaySeconds") or 0),
            float(probe.get("periodSeconds") or 10),
            float(probe.get("timeoutSeconds") or 1),
            int(probe.get("successThreshold") or 1),
            int(probe.get("failureThreshold") or 3),
        )


def nothing_started(pod: Object) -> dict[str, ContainerFacts]:
    return {container["name"]: ContainerFacts(container["name"], role) for role, container in containers_of(pod)}
