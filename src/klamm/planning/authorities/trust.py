"""Handing the cluster's trust from an old authority to a new one, without a moment in which peers refuse each other.

When the cluster authority gets a new key, pods that know only the old certificate would refuse leaves signed by the
new one. So it goes in three steps, each of them one roll over ZooKeeper, brokers and the other components:

1. SpreadTrust: the new certificate lies beside the old one in the Secret; pods are restarted to trust both, and all
leaves
   (the operator's own too) stay signed by the old key.
2. IssueLeaves: every pod trusts both; leaves are signed by the new key, and pods restarted with them.
3. DropOld: every pod shows a new leaf; the old certificates leave the Secret, and a last restart forgets them.

Where a cluster stands is read from its pods' annotations alone, so an operator that died half-way goes on where it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PodTrust:
    """What a running pod was started with: generations of the authority's certificate and key."""

    pod: str
    certificate_generation: int
    key_generation: int


@dataclass(frozen=True, slots=True)
class SpreadTrust:
    """Leaves stay signed under `leaf_generation`; `waiting` pods do not trust the new certificate yet."""

    leaf_generation: int
    waiting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IssueLeaves:
    """Leaves are signed anew; `waiting` pods still show old ones."""

    waiting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DropOld:
    """Remove old certificates from the Secret."""


@dataclass(frozen=True, slots=True)
class Settled:
    """All pods show and trust the current authority, and nothing else is trusted."""


TrustStep = SpreadTrust | IssueLeaves | DropOld | Settled


def decide_trust(
    pods: Sequence[PodTrust], certificate_generation: int, key_generation: int, *, old_certificates: bool
) -> TrustStep:
    """Say which step is to be done; generations are those of the authority's Secrets.

    Pods that are terminating are not given: they need nobody's trust any more.
    """
    untrusting = tuple(pod.pod for pod in pods if pod.key_generation < key_generation)
    if untrusting:
        return SpreadTrust(min(pod.certificate_generation for pod in pods), untrusting)
    old = tuple(pod.pod for pod in pods if pod.certificate_generation < certificate_generation)
    if old:
        return IssueLeaves(old)
    return DropOld() if old_certificates else Settled()
