"""Columns and cells that `kubectl get` prints for native kinds, as Kubernetes' own printers make them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from klamm.localkube.apiserver.kinds import Column
from klamm.localkube.objects import Object

Now = datetime
Cells = Callable[[Object, Now], list[Any]]

NONE = "<none>"
UNKNOWN = "<unknown>"


def age(timestamp: str | None, now: Now) -> str:
    """How long ago, as kubectl says it: 45s, 3m7s, 2h, 5d."""
    if not timestamp:
        return UNKNOWN
    try:
        then = datetime.fromisoformat(timestamp)
    except ValueError:
        return "<invalid>"
    return duration(int((now - then).total_seconds()))


def duration(seconds: int) -> str:
    if seconds < -1:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    if seconds < 120:
        return f"{seconds}s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return _two(days, "d", hours % 24, "h")
    if hours < 365 * 24 * 2:
        return f"{days}d"
    if hours < 365 * 24 * 8:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def _columns(text: str) -> tuple[Column, ...]:
    """ "Name:name Ready Node+" → columns; a "+" marks those of `-o wide`, "#" numbers, "_" stands for a blank."""
    made = []
    for word in text.split():
        wide = word.endswith("+")
        number = word.rstrip("+").endswith("#")
        name = word.rstrip("+#").replace("_", " ")
        form = "name" if name == "Name" else ""
        made.append(Column(name, "integer" if number else "string", priority=int(wide), format=form))
    return tuple(made)


def _age_of(obj: Object, now: Now) -> str:
    return age(obj["metadata"].get("creationTimestamp"), now)


def _name(obj: Object) -> str:
    return str(obj["metadata"].get("name", ""))


def _spec(obj: Object) -> dict[str, Any]:
    return obj.get("spec") or {}


def _status(obj: Object) -> dict[str, Any]:
    return obj.get("status") or {}


def labels_text(labels: Mapping[str, str] | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def selector_text(selector: Mapping[str, Any] | None) -> str:
    if not selector:
        return NONE
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for each in selector.get("matchExpressions") or ():
        values = ",".join(sorted(each.get("values") or ()))
        text = {
            "In": f"{each['key']} in ({values})",
            "NotIn": f"{each['key']} notin ({values})",
            "Exists": each["key"],
            "DoesNotExist": f"!{each['key']}",
        }
        parts.append(text.get(each["operator"], each["key"]))
    return ",".join(parts) or NONE


# Pods


def _pod_cells(pod: Object, now: Now) -> list[Any]:
    spec, status = _spec(pod), _status(pod)
    statuses = status.get("containerStatuses") or []
    ready = sum(bool(each.get("ready")) for each in statuses)
    gates = spec.get("readinessGates") or ()
    conditions = {each["type"]: each["status"] for each in status.get("conditions") or ()}
    passed = sum(conditions.get(gate["conditionType"]) == "True" for gate in gates)
    return [
        _name(pod),
        f"{ready}/{len(spec.get('containers') or ())}",
        pod_phrase(pod),
        _restarts(statuses, now),
        _age_of(pod, now),
        status.get("podIP") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        f"{passed}/{len(gates)}" if gates else NONE,
    ]


def _restarts(statuses: list[Any], now: Now) -> str:
    count = sum(each.get("restartCount", 0) for each in statuses)
    ends = [((each.get("lastState") or {}).get("terminated") or {}).get("finishedAt") for each in statuses]
    last = max((end for end in ends if end), default=None)
    return f"{count} ({age(last, now)} ago)" if count and last else str(count)


def pod_phrase(pod: Object) -> str:
    """The STATUS column: the most telling of phase, reason, init progress and container states."""
    status = _status(pod)
    phrase = status.get("reason") or status.get("phase", "")
    phrase = _init_phrase(pod) or _container_phrase(pod, phrase)
    if pod["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            return "Unknown"
        if status.get("phase") not in ("Succeeded", "Failed"):
            return "Terminating"
    return str(phrase)


def _init_phrase(pod: Object) -> str | None:
    statuses = _status(pod).get("initContainerStatuses") or []
    total = len(_spec(pod).get("initContainers") or ())
    for index, each in enumerate(statuses):
        state = each.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting")
        if ended and ended.get("exitCode") == 0:
            continue
        if ended:
            return f"Init:{_end_reason(ended)}"
        if waiting and waiting.get("reason") and waiting["reason"] != "PodInitializing":
            return f"Init:{waiting['reason']}"
        return f"Init:{index}/{total}"
    return None


def _end_reason(ended: dict[str, Any]) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _container_phrase(pod: Object, phrase: str) -> str:
    running = False
    for each in reversed(_status(pod).get("containerStatuses") or []):
        state = each.get("state") or {}
        if (state.get("waiting") or {}).get("reason"):
            phrase = state["waiting"]["reason"]
        elif state.get("terminated"):
            phrase = _end_reason(state["terminated"])
        elif each.get("ready") and state.get("running"):
            running = True
    if phrase == "Completed" and running:
        conditions = {each["type"]: each["status"] for each in _status(pod).get("conditions") or ()}
        return "Running" if conditions.get("Ready") == "True" else "NotReady"
    return phrase


# Cluster


def _node_cells(node: Object, now: Now) -> list[Any]:
    status, info = _status(node), _status(node).get("nodeInfo") or {}
    ready = next((each for each in status.get("conditions") or () if each["type"] == "Ready"), None)
    phrase = "Unknown" if ready is None else ("Ready" if ready["status"] == "True" else "NotReady")
    if _spec(node).get("unschedulable"):
        phrase += ",SchedulingDisabled"
    prefix = "node-role.kubernetes.io/"
    labels = node["metadata"].get("labels") or {}
    roles = sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix))
    addresses = {each["type"]: each["address"] for each in reversed(status.get("addresses") or ())}
    return [
        _name(node),
        phrase,
        ",".join(roles) or NONE,
        _age_of(node, now),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP", NONE),
        addresses.get("ExternalIP", NONE),
        info.get("osImage") or UNKNOWN,
        info.get("kernelVersion") or UNKNOWN,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _namespace_cells(obj: Object, now: Now) -> list[Any]:
    return [_name(obj), _status(obj).get("phase", ""), _age_of(obj, now)]


def _service_cells(obj: Object, now: Now) -> list[Any]:
    spec = _spec(obj)
    ports = [_service_port(port) for port in spec.get("ports") or ()]
    return [
        _name(obj),
        spec.get("type", ""),
        spec.get("clusterIP") or NONE,
        _external_address(obj),
        ",".join(ports) or NONE,
        _age_of(obj, now),
        labels_text(spec.get("selector")),
    ]


def _service_port(port: dict[str, Any]) -> str:
    node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node_port}/{port.get('protocol', 'TCP')}"


def _external_address(obj: Object) -> str:
    spec = _spec(obj)
    given = list(spec.get("externalIPs") or ())
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", ""))
    if spec.get("type") == "LoadBalancer":
        entries = (_status(obj).get("loadBalancer") or {}).get("ingress") or ()
        given = [each.get("ip") or each.get("hostname", "") for each in entries] + given
        return ",".join(given) or "<pending>"
    return ",".join(given) or NONE


def _endpoints_cells(obj: Object, now: Now) -> list[Any]:
    found = []
    for subset in obj.get("subsets") or ():
        for port in subset.get("ports") or [None]:
            for address in subset.get("addresses") or ():
                found.append(f"{address['ip']}:{port['port']}" if port else address["ip"])
    return [_name(obj), _first_few(found, "endpoints" if found else ""), _age_of(obj, now)]


def _first_few(items: list[str], empty: str = "") -> str:
    if not items:
        return NONE
    more = f" + {len(items) - 3} more..." if len(items) > 3 else ""
    return ",".join(items[:3]) + more


def _slice_cells(obj: Object, now: Now) -> list[Any]:
    ports = [str(each["port"]) if each.get("port") else "*" for each in obj.get("ports") or ()]
    addresses = [address for each in obj.get("endpoints") or () for address in each.get("addresses") or ()]
    return [_name(obj), obj.get("addressType", ""), _slice_few(ports), _slice_few(addresses), _age_of(obj, now)]


def _slice_few(items: list[str]) -> str:
    if not items:
        return "<unset>"
    more = f" + {len(items) - 3} more..." if len(items) > 3 else ""
    return ",".join(items[:3]) + more


# Workloads


def _images(template: dict[str, Any]) -> list[str]:
    containers = (template.get("spec") or {}).get("containers") or ()
    return [
        ",".join(each.get("name", "") for each in containers),
        ",".join(each.get("image", "") for each in containers),
    ]


def _deployment_cells(obj: Object, now: Now) -> list[Any]:
    spec, status = _spec(obj), _status(obj)
    return [
        _name(obj),
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        _age_of(obj, now),
        *_images(spec.get("template") or {}),
        selector_text(spec.get("selector")),
    ]


def _replica_set_cells(obj: Object, now: Now) -> list[Any]:
    spec, status = _spec(obj), _status(obj)
    return [
        _name(obj),
        spec.get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        _age_of(obj, now),
        *_images(spec.get("template") or {}),
        selector_text(spec.get("selector")),
    ]


def _daemon_set_cells(obj: Object, now: Now) -> list[Any]:
    spec, status = _spec(obj), _status(obj)
    return [
        _name(obj),
        status.get("desiredNumberScheduled", 0),
        status.get("currentNumberScheduled", 0),
        status.get("numberReady", 0),
        status.get("updatedNumberScheduled", 0),
        status.get("numberAvailable", 0),
        labels_text(((spec.get("template") or {}).get("spec") or {}).get("nodeSelector")),
        _age_of(obj, now),
        *_images(spec.get("template") or {}),
        selector_text(spec.get("selector")),
    ]


def _stateful_set_cells(obj: Object, now: Now) -> list[Any]:
    spec, status = _spec(obj), _status(obj)
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"
    return [_name(obj), ready, _age_of(obj, now), *_images(spec.get("template") or {})]


def _job_cells(obj: Object, now: Now) -> list[Any]:
    spec, status = _spec(obj), _status(obj)
    wanted = spec.get("completions")
    took = ""
    if status.get("startTime"):
        end = status.get("completionTime")
        took = age(status["startTime"], datetime.fromisoformat(end) if end else now)
    states = {each["type"]: each["status"] for each in status.get("conditions") or ()}
    phrase = next((name for name in ("Complete", "Failed", "Suspended") if states.get(name) == "True"), "Running")
    return [
        _name(obj),
        phrase,
        f"{status.get('succeeded', 0)}/{wanted if wanted is not None else 1}",
        took,
        _age_of(obj, now),
        *_images(spec.get("template") or {}),
        selector_text(spec.get("selector")),
    ]


def _cron_job_cells(obj: Object, now: Now) -> list[Any]:
    spec, status = _spec(obj), _status(obj)
    last = age(status["lastScheduleTime"], now) if status.get("lastScheduleTime") else NONE
    return [
        _name(obj),
        spec.get("schedule", ""),
        spec.get("timeZone") or NONE,
        str(bool(spec.get("suspend"))),
        len(status.get("active") or ()),
        last,
        _age_of(obj, now),
        *_images(((spec.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}),
        NONE,
    ]


# Configuration and storage


def _config_map_cells(obj: Object, now: Now) -> list[Any]:
    return [_name(obj), len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), _age_of(obj, now)]


def _secret_cells(obj: Object, now: Now) -> list[Any]:
    return [_name(obj), obj.get("type", ""), len(obj.get("data") or ()), _age_of(obj, now)]


def _account_cells(obj: Object, now: Now) -> list[Any]:
    return [_name(obj), len(obj.get("secrets") or ()), _age_of(obj, now)]


_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def _modes(modes: list[str] | None) -> str:
    return ",".join(_MODES[each] for each in _MODES if each in (modes or ()))


def _claim_cells(obj: Object, now: Now) -> list[Any]:
    spec, status = _spec(obj), _status(obj)
    phase = "Terminating" if obj["metadata"].get("deletionTimestamp") else status.get("phase", "")
    bound = bool(spec.get("volumeName"))
    return [
        _name(obj),
        phase,
        spec.get("volumeName", ""),
        (status.get("capacity") or {}).get("storage", "") if bound else "",
        _modes(status.get("accessModes")) if bound else "",
        spec.get("storageClassName", ""),
        "<unset>",
        _age_of(obj, now),
        spec.get("volumeMode") or "<unset>",
    ]


def _volume_cells(obj: Object, now: Now) -> list[Any]:
    spec, status = _spec(obj), _status(obj)
    claim = spec.get("claimRef")
    phase = "Terminating" if obj["metadata"].get("deletionTimestamp") else status.get("phase", "")
    return [
        _name(obj),
        (spec.get("capacity") or {}).get("storage", ""),
        _modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        phase,
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        spec.get("storageClassName", ""),
        "<unset>",
        status.get("reason", ""),
        _age_of(obj, now),
        spec.get("volumeMode") or "<unset>",
    ]


def _class_cells(obj: Object, now: Now) -> list[Any]:
    marks = obj["metadata"].get("annotations") or {}
    default = marks.get("storageclass.kubernetes.io/is-default-class") == "true"
    return [
        _name(obj) + (" (default)" if default else ""),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy", ""),
        obj.get("volumeBindingMode", ""),
        str(bool(obj.get("allowVolumeExpansion"))).lower(),
        _age_of(obj, now),
    ]


# Policy


def _policy_cells(obj: Object, now: Now) -> list[Any]:
    return [_name(obj), selector_text(_spec(obj).get("podSelector")), _age_of(obj, now)]


def _budget_cells(obj: Object, now: Now) -> list[Any]:
    spec = _spec(obj)
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    return [
        _name(obj),
        "N/A" if least is None else str(least),
        "N/A" if most is None else str(most),
        _status(obj).get("disruptionsAllowed", 0),
        _age_of(obj, now),
    ]


def _binding_cells(obj: Object, now: Now) -> list[Any]:
    reference = obj.get("roleRef") or {}
    subjects = obj.get("subjects") or ()
    users = [each["name"] for each in subjects if each.get("kind") == "User"]
    groups = [each["name"] for each in subjects if each.get("kind") == "Group"]
    accounts = [
        f"{each.get('namespace', '')}/{each['name']}" for each in subjects if each.get("kind") == "ServiceAccount"
    ]
    role = f"{reference.get('kind', '')}/{reference.get('name', '')}"
    return [_name(obj), role, _age_of(obj, now), ", ".join(users), ", ".join(groups), ", ".join(accounts)]


def _role_cells(obj: Object, now: Now) -> list[Any]:
    return [_name(obj), obj["metadata"].get("creationTimestamp", "")]


def _definition_cells(obj: Object, now: Now) -> list[Any]:
    return [_name(obj), obj["metadata"].get("creationTimestamp", "")]


def _ingress_cells(obj: Object, now: Now) -> list[Any]:
    spec = _spec(obj)
    hosts = [rule["host"] for rule in spec.get("rules") or () if rule.get("host")]
    entries = (_status(obj).get("loadBalancer") or {}).get("ingress") or ()
    addresses = ",".join(each.get("ip") or each.get("hostname", "") for each in entries)
    ports = "80, 443" if spec.get("tls") else "80"
    return [
        _name(obj),
        spec.get("ingressClassName") or NONE,
        _first_few(hosts) if hosts else "*",
        addresses,
        ports,
        _age_of(obj, now),
    ]


def _ingress_class_cells(obj: Object, now: Now) -> list[Any]:
    parameters = _spec(obj).get("parameters")
    shown = f"{parameters.get('kind')}/{parameters.get('name')}" if parameters else NONE
    return [_name(obj), _spec(obj).get("controller", ""), shown, _age_of(obj, now)]


def _lease_cells(obj: Object, now: Now) -> list[Any]:
    return [_name(obj), _spec(obj).get("holderIdentity", ""), _age_of(obj, now)]


def _priority_cells(obj: Object, now: Now) -> list[Any]:
    policy = obj.get("preemptionPolicy", "")
    return [_name(obj), obj.get("value", 0), bool(obj.get("globalDefault")), _age_of(obj, now), policy]


def _quota_cells(obj: Object, now: Now) -> list[Any]:
    hard = _spec(obj).get("hard") or {}
    used = _status(obj).get("used") or {}
    text = ", ".join(f"{name}: {used.get(name, '0')}/{limit}" for name, limit in sorted(hard.items()))
    return [_name(obj), text, "", _age_of(obj, now)]


def _event_cells(event: Object, now: Now) -> list[Any]:
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


_TEMPLATE = "Containers+ Images+ Selector+"
_NATIVE: dict[str, tuple[tuple[Column, ...], Cells]] = {
    key: (_columns(columns), cells)
    for key, columns, cells in (
        ("/pods", "Name Ready Status Restarts Age IP+ Node+ Nominated_Node+ Readiness_Gates+", _pod_cells),
        (
            "/nodes",
            "Name Status Roles Age Version Internal-IP+ External-IP+ OS-Image+ Kernel-Version+ Container-Runtime+",
            _node_cells,
        ),
        ("/namespaces", "Name Status Age", _namespace_cells),
        ("/services", "Name Type Cluster-IP External-IP Port(s) Age Selector+", _service_cells),
        ("/endpoints", "Name Endpoints Age", _endpoints_cells),
        ("discovery.k8s.io/endpointslices", "Name AddressType Ports Endpoints Age", _slice_cells),
        ("apps/deployments", f"Name Ready Up-to-date Available Age {_TEMPLATE}", _deployment_cells),
        ("apps/replicasets", f"Name Desired# Current# Ready# Age {_TEMPLATE}", _replica_set_cells),
        (
            "apps/daemonsets",
            f"Name Desired# Current# Ready# Up-to-date# Available# Node_Selector Age {_TEMPLATE}",
            _daemon_set_cells,
        ),
        ("apps/statefulsets", "Name Ready Age Containers+ Images+", _stateful_set_cells),
        ("batch/jobs", f"Name Status Completions Duration Age {_TEMPLATE}", _job_cells),
        (
            "batch/cronjobs",
            f"Name Schedule Timezone Suspend Active# Last_Schedule Age {_TEMPLATE}",
            _cron_job_cells,
        ),
        ("/configmaps", "Name Data# Age", _config_map_cells),
        ("/secrets", "Name Type Data# Age", _secret_cells),
        ("/serviceaccounts", "Name Secrets# Age", _account_cells),
        (
            "/persistentvolumeclaims",
            "Name Status Volume Capacity Access_Modes StorageClass VolumeAttributesClass Age VolumeMode+",
            _claim_cells,
        ),
        (
            "/persistentvolumes",
            "Name Capacity Access_Modes Reclaim_Policy Status Claim StorageClass VolumeAttributesClass Reason Age "
            "VolumeMode+",
            _volume_cells,
        ),
        (
            "storage.k8s.io/storageclasses",
            "Name Provisioner ReclaimPolicy VolumeBindingMode AllowVolumeExpansion Age",
            _class_cells,
        ),
        ("networking.k8s.io/networkpolicies", "Name Pod-Selector Age", _policy_cells),
        ("networking.k8s.io/ingresses", "Name Class Hosts Address Ports Age", _ingress_cells),
        ("networking.k8s.io/ingressclasses", "Name Controller Parameters Age", _ingress_class_cells),
        ("policy/poddisruptionbudgets", "Name Min_Available Max_Unavailable Allowed_Disruptions# Age", _budget_cells),
        ("rbac.authorization.k8s.io/roles", "Name Created_At", _role_cells),
        ("rbac.authorization.k8s.io/clusterroles", "Name Created_At", _role_cells),
        (
            "rbac.authorization.k8s.io/rolebindings",
            "Name Role Age Users+ Groups+ ServiceAccounts+",
            _binding_cells,
        ),
        (
            "rbac.authorization.k8s.io/clusterrolebindings",
            "Name Role Age Users+ Groups+ ServiceAccounts+",
            _binding_cells,
        ),
        ("apiextensions.k8s.io/customresourcedefinitions", "Name Created_At", _definition_cells),
        ("coordination.k8s.io/leases", "Name Holder Age", _lease_cells),
        ("scheduling.k8s.io/priorityclasses", "Name Value# Global-Default Age PreemptionPolicy", _priority_cells),
        ("/resourcequotas", "Name Request Limit Age", _quota_cells),
        (
            "/events",
            "Last_Seen Type Reason Object Subobject+ Source+ Message First_Seen+ Count+ Name+",
            _event_cells,
        ),
    )
}
_PLAIN: tuple[tuple[Column, ...], Cells] = (_columns("Name Age"), lambda obj, now: [_name(obj), _age_of(obj, now)])


def native(storage_key: str) -> tuple[tuple[Column, ...], Cells]:
    return _NATIVE.get(storage_key, _PLAIN)
