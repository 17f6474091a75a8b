"""What a pod may learn about itself: fieldRef and resourceFieldRef (Kubernetes, "Downward API"). Pure."""

import math
import re
from collections.abc import Mapping
from typing import Any

from klamm.base.quantities import quantity
from klamm.localkube.kubelet.facts import containers_of
from klamm.localkube.objects import Object

_KEYED = re.compile(r"^metadata\.(labels|annotations)\['(.+)'\]$")
_PLAIN = {
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.podIP",
}


class UnknownField(Exception):
    """The pod refers to a field that the downward API does not have."""


def field(pod: Object, path: str, *, pod_ip: str = "", host_ip: str = "") -> str:
    """The value of a fieldRef's fieldPath. Addresses are arguments: they are younger than the pod's status."""
    if keyed := _KEYED.match(path):
        return str((pod["metadata"].get(keyed[1]) or {}).get(keyed[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        return _lines(pod["metadata"].get(path.split(".")[1]) or {})
    match path:
        case "status.podIP" | "status.podIPs":
            return pod_ip
        case "status.hostIP" | "status.hostIPs":
            return host_ip
    if path not in _PLAIN:
        raise UnknownField(f'the downward API has no field "{path}"; it has {", ".join(sorted(_PLAIN))} and labels')
    part, name = path.split(".")
    value = pod[part].get(name) or ("default" if name == "serviceAccountName" else "")
    return str(value)


def _lines(entries: Mapping[str, str]) -> str:
    return "\n".join(f"{key}={_quoted(value)}" for key, value in sorted(entries.items()))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def resource_field(pod: Object, reference: Mapping[str, Any], own_container: str, capacity: Mapping[str, str]) -> str:
    """A resourceFieldRef in units of its divisor, rounded up. A limit that is not set is the node's capacity."""
    wanted = reference.get("containerName") or own_container
    container = next((c for _, c in containers_of(pod) if c["name"] == wanted), None)
    if container is None:
        raise UnknownField(f'resourceFieldRef names container "{wanted}", which the pod does not have')
    which, _, name = str(reference["resource"]).partition(".")
    amounts: Mapping[str, Any] = container.get("resources") or {}
    amount = (amounts.get(which) or {}).get(name)
    if amount is None and which == "limits":
        amount = capacity.get(name, 0)
    elif amount is None:
        amount = (amounts.get("limits") or {}).get(name)
    divisor = quantity(reference.get("divisor") or 1) or 1
    return str(math.ceil(quantity(amount or 0) / divisor))
