"""Claims of brokers and ZooKeepers: made, and grown where their class allows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from klamm.control.results import DONE, Again, Result
from klamm.control.status import warning
from klamm.desired.labels import CLUSTER, KIND
from klamm.kube.kinds import Name, name_of
from klamm.kube.native import PERSISTENT_VOLUME_CLAIMS, STORAGE_CLASSES
from klamm.operators.cluster.hands import Hands
from klamm.planning.claims import ObservedClaim, claim_size, grows
from klamm.resources.custom.status import Condition
from klamm.resources.native.container import ResourceRequirements
from klamm.resources.native.volumes import PersistentVolumeClaim
from klamm.resources.structure import Quantity


@dataclass(frozen=True, slots=True)
class ClaimsOutcome:
    result: Result
    warnings: tuple[Condition, ...] = ()


def labels_of_claims(cluster: str) -> dict[str, str]:
    """Of brokers and ZooKeepers."""
    return {CLUSTER: cluster, KIND: "Kafka"}


async def apply_claims(hands: Hands, cluster: Name, wanted: Sequence[PersistentVolumeClaim]) -> ClaimsOutcome:
    """Bring the claims to what is wanted, as far as their classes allow."""
    if not wanted:
        return ClaimsOutcome(DONE)
    listed = await hands.client.list(PERSISTENT_VOLUME_CLAIMS, cluster.namespace, labels_of_claims(cluster.name))
    existing = {claim.metadata.name or "": claim for claim in listed.items}
    leaving = [name for claim in wanted if _is_leaving(existing.get(name := claim.metadata.name or ""))]
    for name in leaving:
        hands.applier.forget(PERSISTENT_VOLUME_CLAIMS, Name(cluster.namespace, name))
    staying = [claim for claim in wanted if claim.metadata.name not in leaving]
    sized = [await _sized(hands, claim, existing) for claim in staying]
    await hands.applier.apply_all([claim for claim, _ in sized])
    told = tuple(condition for _, condition in sized if condition is not None)
    if leaving:
        because = f"claim {leaving[0]} is being deleted, and made anew afterwards"
        return ClaimsOutcome(Again(1.0, because, "ClaimLeaving"), told)
    return ClaimsOutcome(DONE, told)


def _is_leaving(claim: PersistentVolumeClaim | None) -> bool:
    return claim is not None and claim.metadata.deletion_timestamp is not None


async def _sized(
    hands: Hands, wanted: PersistentVolumeClaim, existing: Mapping[str, PersistentVolumeClaim]
) -> tuple[PersistentVolumeClaim, Condition | None]:
    """The claim with the size that can be had."""
    found, size = existing.get(wanted.metadata.name or ""), _size(wanted)
    if found is None:
        hands.applier.forget(PERSISTENT_VOLUME_CLAIMS, name_of(wanted))
        return wanted, None
    decision = claim_size(await _observed(hands, found, size), size)
    if decision.size == size:
        return wanted, None
    spec = msgspec.structs.replace(wanted.spec, resources=ResourceRequirements(requests={"storage": decision.size}))
    told = warning(decision.remark.reason, decision.remark.message) if decision.remark else None
    return msgspec.structs.replace(wanted, spec=spec), told


async def _observed(hands: Hands, claim: PersistentVolumeClaim, wanted: Quantity) -> ObservedClaim:
    """Its class is asked for only when it is to grow."""
    storage_class, size, expandable = claim.spec.storage_class_name, _size(claim), None
    if storage_class and grows(size, wanted):
        found = await hands.client.find(STORAGE_CLASSES, Name("", storage_class))
        expandable = bool(found and found.allow_volume_expansion)
    is_bound = claim.status is not None and claim.status.phase == "Bound"
    return ObservedClaim(claim.metadata.name or "", size, is_bound, storage_class, expandable)


def _size(claim: PersistentVolumeClaim) -> Quantity:
    return claim.spec.resources.requests.get("storage", "0") if claim.spec.resources else "0"
