"""Kafka's resources for the people whom Kubernetes' own roles already let in.

Kubernetes adds the rules of every ClusterRole with such a label to its roles view, edit and admin.
"""

from klamm.desired.cluster_operator.access import rule
from klamm.desired.cluster_operator.naming import labels
from klamm.resources.native.access import ClusterRole, PolicyRule
from klamm.resources.native.metadata import ObjectMeta

_RESOURCES = {
    "kafka.strimzi.io": [
        "kafkas",
        "kafkanodepools",
        "kafkaconnects",
        "kafkaconnectors",
        "kafkamirrormakers",
        "kafkamirrormaker2s",
        "kafkabridges",
        "kafkarebalances",
        "kafkatopics",
        "kafkausers",
    ],
    "core.strimzi.io": ["strimzipodsets"],
}
_READ = ["get", "list", "watch"]
_WRITE = ["create", "delete", "patch", "update"]


def aggregate_roles() -> list[ClusterRole]:
    """strimzi-view for everybody who may look, strimzi-admin for those who may change (pod sets are the operator's)."""
    read = [rule(group, names, _READ) for group, names in _RESOURCES.items()]
    write = [rule("kafka.strimzi.io", _RESOURCES["kafka.strimzi.io"], [*_READ, *_WRITE])]
    return [
        _role("strimzi-view", ("view", "edit", "admin"), read),
        _role("strimzi-admin", ("edit", "admin"), write),
    ]


def _role(name: str, joins: tuple[str, ...], rules: list[PolicyRule]) -> ClusterRole:
    aggregation = {f"rbac.authorization.k8s.io/aggregate-to-{role}": "true" for role in joins}
    return ClusterRole(metadata=ObjectMeta(name=name, labels={**labels(), **aggregation}), rules=rules)
