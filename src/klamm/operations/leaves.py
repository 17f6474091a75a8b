"""The hands of leaf certificates: keep or issue what `planning.authorities.leaf` says, and store them in a Secret."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from klamm.certificates.issue import Subject, issue_leaf
from klamm.certificates.keys import KeyAlgorithm, key_to_pem, new_key
from klamm.certificates.pkcs12 import keystore
from klamm.certificates.read import UnreadableCertificate, key_matches, read_certificate
from klamm.desired.pod_sets import CLUSTER_CA_CERT_GENERATION
from klamm.desired.secrets import LeafFiles
from klamm.operations.authorities import CurrentAuthority
from klamm.planning.authorities.leaf import IssueLeaf, LeafDecision, ObservedLeaf, decide_leaf
from klamm.resources.native.configuration import Secret, entry


@dataclass(frozen=True, slots=True)
class WantedLeaf:
    """An entry of a Secret: `<entry>.crt`, `<entry>.key`, …"""

    entry: str
    subject: Subject
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Leaf:
    files: LeafFiles
    thumbprint: str
    decision: LeafDecision
    end: datetime


@dataclass(frozen=True, slots=True)
class Issuing:
    """What issuing needs beside the authority. `password` makes a new random password for a PKCS#12 store."""

    now: datetime
    window_open: bool
    password: Callable[[], str]
    spreading: bool = False
    """Not everybody trusts the authority yet: leaves that work are kept (planning.authorities.trust)."""
    key_algorithm: KeyAlgorithm = KeyAlgorithm.EC_P256


def leaf(wanted: WantedLeaf, stored: Secret | None, current: CurrentAuthority, issuing: Issuing) -> Leaf:
    """The leaf as it should be stored: the one that is there, or a new one."""
    decision = _decision(wanted, stored, current, issuing)
    files = _issued(wanted, current, issuing) if isinstance(decision, IssueLeaf) else _stored(wanted, stored)
    facts = read_certificate(files.certificate)
    return Leaf(files, facts.thumbprint, decision, facts.not_after)


def are_kept(wanted: Iterable[WantedLeaf], stored: Secret | None, current: CurrentAuthority, issuing: Issuing) -> bool:
    """Whether no leaf would be issued anew."""
    return not any(isinstance(_decision(one, stored, current, issuing), IssueLeaf) for one in wanted)


def _decision(wanted: WantedLeaf, stored: Secret | None, current: CurrentAuthority, issuing: Issuing) -> LeafDecision:
    return decide_leaf(
        observe(wanted, stored),
        wanted.names,
        current.certificate_generation,
        current.rules.renewal_days,
        issuing.now,
        window_open=issuing.window_open,
        spreading=issuing.spreading,
    )


def observe(wanted: WantedLeaf, stored: Secret | None) -> ObservedLeaf | None:
    certificate, key = entry(stored, f"{wanted.entry}.crt"), entry(stored, f"{wanted.entry}.key")
    if stored is None or not (certificate or key):
        return None
    try:
        facts = read_certificate(certificate)
    except UnreadableCertificate:
        return ObservedLeaf(key_present=bool(key))
    signed_under = stored.metadata.annotations.get(CLUSTER_CA_CERT_GENERATION, "")
    return ObservedLeaf(
        alternative_names=facts.alternative_names,
        not_after=facts.not_after,
        key_present=bool(key),
        key_matches=key_matches(certificate, key),
        signed_under=int(signed_under) if signed_under.isdigit() else None,
    )


def _issued(wanted: WantedLeaf, current: CurrentAuthority, issuing: Issuing) -> LeafFiles:
    key = new_key(issuing.key_algorithm)
    certificate = issue_leaf(
        current.authority,
        wanted.subject,
        key,
        now=issuing.now,
        days=current.rules.validity_days,
        alternative_names=wanted.names,
    )
    password, pem = issuing.password(), key_to_pem(key)
    store = keystore(wanted.entry, certificate, pem, password, [current.authority.certificate])
    return LeafFiles(certificate, pem, store, password)


def _stored(wanted: WantedLeaf, stored: Secret | None) -> LeafFiles:
    return LeafFiles(
        entry(stored, f"{wanted.entry}.crt"),
        entry(stored, f"{wanted.entry}.key"),
        entry(stored, f"{wanted.entry}.p12") or None,
        entry(stored, f"{wanted.entry}.password").decode("ascii", "replace") or None,
    )


def leaves(
    wanted: Mapping[str, WantedLeaf], stored: Secret | None, current: CurrentAuthority, issuing: Issuing
) -> dict[str, Leaf]:
    """Each of `wanted`, under its key."""
    return {name: leaf(one, stored, current, issuing) for name, one in wanted.items()}
