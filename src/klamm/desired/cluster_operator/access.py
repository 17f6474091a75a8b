"""What the cluster operator may do, and what it may grant to brokers and entity operators.

Each right is used: tests/rights plays everything that operators do with these roles on a real API server, and reads
its audit log. What is missing fails there, and what nobody needs does too. Most objects are applied (`patch`, and
`create` for those that are not there yet), so nothing but a Lease is ever updated.

Kubernetes lets nobody grant what he does not hold himself, so the operator is bound to the roles that it delegates.
Where it needs such a right itself, one of its own roles says so as well.
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

_RBAC = "rbac.authorization.k8s.io"
_APPLY = ["create", "patch"]
_FOLLOW = ["list", "watch"]


def service_account(namespace: str) -> ServiceAccount:
    return ServiceAccount(metadata=ObjectMeta(name=NAME, namespace=namespace, labels=labels()))


def cluster_roles() -> list[ClusterRole]:
    """The roles under the names that Strimzi's users and documents know."""
    rules = {
        f"{NAME}-namespaced": _namespaced(),
        f"{NAME}-global": [
            # Lets brokers' init containers read their Node; without rack awareness and node ports it is not needed.
            # Listed once at the start: those of clusters that went while no operator ran.
            rule(_RBAC, ["clusterrolebindings"], ["list", *_APPLY, "delete"]),
            # Whether a claim that is to grow can; where a node port is reached.
            rule("storage.k8s.io", ["storageclasses"], ["get"]),
            rule("", ["nodes"], ["get"]),
        ],
        f"{NAME}-watched": _watched(),
        f"{NAME}-leader-election": [
            rule("coordination.k8s.io", ["leases"], ["create"]),
            rule("coordination.k8s.io", ["leases"], ["get", *_FOLLOW, "update"], names=[NAME]),
        ],
        "strimzi-kafka-broker": [rule("", ["nodes"], ["get"])],
        "strimzi-entity-operator": entity_operator_rules(),
    }
    return [
        ClusterRole(metadata=ObjectMeta(name=name, labels=labels()), rules=list(of_role))
        for name, of_role in rules.items()
    ]


def entity_operator_rules() -> list[PolicyRule]:
    """What topic and user operator need in the namespace that they watch."""
    return [
        # Finalizers that Strimzi's topic operator put on are taken off.
        rule("kafka.strimzi.io", ["kafkatopics"], ["get", *_FOLLOW, "patch"]),
        rule("kafka.strimzi.io", ["kafkausers"], ["get", *_FOLLOW]),
        rule("kafka.strimzi.io", ["kafkatopics/status", "kafkausers/status"], ["patch"]),
        rule("", ["secrets"], ["get", *_FOLLOW, *_APPLY, "delete"]),
        # To see that the cluster is going: then topics are not deleted one by one.
        rule("kafka.strimzi.io", ["kafkas"], ["get"]),
        rule("", ["namespaces"], ["get"]),
    ]


def bindings(namespace: str, watched: Sequence[str]) -> list[ClusterRoleBinding | RoleBinding]:
    """Bind the operator: everywhere when `watched` is empty, else in the namespaces named."""
    everywhere = [
        (NAME, f"{NAME}-global"),
        (f"{NAME}-kafka-broker-delegation", "strimzi-kafka-broker"),
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
    """What clusters are made of."""
    return [
        # get: what a Kafka resource refers to (logging, metrics, certificates of listeners).
        rule("", ["configmaps", "secrets"], ["get", "list", *_APPLY, "delete"]),
        # What it refers to is looked at when it changes.
        rule("", ["configmaps"], ["watch"]),
        rule("", ["services", "persistentvolumeclaims"], ["list", *_APPLY, "delete"]),
        rule("", ["pods"], [*_FOLLOW, *_APPLY, "delete"]),
        rule("", ["serviceaccounts"], [*_APPLY, "delete"]),
        rule("", ["events"], _APPLY),
        # Owner of what is cluster-wide: it goes with its cluster's namespace.
        rule("", ["namespaces"], ["get"]),
        rule("apps", ["deployments"], [*_FOLLOW, *_APPLY, "delete"]),
        rule("policy", ["poddisruptionbudgets"], [*_APPLY, "delete"]),
        rule("networking.k8s.io", ["networkpolicies"], [*_APPLY, "delete"]),
        rule("networking.k8s.io", ["ingresses"], ["list", *_APPLY, "delete"]),
        rule(_RBAC, ["roles", "rolebindings"], [*_APPLY, "delete"]),
    ]


def _watched() -> list[PolicyRule]:
    """The custom resources."""
    return [
        rule("kafka.strimzi.io", ["kafkas"], ["get", *_FOLLOW]),
        rule("kafka.strimzi.io", ["kafkas/status"], ["patch"]),
        rule("core.strimzi.io", ["strimzipodsets"], [*_FOLLOW, *_APPLY]),
        rule("core.strimzi.io", ["strimzipodsets/status"], ["patch"]),
    ]


def rule(group: str, resources: list[str], verbs: list[str], names: Sequence[str] = ()) -> PolicyRule:
    return PolicyRule(api_groups=[group], resources=resources, verbs=verbs, resource_names=list(names))


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
