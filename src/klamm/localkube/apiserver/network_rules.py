"""What Services, EndpointSlices, Ingresses and NetworkPolicies may say."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

from klamm.localkube.apiserver.metadata_rules import SUBDOMAIN, SUBDOMAIN_RULE, label_violations
from klamm.localkube.apiserver.statuses import (
    Cause,
    duplicate,
    forbidden_value,
    invalid_value,
    required,
    unsupported,
)
from klamm.localkube.apiserver.value_rules import (
    label_selector_violations,
    one_of,
    port_name,
    port_number,
    unique_name,
)
from klamm.localkube.objects import Object

_ADDRESS_RULE = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
_RANGE_RULE = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


def _address(text: str, at: str) -> Iterator[Cause]:
    try:
        ip_address(text)
    except ValueError:
        yield invalid_value(at, text, _ADDRESS_RULE)


# Services


def service(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    yield from one_of(spec, "type", ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"), "spec")
    yield from one_of(spec, "sessionAffinity", ("ClientIP", "None"), "spec")
    ports = spec.get("ports") or []
    headless = spec.get("clusterIP") == "None"
    if spec.get("type") == "ExternalName":
        yield from _external_name(spec.get("externalName", ""))
    elif not ports and not headless:
        yield required("spec.ports")
    if headless and spec.get("type") in ("NodePort", "LoadBalancer"):
        yield invalid_value("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {spec['type']} services")
    names: set[str] = set()
    keys: set[tuple[Any, Any]] = set()
    for index, port in enumerate(ports):
        yield from _service_port(port, f"spec.ports[{index}]", len(ports) > 1, names, keys)
    yield from label_violations(spec.get("selector") or {}, "spec.selector")
    yield from _outside(spec)
    if spec.get("type") != "LoadBalancer" and ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress"):
        told = "may only be used when `spec.type` is 'LoadBalancer'"
        yield forbidden_value("status.loadBalancer.ingress", told)


def _external_name(name: str) -> Iterator[Cause]:
    if not name:
        yield required("spec.externalName")
    elif not SUBDOMAIN.fullmatch(name.removesuffix(".")):
        yield invalid_value("spec.externalName", name, SUBDOMAIN_RULE)


def _outside(spec: dict[str, Any]) -> Iterator[Cause]:
    for index, address in enumerate(spec.get("externalIPs") or ()):
        yield from _address(address, f"spec.externalIPs[{index}]")
    policy = spec.get("externalTrafficPolicy")
    reachable = spec.get("type") in ("NodePort", "LoadBalancer") or spec.get("externalIPs")
    if policy and not reachable:
        told = "may only be set for externally-accessible services"
        yield invalid_value("spec.externalTrafficPolicy", policy, told)
    elif policy:
        yield from one_of(spec, "externalTrafficPolicy", ("Cluster", "Local"), "spec")


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
    elif port.get("targetPort"):
        yield from port_name(port["targetPort"], f"{at}.targetPort")
    key = (port.get("port"), port.get("protocol"))
    if key in keys:
        shown = {"Name": "", "Protocol": key[1], "AppProtocol": None, "Port": key[0], "TargetPort": 0, "NodePort": 0}
        yield duplicate(at, shown)
    keys.add(key)


def service_change(new: Object, old: Object) -> Iterator[Cause]:
    if "ExternalName" in (new["spec"].get("type"), old["spec"].get("type")):
        return
    before, after = old["spec"].get("clusterIP"), new["spec"].get("clusterIP")
    if before and after != before:
        yield invalid_value("spec.clusterIPs[0]", [after], "may not change once set")


def endpoint_slice(obj: Object) -> Iterator[Cause]:
    sort = obj.get("addressType", "")
    if sort not in ("FQDN", "IPv4", "IPv6"):
        yield unsupported("addressType", sort, ["FQDN", "IPv4", "IPv6"])
    for index, endpoint in enumerate(obj.get("endpoints") or ()):
        addresses = endpoint.get("addresses") or ()
        if not addresses:
            yield required(f"endpoints[{index}].addresses", "must contain at least 1 address")
        for number, address in enumerate(addresses if sort != "FQDN" else ()):
            yield from _address(address, f"endpoints[{index}].addresses[{number}]")


# Ingresses


def ingress(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    backend = spec.get("defaultBackend")
    if not spec.get("rules") and backend is None:
        yield invalid_value("spec", None, "either `defaultBackend` or `rules` must be specified")
    for index, rule in enumerate(spec.get("rules") or ()):
        yield from _ingress_rule(rule, f"spec.rules[{index}]")
    if backend is not None:
        yield from _backend(backend, "spec.defaultBackend")


def _ingress_rule(rule: dict[str, Any], at: str) -> Iterator[Cause]:
    host = rule.get("host", "")
    if host and not SUBDOMAIN.fullmatch(host.removeprefix("*.")):
        yield invalid_value(f"{at}.host", host, SUBDOMAIN_RULE)
    http = rule.get("http")
    if http is None:
        return
    if not http.get("paths"):
        yield required(f"{at}.http.paths")
    for index, path in enumerate(http.get("paths") or ()):
        yield from _ingress_path(path, f"{at}.http.paths[{index}]")


def _ingress_path(path: dict[str, Any], at: str) -> Iterator[Cause]:
    sort, text = path.get("pathType"), path.get("path", "")
    sorts = ("Exact", "ImplementationSpecific", "Prefix")
    if sort is None:
        yield required(f"{at}.pathType", "pathType must be specified")
    elif sort not in sorts:
        yield unsupported(f"{at}.pathType", sort, sorts)
    elif not text.startswith("/") and (text or sort != "ImplementationSpecific"):
        yield invalid_value(f"{at}.path", text, "must be an absolute path")
    yield from _backend(path.get("backend") or {}, f"{at}.backend")


def _backend(backend: dict[str, Any], at: str) -> Iterator[Cause]:
    service_part, resource = backend.get("service"), backend.get("resource")
    if resource is not None and service_part is not None:
        yield invalid_value(at, "", "cannot set both resource and service backends")
    elif resource is None and service_part is None:
        yield invalid_value(at, "", "resource or service backend is required")
    elif service_part is not None:
        if not service_part.get("name"):
            yield required(f"{at}.service.name")
        port = service_part.get("port") or {}
        if port.get("name") and port.get("number"):
            yield invalid_value(at, "", "cannot set both port name & port number")
        elif port.get("name"):
            yield from port_name(port["name"], f"{at}.service.port.name")
        elif port.get("number"):
            yield from port_number(port["number"], f"{at}.service.port.number")
        else:
            yield required(at, "port name or number is required")


# NetworkPolicies


def network_policy(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    yield from label_selector_violations(spec.get("podSelector") or {}, "spec.podSelector")
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(direction) or ()):
            yield from _policy_rule(rule, side, f"spec.{direction}[{index}]")
    for index, sort in enumerate(spec.get("policyTypes") or ()):
        if sort not in ("Ingress", "Egress"):
            yield unsupported(f"spec.policyTypes[{index}]", sort, ["Ingress", "Egress"])


def _policy_rule(rule: dict[str, Any], side: str, at: str) -> Iterator[Cause]:
    for index, port in enumerate(rule.get("ports") or ()):
        place = f"{at}.ports[{index}]"
        yield from one_of(port, "protocol", ("SCTP", "TCP", "UDP"), place)
        if isinstance(port.get("port"), int):
            yield from port_number(port["port"], f"{place}.port")
        elif port.get("port"):
            yield from port_name(port["port"], f"{place}.port")
    for index, peer in enumerate(rule.get(side) or ()):
        yield from _peer(peer, f"{at}.{side}[{index}]")


def _peer(peer: dict[str, Any], at: str) -> Iterator[Cause]:
    if not peer:
        yield required(at, "must specify a peer")
    for sort in ("podSelector", "namespaceSelector"):
        yield from label_selector_violations(peer.get(sort) or {}, f"{at}.{sort}")
    block = peer.get("ipBlock")
    if block is None:
        return
    if len(peer) > 1:
        yield forbidden_value(at, "may not specify both ipBlock and another peer")
        return
    for field, text in [
        ("cidr", block.get("cidr", "")),
        *((f"except[{n}]", x) for n, x in enumerate(block.get("except") or ())),
    ]:
        try:
            ip_network(text, strict=False)
        except ValueError:
            yield invalid_value(f"{at}.ipBlock.{field}", text, _RANGE_RULE)
