"""Key stores and trust stores as Java's programs have them, whichever format: read into PEM.

cryptography is imported when there is something to read: a console without TLS does not wait for it.
"""

from dataclasses import dataclass, field


class Unreadable(Exception):
    """The text says what is wrong with the store, and how to mend it."""


@dataclass(frozen=True, slots=True)
class Store:
    """All in PEM. `chain`: of the key, its own certificate first."""

    trusted: tuple[bytes, ...] = ()
    key: bytes | None = field(default=None, repr=False)
    chain: tuple[bytes, ...] = ()


def certificate_pem(der: bytes) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
    except ValueError as error:
        raise Unreadable(f"a certificate in it is damaged: {error}") from error


def key_pem(der: bytes) -> bytes:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_der_private_key,
    )

    try:
        key = load_der_private_key(der, None)
    except (ValueError, TypeError) as error:
        raise Unreadable(f"its key is damaged: {error}") from error
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
