"""Where clients reach the cluster from outside: node ports and node addresses, and the listeners of the status."""

from collections.abc import Iterable, Sequence

from klamm.desired.kafka.cluster import KafkaCluster
from klamm.desired.kafka.listeners import Addresses, ClusterListener
from klamm.resources.custom.listeners import ListenerAddress, ListenerStatus
from klamm.resources.native.cluster import Node
from klamm.resources.native.service import Service

_PREFERENCE = ("ExternalDNS", "ExternalIP", "InternalDNS", "InternalIP", "Hostname")
"""Which of a node's addresses is told to clients, the best first (Strimzi behaviour)."""


def known_addresses(cluster: KafkaCluster, services: Iterable[Service]) -> Addresses:
    """What the API assigned to the Services of external listeners."""
    by_name = {service.metadata.name: service for service in services}
    node_ports: dict[tuple[str, int | None], int] = {}
    hosts: dict[tuple[str, int | None], str] = {}
    for listener in cluster.listeners:
        if not listener.is_external:
            continue
        places: list[tuple[int | None, str]] = [(None, listener.bootstrap_service)]
        places += [(node.id, listener.broker_service(node.id)) for node in cluster.nodes]
        for node, name in places:
            service = by_name.get(name)
            if service is None:
                continue
            if service.spec.ports and service.spec.ports[0].node_port:
                node_ports[listener.identifier, node] = service.spec.ports[0].node_port
            if (host := _load_balancer(service)) is not None:
                hosts[listener.identifier, node] = host
    return Addresses(node_ports, hosts)


def listener_statuses(
    cluster: KafkaCluster, known: Addresses, nodes: Sequence[Node], authority: str
) -> list[ListenerStatus]:
    """`nodes`: the Kubernetes nodes that run brokers. `authority`: PEM that clients of TLS listeners trust."""
    return [_status(cluster, listener, known, nodes, authority) for listener in cluster.listeners]


def _status(
    cluster: KafkaCluster, listener: ClusterListener, known: Addresses, nodes: Sequence[Node], authority: str
) -> ListenerStatus:
    pairs = [pair for pair in _bootstrap(cluster, listener, known, nodes) if pair[0]]
    return ListenerStatus(
        name=listener.name,
        addresses=[ListenerAddress(host=host, port=port) for host, port in pairs],
        bootstrap_servers=",".join(f"{host}:{port}" for host, port in pairs) or None,
        certificates=[authority] if listener.tls else [],
    )


def _bootstrap(
    cluster: KafkaCluster, listener: ClusterListener, known: Addresses, nodes: Sequence[Node]
) -> list[tuple[str, int]]:
    if listener.type == "nodeport":
        port = known.node_ports.get((listener.identifier, None))
        preferred = listener.configuration.preferred_node_port_address_type
        hosts = dict.fromkeys(address for node in nodes if (address := node_address(node, preferred)))
        return [(host, port) for host in hosts] if port else []
    if listener.type == "loadbalancer":
        host = known.hosts.get((listener.identifier, None))
        return [(host, listener.port)] if host else []
    if listener.type in ("ingress", "route", "tlsroute"):
        bootstrap = listener.configuration.bootstrap
        return [(bootstrap.host, 443)] if bootstrap and bootstrap.host else []
    domain = cluster.surroundings.dns_domain
    return [(listener.service_host(listener.bootstrap_service, cluster.namespace, domain), listener.port)]


def node_address(node: Node, preferred: str | None = None) -> str | None:
    by_type = {address.type: address.address for address in reversed(node.status.addresses)}
    order = ([preferred] if preferred else []) + list(_PREFERENCE)
    return next((by_type[kind] for kind in order if by_type.get(kind)), None)


def _load_balancer(service: Service) -> str | None:
    status = service.status
    ingress = status.load_balancer.ingress if status and status.load_balancer else []
    return next((one.hostname or one.ip for one in ingress if one.hostname or one.ip), None)
