"""Whether a component's certificate is kept or issued anew.

A leaf is issued anew when something is missing or does not fit together, when the authority's certificate
has a new generation, when its alternative names change, or when its end is near. Only the last waits for a
maintenance window, and not even that once the end has passed. While the trust in a new authority is being spread
(trust.py), a leaf that works is kept whatever else is wished of it: one signed by the new key would not be trusted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from klamm.planning.authorities.reasons import (
    CertificateMissing,
    Expired,
    Expiring,
    KeyDoesNotMatch,
    KeyMissing,
    NamesChanged,
    NothingThere,
    Reason,
    SignerChanged,
    Valid,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedLeaf:
    """What a Secret holds of one leaf. `signed_under` is the authority's generation noted on the Secret."""

    alternative_names: frozenset[str] = frozenset()
    not_after: datetime | None = None
    key_present: bool = True
    key_matches: bool = True
    signed_under: int | None = 0


@dataclass(frozen=True, slots=True)
class KeepLeaf:
    """Copy what is there."""

    because: Reason


@dataclass(frozen=True, slots=True)
class IssueLeaf:
    """Make a new key and certificate; the pod that carries it is rolled."""

    because: Reason


@dataclass(frozen=True, slots=True)
class PostponedLeaf:
    """Due, but waits (for a maintenance window, or for trust to be spread); what is there is copied meanwhile."""

    because: Reason


LeafDecision = KeepLeaf | IssueLeaf | PostponedLeaf


def decide_leaf(
    observed: ObservedLeaf | None,
    wanted_names: frozenset[str],
    authority_generation: int,
    renewal_days: int,
    now: datetime,
    *,
    window_open: bool,
    spreading: bool = False,
) -> LeafDecision:
    """Say whether the leaf is kept or issued anew, and why. `spreading`: not all trust the authority yet."""
    if observed is None:
        return IssueLeaf(NothingThere())
    broken = _what_is_broken(observed)
    if broken is not None:
        return IssueLeaf(broken)
    not_after = observed.not_after
    if not_after is None:
        return IssueLeaf(CertificateMissing())
    if now >= not_after:
        return IssueLeaf(Expired(not_after))
    changed = _what_changed(observed, wanted_names, authority_generation)
    if changed is not None:
        return PostponedLeaf(changed) if spreading else IssueLeaf(changed)
    if now > not_after - timedelta(days=renewal_days):
        near = Expiring(not_after, renewal_days)
        return IssueLeaf(near) if window_open and not spreading else PostponedLeaf(near)
    return KeepLeaf(Valid(not_after))


def _what_is_broken(observed: ObservedLeaf) -> Reason | None:
    if not observed.key_present:
        return KeyMissing()
    if observed.not_after is None:
        return CertificateMissing()
    if not observed.key_matches:
        return KeyDoesNotMatch()
    return None


def _what_changed(observed: ObservedLeaf, wanted_names: frozenset[str], authority_generation: int) -> Reason | None:
    if observed.signed_under != authority_generation:
        return SignerChanged(observed.signed_under, authority_generation)
    if observed.alternative_names != wanted_names:
        added, removed = wanted_names - observed.alternative_names, observed.alternative_names - wanted_names
        return NamesChanged(tuple(sorted(added)), tuple(sorted(removed)))
    return None
