"""All objects of a cluster's brokers together: what a reconciler applies group by group, and `plan` prints.

Certificates' Secrets are not among them: their content is made in the act (certificates/), see desired/secrets.py.
"""

from klamm.desired.budgets import budget
from klamm.desired.claims import claims
from klamm.desired.kafka.access import init_binding, service_account
from klamm.desired.kafka.cluster import KafkaCluster
from klamm.desired.kafka.configuration import config_maps
from klamm.desired.kafka.ingresses import ingresses
from klamm.desired.kafka.network_policy import network_policy
from klamm.desired.kafka.pods import KAFKA_VERSION, PodInputs, pods
from klamm.desired.kafka.services import services
from klamm.desired.pod_sets import pod_set
from klamm.desired.volumes import STORAGE, storage_json
from klamm.resources.custom.pod_set import StrimziPodSet
from klamm.resources.native.volumes import PersistentVolumeClaim
from klamm.resources.native.workloads import PodDisruptionBudget
from klamm.resources.structure import Block


def kafka_objects(cluster: KafkaCluster, inputs: PodInputs) -> list[Block]:
    """Everything but Secrets, in an order in which it can be applied."""
    binding = init_binding(cluster)
    return [
        network_policy(cluster),
        service_account(cluster),
        *([binding] if binding else []),
        *kafka_claims(cluster),
        *services(cluster),
        *ingresses(cluster),
        *config_maps(cluster, inputs.configuration),
        kafka_budget(cluster),
        kafka_pod_set(cluster, inputs),
    ]


def kafka_claims(cluster: KafkaCluster) -> list[PersistentVolumeClaim]:
    """The claims of all brokers."""
    nodes = [(node.id, node.pod) for node in cluster.nodes]
    template = cluster.template.persistent_volume_claim
    return claims(cluster.node_component, cluster.namespace, cluster.owner, nodes, cluster.volumes, template)


def kafka_budget(cluster: KafkaCluster) -> PodDisruptionBudget:
    template = cluster.template.pod_disruption_budget
    return budget(cluster.component, cluster.namespace, cluster.owner, len(cluster.nodes), template)


def kafka_pod_set(cluster: KafkaCluster, inputs: PodInputs) -> StrimziPodSet:
    """The brokers' pod set; it remembers version and storage for the next pass."""
    return pod_set(
        cluster.node_component,
        cluster.kafka,
        cluster.namespace,
        cluster.owner,
        pods(cluster, inputs),
        cluster.template.pod_set,
        {KAFKA_VERSION: cluster.version, STORAGE: storage_json(cluster.storage)},
    )
