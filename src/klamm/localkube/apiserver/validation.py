"""What users notice when they write a native object that cannot be: names, required fields, immutable fields, syntax.

Sources: the field documentation of Kubernetes' API reference. Each check yields `Cause`s; none stops the others.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from klamm.localkube.apiserver import workload_rules
from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.apiserver.metadata_rules import label_violations, metadata_violations
from klamm.localkube.apiserver.statuses import Cause, duplicate, forbidden_value, invalid_value, required
from klamm.localkube.apiserver.value_rules import IMMUTABLE, one_of, port_number, quantities, unique_name
from klamm.localkube.objects import Object

_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")

_KEEPS_STATUS_ON_CREATE = frozenset(["Node", "Namespace"])
_NEEDS_VERSION = frozenset(["CustomResourceDefinition", "PodDisruptionBudget", "Lease"])


def needs_version(kind: Kind) -> bool:
    """PUT without resourceVersion is refused."""
    return kind.custom or kind.resource.kind in _NEEDS_VERSION


def reset_status(kind: Kind, obj: Object) -> None:
    """A new object has no status of its own making."""
    if not kind.has_status or kind.resource.kind in _KEEPS_STATUS_ON_CREATE:
        return
    if kind.custom:
        obj.pop("status", None)
    elif kind.resource.kind == "CustomResourceDefinition":
        stored = [
            version["name"] for version in (obj.get("spec") or {}).get("versions") or () if version.get("storage")
        ]
        obj["status"] = {"conditions": None, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": stored}
    elif kind.resource.kind == "Service":
        obj["status"] = {"loadBalancer": {}}
    elif kind.resource.kind in ("PersistentVolume", "PersistentVolumeClaim"):
        obj["status"] = {"phase": "Pending"}
    elif "status" in obj:
        obj["status"] = _empty_status(kind)


_REQUIRED_STATUS: dict[str, dict[str, Any]] = {
    "DaemonSet": dict.fromkeys(
        ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"), 0
    ),
    "ReplicaSet": {"replicas": 0},
    "StatefulSet": {"replicas": 0, "availableReplicas": 0},
    "PodDisruptionBudget": dict.fromkeys(("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"), 0),
    "Ingress": {"loadBalancer": {}},
}


def _empty_status(kind: Kind) -> dict[str, Any]:
    return dict(_REQUIRED_STATUS.get(kind.resource.kind, {}))


def violations(kind: Kind, new: Object, old: Object | None) -> list[Cause]:
    causes = list(metadata_violations(kind, new, old))
    if old is not None:
        compare = _CHANGES.get((kind.resource.group, kind.resource.kind))
        if compare is not None:
            causes += compare(new, old)
    check = _BY_KIND.get((kind.resource.group, kind.resource.kind))
    if check is not None:
        causes += check(new)
    return causes


def _service(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    yield from one_of(spec, "type", ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"), "spec")
    yield from one_of(spec, "sessionAffinity", ("ClientIP", "None"), "spec")
    ports = spec.get("ports") or []
    headless = spec.get("clusterIP") == "None"
    if spec.get("type") == "ExternalName":
        if not spec.get("externalName"):
            yield required("spec.externalName")
    elif not ports and not headless:
        yield required("spec.ports")
    if headless and spec.get("type") in ("NodePort", "LoadBalancer"):
        yield invalid_value("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {spec['type']} services")
    names: set[str] = set()
    keys: set[tuple[Any, Any]] = set()
    for index, port in enumerate(ports):
        yield from _service_port(port, f"spec.ports[{index}]", len(ports) > 1, names, keys)
    yield from label_violations(spec.get("selector") or {}, "spec.selector")


def _service_port(
    port: dict[str, Any], at: str, needs_name: bool, names: set[str], keys: set[tuple[Any, Any]]
) -> Iterator[Cause]:
    name = port.get("name", "")
    if needs_name or name:
        yield from unique_name(name, at, names)
    yield from port_number(port.get("port"), f"{at}.port")
    yield from one_of(port, "protocol", ("SCTP", "TCP", "UDP"), at)
    if isinstance(port.get("targetPort"), int):
        yield from port_number(port["targetPort"], f"{at}.targetPort")
    key = (port.get("port"), port.get("protocol"))
    if key in keys:
        yield duplicate(at, {"port": port.get("port"), "protocol": port.get("protocol")})
    keys.add(key)


def _service_change(new: Object, old: Object) -> Iterator[Cause]:
    if "ExternalName" in (new["spec"].get("type"), old["spec"].get("type")):
        return
    before, after = old["spec"].get("clusterIP"), new["spec"].get("clusterIP")
    if before and after != before:
        yield invalid_value("spec.clusterIPs[0]", [after], "may not change once set")


# Configuration, storage, policy


def _keyed_data(obj: Object) -> Iterator[Cause]:
    size = 0
    for part in ("data", "binaryData"):
        for key, value in (obj.get(part) or {}).items():
            size += len(value)
            if not _CONFIG_KEY.fullmatch(key) or key in (".", ".."):
                text = (
                    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
                    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
                )
                yield invalid_value(f"{part}[{key}]", key, text)
            if key.startswith("..") and key != "..":
                yield invalid_value(f"{part}[{key}]", key, "must not start with '..'")
    for key in sorted((obj.get("data") or {}).keys() & (obj.get("binaryData") or {}).keys()):
        yield invalid_value(f"data[{key}]", key, "duplicate of key present in binaryData")
    if size > 1024 * 1024 * 1.4:
        yield Cause("FieldValueTooLong", "data", "Too long: may not be more than 1048576 bytes")


def _keyed_change(new: Object, old: Object) -> Iterator[Cause]:
    if not old.get("immutable"):
        return
    for part in ("data", "binaryData"):
        if new.get(part) != old.get(part):
            yield forbidden_value(part, "field is immutable when `immutable` is set")
    if not new.get("immutable"):
        yield forbidden_value("immutable", "field is immutable when `immutable` is set")


def _secret_change(new: Object, old: Object) -> Iterator[Cause]:
    if new.get("type") != old.get("type"):
        yield invalid_value("type", new.get("type"), IMMUTABLE)
    yield from _keyed_change(new, old)


def _secret(obj: Object) -> Iterator[Cause]:
    yield from _keyed_data(obj)
    wanted = {
        "kubernetes.io/tls": ("tls.crt", "tls.key"),
        "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    }.get(obj.get("type", ""), ())
    for key in wanted:
        if key not in (obj.get("data") or {}):
            yield required(f"data[{key}]")


def _claim(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    if not spec.get("accessModes"):
        yield required("spec.accessModes", "at least 1 access mode is required")
    requested = (spec.get("resources") or {}).get("requests") or {}
    if "storage" not in requested:
        yield required("spec.resources[storage]")
    yield from quantities(spec.get("resources") or {}, "spec.resources")


def _claim_change(new: Object, old: Object) -> Iterator[Cause]:
    free = {"volumeName": None, "volumeAttributesClassName": None}
    if (old.get("status") or {}).get("phase") == "Bound":
        free["resources"] = None
    fixed = [{**each["spec"], **free} for each in (new, old)]
    if old["spec"].get("storageClassName") is None:
        fixed = [{**each, "storageClassName": None} for each in fixed]
    if fixed[0] != fixed[1] or (
        old["spec"].get("volumeName") and new["spec"].get("volumeName") != old["spec"]["volumeName"]
    ):
        text = (
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
        )
        yield forbidden_value("spec", text)


def _budget(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        yield invalid_value("spec", spec, "minAvailable and maxUnavailable cannot be both set")


def _binding_change(new: Object, old: Object) -> Iterator[Cause]:
    if new.get("roleRef") != old.get("roleRef"):
        yield invalid_value("roleRef", new.get("roleRef"), "cannot change roleRef")


def _storage_class_change(new: Object, old: Object) -> Iterator[Cause]:
    for name in ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"):
        if new.get(name) != old.get(name):
            yield forbidden_value(name, f"updates to {name} are forbidden.")


Check = Callable[[Object], Iterator[Cause]]
_BY_KIND: dict[tuple[str, str], Check] = {
    ("", "Pod"): workload_rules.pod,
    ("", "Service"): _service,
    ("", "ConfigMap"): _keyed_data,
    ("", "Secret"): _secret,
    ("", "PersistentVolumeClaim"): _claim,
    ("apps", "Deployment"): workload_rules.workload,
    ("apps", "DaemonSet"): workload_rules.workload,
    ("apps", "ReplicaSet"): workload_rules.workload,
    ("apps", "StatefulSet"): workload_rules.workload,
    ("batch", "Job"): workload_rules.job,
    ("policy", "PodDisruptionBudget"): _budget,
}
_CHANGES: dict[tuple[str, str], Callable[[Object, Object], Iterator[Cause]]] = {
    ("", "Pod"): workload_rules.pod_change,
    ("", "Service"): _service_change,
    ("", "ConfigMap"): _keyed_change,
    ("", "Secret"): _secret_change,
    ("", "PersistentVolumeClaim"): _claim_change,
    ("apps", "Deployment"): workload_rules.selector_change,
    ("apps", "DaemonSet"): workload_rules.selector_change,
    ("apps", "ReplicaSet"): workload_rules.selector_change,
    ("apps", "StatefulSet"): workload_rules.stateful_set_change,
    ("rbac.authorization.k8s.io", "RoleBinding"): _binding_change,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _binding_change,
    ("storage.k8s.io", "StorageClass"): _storage_class_change,
}
