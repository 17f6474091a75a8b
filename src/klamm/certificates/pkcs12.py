"""PKCS#12 stores for clients that read nothing else (`ca.p12`, `user.p12`, `<pod>.p12`).

Java's `PKCS12` key store shows a bare certificate only when its bag carries Oracle's "trusted key usage"
attribute; `truststore` adds it. The key derivation runs few rounds: these passwords are 12 random characters
that lie beside the store in the same Secret, so stretching them would cost CPU at each start and protect
nothing.
"""

from collections.abc import Sequence

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from klamm.certificates.keys import key_from_pem
from klamm.certificates.read import load_certificate
from klamm.certificates.stores import Store, Unreadable

_ROUNDS = 1024


def truststore(certificates: Sequence[tuple[str, bytes]], password: str) -> bytes:
    """A store of trusted certificates, given as (alias, PEM); aliases are what `keytool -list` prints."""
    entries = [
        pkcs12.PKCS12Certificate(load_certificate(pem, f"certificate {alias}"), alias.encode())
        for alias, pem in certificates
    ]
    return pkcs12.serialize_java_truststore(entries, _encryption(password))


def keystore(alias: str, certificate: bytes, key: bytes, password: str, chain: Sequence[bytes] = ()) -> bytes:
    """A store of one private key with its certificate and, if given, the certificates above it (all PEM)."""
    above = [load_certificate(pem, f"chain of {alias}") for pem in chain]
    return pkcs12.serialize_key_and_certificates(
        alias.encode(),
        key_from_pem(key, f"key of {alias}"),
        load_certificate(certificate, f"certificate {alias}"),
        above or None,
        _encryption(password),
    )


def opens_with(store: bytes, password: str) -> bool:
    """Whether the store can be read with the password (a user may have changed one of the two)."""
    try:
        pkcs12.load_pkcs12(store, password.encode())
    except ValueError:
        return False
    return True


def read_pkcs12(data: bytes, password: str) -> Store:
    """Without a key every certificate is a trusted one. Raises `Unreadable`."""
    try:
        read = pkcs12.load_pkcs12(data, password.encode())
    except ValueError as error:
        raise Unreadable("the password is wrong, or the file is damaged") from error
    others = tuple(one.certificate.public_bytes(Encoding.PEM) for one in read.additional_certs)
    own = (read.cert.certificate.public_bytes(Encoding.PEM),) if read.cert else ()
    if read.key is None:
        return Store(trusted=(*own, *others))
    key = read.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Store(key=key, chain=(*own, *others))


def _encryption(password: str) -> KeySerializationEncryption:
    return (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(_ROUNDS)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(SHA256())
        .build(password.encode())
    )
