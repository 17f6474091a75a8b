"""PEM as Kafka's clients take it for stores of type PEM: blocks one after the other, a key among them or none."""

import re

from klamm.certificates.stores import Store, Unreadable

_BLOCK = re.compile(rb"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL)


def read_pem(data: bytes) -> Store:
    blocks = [(found.group(1), found.group(0) + b"\n") for found in _BLOCK.finditer(data)]
    keys = [block for name, block in blocks if name.endswith(b"PRIVATE KEY")]
    certificates = tuple(block for name, block in blocks if name == b"CERTIFICATE")
    if any(b"ENCRYPTED" in key for key in keys):
        raise Unreadable("its key is encrypted; decrypt it with `openssl pkey`, or use a PKCS#12 store")
    if keys:
        return Store(key=keys[0], chain=certificates)
    if not certificates:
        raise Unreadable("there is no certificate in it")
    return Store(trusted=certificates)
