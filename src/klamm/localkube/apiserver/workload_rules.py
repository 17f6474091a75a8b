"""What a pod, and an object that holds a pod template, may say, and what of it may change."""

from collections.abc import Iterator
from typing import Any

from klamm.localkube.apiserver.statuses import Cause, forbidden_value, invalid_value, required, unsupported
from klamm.localkube.apiserver.value_rules import IMMUTABLE, one_of, port_number, quantities, unique_name
from klamm.localkube.objects import Object


def pod(obj: Object) -> Iterator[Cause]:
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
    yield from one_of(spec, "restartPolicy", ("Always", "OnFailure", "Never"), at)
    yield from one_of(spec, "dnsPolicy", ("Default", "ClusterFirst", "ClusterFirstWithHostNet", "None"), at)


def _container(container: dict[str, Any], at: str, names: set[str], volumes: set[Any]) -> Iterator[Cause]:
    yield from unique_name(container.get("name", ""), at, names)
    if not container.get("image"):
        yield required(f"{at}.image")
    yield from one_of(container, "imagePullPolicy", ("Always", "IfNotPresent", "Never"), at)
    for index, port in enumerate(container.get("ports") or ()):
        yield from port_number(port.get("containerPort"), f"{at}.ports[{index}].containerPort")
        yield from one_of(port, "protocol", ("TCP", "UDP", "SCTP"), f"{at}.ports[{index}]")
    for index, variable in enumerate(container.get("env") or ()):
        if not variable.get("name"):
            yield required(f"{at}.env[{index}].name")
        if variable.get("value") and variable.get("valueFrom"):
            text = "may not be specified when `value` is not empty"
            yield invalid_value(f"{at}.env[{index}].valueFrom", "", text)
    yield from _mounts(container, at, volumes)
    yield from quantities(container.get("resources") or {}, f"{at}.resources")


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


def _volume(volume: dict[str, Any], at: str, seen: set[str]) -> Iterator[Cause]:
    yield from unique_name(volume.get("name", ""), at, seen)
    sources = [each for each in volume if each != "name"]
    if len(sources) > 1:
        yield forbidden_value(f"{at}.{sources[1]}", "may not specify more than 1 volume type")


def pod_change(new: Object, old: Object) -> Iterator[Cause]:
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


def workload(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    selector = spec.get("selector")
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not selector:
        yield required("spec.selector")
        yield invalid_value("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    elif any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        yield invalid_value("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    if (spec.get("replicas") or 0) < 0:
        yield invalid_value("spec.replicas", spec["replicas"], "must be greater than or equal to 0")
    yield from _pod_spec(template.get("spec") or {}, "spec.template.spec")
    policy = (template.get("spec") or {}).get("restartPolicy")
    if policy not in (None, "Always"):
        yield unsupported("spec.template.spec.restartPolicy", policy, ["Always"])


def job(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    template = (spec.get("template") or {}).get("spec") or {}
    yield from _pod_spec(template, "spec.template.spec")
    if template.get("restartPolicy", "Always") == "Always":
        field = "spec.template.spec.restartPolicy"
        yield required(field, 'valid values: "OnFailure", "Never"')


def selector_change(new: Object, old: Object) -> Iterator[Cause]:
    if new["spec"].get("selector") != old["spec"].get("selector"):
        yield invalid_value("spec.selector", new["spec"].get("selector"), IMMUTABLE)


def stateful_set_change(new: Object, old: Object) -> Iterator[Cause]:
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
