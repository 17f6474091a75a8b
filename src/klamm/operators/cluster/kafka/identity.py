"""How the cluster operator shows itself to brokers and ZooKeepers, and whom it trusts."""

import ssl
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field

from klamm.base.tls import client_context
from klamm.desired.secrets import CLUSTER_CA, CLUSTER_OPERATOR
from klamm.resources.native.configuration import Secret


@dataclass(frozen=True, slots=True)
class Identity:
    """All PEM. `trusted`: certificates of the cluster authorities."""

    trusted: bytes
    certificate: bytes
    key: bytes = field(repr=False)

    def context(self) -> ssl.SSLContext:
        return client_context(self.trusted, self.certificate, self.key)


def operator_secret(cluster: str) -> str:
    return f"{cluster}-{CLUSTER_OPERATOR}-certs"


def stored_identity(secrets: Mapping[str, Secret], cluster: str) -> Identity | None:
    """The identity of the pass before, for what must be known before this pass's certificates are made."""
    own, authority = secrets.get(operator_secret(cluster)), secrets.get(f"{cluster}-{CLUSTER_CA}-cert")
    if own is None or authority is None:
        return None
    certificate, key = (own.data.get(f"{CLUSTER_OPERATOR}.{end}", "") for end in ("crt", "key"))
    trusted = [b64decode(value) for name, value in sorted(authority.data.items()) if name.endswith(".crt")]
    if not (certificate and key and trusted):
        return None
    return Identity(b"\n".join(trusted), b64decode(certificate), b64decode(key))
