"""One step of a roll: observe pods and partitions, let `planning.rolling` decide, restart at most one pod.

Partitions are asked for only when a restart is due: a quiet cluster is not bothered.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping

from klamm.base import logs
from klamm.base.tls import client_context
from klamm.control.results import DONE, Again, Result
from klamm.desired.kafka.cluster import KafkaCluster
from klamm.desired.pod_sets import wanted_annotations
from klamm.kafka.admin import Admin, Connection
from klamm.kafka.errors import KafkaFailure
from klamm.kube.events import reference
from klamm.kube.kinds import name_of
from klamm.kube.native import PODS
from klamm.operators.cluster.hands import Hands
from klamm.operators.cluster.kafka.trust import Authorities
from klamm.operators.cluster.pod_sets import is_ready
from klamm.planning.rolling.next_roll import (
    MANUAL_ROLLING_UPDATE,
    Done,
    Partition,
    PodState,
    Restart,
    RollingPod,
    Wait,
    next_roll,
    restart_reasons,
)
from klamm.resources.custom.pod_set import StrimziPodSet
from klamm.resources.native.pod import Pod

_log = logs.room("rolling")

_CANNOT_START = frozenset(
    {"CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError", "CreateContainerError"}
)

REPLICATION_PORT = 9091


def admin_connection(cluster: KafkaCluster, authorities: Authorities) -> Connection:
    """To the replication listener, as the cluster operator (which is a super user)."""
    files = authorities.operator.files
    tls = client_context(authorities.cluster.trusted, files.certificate, files.key)
    address = f"{cluster.bootstrap_service}.{cluster.namespace}.svc:{REPLICATION_PORT}"
    return Connection((address,), tls, client_id="klamm-cluster-operator")


def rolling_pods(pod_set: StrimziPodSet, pods: Mapping[str, Pod], manual: bool) -> list[RollingPod]:
    """The set's pods as the decider sees them; `manual`: the whole set is asked to roll."""
    names = [description["metadata"]["name"] for description in pod_set.spec.pods]
    return [_rolling_pod(name, pods.get(name), manual) for name in names]


def _rolling_pod(name: str, pod: Pod | None, manual: bool) -> RollingPod:
    node = int(name.rsplit("-", 1)[1])
    if pod is None:
        return RollingPod(node, name, PodState.MISSING, {})
    annotations = dict(pod.metadata.annotations)
    if manual:
        annotations[MANUAL_ROLLING_UPDATE] = "true"
    return RollingPod(node, name, _state(pod), annotations)


def _state(pod: Pod) -> PodState:
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
    waiting = [one.state.waiting for one in status.container_statuses if one.state and one.state.waiting]
    return any(one.reason in _CANNOT_START for one in waiting)


def is_due(pod_set: StrimziPodSet, pods: Mapping[str, Pod], manual: bool) -> bool:
    wanted = wanted_annotations(pod_set)
    return any(
        restart_reasons(pod.annotations, wanted.get(pod.name, {}))
        for pod in rolling_pods(pod_set, pods, manual)
        if pod.state is not PodState.MISSING
    )


async def roll(
    hands: Hands,
    pod_set: StrimziPodSet,
    pods: Mapping[str, Pod],
    *,
    manual: bool,
    partitions: list[Partition] | None,
    leader: int | None,
    check: Callable[[], None],
) -> Result:
    """Restart the next pod, or say what is waited for. `check` raises when the pass has lost its point."""
    decision = next_roll(rolling_pods(pod_set, pods, manual), wanted_annotations(pod_set), partitions, leader)
    match decision:
        case Done():
            return DONE
        case Wait(because):
            return Again(10.0, str(because))
        case Restart(_, name, reasons):
            check()
            pod = pods[name]
            sentence = f"pod {name_of(pod)} is restarted, because {'; '.join(str(reason) for reason in reasons)}"
            _log.info(sentence, reasons=",".join(reason.event_reason for reason in reasons))
            for reason in reasons:
                hands.events.note(
                    reference(PODS, pod), "Normal", reason.event_reason, sentence, action="StrimziInitiatedPodRestart"
                )
            await hands.client.delete(PODS, name_of(pod), uid=pod.metadata.uid)
            return Again(10.0, f"pod {name} is being restarted ({reasons[0]})")


async def partitions_of(admin: Admin) -> list[Partition]:
    """Every partition of the cluster with the min.insync.replicas of its topic."""
    topics = await admin.describe_topics()
    configs = await admin.topic_configs(topics)
    found = []
    for name, topic in topics.items():
        configured = configs.get(name, {}).get("min.insync.replicas")
        least = int(configured.value) if configured and configured.value else 1
        found += [
            Partition(name, one.id, frozenset(one.replicas), frozenset(one.in_sync), least) for one in topic.partitions
        ]
    return found


async def observe_partitions(
    hands: Hands, cluster: KafkaCluster, authorities: Authorities
) -> tuple[list[Partition] | None, int | None]:
    """The partitions and the active controller; (None, None) when no broker answers."""
    try:
        async with await hands.open_admin(admin_connection(cluster, authorities)) as admin:
            partitions, described = await asyncio.gather(partitions_of(admin), admin.describe_cluster())
            return partitions, described.controller
    except KafkaFailure as failure:
        _log.info("partitions could not be read", because=str(failure))
        return None, None


async def zookeeper_leader(names: Mapping[int, str], authorities: Authorities) -> int | None:
    """The ordinal of the leader among the ZooKeepers at `names` (ordinal → host), None when nobody says.

    Asks each by the four-letter word `srvr` over mutual TLS on the client port.
    """
    files = authorities.operator.files
    context = client_context(authorities.cluster.trusted, files.certificate, files.key)
    answers = await asyncio.gather(*(_mode(host, context) for host in names.values()))
    return next((node for node, mode in zip(names, answers, strict=True) if mode == "leader"), None)


async def _mode(host: str, context: ssl.SSLContext) -> str | None:
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(host, 2181, ssl=context, server_hostname=host)
            try:
                writer.write(b"srvr")
                answer = await reader.read(4096)
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
    for line in answer.decode("ascii", "replace").splitlines():
        if line.startswith("Mode: "):
            return line.removeprefix("Mode: ").strip()
    return None
