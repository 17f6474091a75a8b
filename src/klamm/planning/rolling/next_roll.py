"""Which pod to restart next, if any: one by one, and only while nothing that is written with acks=all has to wait.

The rule of this first engine:

1. A pod that is missing or terminating is waited for: at most one pod is away at a time.
2. Pods that are not ready and have a reason go first: they may be the cause of the trouble, and serve nobody. One that
   cannot start at all (stuck) needs no check; the description it is to get is the only thing that can help it.
3. A pod that is not ready and has no reason is waited for, stuck or not: to go on would break a second one.
4. Of the ready ones those that can be spared go in the order of their ids, the active controller (ZooKeeper: the
   leader) last, so that the cluster changes it once instead of at each step.
5. A broker can be spared when every partition it holds keeps at least min.insync.replicas in sync without it.
   Partitions with no more replicas than that are left out: they would forbid restarts for ever (Strimzi behaviour).

ZooKeeper pods are rolled by the same rule with no partitions. The full engine (dynamic changes, quorum, batches) will
keep this signature.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from klamm.planning.rolling.reasons import (
    AskedByPerson,
    AuthorityKeyReplaced,
    AuthorityRemoved,
    AuthorityRenewed,
    CertificateChanged,
    ConfigurationChanged,
    OldRevision,
    PartitionsUnknown,
    PodNotReady,
    RestartReason,
    WaitReason,
    WouldLoseInSync,
)

REVISION = "strimzi.io/revision"
MANUAL_ROLLING_UPDATE = "strimzi.io/manual-rolling-update"
_CONFIGURATION = ("strimzi.io/broker-configuration-hash", "strimzi.io/logging-appenders-hash")
_CERTIFICATE = "strimzi.io/server-cert-hash"
_AUTHORITIES = {
    "strimzi.io/cluster-ca-cert-generation": "cluster authority",
    "strimzi.io/clients-ca-cert-generation": "clients authority",
}
_AUTHORITY_KEY = "strimzi.io/cluster-ca-key-generation"
_OLD_AUTHORITY = "strimzi.io/trusts-old-cluster-ca"


class PodState(StrEnum):
    """How a pod stands. STUCK: its containers cannot start as described (image, crash loop, no node fits)."""

    READY = "ready"
    UNREADY = "not ready"
    STUCK = "stuck"
    TERMINATING = "terminating"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class RollingPod:
    """One pod as observed, or MISSING. `node` is the broker id (ZooKeeper: the ordinal)."""

    node: int
    name: str
    state: PodState
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition as the cluster describes it; `replicas` and `in_sync` hold broker ids."""

    topic: str
    number: int
    replicas: frozenset[int]
    in_sync: frozenset[int]
    min_in_sync: int


