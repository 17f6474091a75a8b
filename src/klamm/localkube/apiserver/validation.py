"""What users notice when they write a native object that cannot be: names, required fields, immutable fields, syntax.

Sources: the field documentation of Kubernetes' API reference. Each check yields `Cause`s; none stops the others.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.apiserver.metadata_rules import LABEL, LABEL_RULE, label_violations, metadata_violations
from klamm.localkube.apiserver.statuses import Cause, duplicate, forbidden_value, invalid_value, required, unsupported
from klamm.localkube.objects import Object

_QUANTITY = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_IMMUTABLE = "field is immutable"

_KEEPS_STATUS_ON_CREATE = frozenset(["Node", "Namespace", "CustomResourceDefinition"])
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
    check = _BY_KIND.get((kind.resource.group, kind.resource.kind))
    if check is not None:
        causes += check(new)
    if old is not None:
        compare = _CHANGES.get((kind.resource.group, kind.resource.kind))
        if compare is not None:
            causes += compare(new, old)
    return causes


# Pods and what holds pod templates


def _pod(obj: Object) -> Iterator[Cause]:
    yield from _pod_spec(obj.get("spec") or {}, "spec")


def _pod_spec(spec: dict[str, Any], at: str) -> Iterator[Cause]:
    containers = spec.get("containers") or []
    if not containers:
        yield required(f"{at}.containers")
    names: set[str] = set()
    volumes = {volume.get("name") for volume in spec.get("volumes") or ()}
    for sort in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(sort) or ()):
            yield from _container(container, f"{at}.{sort}[{index}]", names, volumes)
    seen: set[str] = set()
    for index, volume in enumerate(spec.get("volumes") or ()):
        yield from _volume(volume, f"{at}.volumes[{index}]", seen)
    yield from _one_of(spec, "restartPolicy", ("Always", "OnFailure", "Never"), at)
    yield from _one_of(spec, "dnsPolicy", ("Default", "ClusterFirst", "ClusterFirstWithHostNet", "None"), at)


def _one_of(spec: dict[str, Any], name: str, allowed: tuple[str, ...], at: str) -> Iterator[Cause]:
    if spec.get(name) is not None and spec[name] not in allowed:
        yield unsupported(f"{at}.{name}", spec[name], sorted(allowed))


def _container(container: dict[str, Any], at: str, names: set[str], volumes: set[Any]) -> Iterator[Cause]:
    name = container.get("name", "")
    if not name:
        yield required(f"{at}.name")
    elif not LABEL.fullmatch(name):
        yield invalid_value(f"{at}.name", name, LABEL_RULE)
    elif name in names:
        yield duplicate(f"{at}.name", name)
    names.add(name)
    if not container.get("image"):
        yield required(f"{at}.image")
    yield from _one_of(container, "imagePullPolicy", ("Always", "IfNotPresent", "Never"), at)
    for index, port in enumerate(container.get("ports") or ()):
        yield from _port(port.get("containerPort"), f"{at}.ports[{index}].containerPort")
        yield from _one_of(port, "protocol", ("TCP", "UDP", "SCTP"), f"{at}.ports[{index}]")
    for index, variable in enumerate(container.get("env") or ()):
        if not variable.get("name"):
            yield required(f"{at}.env[{index}].name")
        if variable.get("value") and variable.get("valueFrom"):
            text = "may not be specified when `value` is not empty"
            yield invalid_value(f"{at}.env[{index}].valueFrom", "", text)
    yield from _mounts(container, at, volumes)
    yield from _resources(container.get("resources") or {}, f"{at}.resources")


def _mounts(container: dict[str, Any], at: str, volumes: set[Any]) -> Iterator[Cause]:
    paths: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        place = f"{at}.volumeMounts[{index}]"
        if not mount.get("mountPath"):
            yield required(f"{place}.mountPath")
        elif mount["mountPath"] in paths:
            yield invalid_value(f"{place}.mountPath", mount["mountPath"], "must be unique")
        paths.add(mount.get("mountPath", ""))
        if mount.get("name") not in volumes:
            name = mount.get("name", "")
            yield Cause("FieldValueNotFound", f"{place}.name", f'Not found: "{name}"')


def _resources(resources: dict[str, Any], at: str) -> Iterator[Cause]:
    for sort in ("limits", "requests"):
        for name, quantity in (resources.get(sort) or {}).items():
            if not is_quantity(quantity):
                yield invalid_value(f"{at}.{sort}[{name}]", quantity, QUANTITY_RULE)


QUANTITY_RULE = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def is_quantity(value: Any) -> bool:
    return bool(_QUANTITY.fullmatch(str(value)))


def _port(value: Any, at: str) -> Iterator[Cause]:
    if value is None:
        yield required(at)
    elif isinstance(value, int) and not 1 <= value <= 65535:
        yield invalid_value(at, value, "must be between 1 and 65535, inclusive")


def _volume(volume: dict[str, Any], at: str, seen: set[str]) -> Iterator[Cause]:
    name = volume.get("name", "")
    if not name:
        yield required(f"{at}.name")
    elif not LABEL.fullmatch(name):
        yield invalid_value(f"{at}.name", name, LABEL_RULE)
    elif name in seen:
        yield duplicate(f"{at}.name", name)
    seen.add(name)
    sources = [each for each in volume if each != "name"]
    if len(sources) > 1:
        yield forbidden_value(f"{at}.{sources[1]}", "may not specify more than 1 volume type")


def _pod_change(new: Object, old: Object) -> Iterator[Cause]:
    """Of a pod's spec little may change: images, activeDeadlineSeconds, more tolerations, and the binding once."""
    if _fixed_part(new["spec"]) != _fixed_part(old["spec"]):
        text = (
            "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
            "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
            "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
        )
        yield forbidden_value("spec", text)


