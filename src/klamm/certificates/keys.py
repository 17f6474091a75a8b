"""Private keys: made, written as PKCS#8 PEM, read again.

ECDSA on P-256 is the default because a key costs 0.2 ms; an RSA-4096 key costs 0.7 s on an idle core and more
than a broker's whole start on a busy one. RSA stays selectable for clients that speak nothing else.
"""

from enum import StrEnum

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class KeyAlgorithm(StrEnum):
    """Which keys klamm makes; the values are what a user writes in a setting."""

    EC_P256 = "EC-P256"
    RSA_2048 = "RSA-2048"
    RSA_4096 = "RSA-4096"


class UnreadableKey(ValueError):
    """A private key's PEM cannot be used; the message says which object it came from and what to do."""


def new_key(algorithm: KeyAlgorithm = KeyAlgorithm.EC_P256) -> PrivateKey:
    """Make a fresh private key from the system's randomness."""
    if algorithm is KeyAlgorithm.EC_P256:
        return ec.generate_private_key(ec.SECP256R1())
    bits = 2048 if algorithm is KeyAlgorithm.RSA_2048 else 4096
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def key_to_pem(key: PrivateKey) -> bytes:
    """Write the key as unencrypted PKCS#8 PEM, the form that Java's PEM key stores read."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def key_from_pem(pem: bytes, origin: str = "the given PEM") -> PrivateKey:
    """Read an unencrypted EC or RSA key (PKCS#8, or the older per-algorithm forms that openssl writes).

    `origin` names the object for the message, e.g. "Secret kafka/my-cluster-cluster-ca, key ca.key".
    """
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise UnreadableKey(
            f"{origin} holds no readable private key ({type(error).__name__}); "
            "store an unencrypted EC or RSA key in PKCS#8 PEM form"
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise UnreadableKey(f"{origin} holds a {type(key).__name__}; only EC and RSA keys can sign here")
    return key
