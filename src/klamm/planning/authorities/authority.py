"""What to do with a certificate authority (cluster or clients) in this pass.

The order of the questions is Strimzi's: is there a key, is there a certificate, did a person ask for renewal
or replacement, is the end near. Two answers are stronger here. A key that is lost, or that belongs to another
certificate, is replaced *with* the old certificate kept as trusted, so that running pods go on speaking to
one another while they are rolled. And an authority that has already ended does not wait for a maintenance
window.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from klamm.planning.authorities.reasons import (
    AskedByAnnotation,
    BroughtByUser,
    CertificateMissing,
    Expired,
    Expiring,
    KeyDoesNotMatch,
    KeyMissing,
    NothingThere,
    Reason,
    Valid,
)

FORCE_RENEW = "strimzi.io/force-renew"
FORCE_REPLACE = "strimzi.io/force-replace"


class ExpirationPolicy(StrEnum):
    """`certificateExpirationPolicy`: what is done when the end of validity comes near."""

    RENEW_CERTIFICATE = "renew-certificate"
    REPLACE_KEY = "replace-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityRules:
    """What the Kafka resource says about an authority (`spec.clusterCa`, `spec.clientsCa`)."""

    generated: bool = True
    validity_days: int = 365
    renewal_days: int = 30
    expiration_policy: ExpirationPolicy = ExpirationPolicy.RENEW_CERTIFICATE


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedAuthority:
    """What the two Secrets hold. `not_after` is None when there is no readable certificate.

    `has_signed` is false while no certificate of it was ever stored: a pass may have ended between the two Secrets. So
    it may have during a replacement, after the new key was stored and before its certificate was: `half_replaced`.
    """

    certificate_secret: str
    key_secret: str
    not_after: datetime | None = None
    key_present: bool = False
    key_matches: bool = True
    certificate_generation: int = 0
    key_generation: int = 0
    has_signed: bool = True
    half_replaced: bool = False
    force_renew: bool = False
    force_replace: bool = False


@dataclass(frozen=True, slots=True)
class Keep:
    """Leave both Secrets as they are."""

    because: Reason


@dataclass(frozen=True, slots=True)
class Create:
    """Make key and certificate, both of generation 0."""

    because: Reason
    certificate_generation: int = 0
    key_generation: int = 0


@dataclass(frozen=True, slots=True)
class RenewCertificate:
    """Sign a new certificate with the same key; all leaves are signed anew and pods rolled once."""

    because: Reason
    certificate_generation: int
    key_generation: int


@dataclass(frozen=True, slots=True)
class ReplaceKey:
    """Make a new key and certificate; the old certificate stays trusted until all pods have changed over.

    `key_is_made`: a pass before stored the new key, and only its certificate is missing.
    """

    because: Reason
    certificate_generation: int
    key_generation: int
    key_is_made: bool = False


@dataclass(frozen=True, slots=True)
class Postponed:
    """`step` is due, but waits for the next maintenance window."""

    step: RenewCertificate | ReplaceKey

    @property
    def because(self) -> Reason:
        return self.step.because


@dataclass(frozen=True, slots=True)
class WaitForUser:
    """The user brings this authority, and a part of it is not there: `message` says what to create."""

    message: str


Decision = Keep | Create | RenewCertificate | ReplaceKey | Postponed | WaitForUser


def decide_authority(
    observed: ObservedAuthority, rules: AuthorityRules, now: datetime, *, window_open: bool
) -> Decision:
    """Say what this pass does with the authority, and why."""
    if not rules.generated:
        return _brought_by_user(observed)
    if not observed.key_present and observed.not_after is None:
        return Create(NothingThere())
    if not observed.key_present:
        return _replace(observed, KeyMissing())
    if observed.not_after is None:
        return _certify(observed)
    if not observed.key_matches and observed.half_replaced:
        newer = observed.certificate_generation + 1
        return ReplaceKey(KeyDoesNotMatch(), newer, observed.key_generation, key_is_made=True)
    if not observed.key_matches:
        return _replace(observed, KeyDoesNotMatch())
    return _decide_whole(observed, observed.not_after, rules, now, window_open=window_open)


def _decide_whole(
    observed: ObservedAuthority, not_after: datetime, rules: AuthorityRules, now: datetime, *, window_open: bool
) -> Decision:
    by_policy = _replace if rules.expiration_policy is ExpirationPolicy.REPLACE_KEY else _renew
    if now >= not_after:
        return by_policy(observed, Expired(not_after))
    step: RenewCertificate | ReplaceKey
    if observed.force_renew:
        step = _renew(observed, AskedByAnnotation(FORCE_RENEW))
    elif observed.force_replace:
        step = _replace(observed, AskedByAnnotation(FORCE_REPLACE))
    elif now > not_after - timedelta(days=rules.renewal_days):
        step = by_policy(observed, Expiring(not_after, rules.renewal_days))
    else:
        return Keep(Valid(not_after))
    return step if window_open else Postponed(step)


def expired_certificates(old: Mapping[str, datetime], now: datetime) -> list[str]:
    """Which of the old certificates (Secret key -> end of validity) no longer serve any trust: they go."""
    return sorted(name for name, not_after in old.items() if not_after <= now)


def old_certificate_name(not_after: datetime) -> str:
    """The Secret key under which a replaced certificate stays trusted, e.g. `ca-2026-01-31T10-00-00Z.crt`."""
    return f"ca-{not_after:%Y-%m-%dT%H-%M-%SZ}.crt"


def _brought_by_user(observed: ObservedAuthority) -> Decision:
    missing = []
    if observed.not_after is None:
        missing.append(f"Secret {observed.certificate_secret} with a readable certificate under ca.crt")
    if not observed.key_present:
        missing.append(f"Secret {observed.key_secret} with its private key under ca.key")
    if missing:
        return WaitForUser(
            f"generateCertificateAuthority is false, but {' and '.join(missing)} was not found; "
            "create it, or let klamm make the authority by generateCertificateAuthority: true"
        )
    if not observed.key_matches:
        return WaitForUser(
            f"the key in Secret {observed.key_secret} (ca.key) does not belong to the certificate in Secret "
            f"{observed.certificate_secret} (ca.crt); store a key and a certificate that belong together"
        )
    return Keep(BroughtByUser())


def _certify(observed: ObservedAuthority) -> RenewCertificate:
    """A certificate for the key that is there. The very first one has generation 0, as `Create` gives it."""
    generation = observed.certificate_generation + 1 if observed.has_signed else 0
    return RenewCertificate(CertificateMissing(), generation, observed.key_generation)


def _renew(observed: ObservedAuthority, because: Reason) -> RenewCertificate:
    return RenewCertificate(because, observed.certificate_generation + 1, observed.key_generation)


def _replace(observed: ObservedAuthority, because: Reason) -> ReplaceKey:
    return ReplaceKey(because, observed.certificate_generation + 1, observed.key_generation + 1)
