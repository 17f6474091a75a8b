"""The Ingresses of listeners of type ingress.

The ingress controller must hand TLS through untouched, for Kafka tells by the certificate and the host name (SNI) which
broker is meant; the annotations ask ingress-nginx for that.
"""

from klamm.desired.kafka.cluster import KafkaCluster
from klamm.desired.kafka.listeners import ClusterListener
from klamm.desired.labels import Component
from klamm.desired.templates import metadata
from klamm.resources.custom.template import ResourceTemplate
from klamm.resources.native.network import (
    HttpIngressPath,
    HttpIngressRuleValue,
    Ingress,
    IngressBackend,
    IngressRule,
    IngressServiceBackend,
    IngressSpec,
    IngressTls,
    ServiceBackendPort,
)

_PASS_TLS_THROUGH = {
    "ingress.kubernetes.io/ssl-passthrough": "true",
    "nginx.ingress.kubernetes.io/backend-protocol": "HTTPS",
    "nginx.ingress.kubernetes.io/ssl-passthrough": "true",
}


def ingresses(cluster: KafkaCluster) -> list[Ingress]:
    """One to start from and one a broker, for each listener of this type; named like their Services."""
    return [made for listener in cluster.listeners if listener.type == "ingress" for made in _of(cluster, listener)]


def _of(cluster: KafkaCluster, listener: ClusterListener) -> list[Ingress]:
    bootstrap, template = listener.configuration.bootstrap, cluster.template
    start = _ingress(
        cluster,
        cluster.component,
        listener,
        listener.bootstrap_service,
        (bootstrap and bootstrap.host) or "",
        template.external_bootstrap_ingress,
        dict(bootstrap.annotations) if bootstrap else {},
    )
    brokers = [
        _ingress(
            cluster,
            cluster.node_component,
            listener,
            listener.broker_service(node.id),
            listener.broker_host(node.id) or "",
            template.per_pod_ingress,
            dict(listener.broker_override(node.id).annotations),
        )
        for node in cluster.nodes
    ]
    return [start, *brokers]


def _ingress(
    cluster: KafkaCluster,
    component: Component,
    listener: ClusterListener,
    service: str,
    host: str,
    template: ResourceTemplate | None,
    annotations: dict[str, str],
) -> Ingress:
    backend = IngressBackend(service=IngressServiceBackend(name=service, port=ServiceBackendPort(number=listener.port)))
    path = HttpIngressPath(path="/", path_type="Prefix", backend=backend)
    return Ingress(
        metadata=metadata(
            component,
            service,
            cluster.namespace,
            cluster.owner,
            template,
            annotations=_PASS_TLS_THROUGH | annotations,
        ),
        spec=IngressSpec(
            ingress_class_name=listener.configuration.class_,
            rules=[IngressRule(host=host, http=HttpIngressRuleValue(paths=[path]))],
            tls=[IngressTls(hosts=[host])],
        ),
    )
