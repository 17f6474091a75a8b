"""The hands of certificate authorities: observe the two Secrets, do what `planning.authorities` says, store the result.

An authority is two Secrets: `<cluster>-<name>-cert` (what clients copy: the certificate, older ones that are still
trusted, a truststore with its password) and `<cluster>-<name>` (the private key). What is made here goes into the API
in an order in which a crash between the two writes is seen and mended by the next pass: the key first, since a key
without certificate is renewed, while a certificate without key would be replaced.
"""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

from klamm.base import faults
from klamm.certificates.issue import Authority, authority_subject, issue_authority
from klamm.certificates.keys import KeyAlgorithm, key_from_pem, key_to_pem, new_key
from klamm.certificates.pkcs12 import truststore
from klamm.certificates.read import UnreadableCertificate, key_matches, read_certificate
from klamm.desired.secrets import (
    CA_CERT_GENERATION,
    CA_KEY_GENERATION,
    AuthorityFiles,
    authority_certificate_secret,
    authority_key_secret,
)
from klamm.kube.kinds import Name
from klamm.kube.native import SECRETS
from klamm.operations.applying import Applier
from klamm.planning.authorities.authority import (
    FORCE_RENEW,
    FORCE_REPLACE,
    AuthorityRules,
    Create,
    Decision,
    Keep,
    ObservedAuthority,
    Postponed,
    RenewCertificate,
    ReplaceKey,
    WaitForUser,
    decide_authority,
    expired_certificates,
    old_certificate_name,
)
from klamm.resources.custom.template import ResourceTemplate
from klamm.resources.native.configuration import Secret, entry
from klamm.resources.native.metadata import OwnerReference

REPLACES = "strimzi.io/replaces-certificate"
"""On a new key until its certificate is stored, too: the fingerprint of the certificate that it replaces."""

_DONE = "done"


class UserAuthorityMissing(faults.Invalid):
    """The user brings this authority, and what he brought is not whole; the message says what to create."""


@dataclass(frozen=True, slots=True)
class AuthoritySpec:
    """What one authority of a cluster is to be. `name` is "cluster-ca" or "clients-ca"."""

    cluster: str
    namespace: str
    name: str
    rules: AuthorityRules
    owner: OwnerReference | None
    labels: Mapping[str, str]
    key_algorithm: KeyAlgorithm = KeyAlgorithm.EC_P256
    template: ResourceTemplate | None = None

    @property
    def certificate_secret(self) -> Name:
        return Name(self.namespace, f"{self.cluster}-{self.name}-cert")

    @property
    def key_secret(self) -> Name:
        return Name(self.namespace, f"{self.cluster}-{self.name}")


@dataclass(frozen=True, slots=True)
class CurrentAuthority:
    """An authority as it is after the pass: what signs, what is trusted, and what was decided."""

    authority: Authority
    trusted: bytes
    """PEM of all certificates that are trusted: the current one and older ones."""
    older: Mapping[str, bytes]
    """Those of authorities that were replaced, by their keys in the Secret."""
    certificate_generation: int
    key_generation: int
    rules: AuthorityRules
    decision: Decision


@dataclass(frozen=True, slots=True)
class _Content:
    certificate: bytes
    key: bytes
    older: Mapping[str, bytes]
    password: str | None


@dataclass(frozen=True, slots=True)
class _Notes:
    """Annotations of the two Secrets that stand there from one write to the next."""

    of_certificate: Mapping[str, str] = field(default_factory=dict)
    of_key: Mapping[str, str] = field(default_factory=dict)


async def reconcile_authority(
    applier: Applier,
    spec: AuthoritySpec,
    secrets: Mapping[str, Secret],
    new_password: str,
    now: datetime,
    *,
    window_open: bool,
) -> CurrentAuthority:
    """Bring one authority to what it should be. `secrets` are the cluster's Secrets by name.

    Raises `UserAuthorityMissing` when the user brings it and something is missing.
    """
    observed = observe(spec, secrets)
    decision = decide_authority(observed, spec.rules, now, window_open=window_open)
    if not isinstance(decision, Keep | Postponed):
        names = spec.certificate_secret, spec.key_secret
        secrets = await applier.asked_again(SECRETS, secrets, names)
        observed = observe(spec, secrets)
        decision = decide_authority(observed, spec.rules, now, window_open=window_open)
    content = _content(spec, secrets)
    match decision:
        case WaitForUser(message):
            raise UserAuthorityMissing(f"spec.{_field(spec)}: {message}")
        case Create() | RenewCertificate() | ReplaceKey():
            content = _made(spec, content, decision, observed, now)
            generations = (decision.certificate_generation, decision.key_generation)
        case Keep() | Postponed():
            generations = (observed.certificate_generation, observed.key_generation)
    content = _without_expired(content, now)
    if spec.rules.generated and not isinstance(decision, Postponed):
        stored = secrets.get(spec.certificate_secret.name)
        notes = _notes(observed, decision, stored)
        await _store(applier, spec, content, generations, stored, new_password, notes)
    return _current(spec, content, generations, decision)


def _notes(observed: ObservedAuthority, decision: Decision, certificate: Secret | None) -> _Notes:
    """A wish is done in the same write as what was wished: a crash between two would have it done twice."""
    of_certificate = {FORCE_RENEW: _DONE} if observed.force_renew else {}
    of_key = {FORCE_REPLACE: _DONE} if observed.force_replace else {}
    if isinstance(decision, ReplaceKey):
        of_key[REPLACES] = _fingerprint(certificate)
    return _Notes(of_certificate, of_key)


def _fingerprint(certificate: Secret | None) -> str:
    return blake2b(entry(certificate, "ca.crt"), digest_size=16).hexdigest()


