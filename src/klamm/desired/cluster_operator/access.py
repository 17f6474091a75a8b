"""What the cluster operator may do, and what it may grant to brokers and entity operators.

Kubernetes lets nobody grant what he does not hold himself, so the operator is bound to the roles that it delegates.
"""

from collections.abc import Sequence

from klamm.desired.cluster_operator.naming import NAME, labels
from klamm.resources.native.access import (
    ClusterRole,
    ClusterRoleBinding,
    PolicyRule,
    RoleBinding,
    RoleRef,
    ServiceAccount,
    Subject,
)
from klamm.resources.native.metadata import ObjectMeta

_READ = ["get", "list", "watch"]
_ALL = [*_READ, "create", "delete", "patch", "update"]
_CUSTOM = [
    "kafkas",
    "kafkanodepools",
    "kafkaconnects",
    "kafkaconnectors",
    "kafkamirrormakers",
    "kafkamirrormaker2s",
    "kafkabridges",
    "kafkarebalances",
]


def service_account(namespace: str) -> ServiceAccount:
    return ServiceAccount(metadata=ObjectMeta(name=NAME, namespace=namespace, labels=labels()))


def cluster_roles() -> list[ClusterRole]:
    """The roles under the names that Strimzi's users and documents know."""
    rules = {
        f"{NAME}-namespaced": _namespaced(),
        f"{NAME}-global": [
            _rule("rbac.authorization.k8s.io", ["clusterrolebindings"], _ALL),
            _rule("storage.k8s.io", ["storageclasses"], _READ),
            _rule("", ["nodes"], _READ),
        ],
        f"{NAME}-watched": _watched(),
        f"{NAME}-leader-election": [
            _rule("coordination.k8s.io", ["leases"], ["create", "get", "list", "watch", "patch", "update"])
        ],
        "strimzi-kafka-broker": [_rule("", ["nodes"], ["get"])],
        "strimzi-kafka-client": [_rule("", ["nodes"], ["get"])],
        "strimzi-entity-operator": entity_operator_rules(),
    }
    return [
        ClusterRole(metadata=ObjectMeta(name=name, labels=labels()), rules=list(of_role))
        for name, of_role in rules.items()
    ]


def entity_operator_rules() -> list[PolicyRule]:
    """What topic and user operator need in the namespace that they watch."""
    resources = ["kafkatopics", "kafkatopics/status", "kafkausers", "kafkausers/status"]
    return [
        _rule("kafka.strimzi.io", resources, _ALL),
        PolicyRule(api_groups=["", "events.k8s.io"], resources=["events"], verbs=["create", "patch"]),
        _rule("", ["secrets"], _ALL),
        # To see that the cluster is going: then finalizers of KafkaTopics are let go.
        _rule("kafka.strimzi.io", ["kafkas"], ["get"]),
        _rule("", ["namespaces"], ["get"]),
    ]


def bindings(namespace: str, watched: Sequence[str]) -> list[ClusterRoleBinding | RoleBinding]:
    """Bind the operator: everywhere when `watched` is empty, else in the namespaces named."""
    everywhere = [
        (NAME, f"{NAME}-global"),
        (f"{NAME}-kafka-broker-delegation", "strimzi-kafka-broker"),
        (f"{NAME}-kafka-client-delegation", "strimzi-kafka-client"),
    ]
    in_namespaces = [
        (f"{NAME}-namespaced", f"{NAME}-namespaced"),
        (f"{NAME}-watched", f"{NAME}-watched"),
        (f"{NAME}-entity-operator-delegation", "strimzi-entity-operator"),
    ]
    bound: list[ClusterRoleBinding | RoleBinding] = [
        _role_binding(f"{NAME}-leader-election", f"{NAME}-leader-election", namespace, namespace)
    ]
    if not watched:
        everywhere += in_namespaces
    bound += [_cluster_role_binding(name, role, namespace) for name, role in everywhere]
    bound += [_role_binding(name, role, place, namespace) for place in watched for name, role in in_namespaces]
    return bound


def _namespaced() -> list[PolicyRule]:
    core = ["serviceaccounts", "configmaps", "services", "secrets", "persistentvolumeclaims", "pods"]
    return [
        _rule("", core, _ALL),
        _rule("", ["endpoints"], _READ),
        _rule("discovery.k8s.io", ["endpointslices"], _READ),
        _rule("apps", ["deployments"], _ALL),
        _rule("policy", ["poddisruptionbudgets"], _ALL),
        _rule("networking.k8s.io", ["networkpolicies", "ingresses"], _ALL),
        _rule("rbac.authorization.k8s.io", ["roles", "rolebindings"], _ALL),
        PolicyRule(api_groups=["", "events.k8s.io"], resources=["events"], verbs=["create", "patch"]),
    ]


def _watched() -> list[PolicyRule]:
    """The custom resources, and the topics and users whose finalizers are let go with their cluster."""
    status = [f"{name}/status" for name in _CUSTOM]
    scale = ["kafkaconnects/scale", "kafkamirrormaker2s/scale", "kafkabridges/scale", "kafkanodepools/scale"]
    return [
        _rule("kafka.strimzi.io", [*_CUSTOM, *status, *scale], [*_READ, "create", "patch", "update", "delete"]),
        _rule("kafka.strimzi.io", ["kafkatopics", "kafkausers"], [*_READ, "patch", "update"]),
        _rule("core.strimzi.io", ["strimzipodsets", "strimzipodsets/status"], _ALL),
        _rule("core.strimzi.io", ["strimzipodsets/finalizers"], ["update"]),
    ]


def _rule(group: str, resources: list[str], verbs: list[str]) -> PolicyRule:
    return PolicyRule(api_groups=[group], resources=resources, verbs=verbs)


def _subject(namespace: str) -> list[Subject]:
    return [Subject(kind="ServiceAccount", name=NAME, namespace=namespace)]


def _cluster_role_binding(name: str, role: str, namespace: str) -> ClusterRoleBinding:
    return ClusterRoleBinding(
        metadata=ObjectMeta(name=name, labels=labels()),
        role_ref=RoleRef(kind="ClusterRole", name=role),
        subjects=_subject(namespace),
    )


def _role_binding(name: str, role: str, place: str, namespace: str) -> RoleBinding:
    return RoleBinding(
        metadata=ObjectMeta(name=name, namespace=place, labels=labels()),
        role_ref=RoleRef(kind="ClusterRole", name=role),
        subjects=_subject(namespace),
    )
