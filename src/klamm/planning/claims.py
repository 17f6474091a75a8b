"""Whether a claim grows to the wanted size.

Kubernetes lets a bound claim grow when its class allows it, and never shrink. A size that cannot be had is not asked
for: the API would refuse the whole claim, and the pass with it. (Shrinking is refused with the whole change of
storage, see storage.py.)
"""

from dataclasses import dataclass

from klamm.base.quantities import parsed
from klamm.planning.kafka_rules.remark import Remark
from klamm.resources.structure import Quantity


@dataclass(frozen=True, slots=True)
class ObservedClaim:
    """A claim as it is. `expandable`: its class allows growth; None when the class is not known."""

    name: str
    size: Quantity
    is_bound: bool
    storage_class: str | None
    expandable: bool | None


@dataclass(frozen=True, slots=True)
class ClaimSize:
    """The size to ask for, and what to tell when it is not the wanted one."""

    size: Quantity
    remark: Remark | None = None


def grows(observed: Quantity, wanted: Quantity) -> bool:
    before, after = parsed(observed), parsed(wanted)
    return before is not None and after is not None and after > before


def claim_size(observed: ObservedClaim, wanted: Quantity) -> ClaimSize:
    """The size that the claim is to have in this pass."""
    before, after = parsed(observed.size), parsed(wanted)
    if before is None or after is None or after == before:
        return ClaimSize(wanted)
    if after < before:
        return ClaimSize(observed.size)
    if not observed.is_bound:
        return ClaimSize(observed.size)  # it grows once it is bound; the next pass asks again
    if observed.expandable:
        return ClaimSize(wanted)
    message = (
        f"claim {observed.name} stays at {observed.size}: its storage class {observed.storage_class or '(none)'} does "
        f"not let volumes grow (allowVolumeExpansion); put the size back, or allow it in the class"
    )
    return ClaimSize(observed.size, Remark("PvcResizingWarning", message))
