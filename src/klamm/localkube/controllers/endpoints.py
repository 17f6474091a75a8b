"""Services → EndpointSlices and Endpoints (Kubernetes docs, "Service", "EndpointSlices", "DNS for Services and Pods").

Rules:
- A service with a selector gets the addresses of the pods that match; finished pods and those without an
  address do not count.
- ready = the pod is Ready and not being deleted, or the service publishes not-ready addresses;
  serving = the pod is Ready.
- A pod that is being deleted stays in the slices as terminating, and leaves the Endpoints
  (unless not-ready addresses are published).
- A target port may be a name: each pod resolves it by its own containers, so pods may form several groups of ports.
- hostname is set for pods with spec.hostname whose spec.subdomain is the service: it gives them a DNS name.
- A service without selector keeps the Endpoints that someone wrote, mirrored into a slice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from klamm.localkube.controllers.informers import Change, Informers, Key
from klamm.localkube.controllers.ownership import (
    controller_reference,
    controls,
    is_deleting,
    is_finished,
    is_ready,
)
from klamm.localkube.controllers.workqueue import WorkQueue
from klamm.localkube.objects import ENDPOINT_SLICES, ENDPOINTS, NODES, PODS, SERVICES, Object
from klamm.localkube.selectors import equality_selector

SERVICE_NAME: Final = "kubernetes.io/service-name"
MANAGED_BY: Final = "endpointslice.kubernetes.io/managed-by"
OURS: Final = "endpointslice-controller.k8s.io"
MIRROR: Final = "endpointslicemirroring-controller.k8s.io"
SKIP_MIRROR: Final = "endpointslice.kubernetes.io/skip-mirror"
HEADLESS: Final = "service.kubernetes.io/headless"
ZONE: Final = "topology.kubernetes.io/zone"

PortSet = tuple[tuple[str, int, str], ...]
"""(name, number, protocol) of each port, in the service's order."""


@dataclass(frozen=True, slots=True)
class Member:
    """A pod behind a service."""

    pod: Object
    ports: PortSet
    ready: bool
    serving: bool
    terminating: bool
    hostname: str | None


class EndpointsController:
    name = "endpoints"

    def __init__(self, informers: Informers) -> None:
        self._informers = informers
        self._services = informers.cache(SERVICES)
        self._pods = informers.cache(PODS)
        self._nodes = informers.cache(NODES)
        self._slices = informers.cache(ENDPOINT_SLICES)
        self._endpoints = informers.cache(ENDPOINTS)

    def watch(self, queue: WorkQueue[Key]) -> None:
        def pod_changed(change: Change) -> None:
            if change.old is not None and change.new is not None and _face(change.old) == _face(change.new):
                return
            for service in self._services.list(change.key.namespace):
                selects = equality_selector(service["spec"].get("selector"))
                if any(selects(pod["metadata"].get("labels") or {}) for pod in change.states):
                    queue.add(Key(change.key.namespace, service["metadata"]["name"]))

        def slice_changed(change: Change) -> None:
            labels = change.newest["metadata"].get("labels") or {}
            if labels.get(MANAGED_BY) in (OURS, MIRROR) and SERVICE_NAME in labels:
                queue.add(Key(change.key.namespace, labels[SERVICE_NAME]))

        self._informers.subscribe(SERVICES, lambda change: queue.add(change.key))
        self._informers.subscribe(ENDPOINTS, lambda change: queue.add(change.key))
        self._informers.subscribe(PODS, pod_changed)
        self._informers.subscribe(ENDPOINT_SLICES, slice_changed)

    async def reconcile(self, key: Key) -> None:
        service = self._services.get(*key)
        if service is None or is_deleting(service):
            self._clear(key)
        elif service["spec"].get("type") == "ExternalName":
            return
        elif service["spec"].get("selector"):
            found = members(service, self._pods.list(key.namespace))
            self._write_slices(service, slices(service, found, self._zones()), OURS)
            self._write_endpoints(service, found)
        else:
            self._mirror(service)

    def _zones(self) -> Mapping[str, str]:
        labelled = ((n["metadata"]["name"], n["metadata"].get("labels") or {}) for n in self._nodes.list())
        return {name: labels[ZONE] for name, labels in labelled if ZONE in labels}

    def _slices_of(self, key: Key, manager: str) -> Sequence[Object]:
        wanted = {SERVICE_NAME: key.name, MANAGED_BY: manager}
        return self._slices.list(key.namespace, equality_selector(wanted))

    def _clear(self, key: Key) -> None:
        for manager in (OURS, MIRROR):
            for obj in self._slices_of(key, manager):
                self._informers.delete(ENDPOINT_SLICES, obj)
        if endpoints := self._endpoints.get(*key):
            gone = self._informers.objects.find(SERVICES, key.namespace, key.name) is None
            if gone and _is_of_service(endpoints):
                self._informers.delete(ENDPOINTS, endpoints)

    def _write_slices(self, service: Object, wanted: Sequence[Object], manager: str) -> None:
        key = Key(service["metadata"]["namespace"], service["metadata"]["name"])
        spare = [s for s in self._slices_of(key, manager) if controls(service, s)]
        for new in wanted:
            known = next((s for s in spare if (s.get("ports") or []) == new["ports"]), spare[0] if spare else None)
            if known is None:
                self._informers.create(ENDPOINT_SLICES, key.namespace, new)
                continue
            spare.remove(known)
            if not _says(known, new, ("endpoints", "ports")):
                self._informers.update(ENDPOINT_SLICES, _with(known, new, ("endpoints", "ports")))
        for unused in spare:
            self._informers.delete(ENDPOINT_SLICES, unused)

    def _write_endpoints(self, service: Object, found: Sequence[Member]) -> None:
        new = endpoints_object(service, found)
        known = self._endpoints.get(new["metadata"]["namespace"], new["metadata"]["name"])
        if known is None:
            self._informers.create(ENDPOINTS, new["metadata"]["namespace"], new)
        elif not _says({"subsets": [], **known}, new, ("subsets",)):
            self._informers.update(ENDPOINTS, _with(known, new, ("subsets",)))

    def _mirror(self, service: Object) -> None:
        key = Key(service["metadata"]["namespace"], service["metadata"]["name"])
        endpoints = self._endpoints.get(*key)
        labels = (endpoints or {"metadata": {}})["metadata"].get("labels") or {}
        if endpoints is None or labels.get(SKIP_MIRROR) == "true":
            self._write_slices(service, [], MIRROR)
        else:
            self._write_slices(service, mirrored(service, endpoints), MIRROR)


