"""Columns and cells that `kubectl get` prints for native kinds, as Kubernetes' own printers make them."""

from collections.abc import Callable
from typing import Any

from klamm.localkube.apiserver.cell_texts import Now, age_of, name_of
from klamm.localkube.apiserver.cluster_cells import (
    account_cells,
    binding_cells,
    budget_cells,
    claim_cells,
    class_cells,
    config_map_cells,
    definition_cells,
    endpoints_cells,
    event_cells,
    ingress_cells,
    ingress_class_cells,
    lease_cells,
    namespace_cells,
    node_cells,
    policy_cells,
    priority_cells,
    quota_cells,
    role_cells,
    secret_cells,
    service_cells,
    slice_cells,
    volume_cells,
)
from klamm.localkube.apiserver.kinds import Column
from klamm.localkube.apiserver.workload_cells import (
    cron_job_cells,
    daemon_set_cells,
    deployment_cells,
    job_cells,
    pod_cells,
    replica_set_cells,
    stateful_set_cells,
)
from klamm.localkube.objects import Object

Cells = Callable[[Object, Now], list[Any]]


_SORTS = {"#": "integer", "@": "date", "?": "boolean"}


def _columns(text: str) -> tuple[Column, ...]:
    """ "Name Ready Node+" → columns: "+" is for `-o wide`, "#" a number, "@" a date, "?" a boolean, "_" a blank."""
    made = []
    for word in text.split():
        wide = word.endswith("+")
        sort = _SORTS.get(word.rstrip("+")[-1], "string")
        name = word.rstrip("+#@?").replace("_", " ")
        form = "name" if name == "Name" else ""
        made.append(Column(name, sort, priority=int(wide), format=form))
    return tuple(made)


_TEMPLATE = "Containers+ Images+ Selector+"
_NATIVE: dict[str, tuple[tuple[Column, ...], Cells]] = {
    key: (_columns(columns), cells)
    for key, columns, cells in (
        ("/pods", "Name Ready Status Restarts Age IP+ Node+ Nominated_Node+ Readiness_Gates+", pod_cells),
        (
            "/nodes",
            "Name Status Roles Age Version Internal-IP+ External-IP+ OS-Image+ Kernel-Version+ Container-Runtime+",
            node_cells,
        ),
        ("/namespaces", "Name Status Age", namespace_cells),
        ("/services", "Name Type Cluster-IP External-IP Port(s) Age Selector+", service_cells),
        ("/endpoints", "Name Endpoints Age", endpoints_cells),
        ("discovery.k8s.io/endpointslices", "Name AddressType Ports Endpoints Age", slice_cells),
        ("apps/deployments", f"Name Ready Up-to-date Available Age {_TEMPLATE}", deployment_cells),
        ("apps/replicasets", f"Name Desired# Current# Ready# Age {_TEMPLATE}", replica_set_cells),
        (
            "apps/daemonsets",
            f"Name Desired# Current# Ready# Up-to-date# Available# Node_Selector Age {_TEMPLATE}",
            daemon_set_cells,
        ),
        ("apps/statefulsets", "Name Ready Age Containers+ Images+", stateful_set_cells),
        ("batch/jobs", f"Name Status Completions Duration Age {_TEMPLATE}", job_cells),
        (
            "batch/cronjobs",
            f"Name Schedule Timezone Suspend? Active# Last_Schedule Age {_TEMPLATE}",
            cron_job_cells,
        ),
        ("/configmaps", "Name Data Age", config_map_cells),
        ("/secrets", "Name Type Data Age", secret_cells),
        ("/serviceaccounts", "Name Secrets Age", account_cells),
        (
            "/persistentvolumeclaims",
            "Name Status Volume Capacity Access_Modes StorageClass VolumeAttributesClass Age VolumeMode+",
            claim_cells,
        ),
        (
            "/persistentvolumes",
            "Name Capacity Access_Modes Reclaim_Policy Status Claim StorageClass VolumeAttributesClass Reason Age "
            "VolumeMode+",
            volume_cells,
        ),
        (
            "storage.k8s.io/storageclasses",
            "Name Provisioner ReclaimPolicy VolumeBindingMode AllowVolumeExpansion Age",
            class_cells,
        ),
        ("networking.k8s.io/networkpolicies", "Name Pod-Selector Age", policy_cells),
        ("networking.k8s.io/ingresses", "Name Class Hosts Address Ports Age", ingress_cells),
        ("networking.k8s.io/ingressclasses", "Name Controller Parameters Age", ingress_class_cells),
        ("policy/poddisruptionbudgets", "Name Min_Available Max_Unavailable Allowed_Disruptions# Age", budget_cells),
        ("rbac.authorization.k8s.io/roles", "Name Created_At@", role_cells),
        ("rbac.authorization.k8s.io/clusterroles", "Name Created_At@", role_cells),
        (
            "rbac.authorization.k8s.io/rolebindings",
            "Name Role Age Users+ Groups+ ServiceAccounts+",
            binding_cells,
        ),
        (
            "rbac.authorization.k8s.io/clusterrolebindings",
            "Name Role Age Users+ Groups+ ServiceAccounts+",
            binding_cells,
        ),
        ("apiextensions.k8s.io/customresourcedefinitions", "Name Created_At@", definition_cells),
        ("coordination.k8s.io/leases", "Name Holder Age", lease_cells),
        ("scheduling.k8s.io/priorityclasses", "Name Value# Global-Default? Age PreemptionPolicy", priority_cells),
        ("/limitranges", "Name Created_At@", role_cells),
        ("/resourcequotas", "Name Request Limit Age", quota_cells),
        (
            "/events",
            "Last_Seen Type Reason Object Subobject+ Source+ Message First_Seen+ Count+ Name+",
            event_cells,
        ),
    )
}
_PLAIN: tuple[tuple[Column, ...], Cells] = (_columns("Name Age"), lambda obj, now: [name_of(obj), age_of(obj, now)])


def native(storage_key: str) -> tuple[tuple[Column, ...], Cells]:
    return _NATIVE.get(storage_key, _PLAIN)
