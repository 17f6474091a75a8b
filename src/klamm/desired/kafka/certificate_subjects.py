"""Whom the brokers' certificates speak for, and under which names brokers are reached.

Addresses of Kubernetes nodes are not among them: they come and go, and a broker does not choose its node. Clients of a
node port listener set `advertisedHost`, or check no host name (Strimzi behaviour).
"""

from klamm.desired.kafka.cluster import KafkaCluster, Node
from klamm.desired.kafka.listeners import Addresses, ClusterListener
from klamm.desired.surroundings import pod_names, service_names


def common_name(cluster: KafkaCluster) -> str:
    """The same for all brokers: it is their principal."""
    return cluster.kafka


def alternative_names(cluster: KafkaCluster, node: Node, known: Addresses) -> frozenset[str]:
    """All names and addresses under which clients and other brokers may reach this broker."""
    namespace, domain = cluster.namespace, cluster.surroundings.dns_domain
    names = {
        *service_names(cluster.bootstrap_service, namespace, domain),
        *service_names(cluster.headless_service, namespace, domain),
        *pod_names(node.pod, cluster.headless_service, namespace, domain),
    }
    for listener in cluster.listeners:
        names |= _of_listener(cluster, listener, node, known)
    return frozenset(names)


def _of_listener(cluster: KafkaCluster, listener: ClusterListener, node: Node, known: Addresses) -> set[str]:
    """What a listener adds. Its bootstrap leads to every broker, so each carries the bootstrap's names."""
    bootstrap = listener.configuration.bootstrap
    template = listener.configuration.advertised_host_template
    names: set[str | None] = {
        listener.broker_override(node.id).advertised_host,
        template.replace("{nodeId}", str(node.id)) if template else None,
        listener.broker_host(node.id),
        bootstrap.host if bootstrap else None,
        known.hosts.get((listener.identifier, node.id)),
        known.hosts.get((listener.identifier, None)),
        *(bootstrap.alternative_names if bootstrap else ()),
    }
    if listener.type == "cluster-ip":
        for service in (listener.bootstrap_service, listener.broker_service(node.id)):
            names.update(service_names(service, cluster.namespace, cluster.surroundings.dns_domain))
    return {name for name in names if name}
