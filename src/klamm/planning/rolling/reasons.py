"""Why a pod is restarted, and why one has to go on running for now: frozen values with the numbers inside.

`event_reason` is the word under which the restart is written into a Kubernetes Event: the words are Strimzi's,
since people filter for them.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class OldRevision:
    """The pod was made from another description than the wanted one."""

    event_reason: ClassVar[str] = "PodHasOldRevision"
    runs: str | None
    wanted: str

    def __str__(self) -> str:
        return f"its description changed (revision {self.runs} to {self.wanted})"


@dataclass(frozen=True, slots=True)
class ConfigurationChanged:
    """Settings changed that a running process does not take over."""

    event_reason: ClassVar[str] = "ConfigChangeRequiresRestart"

    def __str__(self) -> str:
        return "its configuration changed"


@dataclass(frozen=True, slots=True)
class CertificateChanged:
    """The pod's own certificate was issued anew."""

    event_reason: ClassVar[str] = "KafkaCertificatesChanged"

    def __str__(self) -> str:
        return "its certificate was issued anew"


@dataclass(frozen=True, slots=True)
class AuthorityRenewed:
    """The pod started under another generation of an authority's certificate."""

    event_reason: ClassVar[str] = "CaCertHasOldGeneration"
    authority: str
    runs: str | None
    wanted: str

    def __str__(self) -> str:
        return f"it trusts generation {self.runs} of the {self.authority}, which is now {self.wanted}"


@dataclass(frozen=True, slots=True)
class AuthorityKeyReplaced:
    """The cluster authority has a new key, which the pod does not trust yet."""

    event_reason: ClassVar[str] = "ClusterCaCertKeyReplaced"
    runs: str | None
    wanted: str

    def __str__(self) -> str:
        return f"the cluster authority's key was replaced (generation {self.runs} to {self.wanted})"


@dataclass(frozen=True, slots=True)
class AuthorityRemoved:
    """The pod still trusts an old cluster authority, whose certificates were removed."""

    event_reason: ClassVar[str] = "CaCertRemoved"

    def __str__(self) -> str:
        return "it trusts an old cluster authority that is no longer in use"


@dataclass(frozen=True, slots=True)
class AskedByPerson:
    """The pod, or its pod set, carries strimzi.io/manual-rolling-update=true."""

    event_reason: ClassVar[str] = "ManualRollingUpdate"

    def __str__(self) -> str:
        return "annotation strimzi.io/manual-rolling-update asks for it"


RestartReason = (
    OldRevision
    | ConfigurationChanged
    | CertificateChanged
    | AuthorityRenewed
    | AuthorityKeyReplaced
    | AuthorityRemoved
    | AskedByPerson
)


@dataclass(frozen=True, slots=True)
class WouldLoseInSync:
    """Without this broker a partition would have fewer in-sync replicas than min.insync.replicas."""

    pod: str
    topic: str
    partition: int
    in_sync: int
    min_in_sync: int

    def __str__(self) -> str:
        return (
            f"{self.pod} is needed by partition {self.topic}-{self.partition}, which has {self.in_sync} in-sync "
            f"replicas and needs {self.min_in_sync}"
        )


@dataclass(frozen=True, slots=True)
class PodNotReady:
    """A pod that needs no restart is not ready (or gone); a second one is not taken away meanwhile."""

    pod: str
    state: str

    def __str__(self) -> str:
        return f"{self.pod} is {self.state}"


@dataclass(frozen=True, slots=True)
class PartitionsUnknown:
    """No broker could be asked about partitions, so no serving broker is taken away."""

    def __str__(self) -> str:
        return "no broker answers about its partitions"


WaitReason = WouldLoseInSync | PodNotReady | PartitionsUnknown
