"""Whom ZooKeeper's certificates speak for.

The wildcards are for peers: a node that is dialled finds the caller's name by a reverse look-up, which may give the
name under either Service.
"""

from klamm.desired.surroundings import pod_names, service_names
from klamm.desired.zookeeper.ensemble import Ensemble


def common_name(ensemble: Ensemble) -> str:
    return ensemble.name


def alternative_names(ensemble: Ensemble, pod: str) -> frozenset[str]:
    """All names under which this node may be reached."""
    namespace, domain = ensemble.namespace, ensemble.surroundings.dns_domain
    wildcards = [
        name
        for service in (ensemble.client_service, ensemble.nodes_service)
        for name in pod_names("*", service, namespace, domain)
    ]
    return frozenset(
        [
            *service_names(ensemble.client_service, namespace, domain),
            pod,
            *pod_names(pod, ensemble.nodes_service, namespace, domain),
            *wildcards,
        ]
    )
