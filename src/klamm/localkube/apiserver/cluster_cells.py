"""Cells of nodes, network, configuration, storage, policy and events."""

from typing import Any

from klamm.localkube.apiserver.cell_texts import (
    NONE,
    UNKNOWN,
    Now,
    age,
    age_of,
    labels_text,
    name_of,
    selector_text,
    spec_of,
    status_of,
)
from klamm.localkube.objects import Object

# Cluster


def node_cells(node: Object, now: Now) -> list[Any]:
    status, info = status_of(node), status_of(node).get("nodeInfo") or {}
    ready = next((each for each in status.get("conditions") or () if each["type"] == "Ready"), None)
    phrase = "Unknown" if ready is None else ("Ready" if ready["status"] == "True" else "NotReady")
    if spec_of(node).get("unschedulable"):
        phrase += ",SchedulingDisabled"
    prefix = "node-role.kubernetes.io/"
    labels = node["metadata"].get("labels") or {}
    roles = sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix))
    addresses = {each["type"]: each["address"] for each in reversed(status.get("addresses") or ())}
    return [
        name_of(node),
        phrase,
        ",".join(roles) or NONE,
        age_of(node, now),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP", NONE),
        addresses.get("ExternalIP", NONE),
        info.get("osImage") or UNKNOWN,
        info.get("kernelVersion") or UNKNOWN,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def namespace_cells(obj: Object, now: Now) -> list[Any]:
    return [name_of(obj), status_of(obj).get("phase", ""), age_of(obj, now)]


def service_cells(obj: Object, now: Now) -> list[Any]:
    spec = spec_of(obj)
    ports = [_service_port(port) for port in spec.get("ports") or ()]
    return [
        name_of(obj),
        spec.get("type", ""),
        spec.get("clusterIP") or NONE,
        _external_address(obj),
        ",".join(ports) or NONE,
        age_of(obj, now),
        labels_text(spec.get("selector")),
    ]


def _service_port(port: dict[str, Any]) -> str:
    node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node_port}/{port.get('protocol', 'TCP')}"


def _external_address(obj: Object) -> str:
    spec = spec_of(obj)
    given = list(spec.get("externalIPs") or ())
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", ""))
    if spec.get("type") == "LoadBalancer":
        entries = (status_of(obj).get("loadBalancer") or {}).get("ingress") or ()
        given = [each.get("ip") or each.get("hostname", "") for each in entries] + given
        return ",".join(given) or "<pending>"
    return ",".join(given) or NONE


def endpoints_cells(obj: Object, now: Now) -> list[Any]:
    found = []
    for subset in obj.get("subsets") or ():
        for port in subset.get("ports") or [None]:
            for address in subset.get("addresses") or ():
                found.append(f"{address['ip']}:{port['port']}" if port else address["ip"])
    return [name_of(obj), _first_few(found, "endpoints" if found else ""), age_of(obj, now)]


def _first_few(items: list[str], empty: str = "") -> str:
    if not items:
        return NONE
    more = f" + {len(items) - 3} more..." if len(items) > 3 else ""
    return ",".join(items[:3]) + more


def slice_cells(obj: Object, now: Now) -> list[Any]:
    ports = [str(each["port"]) if each.get("port") else "*" for each in obj.get("ports") or ()]
    addresses = [address for each in obj.get("endpoints") or () for address in each.get("addresses") or ()]
    return [name_of(obj), obj.get("addressType", ""), _slice_few(ports), _slice_few(addresses), age_of(obj, now)]


def _slice_few(items: list[str]) -> str:
    if not items:
        return "<unset>"
    more = f" + {len(items) - 3} more..." if len(items) > 3 else ""
    return ",".join(items[:3]) + more


# Configuration and storage


def config_map_cells(obj: Object, now: Now) -> list[Any]:
    return [name_of(obj), len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), age_of(obj, now)]


def secret_cells(obj: Object, now: Now) -> list[Any]:
    return [name_of(obj), obj.get("type", ""), len(obj.get("data") or ()), age_of(obj, now)]


def account_cells(obj: Object, now: Now) -> list[Any]:
    return [name_of(obj), len(obj.get("secrets") or ()), age_of(obj, now)]


_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def _modes(modes: list[str] | None) -> str:
    return ",".join(_MODES[each] for each in _MODES if each in (modes or ()))


def claim_cells(obj: Object, now: Now) -> list[Any]:
    spec, status = spec_of(obj), status_of(obj)
    phase = "Terminating" if obj["metadata"].get("deletionTimestamp") else status.get("phase", "")
    bound = bool(spec.get("volumeName"))
    return [
        name_of(obj),
        phase,
        spec.get("volumeName", ""),
        (status.get("capacity") or {}).get("storage", "") if bound else "",
        _modes(status.get("accessModes")) if bound else "",
        spec.get("storageClassName", ""),
        "<unset>",
        age_of(obj, now),
        spec.get("volumeMode") or "<unset>",
    ]