async def forget_old_authorities(
    applier: Applier, spec: AuthoritySpec, current: CurrentAuthority, new_password: str
) -> CurrentAuthority:
    """Nobody shows a leaf of an older authority any more: their certificates leave the Secret."""
    if not spec.rules.generated or not current.older:
        return current
    content = _Content(current.authority.certificate, current.authority.key, {}, None)
    generations = (current.certificate_generation, current.key_generation)
    await _store(applier, spec, content, generations, None, new_password, _Notes())
    return _current(spec, content, generations, current.decision)


def _current(
    spec: AuthoritySpec, content: _Content, generations: tuple[int, int], decision: Decision
) -> CurrentAuthority:
    return CurrentAuthority(
        Authority(content.certificate, content.key),
        b"\n".join([content.certificate, *content.older.values()]),
        content.older,
        *generations,
        spec.rules,
        decision,
    )


def _signed_generations(spec: AuthoritySpec, secrets: Mapping[str, Secret]) -> frozenset[int]:
    """The generations of its certificate that leaves of the cluster name: what is known of one that was lost."""
    told = {
        secret.metadata.annotations.get(f"strimzi.io/{spec.name}-cert-generation", "") for secret in secrets.values()
    }
    return frozenset(int(text) for text in told if text.isdigit())


def observe(spec: AuthoritySpec, secrets: Mapping[str, Secret]) -> ObservedAuthority:
    """The facts that the decision needs. `secrets` are the cluster's, by name."""
    certificate, key = secrets.get(spec.certificate_secret.name), secrets.get(spec.key_secret.name)
    content, signed = _content(spec, secrets), _signed_generations(spec, secrets)
    return ObservedAuthority(
        certificate_secret=str(spec.certificate_secret),
        key_secret=str(spec.key_secret),
        not_after=_not_after(content.certificate),
        key_present=bool(content.key),
        key_matches=not (content.key and content.certificate) or key_matches(content.certificate, content.key),
        certificate_generation=max(_number(certificate, CA_CERT_GENERATION), *signed, 0),
        key_generation=_number(key, CA_KEY_GENERATION),
        has_signed=certificate is not None or bool(signed),
        half_replaced=key is not None and key.metadata.annotations.get(REPLACES) == _fingerprint(certificate),
        force_renew=_annotated(certificate, FORCE_RENEW),
        force_replace=_annotated(key, FORCE_REPLACE),
    )


def _made(
    spec: AuthoritySpec,
    old: _Content,
    decision: Create | RenewCertificate | ReplaceKey,
    observed: ObservedAuthority,
    now: datetime,
) -> _Content:
    keeps_key = isinstance(decision, RenewCertificate) or (isinstance(decision, ReplaceKey) and decision.key_is_made)
    key = key_from_pem(old.key, f"Secret {spec.key_secret}, ca.key") if keeps_key else new_key(spec.key_algorithm)
    subject = authority_subject(spec.name, decision.key_generation)
    certificate = issue_authority(subject, key, now=now, days=spec.rules.validity_days)
    older = dict(old.older)
    if isinstance(decision, ReplaceKey) and observed.not_after is not None:
        older[old_certificate_name(observed.not_after)] = old.certificate
    return _Content(certificate, key_to_pem(key), older, None)


def _without_expired(content: _Content, now: datetime) -> _Content:
    ends = {name: end for name, pem in content.older.items() if (end := _not_after(pem)) is not None}
    gone = set(expired_certificates(ends, now))
    if not gone:
        return content
    older = {name: pem for name, pem in content.older.items() if name not in gone}
    return _Content(content.certificate, content.key, older, None)


async def _store(
    applier: Applier,
    spec: AuthoritySpec,
    content: _Content,
    generations: tuple[int, int],
    stored: Secret | None,
    new_password: str,
    notes: _Notes,
) -> None:
    """Write both Secrets; the truststore is kept as it is while its content and password are."""
    password = content.password or new_password
    kept = entry(stored, "ca.p12") if content.password else b""
    store = kept or truststore([("ca.crt", content.certificate), *sorted(content.older.items())], password)
    files = AuthorityFiles(content.certificate, store, password, content.older)
    place = (spec.cluster, spec.namespace, spec.name)
    around = (spec.owner, spec.labels)
    await applier.apply(authority_key_secret(*place, content.key, generations[1], *around, notes.of_key))
    await applier.apply(
        authority_certificate_secret(*place, files, generations[0], *around, spec.template, notes.of_certificate)
    )


def _content(spec: AuthoritySpec, secrets: Mapping[str, Secret]) -> _Content:
    certificate, key = secrets.get(spec.certificate_secret.name), secrets.get(spec.key_secret.name)
    older = {
        name: b64decode(value)
        for name, value in (certificate.data if certificate else {}).items()
        if name.endswith(".crt") and name != "ca.crt"
    }
    password = entry(certificate, "ca.password").decode("ascii", "replace")
    return _Content(entry(certificate, "ca.crt"), entry(key, "ca.key"), older, password or None)


def _not_after(certificate: bytes) -> datetime | None:
    try:
        return read_certificate(certificate).not_after if certificate else None
    except UnreadableCertificate:
        return None


def _number(secret: Secret | None, annotation: str) -> int:
    text = secret.metadata.annotations.get(annotation, "") if secret else ""
    return int(text) if text.isdigit() else 0


def _annotated(secret: Secret | None, annotation: str) -> bool:
    return secret is not None and secret.metadata.annotations.get(annotation) == "true"


def _field(spec: AuthoritySpec) -> str:
    return "clusterCa" if spec.name == "cluster-ca" else "clientsCa"