@dataclass(frozen=True, slots=True)
class Restart:
    """Delete this pod; its controller makes it anew."""

    node: int
    pod: str
    reasons: tuple[RestartReason, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Something has to be restarted or become ready, but not now."""

    because: WaitReason


@dataclass(frozen=True, slots=True)
class Done:
    """Every pod is ready and as wanted."""


def next_roll(
    pods: Sequence[RollingPod],
    wanted: Mapping[str, Mapping[str, str]],
    partitions: Sequence[Partition] | None,
    leader: int | None = None,
) -> Restart | Wait | Done:
    """Say which pod to restart now.

    `wanted`: the annotations that each pod (by name) would carry if it were made now. `partitions` is None when they
    could not be read, and () where there are none to mind. `leader`: the active controller or ZooKeeper's leader.
    """
    away = [pod for pod in pods if pod.state in (PodState.MISSING, PodState.TERMINATING)]
    if away:
        return Wait(PodNotReady(away[0].name, away[0].state))
    reasons = {pod.node: restart_reasons(pod.annotations, wanted.get(pod.name, {})) for pod in pods}
    due = [pod for pod in in_order(pods, leader) if reasons[pod.node]]
    for pod in due:
        if pod.state is PodState.STUCK:
            return Restart(pod.node, pod.name, reasons[pod.node])
    unready_due = [pod for pod in due if pod.state is PodState.UNREADY]
    if unready_due:
        return _first_spared(unready_due, reasons, _for_unready(pods, partitions))
    for pod in pods:
        if pod.state is not PodState.READY:
            return Wait(PodNotReady(pod.name, pod.state))
    return _first_spared(_leader_alone(due, leader), reasons, partitions) if due else Done()


def restart_reasons(runs: Mapping[str, str], wanted: Mapping[str, str]) -> tuple[RestartReason, ...]:
    """Compare the annotations of the running pod with those that it would carry if it were made now."""
    reasons: list[RestartReason] = []
    if runs.get(MANUAL_ROLLING_UPDATE) == "true":
        reasons.append(AskedByPerson())
    if _differ(_AUTHORITY_KEY, runs, wanted):
        reasons.append(AuthorityKeyReplaced(runs.get(_AUTHORITY_KEY), wanted[_AUTHORITY_KEY]))
    for annotation, authority in _AUTHORITIES.items():
        if _differ(annotation, runs, wanted):
            reasons.append(AuthorityRenewed(authority, runs.get(annotation), wanted[annotation]))
    if _OLD_AUTHORITY in runs and wanted and _OLD_AUTHORITY not in wanted:
        reasons.append(AuthorityRemoved())
    if _differ(_CERTIFICATE, runs, wanted):
        reasons.append(CertificateChanged())
    if any(_differ(annotation, runs, wanted) for annotation in _CONFIGURATION):
        reasons.append(ConfigurationChanged())
    if _differ(REVISION, runs, wanted):
        reasons.append(OldRevision(runs.get(REVISION), wanted[REVISION]))
    return tuple(reasons)


def reason_to_keep_running(pod: RollingPod, partitions: Iterable[Partition]) -> WouldLoseInSync | None:
    """Return the first partition that needs this broker, or None when it may stop."""
    for partition in partitions:
        if pod.node not in partition.replicas or len(partition.replicas) <= partition.min_in_sync:
            continue
        if len(partition.in_sync - {pod.node}) < partition.min_in_sync:
            return WouldLoseInSync(
                pod.name, partition.topic, partition.number, len(partition.in_sync), partition.min_in_sync
            )
    return None


def _differ(annotation: str, runs: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return annotation in wanted and runs.get(annotation) != wanted[annotation]


def in_order(pods: Sequence[RollingPod], leader: int | None) -> list[RollingPod]:
    """By their ids, the leader last."""
    return sorted(pods, key=lambda pod: (pod.node == leader, pod.node))


def _leader_alone(due: Sequence[RollingPod], leader: int | None) -> list[RollingPod]:
    """The leader only when nobody else is due: else it would go early whenever the others have to wait."""
    others = [pod for pod in due if pod.node != leader]
    return others or list(due)


def _for_unready(pods: Sequence[RollingPod], partitions: Sequence[Partition] | None) -> Sequence[Partition] | None:
    """When no pod at all is ready nothing is served, so there is nothing to lose and nobody to ask."""
    if partitions is None and not any(pod.state is PodState.READY for pod in pods):
        return ()
    return partitions


def _first_spared(
    candidates: Sequence[RollingPod],
    reasons: Mapping[int, tuple[RestartReason, ...]],
    partitions: Sequence[Partition] | None,
) -> Restart | Wait:
    if partitions is None:
        return Wait(PartitionsUnknown())
    needed: WouldLoseInSync | None = None
    for pod in candidates:
        kept = reason_to_keep_running(pod, partitions)
        if kept is None:
            return Restart(pod.node, pod.name, reasons[pod.node])
        needed = needed or kept
    assert needed is not None, "called without candidates"
    return Wait(needed)
