"""What people ask for by annotations on pods and pod sets.

    strimzi.io/manual-rolling-update=true   on a pod set: restart its pods one by one; on a pod: restart this one
    strimzi.io/delete-pod-and-pvc=true      on a pod: make it and its volumes anew, empty; one pod at a time

A wish on a pod set is handed on to its pods, and taken off the set once all have it: a restarted pod is a new one
without the annotation, so nobody has to remember who is done. (After a crash in between some are told twice.)
"""

from klamm.base import logs
from klamm.base.together import side_by_side
from klamm.control.results import DONE, Again, Result
from klamm.desired.labels import CLUSTER
from klamm.kube import errors
from klamm.kube.catalogue import POD_SETS
from klamm.kube.kinds import name_of
from klamm.kube.native import PERSISTENT_VOLUME_CLAIMS, PODS
from klamm.operators.cluster.hands import Hands
from klamm.operators.cluster.kafka.gather import Observed
from klamm.planning.rolling.next_roll import MANUAL_ROLLING_UPDATE
from klamm.resources.custom.pod_set import StrimziPodSet
from klamm.resources.native.pod import Pod

DELETE_POD_AND_CLAIMS = "strimzi.io/delete-pod-and-pvc"

_log = logs.room("asked")


async def hand_on_manual_rolls(hands: Hands, observed: Observed) -> Result:
    for name, pod_set in observed.pod_sets.items():
        if pod_set.metadata.annotations.get(MANUAL_ROLLING_UPDATE) == "true":
            await _hand_on(hands, pod_set, list(observed.pods_of(name).values()))
    return DONE


async def _hand_on(hands: Hands, pod_set: StrimziPodSet, pods: list[Pod]) -> None:
    _log.info(f"all pods of {name_of(pod_set)} are to be restarted: {MANUAL_ROLLING_UPDATE} asks for it")
    await side_by_side(*(_mark(hands, pod) for pod in pods))
    await hands.applier.take_annotation_off(POD_SETS, name_of(pod_set), MANUAL_ROLLING_UPDATE)


async def _mark(hands: Hands, pod: Pod) -> None:
    change = {"metadata": {"annotations": {MANUAL_ROLLING_UPDATE: "true"}, "uid": pod.metadata.uid}}
    try:
        hands.pods.saw(await hands.client.patch(PODS, name_of(pod), change))
    except (errors.NotFound, errors.Conflict):
        return  # it is gone, and its successor is as new as one can ask for


async def renew_pod_and_claims(hands: Hands, observed: Observed) -> Result:
    """The first pod that is marked loses its claims and itself; storage and pods steps make them anew.

    The pod is taken out of its set, so that its set does not make it again while its old claims are on their way out.
    """
    for name, pod_set in observed.pod_sets.items():
        for pod_name, pod in sorted(observed.pods_of(name).items()):
            asked = pod.metadata.annotations.get(DELETE_POD_AND_CLAIMS) == "true"
            if asked and pod.metadata.deletion_timestamp is None:
                await _delete_claims(hands, pod)
                await _take_out(hands, pod_set, pod_name)
                because = f"pod {pod_name} and its claims are made anew ({DELETE_POD_AND_CLAIMS})"
                return Again(1.0, because, "PodMadeAnew")
    return DONE


async def _delete_claims(hands: Hands, pod: Pod) -> None:
    """They stay until their pod is gone (Kubernetes protects claims in use)."""
    namespace, name = name_of(pod)
    labels = {CLUSTER: pod.metadata.labels.get(CLUSTER, "")}
    listed = await hands.client.list(PERSISTENT_VOLUME_CLAIMS, namespace, labels)
    claims = [claim for claim in listed.items if (claim.metadata.name or "").endswith(f"-{name}")]
    _log.info(f"pod {name_of(pod)} and {len(claims)} claims are made anew: {DELETE_POD_AND_CLAIMS} asks for it")
    for claim in claims:
        await hands.client.delete(PERSISTENT_VOLUME_CLAIMS, name_of(claim), uid=claim.metadata.uid)


async def _take_out(hands: Hands, pod_set: StrimziPodSet, pod: str) -> None:
    others = [description for description in pod_set.spec.pods if description["metadata"]["name"] != pod]
    hands.applier.forget(POD_SETS, name_of(pod_set))
    hands.pod_sets.saw(await hands.client.patch(POD_SETS, name_of(pod_set), {"spec": {"pods": others}}))
