"""StrimziPodSets: pods that are made again when they go, and never changed in place.

Making a pod anew from its changed description is the roller's decision (operators/cluster/kafka/rolling.py): it
deletes a pod, and this reconciler makes the new one. It goes on working while the Kafka resource is paused or broken,
because a missing broker must come back whatever else is wrong (Strimzi behaviour). A pod that the API refuses becomes
an Error condition of the set, which the Kafka resource's status repeats: nobody looks for it in a log.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from klamm.base import logs
from klamm.base.together import side_by_side
from klamm.control.passes import Pass
from klamm.control.results import DONE, Again, Blocked, Result
from klamm.desired.labels import CONTROLLER_NAME
from klamm.desired.pod_sets import REVISION
from klamm.kube import errors
from klamm.kube.catalogue import POD_SETS
from klamm.kube.client import Client
from klamm.kube.kinds import Name, name_of, owner_reference
from klamm.kube.native import PODS
from klamm.kube.watching import Watched
from klamm.resources.custom.pod_set import StrimziPodSet, StrimziPodSetStatus
from klamm.resources.custom.status import Condition
from klamm.resources.native.pod import Pod
from klamm.resources.structure import decode

BY_POD_SET = "pod set"
"""Index of the pods' cache, by `pod_set_of`."""

ERROR = "Error"
_ENDED = frozenset({"Failed", "Succeeded"})

_log = logs.room("pod sets")


def pod_set_of(pod: Pod) -> Name | None:
    name = pod.metadata.labels.get(CONTROLLER_NAME)
    return Name(pod.metadata.namespace or "", name) if name else None


def pod_set_key(pod: Pod) -> tuple[str, ...]:
    name = pod_set_of(pod)
    return (str(name),) if name else ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What brings the pods to the set: names with their description, and pods that go."""

    create: Mapping[str, dict[str, Any]]
    delete: tuple[Pod, ...]


def plan(pod_set: StrimziPodSet, pods: Mapping[str, Pod]) -> Plan:
    """Missing pods are made; those that have ended or are not in the set any more go."""
    wanted = {description["metadata"]["name"]: description for description in pod_set.spec.pods}
    ended = [pod for pod in pods.values() if pod.status and pod.status.phase in _ENDED]
    extra = [pod for name, pod in pods.items() if name not in wanted]
    going = {id(pod): pod for pod in (*ended, *extra) if pod.metadata.deletion_timestamp is None}
    return Plan({name: what for name, what in wanted.items() if name not in pods}, tuple(going.values()))


def status(pod_set: StrimziPodSet, pods: Mapping[str, Pod], refused: Sequence[str] = ()) -> StrimziPodSetStatus:
    """`refused`: why pods could not be made."""
    revisions = {what["metadata"]["name"]: _revision(what["metadata"]) for what in pod_set.spec.pods}
    return StrimziPodSetStatus(
        pods=len(revisions),
        ready_pods=sum(is_ready(pod) for name, pod in pods.items() if name in revisions),
        current_pods=sum(
            pod.metadata.annotations.get(REVISION) == revisions[name] for name, pod in pods.items() if name in revisions
        ),
        observed_generation=pod_set.metadata.generation,
        conditions=[Condition(type=ERROR, status="True", reason="PodRefused", message=why) for why in refused],
    )


def error_of(pod_set: StrimziPodSet) -> str | None:
    """Why its pods cannot be made, from its status; None when they can."""
    told = pod_set.status.conditions if pod_set.status else []
    return next((condition.message for condition in told if condition.type == ERROR), None)


def is_ready(pod: Pod) -> bool:
    """Ready and not on its way out."""
    if pod.metadata.deletion_timestamp is not None or pod.status is None:
        return False
    return any(condition.type == "Ready" and condition.status == "True" for condition in pod.status.conditions)


def _revision(metadata: Mapping[str, Any]) -> str | None:
    revision: str | None = metadata.get("annotations", {}).get(REVISION)
    return revision


class PodSetReconciler:
    """One pass: make what is missing, delete what ended, write the status when it changed."""

    def __init__(
        self,
        client: Client,
        pod_sets: Watched[StrimziPodSet],
        pods: Watched[Pod],
        is_ours: Callable[[StrimziPodSet], bool] = lambda _: True,
    ) -> None:
        self._client = client
        self._is_ours = is_ours
        self._pod_sets = pod_sets
        self._pods = pods

    async def reconcile(self, name: Name, _: Pass) -> Result:
        pod_set = self._pod_sets.get(name)
        if pod_set is None or pod_set.metadata.deletion_timestamp is not None or not self._is_ours(pod_set):
            return DONE
        pods = {pod.metadata.name or "": pod for pod in self._pods.under(BY_POD_SET, str(name))}
        wanted = plan(pod_set, pods)
        made = await side_by_side(*(self._attempt(pod_set, what) for what in wanted.create.values()))
        refused = [str(one) for one in made if isinstance(one, errors.Invalid)]
        for pod in wanted.delete:
            _log.info(f"pod {name_of(pod)} is deleted: it has ended, or is not in its set any more")
            await self._client.delete(PODS, name_of(pod), uid=pod.metadata.uid)
        await self._write_status(pod_set, pods, refused)
        if refused:
            return Blocked(refused[0])
        return DONE if all(made) else Again(None, "a pod of that name is still there")

    async def _attempt(self, pod_set: StrimziPodSet, description: dict[str, Any]) -> bool | errors.Invalid:
        try:
            return await self._create(pod_set, description)
        except errors.Invalid as error:
            return error

    async def _create(self, pod_set: StrimziPodSet, description: dict[str, Any]) -> bool:
        """False when there is one already, which the cache did not know of (or which is on its way out)."""
        pod = decode(Pod, description)
        pod.metadata.namespace = pod_set.metadata.namespace
        pod.metadata.owner_references = [owner_reference(POD_SETS, pod_set)]
        try:
            self._pods.saw(await self._client.create(PODS, pod))
        except errors.AlreadyExists:
            return False
        return True

    async def _write_status(self, pod_set: StrimziPodSet, pods: Mapping[str, Pod], refused: Sequence[str]) -> None:
        new = status(pod_set, pods, refused)
        if pod_set.status == new:
            return
        self._pod_sets.saw(await self._client.apply_status(POD_SETS, name_of(pod_set), new))
