"""PersistentVolumeClaims of a cluster's nodes.

With `deleteClaim` a claim is owned by the cluster's resource and goes with it; without, it has no owner and stays. The
annotation says the same for claims of volumes that are taken out of a running cluster.
"""

from collections.abc import Iterable, Sequence

from klamm.desired.labels import Component
from klamm.desired.templates import metadata
from klamm.desired.volumes import DELETE_CLAIM, DataVolume, claim_spec
from klamm.resources.custom.template import ResourceTemplate
from klamm.resources.native.metadata import OwnerReference
from klamm.resources.native.volumes import PersistentVolumeClaim


def claims(
    component: Component,
    namespace: str,
    owner: OwnerReference,
    nodes: Iterable[tuple[int, str]],
    volumes: Sequence[DataVolume],
    template: ResourceTemplate | None,
) -> list[PersistentVolumeClaim]:
    """The claims of all nodes, given as (id, pod name)."""
    wanted = []
    for node, pod in nodes:
        for data in (data for data in volumes if data.is_claim):
            goes = bool(data.volume.delete_claim)
            place = metadata(
                component,
                data.claim_name(pod),
                namespace,
                owner if goes else None,
                template,
                annotations={DELETE_CLAIM: str(goes).lower()},
            )
            wanted.append(PersistentVolumeClaim(metadata=place, spec=claim_spec(data.volume, node)))
    return wanted
