"""The kinds that klamm reads or writes, as the API serves them: a constant each, and the kind of an object."""

from typing import Any

from klamm.kube.kinds import Kind
from klamm.resources.custom.kafka import Kafka
from klamm.resources.custom.pod_set import StrimziPodSet
from klamm.resources.custom.topic import KafkaTopic
from klamm.resources.custom.user import KafkaUser
from klamm.resources.native.access import ClusterRole, ClusterRoleBinding, Role, RoleBinding, ServiceAccount
from klamm.resources.native.cluster import Namespace, Node
from klamm.resources.native.configuration import ConfigMap, Secret
from klamm.resources.native.network import Ingress, NetworkPolicy
from klamm.resources.native.pod import Pod
from klamm.resources.native.service import Service
from klamm.resources.native.volumes import PersistentVolumeClaim, StorageClass
from klamm.resources.native.workloads import Deployment, PodDisruptionBudget
from klamm.resources.structure import Block

_RBAC = "rbac.authorization.k8s.io"

KAFKAS = Kind("kafka.strimzi.io", "v1beta2", "kafkas", "Kafka", Kafka)
KAFKA_TOPICS = Kind("kafka.strimzi.io", "v1beta2", "kafkatopics", "KafkaTopic", KafkaTopic)
KAFKA_USERS = Kind("kafka.strimzi.io", "v1beta2", "kafkausers", "KafkaUser", KafkaUser)
POD_SETS = Kind("core.strimzi.io", "v1beta2", "strimzipodsets", "StrimziPodSet", StrimziPodSet)

NAMESPACES = Kind("", "v1", "namespaces", "Namespace", Namespace, namespaced=False)
NODES = Kind("", "v1", "nodes", "Node", Node, namespaced=False)
PODS = Kind("", "v1", "pods", "Pod", Pod)
SERVICES = Kind("", "v1", "services", "Service", Service)
SECRETS = Kind("", "v1", "secrets", "Secret", Secret)
CONFIG_MAPS = Kind("", "v1", "configmaps", "ConfigMap", ConfigMap)
SERVICE_ACCOUNTS = Kind("", "v1", "serviceaccounts", "ServiceAccount", ServiceAccount)
CLAIMS = Kind("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", PersistentVolumeClaim)
DEPLOYMENTS = Kind("apps", "v1", "deployments", "Deployment", Deployment)
NETWORK_POLICIES = Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", NetworkPolicy)
INGRESSES = Kind("networking.k8s.io", "v1", "ingresses", "Ingress", Ingress)
BUDGETS = Kind("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", PodDisruptionBudget)
ROLES = Kind(_RBAC, "v1", "roles", "Role", Role)
ROLE_BINDINGS = Kind(_RBAC, "v1", "rolebindings", "RoleBinding", RoleBinding)
CLUSTER_ROLES = Kind(_RBAC, "v1", "clusterroles", "ClusterRole", ClusterRole, namespaced=False)
CLUSTER_ROLE_BINDINGS = Kind(_RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", ClusterRoleBinding, False)
STORAGE_CLASSES = Kind("storage.k8s.io", "v1", "storageclasses", "StorageClass", StorageClass, namespaced=False)

_BY_TYPE: dict[type, Kind[Any]] = {
    kind.type_: kind
    for kind in (
        KAFKAS,
        KAFKA_TOPICS,
        KAFKA_USERS,
        POD_SETS,
        NAMESPACES,
        NODES,
        PODS,
        SERVICES,
        SECRETS,
        CONFIG_MAPS,
        SERVICE_ACCOUNTS,
        CLAIMS,
        DEPLOYMENTS,
        NETWORK_POLICIES,
        INGRESSES,
        BUDGETS,
        ROLES,
        ROLE_BINDINGS,
        CLUSTER_ROLES,
        CLUSTER_ROLE_BINDINGS,
        STORAGE_CLASSES,
    )
}


def kind_of(block: Block) -> Kind[Any]:
    """The kind of a typed object. Raises KeyError for a type that is not in this catalogue."""
    return _BY_TYPE[type(block)]