def members(service: Object, pods: Sequence[Object]) -> Sequence[Member]:
    """The pods behind a service, sorted by name."""
    selects = equality_selector(service["spec"].get("selector"))
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    publish = bool(service["spec"].get("publishNotReadyAddresses"))
    found = []
    for pod in sorted(pods, key=lambda p: p["metadata"]["name"]):
        if pod["metadata"]["namespace"] != namespace or not selects(pod["metadata"].get("labels") or {}):
            continue
        if not pod.get("status", {}).get("podIP") or is_finished(pod):
            continue
        spec, serving, terminating = pod["spec"], is_ready(pod), is_deleting(pod)
        found.append(
            Member(
                pod,
                _ports(service, pod),
                ready=publish or (serving and not terminating),
                serving=serving,
                terminating=terminating,
                hostname=spec["hostname"] if spec.get("hostname") and spec.get("subdomain") == name else None,
            )
        )
    return found


def slices(service: Object, found: Sequence[Member], zones: Mapping[str, str]) -> list[Object]:
    """The EndpointSlices of a service: one for each group of ports; an empty one when there is nobody."""
    groups = _grouped(found) or {(): []}
    return [
        _slice(service, OURS, ports, [_endpoint(member, zones) for member in group]) for ports, group in groups.items()
    ]


def endpoints_object(service: Object, found: Sequence[Member]) -> Object:
    """The Endpoints of a service, in its older form: a subset for each group of ports."""
    publish = bool(service["spec"].get("publishNotReadyAddresses"))
    groups = _grouped([m for m in found if publish or not m.terminating])
    subsets = []
    for ports, group in groups.items():
        subset: dict[str, Any] = {}
        if ready := [_address(m) for m in group if m.ready]:
            subset["addresses"] = ready
        if waiting := [_address(m) for m in group if not m.ready]:
            subset["notReadyAddresses"] = waiting
        if ports:
            subset["ports"] = _port_list(ports)
        subsets.append(subset)
    metadata = service["metadata"]
    own = {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}
    labels = {**(metadata.get("labels") or {}), **_headless(service), **own}
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"], "labels": labels},
        "subsets": subsets,
    }


