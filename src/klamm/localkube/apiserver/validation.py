"""What users notice when they write a native object that cannot be: names, required fields, immutable fields, syntax.

Sources: the field documentation of Kubernetes' API reference. Each check yields `Cause`s; none stops the others.
"""

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from klamm.localkube.apiserver import (
    definition_rules,
    network_rules,
    pod_rules,
    policy_rules,
    storage_rules,
    workload_rules,
)
from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.apiserver.metadata_rules import metadata_violations
from klamm.localkube.apiserver.statuses import Cause, forbidden_value, invalid_value, required
from klamm.localkube.apiserver.value_rules import IMMUTABLE
from klamm.localkube.objects import Object

_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")

_KEEPS_STATUS_ON_CREATE = frozenset(["Node", "Namespace"])
_CHANGES_FIRST = frozenset(["ConfigMap", "Secret"])
"""Kinds of which Kubernetes tells first what must not change, then what must not be."""
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
        versions = (obj.get("spec") or {}).get("versions") or ()
        stored = [version["name"] for version in versions if version.get("storage")][:1]
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
    if old is None and kind.resource.kind == "CustomResourceDefinition":
        return causes + list(definition_rules.new_definition(new))
    check = _BY_KIND.get((kind.resource.group, kind.resource.kind))
    compare = _CHANGES.get((kind.resource.group, kind.resource.kind))
    now = list(check(new)) if check is not None else []
    changed = list(compare(new, old)) if compare is not None and old is not None else []
    first, second = (changed, now) if kind.resource.kind in _CHANGES_FIRST else (now, changed)
    return [*causes, *first, *second]


# Configuration


_MOST_DATA = 1024 * 1024
"""Bytes of all values together; keys are not counted."""


def _config_map(obj: Object) -> Iterator[Cause]:
    texts, files = obj.get("data") or {}, obj.get("binaryData") or {}
    yield from _keys("data", texts)
    yield from _keys("binaryData", files)
    for key in sorted(texts.keys() & files.keys()):
        yield invalid_value(f"data[{key}]", key, "duplicate of key present in binaryData")
    # "[]" is how Kubernetes writes the path of the whole object.
    yield from _too_long("[]", sum(len((text or "").encode()) for text in texts.values()) + _decoded(files))


def _keys(part: str, data: Object) -> Iterator[Cause]:
    for key in data:
        if len(key) > 253:
            yield invalid_value(f"{part}[{key}]", key, "must be no more than 253 characters")
        if key in (".", ".."):
            yield invalid_value(f"{part}[{key}]", key, f"must not be '{key}'")
        elif not _CONFIG_KEY.fullmatch(key):
            text = (
                "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
                "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
            )
            yield invalid_value(f"{part}[{key}]", key, text)
        if key.startswith("..") and key != "..":
            yield invalid_value(f"{part}[{key}]", key, "must not start with '..'")


def _decoded(data: Object) -> int:
    """Bytes of what travels as base64."""
    return sum(len(base64.b64decode(value or "")) for value in data.values())


def _too_long(field: str, size: int) -> Iterator[Cause]:
    if size > _MOST_DATA:
        yield Cause("FieldValueTooLong", field, f"Too long: may not be more than {_MOST_DATA} bytes")


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


_SECRET_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
_ACCOUNT_NAME = "kubernetes.io/service-account.name"


def _secret(obj: Object) -> Iterator[Cause]:
    sort, data = obj.get("type", ""), obj.get("data") or {}
    yield from _keys("data", data)
    yield from _too_long("data", _decoded(data))
    for key in _SECRET_KEYS.get(sort, ()):
        if key not in data:
            yield required(f"data[{key}]")
    if sort == "kubernetes.io/basic-auth" and not {"username", "password"} & data.keys():
        yield required("data[username]")
        yield required("data[password]")
    if sort == "kubernetes.io/dockerconfigjson" and ".dockerconfigjson" in data:
        try:
            msgspec.json.decode(base64.b64decode(data[".dockerconfigjson"]))
        except msgspec.DecodeError as error:
            yield invalid_value("data[.dockerconfigjson]", "<secret contents redacted>", str(error))
    if sort == "kubernetes.io/service-account-token" and not (obj["metadata"].get("annotations") or {}).get(
        _ACCOUNT_NAME
    ):
        yield required(f"metadata.annotations[{_ACCOUNT_NAME}]")


Check = Callable[[Object], Iterator[Cause]]
_BY_KIND: dict[tuple[str, str], Check] = {
    ("", "Pod"): pod_rules.pod,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definition_rules.definition,
    ("", "Service"): network_rules.service,
    ("", "ConfigMap"): _config_map,
    ("", "Secret"): _secret,
    ("", "PersistentVolumeClaim"): storage_rules.claim,
    ("", "PersistentVolume"): storage_rules.volume,
    ("", "Event"): policy_rules.event,
    ("apps", "Deployment"): workload_rules.deployment,
    ("apps", "DaemonSet"): workload_rules.workload,
    ("apps", "ReplicaSet"): workload_rules.workload,
    ("apps", "StatefulSet"): workload_rules.stateful_set,
    ("batch", "Job"): workload_rules.job,
    ("batch", "CronJob"): workload_rules.cron_job,
    ("coordination.k8s.io", "Lease"): policy_rules.lease,
    ("discovery.k8s.io", "EndpointSlice"): network_rules.endpoint_slice,
    ("networking.k8s.io", "Ingress"): network_rules.ingress,
    ("networking.k8s.io", "NetworkPolicy"): network_rules.network_policy,
    ("policy", "PodDisruptionBudget"): policy_rules.budget,
    (policy_rules.RBAC, "Role"): policy_rules.role,
    (policy_rules.RBAC, "ClusterRole"): policy_rules.role,
    (policy_rules.RBAC, "RoleBinding"): policy_rules.binding,
    (policy_rules.RBAC, "ClusterRoleBinding"): policy_rules.binding,
    ("scheduling.k8s.io", "PriorityClass"): policy_rules.priority,
    ("storage.k8s.io", "StorageClass"): storage_rules.storage_class,
}
_CHANGES: dict[tuple[str, str], Callable[[Object, Object], Iterator[Cause]]] = {
    ("", "Pod"): pod_rules.pod_change,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definition_rules.definition_change,
    ("", "Service"): network_rules.service_change,
    ("", "ConfigMap"): _keyed_change,
    ("", "Secret"): _secret_change,
    ("", "PersistentVolumeClaim"): storage_rules.claim_change,
    ("apps", "Deployment"): workload_rules.selector_change,
    ("apps", "DaemonSet"): workload_rules.selector_change,
    ("apps", "ReplicaSet"): workload_rules.selector_change,
    ("apps", "StatefulSet"): workload_rules.stateful_set_change,
    ("batch", "Job"): workload_rules.job_change,
    (policy_rules.RBAC, "RoleBinding"): policy_rules.binding_change,
    (policy_rules.RBAC, "ClusterRoleBinding"): policy_rules.binding_change,
    ("scheduling.k8s.io", "PriorityClass"): policy_rules.priority_change,
    ("storage.k8s.io", "StorageClass"): storage_rules.storage_class_change,
}
