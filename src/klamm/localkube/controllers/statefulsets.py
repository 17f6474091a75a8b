"""StatefulSet → pods with names, order and claims of their own (Kubernetes docs, "StatefulSets").

- Pod N is `<set>-N`, with the claim `<template>-<set>-N` of each volumeClaimTemplate; claims stay when pods go.
- OrderedReady: a pod is made, replaced or removed only when all before it are Running and Ready;
  Parallel: at once.
- RollingUpdate replaces pods of an older template from the highest ordinal down to `partition`, one at a time.
Left out: ControllerRevisions (so a pod below the partition that is made anew gets the new template), claim retention.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from klamm.base.clock import Clock
from klamm.localkube.controllers.informers import Informers, Key
from klamm.localkube.controllers.ownership import (
    OwnedPods,
    claim,
    is_active,
    is_deleting,
    is_finished,
    is_ready,
    pod_from_template,
    seconds_until_available,
    watch_with_owned,
)
from klamm.localkube.controllers.statuses import write_status
from klamm.localkube.controllers.templates import template_hash, with_label
from klamm.localkube.controllers.workqueue import WorkQueue
from klamm.localkube.events import Events
from klamm.localkube.objects import PERSISTENT_VOLUME_CLAIMS, PODS, STATEFUL_SETS, Object
from klamm.localkube.selectors import label_selector

HASH: Final = "controller-revision-hash"


@dataclass(frozen=True, slots=True)
class Plan:
    create: Sequence[int]
    delete: Sequence[Object]


class StatefulSets:
    name = "stateful sets"

    def __init__(self, informers: Informers, clock: Clock) -> None:
        self._informers = informers
        self._clock = clock
        self._owned = OwnedPods(informers, Events(informers.objects, clock, "statefulset-controller"), STATEFUL_SETS)
        self._sets = informers.cache(STATEFUL_SETS)
        self._pods = informers.cache(PODS)
        self._claims = informers.cache(PERSISTENT_VOLUME_CLAIMS)

    def watch(self, queue: WorkQueue[Key]) -> None:
        watch_with_owned(self._informers, queue, STATEFUL_SETS, PODS)

    async def reconcile(self, key: Key) -> float | None:
        owner = self._sets.get(*key)
        if owner is None:
            return None
        matches = label_selector(owner["spec"].get("selector"))
        pods = [p for p in claim(self._informers, STATEFUL_SETS, owner, PODS, matches) if ordinal(owner, p) is not None]
        if not is_deleting(owner):
            self._act(owner, plan(owner, pods))
        pods = list(self._pods.owned_by(owner["metadata"]["uid"]))
        waits = [w for p in pods if (w := self._wait(owner, p)) is not None]
        status = counts(owner, [p for p in pods if is_active(p)], sum(w == 0 for w in waits))
        write_status(self._informers, STATEFUL_SETS, owner, status)
        return min((w for w in waits if w > 0), default=None)

    def _wait(self, owner: Object, pod: Object) -> float | None:
        if not is_active(pod):
            return None
        return seconds_until_available(pod, owner["spec"].get("minReadySeconds", 0), self._clock.now())

    def _act(self, owner: Object, todo: Plan) -> None:
        namespace = owner["metadata"]["namespace"]
        self._owned.delete(owner, todo.delete)
        for index in todo.create:
            for volume_claim in claims_for(owner, index):
                if self._claims.get(namespace, volume_claim["metadata"]["name"]) is None:
                    self._informers.create(PERSISTENT_VOLUME_CLAIMS, namespace, volume_claim)
            self._owned.create(owner, pod_for(owner, index))


def plan(owner: Object, pods: Sequence[Object]) -> Plan:
    """The pods to make (ordinals) and to delete now."""
    spec = owner["spec"]
    start = (spec.get("ordinals") or {}).get("start", 0)
    wanted = range(start, start + spec.get("replicas", 1))
    there = {ordinal(owner, p): p for p in pods}
    ordered = spec.get("podManagementPolicy", "OrderedReady") == "OrderedReady"
    surplus = [p for n, p in sorted(there.items(), reverse=True) if n not in wanted and not is_deleting(p)]
    ended = [p for n, p in there.items() if n in wanted and is_finished(p) and not is_deleting(p)]
    missing = [n for n in wanted if n not in there]
    settled = [n for n in wanted if n in there and is_active(there[n]) and is_ready(there[n])]
    all_settled = len(settled) == len(wanted) and not any(map(is_deleting, pods))
    if not ordered:
        return Plan(missing, ended + surplus + (_outdated(owner, wanted, there) if all_settled else []))
    first_unsettled = next((n for n in wanted if n not in settled), None)
    if first_unsettled is not None:
        pod = there.get(first_unsettled)
        return Plan([first_unsettled], ended) if pod is None else Plan([], ended or _stuck(owner, pod))
    if surplus or not all_settled:
        return Plan([], surplus[:1] if all_settled else [])
    return Plan([], _outdated(owner, wanted, there))


def ordinal(owner: Object, pod: Object) -> int | None:
    """N of `<set>-N`."""
    stem, _, number = str(pod["metadata"]["name"]).rpartition("-")
    return int(number) if stem == owner["metadata"]["name"] and number.isdigit() else None


def pod_for(owner: Object, index: int) -> Object:
    name = f"{owner['metadata']['name']}-{index}"
    template = owner["spec"]["template"]
    labelled = with_label(template, HASH, revision(owner))
    labelled = with_label(labelled, "statefulset.kubernetes.io/pod-name", name)
    labelled = with_label(labelled, "apps.kubernetes.io/pod-index", str(index))
    pod = pod_from_template(STATEFUL_SETS, owner, labelled)
    pod["metadata"]["name"] = name
    own = [
        {"name": c["metadata"]["name"], "persistentVolumeClaim": {"claimName": f"{c['metadata']['name']}-{name}"}}
        for c in owner["spec"].get("volumeClaimTemplates") or ()
    ]
    names = {volume["name"] for volume in own}
    others = [v for v in pod["spec"].get("volumes") or () if v["name"] not in names]
    pod["spec"] = {**pod["spec"], "hostname": name, "volumes": [*others, *own]}
    if subdomain := owner["spec"].get("serviceName"):
        pod["spec"]["subdomain"] = subdomain
    return pod


def claims_for(owner: Object, index: int) -> Sequence[Object]:
    labels = (owner["spec"].get("selector") or {}).get("matchLabels") or {}
    pod = f"{owner['metadata']['name']}-{index}"
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": f"{template['metadata']['name']}-{pod}",
                "namespace": owner["metadata"]["namespace"],
                "labels": {**(template["metadata"].get("labels") or {}), **labels},
            },
            "spec": template["spec"],
        }
        for template in owner["spec"].get("volumeClaimTemplates") or ()
    ]


def revision(owner: Object) -> str:
    return f"{owner['metadata']['name']}-{template_hash(owner['spec']['template'])}"


def counts(owner: Object, pods: Sequence[Object], available: int) -> dict[str, Any]:
    """The status."""
    new = revision(owner)
    updated = sum(_is_current(owner, p) for p in pods)
    done = updated == len(pods) == owner["spec"].get("replicas", 1)
    known = owner.get("status") or {}
    current = new if done else known.get("currentRevision") or new
    return {
        "replicas": len(pods),
        "collisionCount": 0,
        "readyReplicas": sum(map(is_ready, pods)),
        "availableReplicas": available,
        "currentReplicas": sum((p["metadata"].get("labels") or {}).get(HASH) == current for p in pods),
        "updatedReplicas": updated,
        "currentRevision": current,
        "updateRevision": new,
        "observedGeneration": owner["metadata"].get("generation", 1),
    }


def _is_current(owner: Object, pod: Object) -> bool:
    return bool((pod["metadata"].get("labels") or {}).get(HASH) == revision(owner))


def _outdated(owner: Object, wanted: range, there: dict[int | None, Object]) -> list[Object]:
    """The next pod to replace, if the strategy replaces any."""
    strategy = owner["spec"].get("updateStrategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return []
    partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
    old = [there[n] for n in reversed(wanted) if n >= partition and not _is_current(owner, there[n])]
    return old[:1]


def _stuck(owner: Object, pod: Object) -> list[Object]:
    """A pod of an older template that is not ready is replaced: waiting for it would hold the mend back."""
    return [pod] if is_active(pod) and not _is_current(owner, pod) else []
