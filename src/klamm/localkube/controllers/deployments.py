"""Deployment → ReplicaSets (Kubernetes docs, "Deployments").

- The ReplicaSet whose template equals the Deployment's is the new one; the others are history, kept at zero
  replicas up to revisionHistoryLimit. Going back to an old template takes its ReplicaSet up again
  (what `kubectl rollout undo` does).
- Revisions count up in the annotation deployment.kubernetes.io/revision on ReplicaSet and Deployment.
- RollingUpdate moves replicas within maxSurge and maxUnavailable (`rollout`); Recreate first waits until no old
  pod runs.
- A paused Deployment is scaled, and else left alone.
"""

from collections.abc import Sequence
from typing import Final

from klamm.base.clock import Clock
from klamm.localkube.controllers.deployment_status import Sets, conditions, counts, is_complete
from klamm.localkube.controllers.informers import Change, Informers, Key
from klamm.localkube.controllers.ownership import (
    claim,
    controller_reference,
    is_deleting,
    is_finished,
    watch_with_owned,
)
from klamm.localkube.controllers.rollout import Size, grow_new, limits, scale_in_proportion, shrink_old
from klamm.localkube.controllers.statuses import write_status
from klamm.localkube.controllers.templates import POD_TEMPLATE_HASH, same_template, template_hash, with_label
from klamm.localkube.controllers.workqueue import WorkQueue
from klamm.localkube.events import Events
from klamm.localkube.objects import DEPLOYMENTS, PODS, REPLICA_SETS, Object
from klamm.localkube.selectors import label_selector

REVISION: Final = "deployment.kubernetes.io/revision"
REVISION_HISTORY: Final = "deployment.kubernetes.io/revision-history"
DESIRED: Final = "deployment.kubernetes.io/desired-replicas"
MOST: Final = "deployment.kubernetes.io/max-replicas"
NOT_COPIED: Final = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deprecated.deployment.rollback.to",
        REVISION,
        REVISION_HISTORY,
        DESIRED,
        MOST,
    }
)
"""Annotations that a Deployment does not hand on to its ReplicaSets."""