def volume_cells(obj: Object, now: Now) -> list[Any]:
    spec, status = spec_of(obj), status_of(obj)
    claim = spec.get("claimRef")
    phase = "Terminating" if obj["metadata"].get("deletionTimestamp") else status.get("phase", "")
    return [
        name_of(obj),
        (spec.get("capacity") or {}).get("storage", ""),
        _modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        phase,
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        spec.get("storageClassName", ""),
        "<unset>",
        status.get("reason", ""),
        age_of(obj, now),
        spec.get("volumeMode") or "<unset>",
    ]


def class_cells(obj: Object, now: Now) -> list[Any]:
    marks = obj["metadata"].get("annotations") or {}
    default = marks.get("storageclass.kubernetes.io/is-default-class") == "true"
    return [
        name_of(obj) + (" (default)" if default else ""),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy", ""),
        obj.get("volumeBindingMode", ""),
        bool(obj.get("allowVolumeExpansion")),
        age_of(obj, now),
    ]


# Policy


def policy_cells(obj: Object, now: Now) -> list[Any]:
    return [name_of(obj), selector_text(spec_of(obj).get("podSelector")), age_of(obj, now)]


def budget_cells(obj: Object, now: Now) -> list[Any]:
    spec = spec_of(obj)
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    return [
        name_of(obj),
        "N/A" if least is None else str(least),
        "N/A" if most is None else str(most),
        status_of(obj).get("disruptionsAllowed", 0),
        age_of(obj, now),
    ]


def binding_cells(obj: Object, now: Now) -> list[Any]:
    reference = obj.get("roleRef") or {}
    subjects = obj.get("subjects") or ()
    users = [each["name"] for each in subjects if each.get("kind") == "User"]
    groups = [each["name"] for each in subjects if each.get("kind") == "Group"]
    accounts = [
        f"{each.get('namespace', '')}/{each['name']}" for each in subjects if each.get("kind") == "ServiceAccount"
    ]
    role = f"{reference.get('kind', '')}/{reference.get('name', '')}"
    return [name_of(obj), role, age_of(obj, now), ", ".join(users), ", ".join(groups), ", ".join(accounts)]


def role_cells(obj: Object, now: Now) -> list[Any]:
    return [name_of(obj), obj["metadata"].get("creationTimestamp", "")]


def definition_cells(obj: Object, now: Now) -> list[Any]:
    return [name_of(obj), obj["metadata"].get("creationTimestamp", "")]


def ingress_cells(obj: Object, now: Now) -> list[Any]:
    spec = spec_of(obj)
    hosts = [rule["host"] for rule in spec.get("rules") or () if rule.get("host")]
    entries = (status_of(obj).get("loadBalancer") or {}).get("ingress") or ()
    addresses = ",".join(each.get("ip") or each.get("hostname", "") for each in entries)
    ports = "80, 443" if spec.get("tls") else "80"
    return [
        name_of(obj),
        spec.get("ingressClassName") or NONE,
        _first_few(hosts) if hosts else "*",
        addresses,
        ports,
        age_of(obj, now),
    ]


def ingress_class_cells(obj: Object, now: Now) -> list[Any]:
    parameters = spec_of(obj).get("parameters")
    shown = NONE
    if parameters:
        group = f".{parameters['apiGroup']}" if parameters.get("apiGroup") else ""
        shown = f"{parameters.get('kind')}{group}/{parameters.get('name')}"
    return [name_of(obj), spec_of(obj).get("controller", ""), shown, age_of(obj, now)]


def lease_cells(obj: Object, now: Now) -> list[Any]:
    return [name_of(obj), spec_of(obj).get("holderIdentity", ""), age_of(obj, now)]


def priority_cells(obj: Object, now: Now) -> list[Any]:
    policy = obj.get("preemptionPolicy", "")
    return [name_of(obj), obj.get("value", 0), bool(obj.get("globalDefault")), age_of(obj, now), policy]


def quota_cells(obj: Object, now: Now) -> list[Any]:
    hard = spec_of(obj).get("hard") or {}
    used = status_of(obj).get("used") or {}
    text = ", ".join(f"{name}: {used.get(name, '0')}/{limit}" for name, limit in sorted(hard.items()))
    return [name_of(obj), text, "", age_of(obj, now)]


def event_cells(event: Object, now: Now) -> list[Any]:
    about = event.get("involvedObject") or {}
    source = event.get("source") or {}
    where = ", ".join(part for part in (source.get("component"), source.get("host")) if part)
    made = event["metadata"].get("creationTimestamp")
    first = event.get("firstTimestamp") or event.get("eventTime") or made
    series = event.get("series") or {}
    last = series.get("lastObservedTime") or event.get("lastTimestamp") or first
    return [
        age(last, now),
        event.get("type", ""),
        event.get("reason", ""),
        f"{about.get('kind', '')}/{about.get('name', '')}".lower().replace(
            about.get("name", "").lower(), about.get("name", "")
        ),
        about.get("fieldPath", ""),
        where or event.get("reportingComponent", ""),
        str(event.get("message", "")).strip(),
        age(first, now),
        series.get("count") or event.get("count") or 1,
        event["metadata"].get("name", ""),
    ]
