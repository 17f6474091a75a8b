"""Kubernetes' own kinds that klamm reads or writes: where they are in the API, and their types.

All of them in one file: their types cost a process half a megabyte together.
"""

from klamm.kube.kinds import Kind
from klamm.resources.native.access import ClusterRole, ClusterRoleBinding, Role, RoleBinding, ServiceAccount
from klamm.resources.native.cluster import Event, Lease, Namespace, Node
from klamm.resources.native.configuration import ConfigMap, Secret
from klamm.resources.native.network import Ingress, NetworkPolicy
from klamm.resources.native.pod import Pod
from klamm.resources.native.service import Endpoints, EndpointSlice, Service
from klamm.resources.native.volumes import PersistentVolume, PersistentVolumeClaim, StorageClass
from klamm.resources.native.workloads import DaemonSet, Deployment, PodDisruptionBudget, ReplicaSet

_RBAC = "rbac.authorization.k8s.io"

CLUSTER_ROLES = Kind(_RBAC, "v1", "clusterroles", "ClusterRole", ClusterRole, namespaced=False)
CLUSTER_ROLE_BINDINGS = Kind(
    _RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", ClusterRoleBinding, namespaced=False
)
CONFIG_MAPS = Kind("", "v1", "configmaps", "ConfigMap", ConfigMap)
DAEMON_SETS = Kind("apps", "v1", "daemonsets", "DaemonSet", DaemonSet)
DEPLOYMENTS = Kind("apps", "v1", "deployments", "Deployment", Deployment)
ENDPOINTS = Kind("", "v1", "endpoints", "Endpoints", Endpoints)
ENDPOINT_SLICES = Kind("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", EndpointSlice)
EVENTS = Kind("", "v1", "events", "Event", Event)
INGRESSES = Kind("networking.k8s.io", "v1", "ingresses", "Ingress", Ingress)
LEASES = Kind("coordination.k8s.io", "v1", "leases", "Lease", Lease)
NAMESPACES = Kind("", "v1", "namespaces", "Namespace", Namespace, namespaced=False)
NETWORK_POLICIES = Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", NetworkPolicy)
NODES = Kind("", "v1", "nodes", "Node", Node, namespaced=False)
PERSISTENT_VOLUMES = Kind("", "v1", "persistentvolumes", "PersistentVolume", PersistentVolume, namespaced=False)
PERSISTENT_VOLUME_CLAIMS = Kind("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", PersistentVolumeClaim)
POD_DISRUPTION_BUDGETS = Kind("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", PodDisruptionBudget)
PODS = Kind("", "v1", "pods", "Pod", Pod)
REPLICA_SETS = Kind("apps", "v1", "replicasets", "ReplicaSet", ReplicaSet)
ROLES = Kind(_RBAC, "v1", "roles", "Role", Role)
ROLE_BINDINGS = Kind(_RBAC, "v1", "rolebindings", "RoleBinding", RoleBinding)
SECRETS = Kind("", "v1", "secrets", "Secret", Secret)
SERVICES = Kind("", "v1", "services", "Service", Service)
SERVICE_ACCOUNTS = Kind("", "v1", "serviceaccounts", "ServiceAccount", ServiceAccount)
STORAGE_CLASSES = Kind("storage.k8s.io", "v1", "storageclasses", "StorageClass", StorageClass, namespaced=False)