def mirrored(service: Object, endpoints: Object) -> list[Object]:
    """EndpointSlices that say what hand-written Endpoints say."""
    found = []
    for subset in endpoints.get("subsets") or ():
        ports = tuple((p.get("name", ""), p["port"], p.get("protocol", "TCP")) for p in subset.get("ports") or ())
        listed = [(a, True) for a in subset.get("addresses") or ()]
        listed += [(a, False) for a in subset.get("notReadyAddresses") or ()]
        found.append(_slice(service, MIRROR, ports, [_mirrored_endpoint(a, ready) for a, ready in listed]))
    return found


def _face(pod: Object) -> tuple[Any, ...]:
    """What services see of a pod."""
    labels = pod["metadata"].get("labels")
    return (labels, pod.get("status", {}).get("podIP"), is_ready(pod), is_deleting(pod), is_finished(pod))


def _ports(service: Object, pod: Object) -> PortSet:
    found = []
    for port in service["spec"].get("ports") or ():
        number = _target(port, pod)
        if number is not None:
            found.append((port.get("name", ""), number, port.get("protocol", "TCP")))
    return tuple(found)


def _target(port: Object, pod: Object) -> int | None:
    target: int | str = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    if target.isdigit():
        return int(target)
    for container in pod["spec"].get("containers") or ():
        for candidate in container.get("ports") or ():
            same_protocol = candidate.get("protocol", "TCP") == port.get("protocol", "TCP")
            if candidate.get("name") == target and same_protocol:
                return int(candidate["containerPort"])
    return None


def _grouped(found: Sequence[Member]) -> dict[PortSet, list[Member]]:
    groups: dict[PortSet, list[Member]] = {}
    for member in found:
        groups.setdefault(member.ports, []).append(member)
    return dict(sorted(groups.items()))


def _slice(service: Object, manager: str, ports: PortSet, endpoints: list[Object]) -> Object:
    metadata = service["metadata"]
    labels = {**(metadata.get("labels") or {}), **_headless(service)}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": f"{metadata['name']}-",
            "namespace": metadata["namespace"],
            "labels": {**labels, SERVICE_NAME: metadata["name"], MANAGED_BY: manager},
            "ownerReferences": [controller_reference(SERVICES, service)],
        },
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": _port_list(ports, always_named=True),
    }


def _endpoint(member: Member, zones: Mapping[str, str]) -> Object:
    node = member.pod["spec"].get("nodeName")
    endpoint: dict[str, Any] = {
        "addresses": [member.pod["status"]["podIP"]],
        "conditions": {"ready": member.ready, "serving": member.serving, "terminating": member.terminating},
        "targetRef": _pod_reference(member.pod),
    }
    optional = {"hostname": member.hostname, "nodeName": node, "zone": zones.get(node or "")}
    return endpoint | {name: value for name, value in optional.items() if value}


def _address(member: Member) -> Object:
    optional = {"hostname": member.hostname, "nodeName": member.pod["spec"].get("nodeName")}
    return {
        "ip": member.pod["status"]["podIP"],
        **{name: value for name, value in optional.items() if value},
        "targetRef": _pod_reference(member.pod),
    }


def _mirrored_endpoint(address: Object, ready: bool) -> Object:
    endpoint: dict[str, Any] = {"addresses": [address["ip"]], "conditions": {"ready": ready}}
    for name in ("hostname", "nodeName", "targetRef"):
        if value := address.get(name):
            endpoint[name] = value
    return endpoint


def _pod_reference(pod: Object) -> Object:
    metadata = pod["metadata"]
    return {"kind": "Pod", "namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"]}


def _port_list(ports: PortSet, *, always_named: bool = False) -> list[Object]:
    return [
        {**({"name": name} if name or always_named else {}), "port": number, "protocol": protocol}
        for name, number, protocol in ports
    ]


def _headless(service: Object) -> dict[str, str]:
    return {HEADLESS: ""} if service["spec"].get("clusterIP") == "None" else {}


def _is_of_service(endpoints: Object) -> bool:
    """The API server's own Endpoints have no Service only while it starts: those of `kubernetes` are left alone."""
    metadata = endpoints["metadata"]
    return (metadata["namespace"], metadata["name"]) != ("default", "kubernetes")


def _says(known: Object, new: Object, fields: Sequence[str]) -> bool:
    same_labels = (known["metadata"].get("labels") or {}) == new["metadata"]["labels"]
    return same_labels and all((known.get(field) or []) == new[field] for field in fields)


def _with(known: Object, new: Object, fields: Sequence[str]) -> Object:
    metadata = {**known["metadata"], "labels": new["metadata"]["labels"]}
    return {**known, "metadata": metadata, **{field: new[field] for field in fields}}
