"""Certificates read: what a PEM text says, as plain facts. Nothing here makes keys or signs.

Decisions (planning/authorities) take these facts, never PEM bytes, so that they need no cryptography to be
tested.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from klamm.certificates.keys import UnreadableKey, key_from_pem

_PEM_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)


class UnreadableCertificate(ValueError):
    """A certificate's PEM cannot be used; the message says which object it came from and what to do."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What decisions need of one certificate. Times are UTC; `thumbprint` is the SHA-256 of the
    DER, in hex.
    """

    common_name: str
    organization: str | None
    dns_names: frozenset[str]
    ip_addresses: frozenset[str]
    not_before: datetime
    not_after: datetime
    thumbprint: str
    serial: int
    is_authority: bool
    issuer_common_name: str

    @property
    def alternative_names(self) -> frozenset[str]:
        """DNS names and addresses in one set, as they are compared."""
        return self.dns_names | self.ip_addresses


def split_pem(bundle: bytes) -> list[bytes]:
    """Cut a bundle into its certificates, each ending with a newline; other blocks and text are left out."""
    return [match.rstrip(b"\n") + b"\n" for match in _PEM_CERTIFICATE.findall(bundle)]


def load_certificate(pem: bytes, origin: str = "the given PEM") -> x509.Certificate:
    """Parse the first certificate of `pem`; `origin` names the object for the message."""
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise UnreadableCertificate(
            f"{origin} holds no readable X.509 certificate; store it in PEM form, the signing one first"
        ) from error


_REMEMBERED = 4096
"""Certificates, and pairs of certificate and key: a cluster of six pods has eleven. When more are looked at in turn
than are remembered, none is ever found."""


@lru_cache(maxsize=_REMEMBERED)
def read_certificate(pem: bytes, origin: str = "the given PEM") -> CertificateFacts:
    """Read the first certificate of `pem`. Raises UnreadableCertificate.

    Cached, because every pass of a reconciler reads the same certificates again; bounded, because clusters
    go.
    """
    certificate = load_certificate(pem, origin)
    dns_names, ip_addresses = _alternative_names(certificate)
    return CertificateFacts(
        common_name=_attribute(certificate.subject, NameOID.COMMON_NAME) or "",
        organization=_attribute(certificate.subject, NameOID.ORGANIZATION_NAME),
        dns_names=dns_names,
        ip_addresses=ip_addresses,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        thumbprint=certificate.fingerprint(hashes.SHA256()).hex(),
        serial=certificate.serial_number,
        is_authority=_is_authority(certificate),
        issuer_common_name=_attribute(certificate.issuer, NameOID.COMMON_NAME) or "",
    )


def key_matches(certificate_pem: bytes, key_pem: bytes) -> bool:
    """Whether the private key belongs to the certificate; False also when one of them cannot be read.

    Remembered by a fingerprint of both, since every pass asks again: to read an RSA-4096 key, which authorities that
    Strimzi has made have, takes a quarter of a second. Keys themselves are not kept.
    """
    both = blake2b(certificate_pem + b"\0" + key_pem, digest_size=16).digest()
    if both not in _MATCHES:
        if len(_MATCHES) >= _REMEMBERED:
            _MATCHES.clear()  # clusters go
        _MATCHES[both] = _match(certificate_pem, key_pem)
    return _MATCHES[both]


_MATCHES: dict[bytes, bool] = {}


def _match(certificate_pem: bytes, key_pem: bytes) -> bool:
    try:
        public = load_certificate(certificate_pem).public_key()
        private = key_from_pem(key_pem)
    except (UnreadableCertificate, UnreadableKey, UnsupportedAlgorithm):
        return False
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return public.public_bytes(*form) == private.public_key().public_bytes(*form)


def signed_by(certificate_pem: bytes, authority_pem: bytes) -> bool:
    """Whether the authority's key signed the certificate (names and signature; validity is not looked at)."""
    try:
        load_certificate(certificate_pem).verify_directly_issued_by(load_certificate(authority_pem))
    except (UnreadableCertificate, InvalidSignature, ValueError, TypeError):
        return False
    return True


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> str | None:
    values = name.get_attributes_for_oid(oid)
    return str(values[0].value) if values else None


def _alternative_names(certificate: x509.Certificate) -> tuple[frozenset[str], frozenset[str]]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset(), frozenset()
    addresses = names.get_values_for_type(x509.IPAddress)
    return frozenset(names.get_values_for_type(x509.DNSName)), frozenset(str(a) for a in addresses)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
