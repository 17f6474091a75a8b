"""What klamm's certificates hold, and that what is written can be read again."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from klamm.certificates.issue import Authority, Subject, authority_subject, issue_authority, issue_leaf
from klamm.certificates.keys import KeyAlgorithm, UnreadableKey, key_from_pem, key_to_pem, new_key
from klamm.certificates.pkcs12 import keystore, opens_with, truststore
from klamm.certificates.read import (
    UnreadableCertificate,
    key_matches,
    load_certificate,
    read_certificate,
    signed_by,
    split_pem,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, 999, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority() -> Authority:
    key = new_key()
    certificate = issue_authority(authority_subject("cluster-ca", 0), key, now=NOW, days=365, serial=7)
    return Authority(certificate, key_to_pem(key))


def leaf(authority: Authority, names: frozenset[str] = frozenset()) -> tuple[bytes, bytes]:
    key = new_key()
    subject = Subject("my-cluster-kafka")
    return issue_leaf(authority, subject, key, now=NOW, days=30, alternative_names=names), key_to_pem(key)


def test_an_authority_names_its_key_generation_and_may_sign_leaves_only(authority: Authority) -> None:
    certificate = load_certificate(authority.certificate)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert certificate.subject.rfc4514_string() == "CN=cluster-ca v0,O=io.strimzi"
    assert certificate.issuer == certificate.subject
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    assert usage.critical
    assert usage.value.key_cert_sign
    assert usage.value.crl_sign
    assert not usage.value.digital_signature
    assert certificate.serial_number == 7


def test_validity_counts_from_now_in_whole_seconds(authority: Authority) -> None:
    facts = read_certificate(authority.certificate)
    assert facts.not_after == NOW.replace(microsecond=0) + timedelta(days=365)
    assert facts.not_before <= NOW


def test_a_leaf_serves_both_ends_of_mutual_tls_and_names_its_signer(authority: Authority) -> None:
    pem, _ = leaf(authority)
    certificate = load_certificate(pem)
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    signer = load_certificate(authority.certificate).extensions
    own_identifier = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    signers_identifier = signer.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert set(usages) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert own_identifier.key_identifier == signers_identifier.digest
    assert signed_by(pem, authority.certificate)
    assert not signed_by(authority.certificate, pem)


def test_names_and_addresses_become_their_kinds_of_alternative_names(authority: Authority) -> None:
    pem, _ = leaf(authority, frozenset({"broker.example", "*.nodes.kafka.svc", "10.1.2.3", "fd00::1"}))
    facts = read_certificate(pem)
    assert facts.dns_names == {"broker.example", "*.nodes.kafka.svc"}
    assert facts.ip_addresses == {"10.1.2.3", "fd00::1"}
    assert facts.common_name == "my-cluster-kafka"
    assert facts.organization == "io.strimzi"
    assert not facts.is_authority


def test_a_users_certificate_has_a_common_name_alone(authority: Authority) -> None:
    pem = issue_leaf(authority, Subject("alice", None), new_key(), now=NOW, days=1)
    assert load_certificate(pem).subject.rfc4514_string() == "CN=alice"


def test_a_key_matches_its_own_certificate_only(authority: Authority) -> None:
    pem, key = leaf(authority)
    assert key_matches(pem, key)
    assert not key_matches(pem, authority.key)
    assert not key_matches(pem, b"no key")
    assert not key_matches(b"no certificate", key)


def test_p256_is_the_default_and_rsa_is_selectable() -> None:
    assert isinstance(key_from_pem(key_to_pem(new_key())), ec.EllipticCurvePrivateKey)
    rsa_key = key_from_pem(key_to_pem(new_key(KeyAlgorithm.RSA_2048)))
    assert isinstance(rsa_key, rsa.RSAPrivateKey)
    assert key_to_pem(rsa_key).startswith(b"-----BEGIN PRIVATE KEY-----")


def test_an_rsa_authority_signs_too() -> None:
    key = new_key(KeyAlgorithm.RSA_2048)
    ca = issue_authority(authority_subject("clients-ca", 3), key, now=NOW, days=1)
    pem, _ = leaf(Authority(ca, key_to_pem(key)))
    assert signed_by(pem, ca)


def test_a_bundle_falls_into_its_certificates(authority: Authority) -> None:
    pem, key = leaf(authority)
    assert split_pem(b"bag attributes\n" + pem + key + authority.certificate) == [pem, authority.certificate]


@pytest.mark.parametrize("key_too", [True, False], ids=["keystore", "truststore"])
def test_stores_open_with_their_password_only(authority: Authority, key_too: bool) -> None:
    pem, key = leaf(authority)
    if key_too:
        store = keystore("my-cluster-kafka-0", pem, key, "abcdefgh1234", [authority.certificate])
    else:
        store = truststore([("ca.crt", authority.certificate)], "abcdefgh1234")
    assert opens_with(store, "abcdefgh1234")
    assert not opens_with(store, "other")


def test_what_cannot_be_read_is_named_with_its_mend() -> None:
    with pytest.raises(UnreadableKey, match=r"Secret kafka/x, key ca.key holds no readable private key.*PKCS#8"):
        key_from_pem(b"nonsense", "Secret kafka/x, key ca.key")
    with pytest.raises(UnreadableCertificate, match=r"Secret kafka/x, key ca.crt holds no readable X.509"):
        read_certificate(b"nonsense", "Secret kafka/x, key ca.crt")
