"""Certificates made: self-signed authorities and the leaves that they sign.

Rules kept here, because brokers, ZooKeepers and clients rely on them:

- An authority's subject carries the generation of its key (`CN=cluster-ca v0`), so that an old and a new
  authority of one cluster can be told apart while both are trusted (Strimzi behaviour).
- A leaf serves both ends of mutual TLS: brokers and ZooKeepers are servers and clients of one another.
- `now` is an argument; serial numbers come from `serial` (tests) or from cryptography's random source.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from klamm.certificates.keys import PrivateKey, key_from_pem
from klamm.certificates.read import load_certificate

ORGANIZATION = "io.strimzi"

# Peers' clocks differ a little: a certificate that starts exactly now would be refused by a node that lags
# behind.
_CLOCK_ALLOWANCE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Subject:
    """Who a certificate speaks for. KafkaUsers have no organization: their principal is `CN=<name>` alone."""

    common_name: str
    organization: str | None = ORGANIZATION


@dataclass(frozen=True, slots=True)
class Authority:
    """What signs leaves: the authority's certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


def authority_subject(name: str, key_generation: int) -> Subject:
    """The subject of an authority made by klamm, e.g. ("cluster-ca", 0) -> `O=io.strimzi,
    CN=cluster-ca v0`.
    """
    return Subject(f"{name} v{key_generation}")


def issue_authority(subject: Subject, key: PrivateKey, *, now: datetime, days: int, serial: int | None = None) -> bytes:
    """Self-sign an authority that may sign leaves but no further authorities; returns PEM."""
    builder = (
        _validity(x509.CertificateBuilder(), now, days)
        .subject_name(_name(subject))
        .issuer_name(_name(subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number() if serial is None else serial)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def issue_leaf(
    authority: Authority,
    subject: Subject,
    key: PrivateKey,
    *,
    now: datetime,
    days: int,
    alternative_names: frozenset[str] = frozenset(),
    serial: int | None = None,
) -> bytes:
    """Sign a leaf for both ends of TLS; returns PEM.

    `alternative_names` holds DNS names and addresses mixed; what parses as an IP address becomes an IP SAN.
    """
    issuer = load_certificate(authority.certificate, "the authority's certificate")
    public = key.public_key()
    builder = (
        _validity(x509.CertificateBuilder(), now, days)
        .subject_name(_name(subject))
        .issuer_name(issuer.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number() if serial is None else serial)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(_authority_key_identifier(issuer), critical=False)
    )
    if alternative_names:
        names = [_general_name(name) for name in sorted(alternative_names)]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    signing_key = key_from_pem(authority.key, "the authority's key")
    return builder.sign(signing_key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _validity(builder: x509.CertificateBuilder, now: datetime, days: int) -> x509.CertificateBuilder:
    start = now.replace(microsecond=0)
    return builder.not_valid_before(start - _CLOCK_ALLOWANCE).not_valid_after(start + timedelta(days=days))


def _name(subject: Subject) -> x509.Name:
    """O before CN, so that RFC 2253 (which reverses) prints `CN=…,O=…`: the principal that
    super.users lists.
    """
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, subject.common_name)]
    if subject.organization is not None:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, subject.organization))
    return x509.Name(attributes)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _authority_key_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """The issuer's own identifier when it has one: a user's authority may compute it in another way than we
    do.
    """
    try:
        identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())  # type: ignore[arg-type]
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_encipherment=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