class Deployments:
    name = "deployments"

    def __init__(self, informers: Informers, clock: Clock) -> None:
        self._informers = informers
        self._clock = clock
        self._events = Events(informers.objects, clock, "deployment-controller")
        self._deployments = informers.cache(DEPLOYMENTS)
        self._sets = informers.cache(REPLICA_SETS)
        self._pods = informers.cache(PODS)

    def watch(self, queue: WorkQueue[Key]) -> None:
        def pod_changed(change: Change) -> None:
            if change.new is not None and not is_finished(change.new):
                return
            for deployment in self._deployments.list(change.key.namespace):  # Recreate waits for the end of pods
                if _is_recreate(deployment):
                    queue.add(Key(change.key.namespace, deployment["metadata"]["name"]))

        watch_with_owned(self._informers, queue, DEPLOYMENTS, REPLICA_SETS)
        self._informers.subscribe(PODS, pod_changed)

    async def reconcile(self, key: Key) -> float | None:
        deployment = self._deployments.get(*key)
        if deployment is None:
            return None
        sets = self._find_sets(deployment)
        if is_deleting(deployment):
            return self._write_status(deployment, sets, None)
        created = None
        if not deployment["spec"].get("paused"):
            sets, created = self._with_new_set(deployment, sets)
            deployment = self._copy_revision(deployment, sets.new)
        if not self._scaled(deployment, sets) and not deployment["spec"].get("paused"):
            if _is_recreate(deployment):
                self._recreate(deployment, sets)
            else:
                self._roll(deployment, sets)
            self._forget_history(deployment, sets)
        return self._write_status(deployment, self._find_sets(deployment), created)

    # ReplicaSets

    def _find_sets(self, deployment: Object) -> Sets:
        matches = label_selector(deployment["spec"].get("selector"))
        found = sorted(claim(self._informers, DEPLOYMENTS, deployment, REPLICA_SETS, matches), key=_age)
        template = deployment["spec"]["template"]
        new = next((s for s in found if same_template(s["spec"]["template"], template)), None)
        return Sets(new, [s for s in found if s is not new])

    def _with_new_set(self, deployment: Object, sets: Sets) -> tuple[Sets, str | None]:
        """Make the new ReplicaSet, or bring the annotations of an existing one up to date."""
        revision = max((_revision(s) for s in sets.old), default=0) + 1
        if sets.new is None:
            made = self._create_set(deployment, sets, revision)
            return Sets(made, sets.old), str(made["metadata"]["name"])
        annotations = sets.new["metadata"].get("annotations") or {}
        wanted = _handed_on(deployment)
        if _revision(sets.new) < revision:
            wanted[REVISION] = str(revision)
            if REVISION in annotations:
                history = [h for h in annotations.get(REVISION_HISTORY, "").split(",") if h]
                wanted[REVISION_HISTORY] = ",".join([*history, annotations[REVISION]])
        wait = deployment["spec"].get("minReadySeconds", 0)
        if (
            any(annotations.get(k) != v for k, v in wanted.items())
            or sets.new["spec"].get("minReadySeconds", 0) != wait
        ):
            patch = {"metadata": {"annotations": wanted}, "spec": {"minReadySeconds": wait}}
            return Sets(self._informers.patch(REPLICA_SETS, sets.new, patch), sets.old), None
        return sets, None

    def _create_set(self, deployment: Object, sets: Sets, revision: int) -> Object:
        spec, metadata = deployment["spec"], deployment["metadata"]
        short = template_hash(spec["template"])
        template = with_label(spec["template"], POD_TEMPLATE_HASH, short)
        selector = spec["selector"]
        labels = {**(selector.get("matchLabels") or {}), POD_TEMPLATE_HASH: short}
        allowed = limits(spec)
        waits_for_old = _is_recreate(deployment) and self._old_pods_run(sets)
        size = 0 if waits_for_old else grow_new(Size("", 0, 0), _sizes(sets.old), allowed)
        made = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"{metadata['name']}-{short}",
                "namespace": metadata["namespace"],
                "labels": template["metadata"]["labels"],
                "annotations": {
                    **_handed_on(deployment),
                    REVISION: str(revision),
                    DESIRED: str(allowed.replicas),
                    MOST: str(allowed.at_most),
                },
                "ownerReferences": [controller_reference(DEPLOYMENTS, deployment)],
            },
            "spec": {
                "replicas": size,
                "minReadySeconds": spec.get("minReadySeconds", 0),
                "selector": {**selector, "matchLabels": labels},
                "template": template,
            },
        }
        created = self._informers.create(REPLICA_SETS, metadata["namespace"], made)
        if size:
            self._tell_scaling(deployment, created, 0, size)
        return created

    def _copy_revision(self, deployment: Object, new: Object | None) -> Object:
        revision = str(_revision(new)) if new else None
        if revision and (deployment["metadata"].get("annotations") or {}).get(REVISION) != revision:
            patch = {"metadata": {"annotations": {REVISION: revision}}}
            return self._informers.patch(DEPLOYMENTS, deployment, patch)
        return deployment

    def _resize(self, deployment: Object, replica_set: Object, size: int) -> Object:
        allowed = limits(deployment["spec"])
        marks = {DESIRED: str(allowed.replicas), MOST: str(allowed.at_most)}
        annotations = replica_set["metadata"].get("annotations") or {}
        now = replica_set["spec"].get("replicas", 1)
        if now == size and all(annotations.get(k) == v for k, v in marks.items()):
            return replica_set
        patch = {"metadata": {"annotations": marks}, "spec": {"replicas": size}}
        done = self._informers.patch(REPLICA_SETS, replica_set, patch)
        if now != size:
            self._tell_scaling(deployment, replica_set, now, size)
        return done

    def _tell_scaling(self, deployment: Object, replica_set: Object, old: int, new: int) -> None:
        way = "up" if new > old else "down"
        told = f"Scaled {way} replica set {replica_set['metadata']['name']} from {old} to {new}"
        self._events.normal(DEPLOYMENTS, deployment, "ScalingReplicaSet", told)

    # Steps

    def _scaled(self, deployment: Object, sets: Sets) -> bool:
        """Follow a changed `replicas` first, in proportion; True when there was one."""
        allowed = limits(deployment["spec"])
        active = [s for s in sets.all if s["spec"].get("replicas", 1) > 0]
        changed = [s for s in active if _mark(s, DESIRED) not in (None, allowed.replicas)]
        if not changed and not (deployment["spec"].get("paused") and len(active) <= 1):
            return False
        if len(active) <= 1:
            target = active[0] if active else sets.new
            if target is None:
                return True
            before: int = target["spec"].get("replicas", 1)
            self._resize(deployment, target, allowed.replicas)
            return before != allowed.replicas
        sizes = scale_in_proportion(
            _sizes(active), _mark(changed[0], MOST) or 0, allowed.at_most if allowed.replicas else 0
        )
        for each in active:
            name = each["metadata"]["name"]
            self._resize(deployment, each, sizes.get(name, each["spec"].get("replicas", 1)))
        return True

    def _roll(self, deployment: Object, sets: Sets) -> None:
        if sets.new is None:
            return
        allowed = limits(deployment["spec"])
        size = grow_new(_size(sets.new), _sizes(sets.old), allowed)
        new = self._resize(deployment, sets.new, size)
        shrunk = shrink_old(_size(new), _sizes(sets.old), allowed)
        for each in sets.old:
            if each["metadata"]["name"] in shrunk:
                self._resize(deployment, each, shrunk[each["metadata"]["name"]])

    def _recreate(self, deployment: Object, sets: Sets) -> None:
        shrunk = [self._resize(deployment, s, 0) for s in sets.old if s["spec"].get("replicas", 1) > 0]
        if not shrunk and not self._old_pods_run(sets) and sets.new is not None:
            self._resize(deployment, sets.new, limits(deployment["spec"]).replicas)

    def _old_pods_run(self, sets: Sets) -> bool:
        pods = [p for s in sets.old for p in self._pods.owned_by(s["metadata"]["uid"])]
        return any(not is_finished(pod) for pod in pods)

    def _forget_history(self, deployment: Object, sets: Sets) -> None:
        if not is_complete(deployment, sets):
            return
        unused = [s for s in sets.old if not _in_use(s) and not is_deleting(s)]
        unused.sort(key=_revision)
        keep = deployment["spec"].get("revisionHistoryLimit", 10)
        for replica_set in unused[: max(0, len(unused) - keep)]:
            self._informers.delete(REPLICA_SETS, replica_set)

    def _write_status(self, deployment: Object, sets: Sets, created: str | None) -> float | None:
        status = counts(deployment, sets)
        told, again_after = conditions(deployment, sets, status, created, self._clock.now())
        write_status(self._informers, DEPLOYMENTS, deployment, {**status, "conditions": told})
        return again_after


