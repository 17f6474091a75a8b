"""Kafka clusters of this machine by the listener through which a program beside them, outside pods, reaches brokers.

That is a listener whose addresses lie on the loopback: a node port. Brokers tell their clients where to go on, so a
listener for pods is of no use out here, even if its first address could be reached.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from klamm.base.tls import client_context
from klamm.cli.connecting import LOOPBACK
from klamm.kafka.admin import Connection, Sasl

Object = dict[str, Any]
CLIENT_ID = "klamm-ui"


@dataclass(frozen=True, slots=True)
class Door:
    """`authentication`: what the listener asks for, "" for nothing. `authorities`: PEM; empty without TLS."""

    cluster: str
    namespace: str
    servers: tuple[str, ...]
    authorities: bytes = b""
    authentication: str = ""


@dataclass(frozen=True, slots=True)
class NoDoor:
    """Why there is none, and what to do."""

    cluster: str
    namespace: str
    why: str


@dataclass(frozen=True, slots=True)
class Identity:
    """A KafkaUser's Secret, decoded."""

    name: str
    data: Mapping[str, bytes] = field(repr=False)


def door(kafka: Object, user: str | None) -> Door | NoDoor:
    """The easiest listener: one that asks for nothing before one that asks for a user, who must be named then."""
    found = sorted(_doors(kafka), key=lambda one: (bool(one.authentication), bool(one.authorities)))
    usable = [one for one in found if not one.authentication or user]
    if usable:
        return usable[0]
    cluster, namespace = _place(kafka)
    if found:
        why = f"its listeners ask for {found[0].authentication}; name a KafkaUser with --user"
        return NoDoor(cluster, namespace, why)
    return NoDoor(
        cluster,
        namespace,
        "it has no listener for this machine that is up; add one of type nodeport to spec.kafka.listeners, or run the "
        f"console beside it: helm install kafka-ui charts/kafka-ui -n {namespace}",
    )


def _doors(kafka: Object) -> list[Door]:
    cluster, namespace = _place(kafka)
    asks = {
        one["name"]: (one.get("authentication") or {}).get("type", "")
        for one in kafka.get("spec", {}).get("kafka", {}).get("listeners") or []
    }
    found = []
    for one in kafka.get("status", {}).get("listeners") or []:
        servers = tuple((one.get("bootstrapServers") or "").split(","))
        name = one.get("name") or one.get("type") or ""
        if name in asks and servers[0].startswith(LOOPBACK):
            authorities = "\n".join(one.get("certificates") or []).encode()
            found.append(Door(cluster, namespace, servers, authorities, asks[name]))
    return found


def _place(kafka: Object) -> tuple[str, str]:
    return kafka["metadata"]["name"], kafka["metadata"].get("namespace", "")


def connection(door: Door, identity: Identity | None) -> Connection:
    """Raises ValueError when the user has not what the listener asks for."""
    secret = identity.data if identity and door.authentication else {}
    certificate, key = secret.get("user.crt"), secret.get("user.key")
    sasl = None
    if identity and door.authentication == "scram-sha-512":
        if "password" not in secret:
            raise ValueError(f"KafkaUser {identity.name} has no password; its authentication must be scram-sha-512")
        sasl = Sasl("SCRAM-SHA-512", identity.name, secret["password"].decode())
    elif identity and door.authentication == "tls":
        if certificate is None or key is None:
            raise ValueError(f"KafkaUser {identity.name} has no certificate; its authentication must be tls")
    elif door.authentication:
        raise ValueError(f"its listener asks for {door.authentication}, which is not to be had here")
    tls = client_context(door.authorities, certificate, key) if door.authorities else None
    if tls is not None:
        # Brokers' certificates do not name nodes' addresses, here as with Strimzi. Only the cluster's own authority is
        # trusted, so nobody else can answer.
        tls.check_hostname = False
    return Connection(door.servers, tls, sasl, client_id=CLIENT_ID)
