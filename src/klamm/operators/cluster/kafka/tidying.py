"""What was wanted once and is not any more: Services of removed listeners, ConfigMaps and claims of removed brokers.

Done when everything that is wanted is ready, so that nothing in use is taken away; only what the resource owns goes,
so that claims with deleteClaim: false stay (they have no owner).
"""

from typing import Any

from klamm.desired.kafka.cluster import KafkaCluster
from klamm.desired.kafka.configuration import ConfigurationInputs, config_maps
from klamm.desired.kafka.ingresses import ingresses
from klamm.desired.kafka.objects import kafka_claims
from klamm.desired.kafka.services import services
from klamm.desired.zookeeper.ensemble import Ensemble
from klamm.desired.zookeeper.objects import zookeeper_claims
from klamm.kube.kinds import Kind
from klamm.kube.native import CONFIG_MAPS, INGRESSES, PERSISTENT_VOLUME_CLAIMS, SERVICES
from klamm.operators.cluster.hands import Hands
from klamm.resources.structure import Block


async def delete_leftovers(hands: Hands, cluster: KafkaCluster, ensemble: Ensemble) -> None:
    owner = cluster.resource.metadata.uid or ""
    brokers, nodes = cluster.component.selector(), cluster.node_component.selector()
    kept: list[tuple[Kind[Any], dict[str, str], list[Block]]] = [
        (SERVICES, brokers, [*services(cluster)]),
        (INGRESSES, brokers, [*ingresses(cluster)]),
        (CONFIG_MAPS, nodes, [*config_maps(cluster, ConfigurationInputs())]),
        (PERSISTENT_VOLUME_CLAIMS, nodes, [*kafka_claims(cluster)]),
        (PERSISTENT_VOLUME_CLAIMS, ensemble.component.selector(), [*zookeeper_claims(ensemble)]),
    ]
    for kind, labels, wanted in kept:
        await hands.applier.prune(kind, cluster.namespace, labels, wanted, owner)
