"""Who may reach ZooKeeper: itself, the brokers, the operators; nobody else, since it guards all metadata."""

from klamm.desired.network_rules import component_peer, operator_peer, rule
from klamm.desired.templates import metadata
from klamm.desired.zookeeper.ensemble import (
    CLIENT_PORT,
    CLUSTERING_PORT,
    ELECTION_PORT,
    JMX_PORT,
    METRICS_PORT,
    Ensemble,
)
from klamm.resources.native.metadata import LabelSelector
from klamm.resources.native.network import NetworkPolicy, NetworkPolicySpec


def network_policy(ensemble: Ensemble) -> NetworkPolicy:
    nodes = component_peer(ensemble.cluster, "zookeeper")
    clients = [
        component_peer(ensemble.cluster, "kafka"),
        nodes,
        component_peer(ensemble.cluster, "entity", "operator"),
        operator_peer(ensemble.namespace, ensemble.surroundings),
    ]
    rules = [rule(CLUSTERING_PORT, [nodes]), rule(ELECTION_PORT, [nodes]), rule(CLIENT_PORT, clients)]
    if ensemble.spec.metrics_config is not None:
        rules.append(rule(METRICS_PORT))
    if ensemble.spec.jmx_options is not None:
        rules.append(rule(JMX_PORT))
    name = f"{ensemble.cluster}-network-policy-zookeeper"
    return NetworkPolicy(
        metadata=metadata(ensemble.component, name, ensemble.namespace, ensemble.owner),
        spec=NetworkPolicySpec(ingress=rules, pod_selector=LabelSelector(match_labels=ensemble.component.selector())),
    )
