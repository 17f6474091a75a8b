"""What the cluster operator counts beside its passes: names of Strimzi where there are some, klamm's own for the rest.

Series of a cluster are set by its passes and forgotten when its resource is gone.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from klamm.base.metrics import Family, Metrics, Rows, counter, gauge, summary
from klamm.control.measures import EVERY, RESOURCES
from klamm.control.resource_info import STATE, info, state, told
from klamm.control.results import Again, Blocked
from klamm.control.steps import Outcome, Taken
from klamm.desired.containers import Wanted
from klamm.kube.kinds import Name
from klamm.resources.custom.kafka import Kafka, KafkaStatus
from klamm.resources.custom.pod_set import StrimziPodSet

_CLUSTER = ("namespace", "cluster")

AUTHORITY_END = gauge(
    "strimzi_certificate_expiration_timestamp_ms",
    "When the certificate of an authority ends, in milliseconds since 1970",
    *("kind", "namespace", "cluster", "type", "resource_namespace"),
)
LEAF_END = gauge(
    "klamm_certificate_expiration_timestamp_seconds",
    "When the certificate of a component or pod ends, in seconds since 1970",
    *_CLUSTER,
    *("secret", "certificate"),
)
STEP_LENGTH = summary("klamm_step_duration_seconds", "Length of the steps of passes", "kind", "step")
STEPS = counter(
    "klamm_steps_total",
    "Steps of passes by their end: done, again, blocked, failed, or left out because of another one",
    *("kind", "step", "outcome"),
)
WAITING = gauge(
    "klamm_waiting",
    "1 for each step of a cluster's last pass that waits (again), needs the user (blocked), or failed, and for what",
    *_CLUSTER,
    *("step", "outcome", "reason"),
)
WANTED = gauge(
    "klamm_wanted",
    "1 while a cluster's resource wants containers of this name in the pods of this set or Deployment, 0 afterwards",
    *_CLUSTER,
    *("component", "workload"),
)
ROLL_PODS = gauge(
    "klamm_roll_pods",
    "Pods of a set by how they stand to a roll: as wanted, to be restarted, or missing",
    *_CLUSTER,
    *("pod_set", "state"),
)
ROLL_REASONS = gauge(
    "klamm_roll_reasons",
    "Pods that are to be restarted, by reason; one pod may have several",
    *_CLUSTER,
    *("pod_set", "reason"),
)
ROLL_WAITS = counter(
    "klamm_roll_waits_total",
    "Times that no pod was restarted although one is to be, by what was waited for",
    *_CLUSTER,
    *("pod_set", "reason"),
)
RESTARTS = counter(
    "klamm_pod_restarts_total", "Restarts of pods by the operator, by reason", *_CLUSTER, *("pod_set", "reason")
)
KAFKA_INFO = info("kafka", "kafka_version", "kafka_metadata_version", "cluster_id", "operator_last_successful_version")
POD_SET_INFO = info("pod_set", "currentPods", "pods", "readyPods")

FAMILIES: tuple[Family, ...] = (
    *(AUTHORITY_END, LEAF_END, STEP_LENGTH, STEPS, WAITING, ROLL_PODS, ROLL_REASONS, ROLL_WAITS, RESTARTS),
    *(WANTED, STATE, KAFKA_INFO, POD_SET_INFO),
)

_OF_CLUSTERS = (AUTHORITY_END, LEAF_END, WAITING, ROLL_PODS, ROLL_REASONS, ROLL_WAITS, RESTARTS)

_ONLY_DEFINED = (
    *("KafkaConnect", "KafkaConnector", "KafkaMirrorMaker2", "KafkaBridge", "KafkaRebalance", "KafkaNodePool"),
)
"""Kinds that dashboards count and this operator does not look after."""


class _Reason(Protocol):
    @property
    def event_reason(self) -> str: ...


class ClusterMeasures:
    """`leads`: whether this operator acts; one that stands by shows no resources, or sums would count them twice."""

    def __init__(self, metrics: Metrics, leads: bool = True) -> None:
        self.metrics = metrics
        self.leads = leads
        self._wanted: dict[Name, dict[Wanted, bool]] = {}
        self.ask(WANTED, self._wanted_rows)
        metrics.ask(RESOURCES, lambda: [((kind, EVERY, ""), 0.0) for kind in _ONLY_DEFINED])

    def ask(self, family: Family, rows: Callable[[], Rows]) -> None:
        """As `Metrics.ask`, while this operator leads."""
        self.metrics.ask(family, lambda: rows() if self.leads else ())

    def wanted(self, cluster: Name, containers: frozenset[Wanted]) -> None:
        """What the cluster's resource asks for; nothing once it is gone.

        0 stays to be seen: alerts that remember what was wanted while no operator runs would remember the 1 before it.
        """
        if known := self._wanted.get(cluster, {}).keys() | containers:
            self._wanted[cluster] = {one: one in containers for one in known}

    def _wanted_rows(self) -> Rows:
        for cluster, containers in self._wanted.items():
            for (container, workload), is_wanted in containers.items():
                yield (cluster.namespace, cluster.name, container, workload), float(is_wanted)

    def told(self, resource: Kafka, status: KafkaStatus) -> None:
        """The status of a cluster is this now."""
        metrics, (name, namespace) = self.metrics, (resource.metadata.name or "", resource.metadata.namespace or "")
        self._forget_status(Name(namespace, name))
        values, is_well = state("Kafka", resource, status)
        metrics.set(STATE, is_well, **dict(zip(STATE.labels, values, strict=True)))
        shown = told(
            resource,
            status,
            *(status.kafka_version, status.kafka_metadata_version, status.cluster_id),
            status.operator_last_successful_version,
        )
        metrics.set(KAFKA_INFO, 1.0, **dict(zip(KAFKA_INFO.labels, shown, strict=True)))

    def authority(self, cluster: Name, type_: str, end: datetime) -> None:
        """`type_` is cluster-ca or client-ca, as Strimzi calls them here."""
        place = {"kind": "Kafka", "namespace": cluster.namespace, "resource_namespace": cluster.namespace}
        value = round(end.timestamp() * 1000)
        self.metrics.set(AUTHORITY_END, value, **place, cluster=cluster.name, type=type_)

    def leaves(self, cluster: Name, secret: str, ends: Mapping[str, datetime]) -> None:
        """All certificates of one Secret, by the names of their entries."""
        place = {"namespace": cluster.namespace, "cluster": cluster.name, "secret": secret}
        self.metrics.forget(LEAF_END, **place)
        for certificate, end in ends.items():
            self.metrics.set(LEAF_END, round(end.timestamp()), **place, certificate=certificate)

    def no_leaves(self, cluster: Name, secret: str) -> None:
        """The Secret is gone."""
        self.leaves(cluster, secret, {})

    def steps(self, cluster: Name, outcome: Outcome) -> None:
        place = {"namespace": cluster.namespace, "cluster": cluster.name}
        self.metrics.forget(WAITING, **place)
        for step in outcome.steps:
            said = _outcome(step)
            self.metrics.count(STEPS, kind="Kafka", step=step.name, outcome=said)
            if not step.left_out:
                self.metrics.observe(STEP_LENGTH, step.seconds, kind="Kafka", step=step.name)
            if said in ("again", "blocked", "failed"):
                self.metrics.set(WAITING, 1.0, **place, step=step.name, outcome=said, reason=step.reason)

    def roll(self, pod_set: StrimziPodSet, reasons: Mapping[str, Sequence[_Reason]], missing: int) -> None:
        """How far a roll is: reasons of every pod that is there, and how many are not."""
        place = _place(pod_set)
        due = sum(bool(one) for one in reasons.values())
        counts = {"as wanted": len(reasons) - due, "to be restarted": due, "missing": missing}
        for state_, count in counts.items():
            self.metrics.set(ROLL_PODS, count, **place, state=state_)
        self.metrics.forget(ROLL_REASONS, **place)
        for reason, count in Counter(_words(one for all_ in reasons.values() for one in all_)).items():
            self.metrics.set(ROLL_REASONS, count, **place, reason=reason)

    def roll_waits(self, pod_set: StrimziPodSet, because: object) -> None:
        self.metrics.count(ROLL_WAITS, **_place(pod_set), reason=type(because).__name__)

    def restarted(self, pod_set: StrimziPodSet, reasons: Sequence[_Reason]) -> None:
        for reason in _words(reasons):
            self.metrics.count(RESTARTS, **_place(pod_set), reason=reason)

    def forget(self, cluster: Name) -> None:
        for family in _OF_CLUSTERS:
            self.metrics.forget(family, namespace=cluster.namespace, cluster=cluster.name)
        self._forget_status(cluster)
        self.wanted(cluster, frozenset())

    def _forget_status(self, cluster: Name) -> None:
        self.metrics.forget(STATE, kind="Kafka", name=cluster.name, resource_namespace=cluster.namespace)
        self.metrics.forget(KAFKA_INFO, name=cluster.name, exported_namespace=cluster.namespace)


def pod_set_info(pod_set: StrimziPodSet) -> tuple[str, ...]:
    status = pod_set.status
    counts = (status.current_pods, status.pods, status.ready_pods) if status else (None, None, None)
    return told(pod_set, status, *counts)


def _outcome(step: Taken) -> str:
    if step.left_out:
        return "left out"
    if step.error is not None and not isinstance(step.result, Blocked):
        return "failed"
    return "again" if isinstance(step.result, Again) else "blocked" if isinstance(step.result, Blocked) else "done"


def _place(pod_set: StrimziPodSet) -> dict[str, str]:
    metadata = pod_set.metadata
    cluster = metadata.labels.get("strimzi.io/cluster", "")
    return {"namespace": metadata.namespace or "", "cluster": cluster, "pod_set": metadata.name or ""}


def _words(reasons: Iterable[_Reason]) -> list[str]:
    return [one.event_reason for one in reasons]