def _is_recreate(deployment: Object) -> bool:
    return bool((deployment["spec"].get("strategy") or {}).get("type") == "Recreate")


def _age(replica_set: Object) -> tuple[str, str]:
    return (replica_set["metadata"].get("creationTimestamp", ""), replica_set["metadata"]["name"])


def _revision(replica_set: Object) -> int:
    return _mark(replica_set, REVISION) or 0


def _mark(replica_set: Object, name: str) -> int | None:
    value = (replica_set["metadata"].get("annotations") or {}).get(name, "")
    return int(value) if value.isdigit() else None


def _handed_on(deployment: Object) -> dict[str, str]:
    annotations = deployment["metadata"].get("annotations") or {}
    return {k: v for k, v in annotations.items() if k not in NOT_COPIED}


def _size(replica_set: Object) -> Size:
    available = (replica_set.get("status") or {}).get("availableReplicas", 0)
    return Size(replica_set["metadata"]["name"], replica_set["spec"].get("replicas", 1), available)


def _sizes(sets: Sequence[Object]) -> Sequence[Size]:
    return [_size(s) for s in sets if s["spec"].get("replicas", 1) > 0]


def _in_use(replica_set: Object) -> bool:
    return bool(replica_set["spec"].get("replicas", 1) or (replica_set.get("status") or {}).get("replicas"))
