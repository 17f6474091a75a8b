"""Pieces of NetworkPolicies: who may reach which port.

A rule without peers lets everybody in, a policy without a rule for a port nobody.
"""

from collections.abc import Sequence

from klamm.desired.labels import CLUSTER, KIND, NAME
from klamm.desired.surroundings import Surroundings
from klamm.resources.native.metadata import LabelSelector
from klamm.resources.native.network import (
    NetworkPolicyIngressRule,
    NetworkPolicyPeer,
    NetworkPolicyPort,
)


def rule(port: int, peers: Sequence[NetworkPolicyPeer] = ()) -> NetworkPolicyIngressRule:
    """Let `peers` (empty: everybody) reach a TCP port."""
    return NetworkPolicyIngressRule(from_=list(peers), ports=[NetworkPolicyPort(port=port, protocol="TCP")])


def component_peer(cluster: str, *suffix: str) -> NetworkPolicyPeer:
    """The pods of one component of the cluster, e.g. `kafka`."""
    labels = {CLUSTER: cluster, KIND: "Kafka", NAME: "-".join((cluster, *suffix))}
    return NetworkPolicyPeer(pod_selector=LabelSelector(match_labels=labels))


def operator_peer(namespace: str, surroundings: Surroundings) -> NetworkPolicyPeer:
    """The cluster operator, which may run in another namespace than the cluster.

    There it is found by the labels of its namespace, or in any namespace when they are not known.
    """
    selector = LabelSelector(match_labels={KIND: "cluster-operator"})
    if namespace == surroundings.operator_namespace:
        return NetworkPolicyPeer(pod_selector=selector)
    where = LabelSelector(match_labels=dict(surroundings.operator_namespace_labels))
    return NetworkPolicyPeer(pod_selector=selector, namespace_selector=where)
