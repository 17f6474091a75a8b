"""The cluster operator's account with exactly the roles of desired/cluster_operator/access.py, and accounts' tokens."""

import json
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from tests.kubernetes.operated import Operated

from klamm.desired.cluster_operator.access import bindings, cluster_roles, service_account
from klamm.desired.cluster_operator.naming import NAME
from klamm.kube.catalogue import kind_of
from klamm.kube.connection import Connection, FixedToken
from klamm.kube.kinds import Name
from klamm.kube.native import SERVICE_ACCOUNTS
from klamm.kube.requests import Request
from klamm.resources.native.access import ClusterRoleBinding


async def install(place: Operated, namespace: str, watched: Sequence[str], *, cluster_wide: bool = True) -> Connection:
    """Account, roles, bindings (without `cluster_wide` only those in namespaces); the connection is the account's."""
    for block in (service_account(namespace), *cluster_roles(), *bindings(namespace, watched)):
        if cluster_wide or not isinstance(block, ClusterRoleBinding):
            await place.client.apply(kind_of(block), block)
    return await connection_of(place, Name(namespace, NAME))


async def connection_of(place: Operated, account: Name) -> Connection:
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    path = SERVICE_ACCOUNTS.path(*account, "token")
    answer: dict[str, Any] = json.loads(
        await place.client.raw(Request("POST", path, f"a token of {account}", body=msgspec.json.encode(asked)))
    )
    administrator = place.plane.connection()
    return Connection(
        administrator.server,
        authorities=administrator.authorities,
        token=FixedToken(answer["status"]["token"]),
        namespace=account.namespace,
    )


def write_kubeconfig(connection: Connection, path: Path) -> None:
    """For a process of its own."""
    assert connection.token is not None
    assert connection.authorities is not None
    cluster = {"server": connection.server, "certificate-authority-data": b64encode(connection.authorities).decode()}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": connection.token.current()}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": connection.namespace}}],
        "current-context": "c",
    }
    path.write_text(json.dumps(config))


def token_id(connection: Connection) -> str:
    """The `jti` by which the audit log names a token."""
    assert connection.token is not None
    payload = connection.token.current().split(".")[1]
    found: str = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["jti"]
    return found
