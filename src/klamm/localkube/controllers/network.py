"""What relay and DNS are told: a pure function of services, slices and pods, and the controller that hands it on.

Rules (Kubernetes docs, "Virtual IPs and Service Proxies", "DNS for Services and Pods"):
- A cluster IP leads to the ready endpoints; when none is ready, to those that still serve while they terminate.
- `<svc>.<ns>.svc.<domain>` is the cluster IP; of a headless service, the addresses of its ready endpoints.
- `<hostname>.<svc>.<ns>.svc.<domain>` is one endpoint of a headless service.
- `<a-b-c-d>.<ns>.pod.<domain>` is the pod with that address.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from klamm.base.clock import Clock
from klamm.localkube.controllers.endpoints import SERVICE_NAME
from klamm.localkube.controllers.informers import Change, Informers
from klamm.localkube.controllers.ownership import is_finished
from klamm.localkube.controllers.workqueue import WorkQueue
from klamm.localkube.events import Events
from klamm.localkube.kubelet.runtime import Backend, Network, ServicePort
from klamm.localkube.objects import ENDPOINT_SLICES, PODS, SERVICES, Object

DOMAIN: Final = "cluster.local"


def network(
    services: Iterable[Object], slices: Iterable[Object], pods: Iterable[Object], domain: str = DOMAIN
) -> Network:
    """Return the network as it shall be now; equal inputs give equal values."""
    by_service = _by_service(slices)
    ports: list[ServicePort] = []
    names: dict[str, tuple[str, ...]] = {}
    for service in sorted(services, key=lambda s: (s["metadata"]["namespace"], s["metadata"]["name"])):
        metadata = service["metadata"]
        own = by_service.get((metadata["namespace"], metadata["name"]), [])
        fqdn = f"{metadata['name']}.{metadata['namespace']}.svc.{domain}"
        address = service["spec"].get("clusterIP")
        if service["spec"].get("type") == "ExternalName":
            continue
        if address == "None":
            names |= _headless_names(fqdn, own)
        elif address:
            names[fqdn] = (address,)
            ports += _ports(service, own)
    for pod in pods:
        if (ip := pod.get("status", {}).get("podIP")) and not is_finished(pod):
            names[f"{ip.replace('.', '-')}.{pod['metadata']['namespace']}.pod.{domain}"] = (ip,)
    return Network(tuple(ports), names)


class NetworkController:
    """Hands each new `Network` to `configure`, whole; changes that come together are one value.

    A node port that the host refuses becomes a Warning at its Service, once for each reason; the node tries the port
    again by itself.
    """

    name = "network"

    def __init__(
        self, informers: Informers, clock: Clock, configure: Callable[[Network], Awaitable[Mapping[int, str]]]
    ) -> None:
        self._informers = informers
        self._events = Events(informers.objects, clock, "kube-proxy")
        self._configure = configure
        self._services = informers.cache(SERVICES)
        self._slices = informers.cache(ENDPOINT_SLICES)
        self._pods = informers.cache(PODS)
        self._handed_on: Network | None = None
        self._refused: Mapping[int, str] = {}

    def watch(self, queue: WorkQueue[str]) -> None:
        def pod_changed(change: Change) -> None:
            if _pod_face(change.old) != _pod_face(change.new):
                queue.add(self.name)

        queue.add(self.name)
        for resource in (SERVICES, ENDPOINT_SLICES):
            self._informers.subscribe(resource, lambda change: queue.add(self.name))
        self._informers.subscribe(PODS, pod_changed)

    async def reconcile(self, key: str) -> None:
        wanted = network(self._services.list(), self._slices.list(), self._pods.list())
        if wanted != self._handed_on:
            refused = await self._configure(wanted)
            self._handed_on = wanted
            self._tell_refused(refused)

    def _tell_refused(self, refused: Mapping[int, str]) -> None:
        known, self._refused = self._refused, refused
        new = {port: why for port, why in refused.items() if known.get(port) != why}
        if not new:
            return
        for service in self._services.list():
            for port in service["spec"].get("ports") or ():
                if why := new.get(port.get("nodePort", 0)):
                    message = f"node port {port['nodePort']}: {why}. Free it on this machine, or set another nodePort"
                    self._events.warning(SERVICES, service, "NodePortRefused", message)


def _by_service(slices: Iterable[Object]) -> Mapping[tuple[str, str], list[Object]]:
    found: dict[tuple[str, str], list[Object]] = {}
    for obj in slices:
        metadata = obj["metadata"]
        if name := (metadata.get("labels") or {}).get(SERVICE_NAME):
            found.setdefault((metadata["namespace"], name), []).append(obj)
    return found


def _ports(service: Object, slices: Sequence[Object]) -> list[ServicePort]:
    return [
        ServicePort(
            cluster_ip=service["spec"]["clusterIP"],
            port=port["port"],
            protocol=port.get("protocol", "TCP"),
            node_port=port.get("nodePort") or None,
            backends=_backends(port, slices),
        )
        for port in service["spec"].get("ports") or ()
        if port.get("protocol", "TCP") in ("TCP", "UDP")
    ]


def _backends(port: Object, slices: Sequence[Object]) -> tuple[Backend, ...]:
    ready: set[Backend] = set()
    leaving: set[Backend] = set()
    for obj in slices:
        number = _slice_port(port, obj)
        if number is None:
            continue
        for endpoint in obj.get("endpoints") or ():
            conditions = endpoint.get("conditions") or {}
            # A Service that publishes not-ready addresses calls all of them ready; `serving` tells the truth.
            serving = conditions.get("serving", conditions.get("ready", True))
            found = {Backend(address, number, serving) for address in endpoint["addresses"]}
            if conditions.get("ready", True):
                ready |= found
            elif conditions.get("serving") and conditions.get("terminating"):
                leaving |= found
    return tuple(sorted(ready or leaving, key=lambda backend: (backend.address, backend.port)))


def _slice_port(port: Object, obj: Object) -> int | None:
    for candidate in obj.get("ports") or ():
        same = (candidate.get("name") or "") == (port.get("name") or "")
        if same and candidate.get("protocol", "TCP") == port.get("protocol", "TCP"):
            return int(candidate["port"])
    return None


def _headless_names(fqdn: str, slices: Sequence[Object]) -> dict[str, tuple[str, ...]]:
    addresses: set[str] = set()
    names: dict[str, set[str]] = {}
    for obj in slices:
        for endpoint in obj.get("endpoints") or ():
            if not (endpoint.get("conditions") or {}).get("ready", True):
                continue
            addresses.update(endpoint["addresses"])
            host = endpoint.get("hostname") or endpoint["addresses"][0].replace(".", "-")
            names.setdefault(f"{host}.{fqdn}".lower(), set()).update(endpoint["addresses"])
    return {fqdn: tuple(sorted(addresses)), **{name: tuple(sorted(found)) for name, found in names.items()}}


def _pod_face(pod: Object | None) -> tuple[str | None, bool] | None:
    return (pod.get("status", {}).get("podIP"), is_finished(pod)) if pod else None
