"""One step of a roll: observe the pods, let `planning.rolling` decide, restart at most one pod."""

from collections.abc import Callable, Mapping, Sequence

from klamm.base import logs
from klamm.base.together import side_by_side
from klamm.control.results import DONE, Again, Result
from klamm.desired.pod_sets import wanted_annotations
from klamm.kube.events import reference
from klamm.kube.kinds import name_of
from klamm.kube.native import PODS
from klamm.operators.cluster.hands import Hands
from klamm.operators.cluster.kafka.identity import Identity
from klamm.operators.cluster.pod_sets import is_ready
from klamm.planning.rolling.next_roll import (
    Done,
    Partition,
    PodState,
    Restart,
    RollingPod,
    Wait,
    next_roll,
    restart_reasons,
)
from klamm.planning.rolling.reasons import WouldLoseInSync
from klamm.resources.custom.pod_set import StrimziPodSet
from klamm.resources.native.pod import Pod

_log = logs.room("rolling")

_CANNOT_START = frozenset(
    {
        "CrashLoopBackOff",
        "ImagePullBackOff",
        "ErrImagePull",
        "InvalidImageName",
        "CreateContainerConfigError",
        "CreateContainerError",
    }
)

LOOK_AGAIN = 10.0
"""Seconds after which a roll goes on without being told that a pod changed: a net under the watch."""

IN_SYNC_AGAIN = 2.0
"""Seconds after which partitions are looked at again: no watch tells that they caught up."""


def rolling_pods(pod_set: StrimziPodSet, pods: Mapping[str, Pod]) -> list[RollingPod]:
    """The set's pods as the decider sees them."""
    names = [description["metadata"]["name"] for description in pod_set.spec.pods]
    return [_rolling_pod(name, pods.get(name)) for name in names]


def _rolling_pod(name: str, pod: Pod | None) -> RollingPod:
    node = int(name.rsplit("-", 1)[1])
    if pod is None:
        return RollingPod(node, name, PodState.MISSING, {})
    return RollingPod(node, name, state_of(pod), pod.metadata.annotations)


def state_of(pod: Pod) -> PodState:
    if pod.metadata.deletion_timestamp is not None:
        return PodState.TERMINATING
    if is_ready(pod):
        return PodState.READY
    return PodState.STUCK if _is_stuck(pod) else PodState.UNREADY


def _is_stuck(pod: Pod) -> bool:
    status = pod.status
    if status is None:
        return False
    if any(condition.type == "PodScheduled" and condition.status == "False" for condition in status.conditions):
        return True
    containers = [*status.init_container_statuses, *status.container_statuses]
    waiting = [one.state.waiting for one in containers if one.state and one.state.waiting]
    return any(one.reason in _CANNOT_START for one in waiting)


def is_due(hands: Hands, pod_set: StrimziPodSet, pods: Mapping[str, Pod]) -> bool:
    """Whether a pod has a reason to be restarted: only then is the cluster asked who can be spared."""
    wanted, all_ = wanted_annotations(pod_set), rolling_pods(pod_set, pods)
    reasons = {
        pod.name: restart_reasons(pod.annotations, wanted.get(pod.name, {}))
        for pod in all_
        if pod.state is not PodState.MISSING
    }
    hands.measures.roll(pod_set, reasons, missing=len(all_) - len(reasons))
    return any(reasons.values())


async def roll(
    hands: Hands,
    pod_set: StrimziPodSet,
    pods: Mapping[str, Pod],
    *,
    partitions: Sequence[Partition] | None,
    leader: int | None,
    check: Callable[[], None],
) -> Result:
    """Restart the next pod, or say what is waited for. `check` raises when the pass has lost its point."""
    decision = next_roll(rolling_pods(pod_set, pods), wanted_annotations(pod_set), partitions, leader)
    match decision:
        case Done():
            return DONE
        case Wait(because):
            hands.measures.roll_waits(pod_set, because)
            after = IN_SYNC_AGAIN if isinstance(because, WouldLoseInSync) else LOOK_AGAIN
            return Again(after, str(because), type(because).__name__)
        case Restart():
            check()
            await _restart(hands, pods[decision.pod], decision)
            hands.measures.restarted(pod_set, decision.reasons)
            return Again(LOOK_AGAIN, f"pod {decision.pod} is being restarted ({decision.reasons[0]})", "PodRestarting")


async def _restart(hands: Hands, pod: Pod, decision: Restart) -> None:
    """Delete the pod that was looked at (not its successor of the same name); its pod set makes it anew."""
    sentence = f"pod {name_of(pod)} is restarted, because {'; '.join(str(reason) for reason in decision.reasons)}"
    _log.info(sentence, reasons=",".join(reason.event_reason for reason in decision.reasons))
    about = reference(PODS, pod)
    for reason in decision.reasons:
        hands.events.note(about, "Normal", reason.event_reason, sentence, action="StrimziInitiatedPodRestart")
    await hands.client.delete(PODS, name_of(pod), uid=pod.metadata.uid)


async def zookeeper_leader(hands: Hands, hosts: Mapping[int, str], identity: Identity) -> int | None:
    """The ordinal of the leader among the ZooKeepers at `hosts` (by ordinal), None when nobody says."""
    context = identity.context()
    answers = await side_by_side(*(hands.zookeeper_mode(host, context) for host in hosts.values()))
    return next((node for node, mode in zip(hosts, answers, strict=True) if mode == "leader"), None)
