"""Where pods may run: affinity, tolerations, spreading."""

from klamm.resources.native.metadata import LabelSelector
from klamm.resources.structure import Block


class NodeSelectorRequirement(Block):
    key: str | None = None
    operator: str | None = None
    values: list[str] = []


class NodeSelectorTerm(Block):
    match_expressions: list[NodeSelectorRequirement] = []
    match_fields: list[NodeSelectorRequirement] = []


class NodeSelector(Block):
    node_selector_terms: list[NodeSelectorTerm] = []


class PreferredSchedulingTerm(Block):
    preference: NodeSelectorTerm | None = None
    weight: int | None = None


class NodeAffinity(Block):
    preferred_during_scheduling_ignored_during_execution: list[PreferredSchedulingTerm] = []
    required_during_scheduling_ignored_during_execution: NodeSelector | None = None


class PodAffinityTerm(Block):
    label_selector: LabelSelector | None = None
    match_label_keys: list[str] = []
    mismatch_label_keys: list[str] = []
    namespace_selector: LabelSelector | None = None
    namespaces: list[str] = []
    topology_key: str | None = None


class WeightedPodAffinityTerm(Block):
    pod_affinity_term: PodAffinityTerm | None = None
    weight: int | None = None


class PodAffinity(Block):
    preferred_during_scheduling_ignored_during_execution: list[WeightedPodAffinityTerm] = []
    required_during_scheduling_ignored_during_execution: list[PodAffinityTerm] = []


class PodAntiAffinity(Block):
    preferred_during_scheduling_ignored_during_execution: list[WeightedPodAffinityTerm] = []
    required_during_scheduling_ignored_during_execution: list[PodAffinityTerm] = []


class Affinity(Block):
    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAntiAffinity | None = None


class Toleration(Block):
    effect: str | None = None
    key: str | None = None
    operator: str | None = None
    toleration_seconds: int | None = None
    value: str | None = None


class TopologySpreadConstraint(Block):
    label_selector: LabelSelector | None = None
    match_label_keys: list[str] = []
    max_skew: int | None = None
    min_domains: int | None = None
    node_affinity_policy: str | None = None
    node_taints_policy: str | None = None
    topology_key: str | None = None
    when_unsatisfiable: str | None = None
