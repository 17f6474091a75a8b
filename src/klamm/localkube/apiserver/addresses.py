"""Cluster IPs and node ports of Services: given ones are kept, others chosen; what is taken is refused.

What is in use is read from the stored Services, so nothing can leak.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network, ip_address
from random import Random

from klamm.localkube.apiserver.statuses import Cause, invalid_value
from klamm.localkube.objects import Object

SERVICE_NETWORK = IPv4Network("10.96.0.0/16")
NODE_PORTS = range(30000, 32768)
# The first 256 addresses are for people who choose their own (kube-apiserver keeps them back in the same way).
_STATIC = 256
RESERVED = {"10.96.0.1": ("default", "kubernetes"), "10.96.0.10": ("kube-system", "kube-dns")}


@dataclass(frozen=True, slots=True)
class InUse:
    addresses: frozenset[str]
    ports: frozenset[int]


def in_use(services: list[Object], but: tuple[str, str]) -> InUse:
    """Addresses and node ports of all Services except one (namespace, name)."""
    addresses: set[str] = set()
    ports: set[int] = set()
    for service in services:
        if (service["metadata"]["namespace"], service["metadata"]["name"]) != but:
            spec = service["spec"]
            addresses |= set(spec.get("clusterIPs") or ())
            ports |= {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}
            ports |= {spec["healthCheckNodePort"]} if spec.get("healthCheckNodePort") else set()
    return InUse(frozenset(addresses), frozenset(ports))


def allocate(service: Object, old: Object | None, used: InUse, randomness: Random) -> list[Cause]:
    """Fill the Service's addresses and ports in place; what is wrong with the given ones comes back."""
    spec = service["spec"]
    if old is not None:
        _keep(spec, old["spec"])
    return [*_allocate_address(service, used, randomness), *_allocate_ports(spec, used, randomness)]


def leave_type(spec: Object, old: Object) -> None:
    """What only the old type knows goes with it, unless the change says something of its own about it."""
    if spec["type"] == "ExternalName" and old.get("type") != "ExternalName":
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"):
            if spec.get(name) == old.get(name):
                spec.pop(name, None)
    left = []
    if spec["type"] != "LoadBalancer" and old.get("type") == "LoadBalancer":
        left.append("allocateLoadBalancerNodePorts")
    if not reached_from_outside(spec):
        left.append("externalTrafficPolicy")
    for name in left:
        if name in old and spec.get(name) == old[name]:
            spec.pop(name, None)


def reached_from_outside(spec: Object) -> bool:
    return spec["type"] in ("NodePort", "LoadBalancer") or (
        spec["type"] == "ClusterIP" and bool(spec.get("externalIPs"))
    )


def _keep(spec: Object, old: Object) -> None:
    """An update that does not mention the address or the node ports keeps them."""
    if spec["type"] != "ExternalName" and old.get("type") != "ExternalName" and not spec.get("clusterIP"):
        spec["clusterIP"] = old.get("clusterIP", "")
        spec["clusterIPs"] = list(old.get("clusterIPs") or ())
    if spec["type"] in ("NodePort", "LoadBalancer"):
        before = {(port.get("name"), port["port"], port["protocol"]): port for port in old.get("ports") or ()}
        for port in spec.get("ports") or ():
            same = before.get((port.get("name"), port["port"], port["protocol"]))
            if not port.get("nodePort") and same and same.get("nodePort"):
                port["nodePort"] = same["nodePort"]


def _allocate_address(service: Object, used: InUse, randomness: Random) -> list[Cause]:
    spec = service["spec"]
    if spec["type"] == "ExternalName":
        spec.pop("clusterIP", None)
        spec.pop("clusterIPs", None)
        return []
    given = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or ()), "")
    if given and given != "None":
        wrong = _wrong_address(service, given, used)
        if wrong:
            return [wrong]
    spec["clusterIP"] = given or _free_address(used, randomness)
    spec["clusterIPs"] = [spec["clusterIP"]]
    if given == "None" and not spec.get("selector"):
        # Whoever writes its endpoints may write any: so says Kubernetes of headless Services without selector.
        spec.setdefault("ipFamilyPolicy", "RequireDualStack")
        spec.setdefault("ipFamilies", ["IPv4", "IPv6"])
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    return []


def _wrong_address(service: Object, given: str, used: InUse) -> Cause | None:
    field = "spec.clusterIPs"
    shown = [given]
    try:
        inside = ip_address(given) in SERVICE_NETWORK
    except ValueError:
        return invalid_value(f"{field}[0]", given, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
    if not inside:
        text = f"failed to allocate IP {given}: the provided network does not match the current range"
        return invalid_value(field, shown, text)
    metadata = service["metadata"]
    owner = RESERVED.get(given)
    if given in used.addresses or (owner and owner != (metadata["namespace"], metadata["name"])):
        return invalid_value(field, shown, f"failed to allocate IP {given}: provided IP is already allocated")
    return None


def _free_address(used: InUse, randomness: Random) -> str:
    size = SERVICE_NETWORK.num_addresses
    while True:
        address = str(SERVICE_NETWORK[randomness.randrange(_STATIC, size - 1)])
        if address not in used.addresses:
            return address


def _allocate_ports(spec: Object, used: InUse, randomness: Random) -> list[Cause]:
    ports = spec.get("ports") or []
    if spec["type"] not in ("NodePort", "LoadBalancer"):
        for port in ports:
            port.pop("nodePort", None)
        return []
    wrong = []
    taken = {port["nodePort"] for port in ports if port.get("nodePort")}
    for index, port in enumerate(ports):
        given = port.get("nodePort")
        field = f"spec.ports[{index}].nodePort"
        if not given:
            free = [each for each in NODE_PORTS if each not in used.ports and each not in taken]
            port["nodePort"] = randomness.choice(free)
            taken.add(port["nodePort"])
        elif given not in NODE_PORTS:
            text = (
                f"provided port is not in the valid range. The range of valid ports is {NODE_PORTS[0]}-{NODE_PORTS[-1]}"
            )
            wrong.append(invalid_value(field, given, text))
        elif given in used.ports:
            wrong.append(invalid_value(field, given, "provided port is already allocated"))
    return wrong
