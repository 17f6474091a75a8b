"""Who may reach the brokers."""

from klamm.desired.kafka.cluster import KafkaCluster
from klamm.desired.kafka.listeners import (
    AGENT_PORT,
    CONTROL_PLANE_PORT,
    JMX_PORT,
    METRICS_PORT,
    REPLICATION_PORT,
)
from klamm.desired.network_rules import component_peer, operator_peer, rule
from klamm.desired.templates import metadata
from klamm.resources.native.metadata import LabelSelector
from klamm.resources.native.network import NetworkPolicy, NetworkPolicySpec


def network_policy(cluster: KafkaCluster) -> NetworkPolicy:
    """Internal ports for the cluster's own components, listeners for the peers that the user names."""
    brokers = component_peer(cluster.name, "kafka")
    operator = operator_peer(cluster.namespace, cluster.surroundings)
    others = [
        component_peer(cluster.name, *suffix)
        for suffix in (("entity", "operator"), ("kafka", "exporter"), ("cruise", "control"))
    ]
    rules = [
        rule(CONTROL_PLANE_PORT, [brokers]),
        rule(REPLICATION_PORT, [operator, brokers, *others]),
        rule(AGENT_PORT, [operator]),
        *(rule(listener.port, listener.listener.network_policy_peers) for listener in cluster.listeners),
    ]
    if cluster.spec.metrics_config is not None:
        rules.append(rule(METRICS_PORT))
    if cluster.spec.jmx_options is not None:
        rules.append(rule(JMX_PORT))
    name = f"{cluster.name}-network-policy-kafka"
    return NetworkPolicy(
        metadata=metadata(cluster.component, name, cluster.namespace, cluster.owner),
        spec=NetworkPolicySpec(ingress=rules, pod_selector=LabelSelector(match_labels=cluster.component.selector())),
    )
