"""What a pod's spec may say, and what of it may change."""

import re
from collections.abc import Iterator
from typing import Any

from klamm.localkube.apiserver.metadata_rules import LABEL, LABEL_RULE, label_violations, qualified_name
from klamm.localkube.apiserver.statuses import Cause, duplicate, forbidden_value, invalid_value, required
from klamm.localkube.apiserver.value_rules import (
    amounts,
    label_selector_violations,
    not_negative,
    one_of,
    port_name,
    port_number,
    unique_name,
)
from klamm.localkube.objects import Object

_VARIABLE = re.compile(r"[ -<>-~]+")
_VARIABLE_RULE = "a valid environment variable name must consist only of printable ASCII characters other than '='"
_OF_A_POD = re.compile(
    r"metadata\.(name|namespace|uid|(labels|annotations)(\['.+'\])?)|spec\.(nodeName|serviceAccountName|host)"
    r"|status\.(hostIPs?|podIPs?|phase)"
)
_WANTED_IN_VOLUMES = {
    "secret": "secretName",
    "persistentVolumeClaim": "claimName",
    "configMap": "name",
    "hostPath": "path",
}
_VALUE_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_MOST_SECONDS = 2**31 - 1


def pod(obj: Object) -> Iterator[Cause]:
    yield from pod_spec(obj.get("spec") or {}, "spec")


