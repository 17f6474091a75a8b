"""TLS contexts from PEM that is held in memory.

`ssl` reads keys from files only. The PEM goes through an anonymous memory file: no key touches a
disk.
"""

import os
import ssl


def client_context(authorities: bytes, certificate: bytes | None = None, key: bytes | None = None) -> ssl.SSLContext:
    """A context that trusts only `authorities` (PEM, one or more) and may show a client certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=authorities.decode("ascii"))
    if certificate is not None and key is not None:
        load_identity(context, certificate, key)
    return context


def load_identity(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Give the context its own certificate chain and private key (both PEM)."""
    descriptor = os.memfd_create("klamm-identity", os.MFD_CLOEXEC)
    try:
        with open(descriptor, "wb", closefd=False) as memory:
            memory.write(key.rstrip() + b"\n" + certificate)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
