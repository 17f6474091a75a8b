"""An area: the namespaces that one set of caches looks after, which is one namespace, or all of them.

An operator of several namespaces has an area for each, with caches and controllers of its own. It lists and watches
only where it was told to, so that its roles need be bound nowhere else; and a namespace in which it may not (or may not
yet) keeps no other from being looked after. What areas share are the hands: client, applier, events.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from klamm.base.backoff import BackOff
from klamm.control.controller import SETTLE, Controller, Settings
from klamm.control.measures import PassMeasures, selector_text
from klamm.desired.labels import CLUSTER, KIND
from klamm.kube.catalogue import CONFIG_MAP_NAMES, KAFKA_NAMES, POD_SETS
from klamm.kube.client import Client
from klamm.kube.kinds import Name, name_of
from klamm.kube.native import DEPLOYMENTS, PODS
from klamm.kube.watching import CUT_WATCHES, RELIST, Watched
from klamm.operators.cluster.hands import Hands
from klamm.operators.cluster.kafka.departure import departed
from klamm.operators.cluster.kafka.reconcile import KafkaReconciler
from klamm.operators.cluster.measures import POD_SET_INFO, pod_set_info
from klamm.operators.cluster.pod_sets import BY_POD_SET, PodSetReconciler, pod_set_key, pod_set_of
from klamm.resources.custom.pod_set import StrimziPodSet
from klamm.resources.native.metadata import NativeObject, ObjectMeta
from klamm.resources.native.pod import Pod, PodSpec
from klamm.resources.native.workloads import Deployment

_TELLING = frozenset({"Ready", "PodScheduled"})
_OF_CLUSTERS = {KIND: "Kafka"}


@dataclass(frozen=True)
class Caches:
    kafkas: Watched[NativeObject]
    pod_sets: Watched[StrimziPodSet]
    pods: Watched[Pod]
    deployments: Watched[Deployment]
    config_maps: Watched[NativeObject]
    """Not ours (none of those has this label): those that people's resources may refer to."""

    def all(self) -> tuple[Watched[Any], ...]:
        return self.kafkas, self.pod_sets, self.pods, self.deployments, self.config_maps


def caches_of(
    namespace: str | None,
    client: Client,
    random: Random,
    selector: Mapping[str, str],
    back_off: BackOff = CUT_WATCHES,
    relist: float = RELIST,
) -> Caches:
    """`namespace` None: of all. `selector`: labels of the Kafka resources that are ours."""
    place: Any = {"namespace": namespace, "back_off": back_off, "relist": relist}
    by_set = {BY_POD_SET: pod_set_key}
    return Caches(
        kafkas=Watched(client, KAFKA_NAMES, random, labels=selector, **place),
        pod_sets=Watched(client, POD_SETS, random, **place),
        pods=Watched(client, PODS, random, labels=_OF_CLUSTERS, trim=trimmed, indexes=by_set, **place),
        deployments=Watched(client, DEPLOYMENTS, random, labels=_OF_CLUSTERS, **place),
        config_maps=Watched(client, CONFIG_MAP_NAMES, random, labels=f"{KIND}!=Kafka", trim=bare, **place),
    )


def kafka_controller(hands: Hands, random: Random, settings: Settings) -> Controller:
    measures = _measures("Kafka", hands, hands.kafkas)
    clusters = Controller("Kafka", KafkaReconciler(hands).reconcile, hands.clock, random, settings, measures)
    clusters.follow(hands.kafkas)
    clusters.take_up(lambda: departed(hands))
    clusters.follow_others(hands.pods, cluster_of, says=what_passes_see)
    clusters.follow_others(hands.deployments, cluster_of)  # type: ignore[arg-type]
    _follow_config_maps(clusters, hands)
    return clusters


def _follow_config_maps(clusters: Controller, hands: Hands) -> None:
    """No pass waits for their list: it reads itself what its resource refers to."""

    def note(old: NativeObject | None, new: NativeObject | None) -> None:
        changed = new or old
        for resource in hands.mentions.by(name_of(changed)) if changed else ():
            clusters.trigger(resource, SETTLE)

    hands.config_maps.subscribe(note)


def pod_set_controller(hands: Hands, random: Random, settings: Settings) -> Controller:
    reconciler = PodSetReconciler(hands.client, hands.pod_sets, hands.pods, is_ours=_of_selected(hands))
    measures, pod_sets = _measures("StrimziPodSet", hands, hands.pod_sets), hands.pod_sets
    hands.measures.ask(POD_SET_INFO, lambda: ((pod_set_info(one), 1.0) for one in pod_sets.all()))
    sets = Controller("StrimziPodSet", reconciler.reconcile, hands.clock, random, settings, measures)
    sets.follow(hands.pod_sets)
    sets.follow_others(hands.pods, pod_set_of, settle=0.0, says=what_passes_see)
    if hands.selector:
        # A cluster that is selected from now on (or no more) is no news of its pod sets.
        for part in ("kafka", "zookeeper"):
            sets.follow_others(hands.kafkas, _pod_set(part), says=lambda kafka: kafka.metadata.uid)
    return sets


def _measures(kind: str, hands: Hands, watched: Watched[Any]) -> PassMeasures:
    namespaces = [watched.namespace] if watched.namespace else []
    measures = PassMeasures(hands.measures.metrics, kind, namespaces, selector_text(hands.selector))
    measures.watch_resources(watched.all, lambda: hands.measures.leads)
    return measures


def _of_selected(hands: Hands) -> Callable[[StrimziPodSet], bool]:
    """Whether a pod set's cluster is one of ours; with a selector others look after the rest."""

    def is_ours(pod_set: StrimziPodSet) -> bool:
        cluster = Name(pod_set.metadata.namespace or "", pod_set.metadata.labels.get(CLUSTER, ""))
        return not hands.selector or hands.kafkas.get(cluster) is not None

    return is_ours


def _pod_set(part: str) -> Callable[[NativeObject], Name]:
    return lambda kafka: Name(kafka.metadata.namespace or "", f"{name_of(kafka).name}-{part}")


def bare(obj: NativeObject) -> NativeObject:
    """Which one it is, and that it has changed."""
    meta = obj.metadata
    kept = ObjectMeta(name=meta.name, namespace=meta.namespace, uid=meta.uid, resource_version=meta.resource_version)
    return NativeObject(metadata=kept)


def trimmed(pod: Pod) -> Pod:
    """What the operator needs to remember of a pod: who it is, where it runs, how it stands."""
    return Pod(metadata=pod.metadata, spec=PodSpec(node_name=pod.spec.node_name), status=pod.status)


def what_passes_see(pod: Pod) -> object:
    """What of a pod a pass decides on: which one it is, how it stands, what it was made from."""
    status = pod.status
    waiting = (
        [each.state.waiting.reason for each in status.container_statuses if each.state and each.state.waiting]
        if status
        else ()
    )
    conditions = [(each.type, each.status) for each in status.conditions if each.type in _TELLING] if status else ()
    phase = status.phase if status else None
    meta = pod.metadata
    return meta.uid, meta.deletion_timestamp, meta.annotations, meta.owner_references, phase, conditions, waiting


def cluster_of(obj: Pod) -> Name | None:
    name = obj.metadata.labels.get(CLUSTER)
    return Name(obj.metadata.namespace or "", name) if name else None
