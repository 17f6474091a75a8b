"""The labels by which klamm's objects are found, and by which they find one another.

The keys and values are an interface: selectors of Services, NetworkPolicies, PodMonitors and people's scripts rely on
them (Strimzi behaviour). `strimzi.io/*` says which cluster and component an object belongs to, `app.kubernetes.io/*`
says the same in Kubernetes' recommended words.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

DOMAIN = "strimzi.io/"
CLUSTER = "strimzi.io/cluster"
NAME = "strimzi.io/name"
KIND = "strimzi.io/kind"
COMPONENT_TYPE = "strimzi.io/component-type"
POOL_NAME = "strimzi.io/pool-name"
POD_NAME = "strimzi.io/pod-name"
CONTROLLER = "strimzi.io/controller"
CONTROLLER_NAME = "strimzi.io/controller-name"
BROKER_ROLE = "strimzi.io/broker-role"
CONTROLLER_ROLE = "strimzi.io/controller-role"
DISCOVERY = "strimzi.io/discovery"
PART_OF = "app.kubernetes.io/part-of"
STATEFUL_SET_POD_NAME = "statefulset.kubernetes.io/pod-name"

# Labels that tools put on the resource for themselves; copied onto children they would break those tools' pruning.
_NOT_INHERITED = re.compile(r"^app\.kubernetes\.io/(?!part-of).*|^kustomize\.toolkit\.fluxcd\.io.*")
_VALUE_LENGTH = 63


@dataclass(frozen=True, slots=True)
class Component:
    """A part of one cluster whose objects share labels, e.g. `my-cluster-kafka` of type `kafka`.

    `pool` is the node pool's name on objects of single nodes (StrimziPodSet, pods, their ConfigMaps, Services and
    claims), also without node pools: a Kafka resource's brokers count as a pool named `kafka`. Objects of the whole
    cluster have none, so that they select all pools. `inherited` holds the resource's own labels.
    """

    cluster: str
    name: str
    type: str
    kind: str = "Kafka"
    pool: str | None = None
    inherited: Mapping[str, str] = field(default_factory=dict)

    def labels(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """All labels of an object of this component; `extra` may add but not replace them."""
        own = {
            **self.selector(),
            COMPONENT_TYPE: self.type,
            "app.kubernetes.io/name": self.type,
            "app.kubernetes.io/instance": label_value(self.cluster),
            PART_OF: label_value(f"strimzi-{self.cluster}"),
            "app.kubernetes.io/managed-by": "strimzi-cluster-operator",
        }
        inherited = inherited_labels(self.inherited)
        if PART_OF in inherited:
            own[PART_OF] = inherited[PART_OF]  # the cluster may be a part of something larger
        return inherited | dict(extra or {}) | own

    def selector(self) -> dict[str, str]:
        """What picks this component's pods."""
        picked = {CLUSTER: self.cluster, KIND: self.kind, NAME: self.name}
        return picked | ({POOL_NAME: self.pool} if self.pool else {})


def inherited_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels of a resource that its children carry too."""
    return {
        key: value
        for key, value in labels.items()
        if not _NOT_INHERITED.match(key) and (not key.startswith(DOMAIN) or key.startswith(CLUSTER))
    }


def label_value(text: str) -> str:
    """Cut `text` to what a label's value may be: 63 characters, not ending with a separator."""
    return text[:_VALUE_LENGTH].rstrip(".-_")
