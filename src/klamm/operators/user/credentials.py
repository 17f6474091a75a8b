"""A user's credentials: made once, kept in its Secret, made anew when they no longer do.

    scram-sha-512   password (random, or the one that the user brings), sasl.jaas.config
    tls             ca.crt, user.crt, user.key, user.p12, user.password

What a Secret already holds is kept: clients have it. Cryptography is imported when the first certificate is
looked at; an operator of password users does without.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from klamm.base import faults
from klamm.planning.authorities.leaf import IssueLeaf
from klamm.planning.users import StoredCertificate, decide_certificate
from klamm.resources.native.configuration import Secret, entry

PASSWORD, JAAS = "password", "sasl.jaas.config"
_CA, _CERTIFICATE, _KEY, _STORE, _STORE_PASSWORD = "ca.crt", "user.crt", "user.key", "user.p12", "user.password"


class CredentialMissing(faults.Invalid):
    """Something that the credentials are made of is not there; the message says where, and the mend."""


class AuthorityMissing(faults.Transient):
    """The clients authority is not there yet; the cluster operator makes it."""


@dataclass(frozen=True, slots=True)
class ClientsAuthority:
    """PEM of the authority that signs users' certificates."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Validity:
    """Days that a certificate is valid, and days before its end at which it is renewed."""

    days: int
    renewal_days: int


@dataclass(frozen=True, slots=True)
class Issuing:
    """`password`: makes a random password for a PKCS#12 store. `algorithm`: of users' keys."""

    now: datetime
    window_open: bool
    password: Callable[[], str]
    algorithm: str


@dataclass(frozen=True, slots=True)
class Content:
    """The Secret's entries, and why they are not the stored ones ("" when they are)."""

    entries: Mapping[str, bytes]
    because: str = ""


def scram_entries(name: str, password: str) -> dict[str, bytes]:
    login = "org.apache.kafka.common.security.scram.ScramLoginModule"
    jaas = f"{login} required username={_quoted(name)} password={_quoted(password)};"
    return {PASSWORD: password.encode(), JAAS: jaas.encode()}


def _quoted(text: str) -> str:
    """As Java's reader of JAAS settings takes it: in quotes, with backslashes before quotes and backslashes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def certificate_entries(
    name: str, stored: Secret | None, authority: ClientsAuthority, validity: Validity, issuing: Issuing
) -> Content:
    decision = decide_certificate(
        _observed(stored, authority), validity.renewal_days, issuing.now, window_open=issuing.window_open
    )
    if isinstance(decision, IssueLeaf):
        return Content(_issued(name, authority, validity, issuing), str(decision.because))
    return _kept(name, stored, authority, issuing)


def certificate_end(entries: Mapping[str, bytes]) -> datetime | None:
    """When the certificate among a user's entries ends; None when there is none."""
    from klamm.certificates.read import read_certificate

    return read_certificate(entries[_CERTIFICATE]).not_after if _CERTIFICATE in entries else None


def _observed(stored: Secret | None, authority: ClientsAuthority) -> StoredCertificate | None:
    from klamm.certificates.read import UnreadableCertificate, key_matches, read_certificate

    certificate, key = entry(stored, _CERTIFICATE), entry(stored, _KEY)
    if not certificate and not key:
        return None
    try:
        not_after = read_certificate(certificate).not_after
    except UnreadableCertificate:
        not_after = None
    return StoredCertificate(
        not_after=not_after,
        key_present=bool(key),
        key_matches=key_matches(certificate, key),
        of_current_authority=entry(stored, _CA).strip() == authority.certificate.strip(),
    )


def _issued(name: str, authority: ClientsAuthority, validity: Validity, issuing: Issuing) -> dict[str, bytes]:
    from klamm.certificates.issue import Authority, Subject, issue_leaf
    from klamm.certificates.keys import KeyAlgorithm, key_to_pem, new_key

    key = new_key(KeyAlgorithm(issuing.algorithm))
    certificate = issue_leaf(
        Authority(authority.certificate, authority.key),
        # No organization: the principal is CN=<name> alone.
        Subject(name, None),
        key,
        now=issuing.now,
        days=validity.days,
    )
    return _with_store(name, authority, certificate, key_to_pem(key), issuing.password())


def _kept(name: str, stored: Secret | None, authority: ClientsAuthority, issuing: Issuing) -> Content:
    """What is stored; only a PKCS#12 store that is missing or does not open is made again, of the same key."""
    from klamm.certificates.pkcs12 import opens_with

    certificate, key = entry(stored, _CERTIFICATE), entry(stored, _KEY)
    store, password = entry(stored, _STORE), entry(stored, _STORE_PASSWORD).decode("utf-8", "replace")
    if store and password and opens_with(store, password):
        return Content(
            {
                _CA: authority.certificate,
                _CERTIFICATE: certificate,
                _KEY: key,
                _STORE: store,
                _STORE_PASSWORD: password.encode(),
            }
        )
    entries = _with_store(name, authority, certificate, key, password or issuing.password())
    return Content(entries, "its PKCS#12 store is missing or does not open")


def _with_store(
    name: str, authority: ClientsAuthority, certificate: bytes, key: bytes, password: str
) -> dict[str, bytes]:
    from klamm.certificates.pkcs12 import keystore

    return {
        _CA: authority.certificate,
        _CERTIFICATE: certificate,
        _KEY: key,
        _STORE: keystore(name, certificate, key, password, [authority.certificate]),
        _STORE_PASSWORD: password.encode(),
    }
