"""The brokers' account, and what their init container may read."""

from klamm.desired.kafka.cluster import KafkaCluster
from klamm.desired.ownership import owner_reference
from klamm.desired.templates import metadata
from klamm.resources.native.access import ClusterRoleBinding, RoleRef, ServiceAccount, Subject
from klamm.resources.native.metadata import ObjectMeta


def service_account(cluster: KafkaCluster) -> ServiceAccount:
    template = cluster.template.service_account
    return ServiceAccount(
        metadata=metadata(cluster.component, cluster.kafka, cluster.namespace, cluster.owner, template)
    )


def init_binding_name(namespace: str, cluster: str) -> str:
    """Known without the resource, since the operator must delete the binding itself when the resource is gone."""
    return f"strimzi-{namespace}-{cluster}-kafka-init"


def init_binding(cluster: KafkaCluster, namespace: ObjectMeta | None = None) -> ClusterRoleBinding | None:
    """Lets pods read their Node; None when they need not.

    Cluster-wide, so the Kafka resource cannot own it. Its `namespace` can: then it goes also with a namespace whose
    operator went before.
    """
    if not cluster.needs_init:
        return None
    name = init_binding_name(cluster.namespace, cluster.name)
    owner = owner_reference("v1", "Namespace", namespace) if namespace else None
    place = metadata(cluster.component, name, cluster.namespace, owner, cluster.template.cluster_role_binding)
    place.namespace = None
    return ClusterRoleBinding(
        metadata=place,
        role_ref=RoleRef(kind="ClusterRole", name="strimzi-kafka-broker"),
        subjects=[Subject(kind="ServiceAccount", name=cluster.kafka, namespace=cluster.namespace)],
    )
