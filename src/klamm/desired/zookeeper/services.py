"""ZooKeeper's Services: one for clients, one headless that gives each node its name."""

from klamm.desired.templates import metadata
from klamm.desired.zookeeper.ensemble import (
    CLIENT_PORT,
    CLUSTERING_PORT,
    ELECTION_PORT,
    JMX_PORT,
    Ensemble,
)
from klamm.resources.custom.template import InternalServiceTemplate
from klamm.resources.native.service import Service, ServicePort, ServiceSpec


def services(ensemble: Ensemble) -> list[Service]:
    return [client_service(ensemble), nodes_service(ensemble)]


def client_service(ensemble: Ensemble) -> Service:
    """Where brokers find ZooKeeper.

    It also lists nodes that are not ready: brokers and ZooKeeper start together, and a Kafka 3.x that cannot resolve or
    reach ZooKeeper for 18 s gives up. Clients of ZooKeeper try one node after another, so an unready one does no harm.
    """
    spec = _spec(ensemble, ensemble.template.client_service, {"tcp-clients": CLIENT_PORT})
    return _service(ensemble, ensemble.client_service, spec, ensemble.template.client_service)


def nodes_service(ensemble: Ensemble) -> Service:
    """Gives each node the name under which the others elect and follow it."""
    ports = {
        "tcp-clients": CLIENT_PORT,
        "tcp-clustering": CLUSTERING_PORT,
        "tcp-election": ELECTION_PORT,
    }
    if ensemble.spec.jmx_options is not None:
        ports["jmx"] = JMX_PORT
    spec = _spec(ensemble, ensemble.template.nodes_service, ports)
    spec.cluster_ip = "None"
    return _service(ensemble, ensemble.nodes_service, spec, ensemble.template.nodes_service)


def _spec(ensemble: Ensemble, template: InternalServiceTemplate | None, ports: dict[str, int]) -> ServiceSpec:
    template = template or InternalServiceTemplate()
    return ServiceSpec(
        type="ClusterIP",
        ip_families=list(template.ip_families),
        ip_family_policy=template.ip_family_policy,
        ports=[ServicePort(name=name, port=port, target_port=port, protocol="TCP") for name, port in ports.items()],
        publish_not_ready_addresses=True,
        selector=ensemble.component.selector(),
    )


def _service(ensemble: Ensemble, name: str, spec: ServiceSpec, template: InternalServiceTemplate | None) -> Service:
    place = metadata(ensemble.component, name, ensemble.namespace, ensemble.owner, template)
    return Service(metadata=place, spec=spec)