def _fixed_part(spec: dict[str, Any]) -> dict[str, Any]:
    fixed = {name: value for name, value in spec.items() if name not in ("activeDeadlineSeconds", "tolerations")}
    for sort in ("containers", "initContainers"):
        if sort in fixed:
            fixed[sort] = [{**each, "image": None} for each in fixed[sort]]
    return {name: value for name, value in fixed.items() if name != "nodeName"}


def _workload(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    selector = spec.get("selector")
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not selector:
        yield required("spec.selector")
    elif any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        yield invalid_value("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    if (spec.get("replicas") or 0) < 0:
        yield invalid_value("spec.replicas", spec["replicas"], "must be greater than or equal to 0")
    yield from _pod_spec(template.get("spec") or {}, "spec.template.spec")
    policy = (template.get("spec") or {}).get("restartPolicy")
    if policy not in (None, "Always"):
        yield unsupported("spec.template.spec.restartPolicy", policy, ["Always"])


def _job(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    template = (spec.get("template") or {}).get("spec") or {}
    yield from _pod_spec(template, "spec.template.spec")
    if template.get("restartPolicy", "Always") == "Always":
        field = "spec.template.spec.restartPolicy"
        yield required(field, 'valid values: "OnFailure", "Never"')


def _selector_change(new: Object, old: Object) -> Iterator[Cause]:
    if new["spec"].get("selector") != old["spec"].get("selector"):
        yield invalid_value("spec.selector", new["spec"].get("selector"), _IMMUTABLE)


def _stateful_set_change(new: Object, old: Object) -> Iterator[Cause]:
    free = [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ]
    fixed = [{name: value for name, value in each["spec"].items() if name not in free} for each in (new, old)]
    if fixed[0] != fixed[1]:
        names = ", ".join(f"'{name}'" for name in free[:-1])
        yield forbidden_value(
            "spec", f"updates to statefulset spec for fields other than {names} and '{free[-1]}' are forbidden"
        )


# Services and network


def _service(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    yield from _one_of(spec, "type", ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"), "spec")
    yield from _one_of(spec, "sessionAffinity", ("ClientIP", "None"), "spec")
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
    if needs_name and not name:
        yield required(f"{at}.name")
    elif name and not LABEL.fullmatch(name):
        yield invalid_value(f"{at}.name", name, LABEL_RULE)
    elif name and name in names:
        yield duplicate(f"{at}.name", name)
    names.add(name)
    yield from _port(port.get("port"), f"{at}.port")
    yield from _one_of(port, "protocol", ("SCTP", "TCP", "UDP"), at)
    if isinstance(port.get("targetPort"), int):
        yield from _port(port["targetPort"], f"{at}.targetPort")
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
        yield invalid_value("type", new.get("type"), _IMMUTABLE)
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
    yield from _resources(spec.get("resources") or {}, "spec.resources")


def _claim_change(new: Object, old: Object) -> Iterator[Cause]:
    fixed = [
        {**each["spec"], "resources": None, "volumeName": None, "volumeAttributesClassName": None}
        for each in (new, old)
    ]
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
    ("", "Pod"): _pod,
    ("", "Service"): _service,
    ("", "ConfigMap"): _keyed_data,
    ("", "Secret"): _secret,
    ("", "PersistentVolumeClaim"): _claim,
    ("apps", "Deployment"): _workload,
    ("apps", "DaemonSet"): _workload,
    ("apps", "ReplicaSet"): _workload,
    ("apps", "StatefulSet"): _workload,
    ("batch", "Job"): _job,
    ("policy", "PodDisruptionBudget"): _budget,
}
_CHANGES: dict[tuple[str, str], Callable[[Object, Object], Iterator[Cause]]] = {
    ("", "Pod"): _pod_change,
    ("", "Service"): _service_change,
    ("", "ConfigMap"): _keyed_change,
    ("", "Secret"): _secret_change,
    ("", "PersistentVolumeClaim"): _claim_change,
    ("apps", "Deployment"): _selector_change,
    ("apps", "DaemonSet"): _selector_change,
    ("apps", "ReplicaSet"): _selector_change,
    ("apps", "StatefulSet"): _stateful_set_change,
    ("rbac.authorization.k8s.io", "RoleBinding"): _binding_change,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _binding_change,
    ("storage.k8s.io", "StorageClass"): _storage_class_change,
}
