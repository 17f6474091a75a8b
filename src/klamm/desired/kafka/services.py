"""The Services of a Kafka cluster.

One for clients to start from (internal listeners), a headless one that gives each broker its name (also while it is not
ready: brokers must find one another to become ready), and for each external listener one to start from and one a
broker.
"""

import json
from collections.abc import Mapping

from klamm.desired.kafka.cluster import KafkaCluster, Node
from klamm.desired.kafka.listeners import (
    AGENT_PORT,
    CONTROL_PLANE_PORT,
    JMX_PORT,
    REPLICATION_PORT,
    ClusterListener,
)
from klamm.desired.labels import DISCOVERY, STATEFUL_SET_POD_NAME
from klamm.desired.templates import metadata
from klamm.resources.custom.template import InternalServiceTemplate, MetadataTemplate, ResourceTemplate
from klamm.resources.native.service import Service, ServicePort, ServiceSpec

_SERVICE_TYPES = {"nodeport": "NodePort", "loadbalancer": "LoadBalancer"}


def services(cluster: KafkaCluster) -> list[Service]:
    """All Services that are wanted; others that carry the cluster's Kafka selector labels are to be deleted."""
    wanted = [bootstrap_service(cluster), headless_service(cluster)]
    for listener in cluster.listeners:
        if listener.is_external:
            wanted += _external_bootstrap(cluster, listener)
            wanted += [broker_service(cluster, listener, node) for node in cluster.nodes]
    return wanted


def bootstrap_service(cluster: KafkaCluster) -> Service:
    """Where clients inside the cluster start."""
    template = cluster.template.bootstrap_service
    return Service(
        metadata=metadata(
            cluster.component,
            cluster.bootstrap_service,
            cluster.namespace,
            cluster.owner,
            template,
            labels={DISCOVERY: "true"},
            annotations={DISCOVERY: discovery(cluster)},
        ),
        spec=_families(
            ServiceSpec(
                type="ClusterIP",
                ports=[_port("tcp-replication", REPLICATION_PORT), *_internal_ports(cluster)],
                selector=cluster.component.selector(),
            ),
            template,
        ),
    )


def headless_service(cluster: KafkaCluster) -> Service:
    """Gives each broker the name `<pod>.<this>.<namespace>.svc`."""
    template = cluster.template.brokers_service
    ports = [
        _port("tcp-ctrlplane", CONTROL_PLANE_PORT),
        _port("tcp-replication", REPLICATION_PORT),
        _port("tcp-kafkaagent", AGENT_PORT),
        *_internal_ports(cluster),
    ]
    if cluster.spec.jmx_options is not None:
        ports.append(_port("jmx", JMX_PORT))
    return Service(
        metadata=metadata(cluster.component, cluster.headless_service, cluster.namespace, cluster.owner, template),
        spec=_families(
            ServiceSpec(
                type="ClusterIP",
                cluster_ip="None",
                publish_not_ready_addresses=True,
                ports=ports,
                selector=cluster.component.selector(),
            ),
            template,
        ),
    )


def broker_service(cluster: KafkaCluster, listener: ClusterListener, node: Node) -> Service:
    """Leads to one broker through one external listener."""
    override, configuration = listener.broker_override(node.id), listener.configuration
    added = _with_metadata(
        cluster.template.per_pod_service,
        {**_of_node(configuration.per_broker_labels_template, node), **override.labels},
        {**_of_node(configuration.per_broker_annotations_template, node), **override.annotations},
    )
    selector = cluster.node_component.selector() | {STATEFUL_SET_POD_NAME: node.pod}
    spec = _external_spec(listener, selector, override.node_port, override.load_balancer_ip)
    spec.external_ips = list(override.external_ips)
    return Service(
        metadata=metadata(
            cluster.node_component, listener.broker_service(node.id), cluster.namespace, cluster.owner, added
        ),
        spec=spec,
    )


def discovery(cluster: KafkaCluster) -> str:
    """The listeners as JSON, for tools that look for Kafka clusters (annotation strimzi.io/discovery)."""
    doors = [
        {
            "port": listener.port,
            "tls": listener.tls,
            "protocol": "kafka",
            "auth": listener.authentication or "none",
        }
        for listener in cluster.listeners
    ]
    return json.dumps(doors, indent=2)


def _external_bootstrap(cluster: KafkaCluster, listener: ClusterListener) -> list[Service]:
    if listener.type == "loadbalancer" and listener.configuration.create_bootstrap_service is False:
        return []
    bootstrap = listener.configuration.bootstrap
    added = _with_metadata(
        cluster.template.external_bootstrap_service,
        bootstrap.labels if bootstrap else {},
        bootstrap.annotations if bootstrap else {},
    )
    spec = _external_spec(
        listener,
        cluster.component.selector(),
        bootstrap.node_port if bootstrap else None,
        bootstrap.load_balancer_ip if bootstrap else None,
    )
    spec.external_ips = list(bootstrap.external_ips) if bootstrap else []
    place = metadata(cluster.component, listener.bootstrap_service, cluster.namespace, cluster.owner, added)
    return [Service(metadata=place, spec=spec)]


def _external_spec(
    listener: ClusterListener, selector: dict[str, str], node_port: int | None, load_balancer_ip: str | None
) -> ServiceSpec:
    configuration = listener.configuration
    port = _port(listener.port_name, listener.port)
    spec = ServiceSpec(
        type=_SERVICE_TYPES.get(listener.type, "ClusterIP"),
        ip_families=list(configuration.ip_families),
        ip_family_policy=configuration.ip_family_policy,
        ports=[port],
        publish_not_ready_addresses=configuration.publish_not_ready_addresses,
        selector=selector,
    )
    if listener.type in _SERVICE_TYPES:
        port.node_port = node_port
        spec.external_traffic_policy = configuration.external_traffic_policy or "Cluster"
    if listener.type == "loadbalancer":
        spec.load_balancer_ip = load_balancer_ip
        spec.load_balancer_class = configuration.class_
        spec.load_balancer_source_ranges = list(configuration.load_balancer_source_ranges)
        spec.allocate_load_balancer_node_ports = configuration.allocate_load_balancer_node_ports
    return spec


def _internal_ports(cluster: KafkaCluster) -> list[ServicePort]:
    return [_port(listener.port_name, listener.port) for listener in cluster.listeners if not listener.is_external]


def _port(name: str, port: int) -> ServicePort:
    return ServicePort(name=name, port=port, target_port=port, protocol="TCP")


def _families(spec: ServiceSpec, template: InternalServiceTemplate | None) -> ServiceSpec:
    if template is not None:
        spec.ip_families = list(template.ip_families)
        spec.ip_family_policy = template.ip_family_policy
    return spec


def _of_node(texts: Mapping[str, str], node: Node) -> dict[str, str]:
    return {key: value.replace("{nodeId}", str(node.id)) for key, value in texts.items()}


def _with_metadata(
    template: ResourceTemplate | None, labels: Mapping[str, str], annotations: Mapping[str, str]
) -> ResourceTemplate:
    """The template with the more particular labels and annotations of a listener over its own."""
    base = (template.metadata if template else None) or MetadataTemplate()
    return ResourceTemplate(
        metadata=MetadataTemplate(labels={**base.labels, **labels}, annotations={**base.annotations, **annotations})
    )
