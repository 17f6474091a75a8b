"""What was wanted once and is not any more: Services of removed listeners, ConfigMaps and claims of removed brokers.

Done when everything that is wanted is ready, so that nothing in use is taken away; only what the resource owns goes,
so that claims with deleteClaim: false stay (they have no owner).
"""

from collections.abc import Iterable
from typing import Any

from klamm.base.together import side_by_side
from klamm.desired.kafka.cluster import KafkaCluster
from klamm.desired.kafka.ingresses import ingresses
from klamm.desired.kafka.objects import kafka_claims
from klamm.desired.kafka.services import services
from klamm.desired.zookeeper.ensemble import Ensemble
from klamm.desired.zookeeper.objects import zookeeper_claims
from klamm.kube.kinds import Kind, Object
from klamm.kube.native import CONFIG_MAPS, INGRESSES, PERSISTENT_VOLUME_CLAIMS, SERVICES
from klamm.operators.cluster.hands import Hands
from klamm.operators.cluster.kafka.claims import labels_of_claims


async def delete_leftovers(hands: Hands, cluster: KafkaCluster, ensemble: Ensemble) -> None:
    owner = cluster.resource.metadata.uid or ""
    brokers, nodes = cluster.component.selector(), cluster.node_component.selector()
    claims = [*kafka_claims(cluster), *zookeeper_claims(ensemble)]
    kept: list[tuple[Kind[Any], dict[str, str], set[str]]] = [
        (SERVICES, brokers, _names(services(cluster))),
        (INGRESSES, brokers, _names(ingresses(cluster))),
        (CONFIG_MAPS, nodes, {node.pod for node in cluster.nodes}),
        (PERSISTENT_VOLUME_CLAIMS, labels_of_claims(cluster.name), _names(claims)),
    ]
    prune, namespace = hands.applier.prune, cluster.namespace
    await side_by_side(*(prune(kind, namespace, labels, keep, owner) for kind, labels, keep in kept))


def _names(wanted: Iterable[Object]) -> set[str]:
    return {one.metadata.name or "" for one in wanted}
