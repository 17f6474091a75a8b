"""Reads a store by what it begins with, not by its name: since Java 9 `keytool` writes PKCS#12 also into `.jks`."""

from klamm.certificates.jks import MAGIC, read_jks
from klamm.certificates.pem_stores import read_pem
from klamm.certificates.stores import Store, Unreadable


def read_store(data: bytes, password: str, key_password: str | None = None) -> Store:
    """JKS, PKCS#12 or PEM. Raises `Unreadable`."""
    if data.startswith(MAGIC):
        return read_jks(data, password, key_password)
    if data.startswith(b"\x30"):
        from klamm.certificates.pkcs12 import read_pkcs12  # imports cryptography

        return read_pkcs12(data, password)
    if b"-----BEGIN " in data:
        return read_pem(data)
    raise Unreadable("it is neither JKS nor PKCS#12 nor PEM")
