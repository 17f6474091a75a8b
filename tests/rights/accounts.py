"""The cluster operator's account with exactly the roles of desired/cluster_operator/access.py, and accounts' tokens."""

import json
from collections.abc import Sequence
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


async def install(place: Operated, namespace: str, watched: Sequence[str]) -> Connection:
    """Account, roles and bindings; the connection is the account's."""
    for block in (service_account(namespace), *cluster_roles(), *bindings(namespace, watched)):
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
