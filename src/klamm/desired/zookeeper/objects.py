"""All objects of a ZooKeeper ensemble together, but for its certificates' Secret (see desired/secrets.py)."""

from klamm.desired.budgets import budget
from klamm.desired.claims import claims
from klamm.desired.pod_sets import pod_set
from klamm.desired.templates import metadata
from klamm.desired.volumes import STORAGE, storage_json
from klamm.desired.zookeeper.configuration import config_map
from klamm.desired.zookeeper.ensemble import Ensemble, EnsembleInputs
from klamm.desired.zookeeper.network_policy import network_policy
from klamm.desired.zookeeper.pods import pods
from klamm.desired.zookeeper.services import services
from klamm.resources.custom.pod_set import StrimziPodSet
from klamm.resources.native.access import ServiceAccount
from klamm.resources.native.volumes import PersistentVolumeClaim
from klamm.resources.native.workloads import PodDisruptionBudget
from klamm.resources.structure import Block


def zookeeper_objects(ensemble: Ensemble, inputs: EnsembleInputs) -> list[Block]:
    """Everything but Secrets, in an order in which it can be applied."""
    return [
        network_policy(ensemble),
        service_account(ensemble),
        *zookeeper_claims(ensemble),
        *services(ensemble),
        config_map(ensemble, inputs),
        zookeeper_budget(ensemble),
        zookeeper_pod_set(ensemble, inputs),
    ]


def service_account(ensemble: Ensemble) -> ServiceAccount:
    template = ensemble.template.service_account
    return ServiceAccount(
        metadata=metadata(ensemble.component, ensemble.name, ensemble.namespace, ensemble.owner, template)
    )


def zookeeper_claims(ensemble: Ensemble) -> list[PersistentVolumeClaim]:
    nodes = list(enumerate(ensemble.pods))
    template = ensemble.template.persistent_volume_claim
    return claims(ensemble.component, ensemble.namespace, ensemble.owner, nodes, ensemble.volumes, template)


def zookeeper_budget(ensemble: Ensemble) -> PodDisruptionBudget:
    template = ensemble.template.pod_disruption_budget
    return budget(ensemble.component, ensemble.namespace, ensemble.owner, len(ensemble.pods), template)


def zookeeper_pod_set(ensemble: Ensemble, inputs: EnsembleInputs) -> StrimziPodSet:
    """The nodes' pod set; it remembers the storage for the next pass."""
    return pod_set(
        ensemble.component,
        ensemble.name,
        ensemble.namespace,
        ensemble.owner,
        pods(ensemble, inputs),
        ensemble.template.pod_set,
        {STORAGE: storage_json(ensemble.storage)},
    )