def pod_spec(spec: dict[str, Any], at: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, volume in enumerate(spec.get("volumes") or ()):
        yield from _volume(volume, f"{at}.volumes[{index}]", seen)
    yield from _containers(spec, at)
    yield from one_of(spec, "restartPolicy", ("Always", "OnFailure", "Never"), at)
    yield from one_of(spec, "dnsPolicy", ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"), at)
    yield from label_violations(spec.get("nodeSelector") or {}, f"{at}.nodeSelector")
    yield from _affinity(spec.get("affinity") or {}, f"{at}.affinity")
    yield from _spread(spec.get("topologySpreadConstraints") or [], f"{at}.topologySpreadConstraints")
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= _MOST_SECONDS:
        told = f"must be between 1 and {_MOST_SECONDS}, inclusive"
        yield invalid_value(f"{at}.activeDeadlineSeconds", deadline, told)
    for name in ("hostname", "subdomain"):
        if spec.get(name) and not LABEL.fullmatch(spec[name]):
            yield invalid_value(f"{at}.{name}", spec[name], LABEL_RULE)
    for index, toleration in enumerate(spec.get("tolerations") or ()):
        yield from _toleration(toleration, f"{at}.tolerations[{index}]")


# Containers


def _containers(spec: dict[str, Any], at: str) -> Iterator[Cause]:
    if not spec.get("containers"):
        yield required(f"{at}.containers")
    names: set[str] = set()
    volumes = {volume.get("name") for volume in spec.get("volumes") or ()}
    for sort in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(sort) or ()):
            yield from _container(container, f"{at}.{sort}[{index}]", names, volumes)


def _container(container: dict[str, Any], at: str, names: set[str], volumes: set[Any]) -> Iterator[Cause]:
    yield from unique_name(container.get("name", ""), at, names)
    if not container.get("image"):
        yield required(f"{at}.image")
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(probe) is not None:
            yield from _probe(container[probe], f"{at}.{probe}", only_one_success=probe != "readinessProbe")
    yield from one_of(container, "imagePullPolicy", ("Always", "IfNotPresent", "Never"), at)
    yield from _ports(container.get("ports") or [], f"{at}.ports")
    for index, variable in enumerate(container.get("env") or ()):
        yield from _variable(variable, f"{at}.env[{index}]")
    yield from _mounts(container, at, volumes)
    yield from amounts(container.get("resources") or {}, f"{at}.resources")


def _ports(ports: list[dict[str, Any]], at: str) -> Iterator[Cause]:
    names: set[str] = set()
    for index, port in enumerate(ports):
        place, name = f"{at}[{index}]", port.get("name", "")
        if name:
            wrong = list(port_name(name, f"{place}.name"))
            yield from wrong
            if not wrong and name in names:
                yield duplicate(f"{place}.name", name)
            names.add(name)
        yield from port_number(port.get("containerPort") or None, f"{place}.containerPort")
        yield from one_of(port, "protocol", ("SCTP", "TCP", "UDP"), place)


def _variable(variable: dict[str, Any], at: str) -> Iterator[Cause]:
    name = variable.get("name", "")
    if not name:
        yield required(f"{at}.name")
    elif not _VARIABLE.fullmatch(name):
        yield invalid_value(f"{at}.name", name, _VARIABLE_RULE)
    source = variable.get("valueFrom")
    if source is None:
        return
    given = [each for each in _VALUE_SOURCES if source.get(each) is not None]
    if variable.get("value"):
        yield invalid_value(f"{at}.valueFrom", "", "may not be specified when `value` is not empty")
    elif not given:
        told = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        yield invalid_value(f"{at}.valueFrom", "", told)
    elif len(given) > 1:
        yield invalid_value(f"{at}.valueFrom", "", "may not have more than one field specified at a time")
    for sort in ("configMapKeyRef", "secretKeyRef"):
        if source.get(sort) is not None and not source[sort].get("key"):
            yield required(f"{at}.valueFrom.{sort}.key")
    field = (source.get("fieldRef") or {}).get("fieldPath")
    if field and not _OF_A_POD.fullmatch(field):
        told = f"error converting fieldPath: field label not supported: {field}"
        yield invalid_value(f"{at}.valueFrom.fieldRef.fieldPath", field, told)


def _mounts(container: dict[str, Any], at: str, volumes: set[Any]) -> Iterator[Cause]:
    paths: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        place = f"{at}.volumeMounts[{index}]"
        name = mount.get("name", "")
        if not name:
            yield required(f"{place}.name")
        elif name not in volumes:
            yield Cause("FieldValueNotFound", f"{place}.name", f'Not found: "{name}"')
        if not mount.get("mountPath"):
            yield required(f"{place}.mountPath")
        elif mount["mountPath"] in paths:
            yield invalid_value(f"{place}.mountPath", mount["mountPath"], "must be unique")
        paths.add(mount.get("mountPath", ""))
        below = mount.get("subPath") or ""
        if below.startswith("/"):
            yield invalid_value(f"{at}.volumeMounts.subPath", below, "must be a relative path")
        if ".." in below.split("/"):
            yield invalid_value(f"{at}.volumeMounts.subPath", below, "must not contain '..'")


def _probe(probe: dict[str, Any], at: str, *, only_one_success: bool) -> Iterator[Cause]:
    given = [each for each in _HANDLERS if probe.get(each) is not None]
    if not given:
        yield required(at, "must specify a handler type")
    for extra in given[1:]:
        yield forbidden_value(f"{at}.{extra}", "may not specify more than 1 handler type")
    if given and given[0] == "exec" and not probe["exec"].get("command"):
        yield required(f"{at}.exec.command")
    if given and given[0] in ("httpGet", "tcpSocket", "grpc"):
        port = probe[given[0]].get("port") or 0
        if isinstance(port, int):
            yield from port_number(port, f"{at}.{given[0]}.port")
        else:
            yield from port_name(port, f"{at}.{given[0]}.port")
    names = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
    yield from not_negative(probe, names, at)
    if only_one_success and probe.get("successThreshold", 1) != 1:
        yield invalid_value(f"{at}.successThreshold", probe["successThreshold"], "must be 1")


# The rest of the pod


def _volume(volume: dict[str, Any], at: str, seen: set[str]) -> Iterator[Cause]:
    yield from unique_name(volume.get("name", ""), at, seen)
    sources = [each for each in volume if each != "name"]
    if len(sources) > 1:
        yield forbidden_value(f"{at}.{sources[1]}", "may not specify more than 1 volume type")
    for source, wanted in _WANTED_IN_VOLUMES.items():
        if volume.get(source) is not None and not volume[source].get(wanted):
            yield required(f"{at}.{source}.{wanted}")


def _affinity(affinity: dict[str, Any], at: str) -> Iterator[Cause]:
    for sort in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(sort) or {}
        needed = "requiredDuringSchedulingIgnoredDuringExecution"
        for index, term in enumerate(rules.get(needed) or ()):
            yield from _affinity_term(term, f"{at}.{sort}.{needed}[{index}]")
        liked = "preferredDuringSchedulingIgnoredDuringExecution"
        for index, each in enumerate(rules.get(liked) or ()):
            if not 1 <= each.get("weight", 0) <= 100:
                yield invalid_value(
                    f"{at}.{sort}.{liked}[{index}].weight", each["weight"], "must be in the range 1-100"
                )
            yield from _affinity_term(
                each.get("podAffinityTerm") or {}, f"{at}.{sort}.{liked}[{index}].podAffinityTerm"
            )


def _affinity_term(term: dict[str, Any], at: str) -> Iterator[Cause]:
    if term.get("labelSelector"):
        yield from label_selector_violations(term["labelSelector"], f"{at}.labelSelector")
    key = term.get("topologyKey", "")
    if not key:
        yield required(f"{at}.topologyKey", "can not be empty")
    yield from qualified_name(key, f"{at}.topologyKey", key)


def _spread(constraints: list[dict[str, Any]], at: str) -> Iterator[Cause]:
    for index, each in enumerate(constraints):
        if each.get("maxSkew", 0) <= 0:
            yield invalid_value(f"{at}[{index}].maxSkew", each.get("maxSkew", 0), "must be greater than zero")
        if not each.get("topologyKey"):
            yield required(f"{at}[{index}].topologyKey", "can not be empty")
        yield from one_of(each, "whenUnsatisfiable", ("DoNotSchedule", "ScheduleAnyway"), f"{at}[{index}]")


def _toleration(toleration: dict[str, Any], at: str) -> Iterator[Cause]:
    key, operator = toleration.get("key", ""), toleration.get("operator", "")
    if key:
        yield from qualified_name(key, f"{at}.key", key)
    if not key and operator != "Exists":
        told = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield invalid_value(f"{at}.operator", operator, told)
    if toleration.get("tolerationSeconds") is not None and toleration.get("effect") != "NoExecute":
        told = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        yield invalid_value(f"{at}.effect", toleration.get("effect", ""), told)
    if operator == "Exists" and toleration.get("value"):
        told = "value must be empty when `operator` is 'Exists'"
        yield invalid_value(f"{at}.operator", toleration["value"], told)
    if operator:
        yield from one_of(toleration, "operator", ("Equal", "Exists"), at)
    if toleration.get("effect"):
        yield from one_of(toleration, "effect", ("NoSchedule", "PreferNoSchedule", "NoExecute"), at)


# Changes


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
        if fixed.get(sort):  # null comes this far, too
            fixed[sort] = [{**each, "image": None} for each in fixed[sort]]
    return {name: value for name, value in fixed.items() if name != "nodeName"}
