"""Secrets with certificates: which keys and annotations they have. The bytes come in, nothing is made here."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

from klamm.desired.labels import Component
from klamm.desired.pod_sets import (
    CLIENTS_CA_CERT_GENERATION,
    CLUSTER_CA_CERT_GENERATION,
    CLUSTER_CA_KEY_GENERATION,
    OLD_CLUSTER_CA,
)
from klamm.desired.templates import metadata
from klamm.resources.custom.template import ResourceTemplate
from klamm.resources.native.configuration import Secret
from klamm.resources.native.metadata import OwnerReference

CA_CERT_GENERATION = "strimzi.io/ca-cert-generation"
CA_KEY_GENERATION = "strimzi.io/ca-key-generation"

CLUSTER_CA = "cluster-ca"
CLIENTS_CA = "clients-ca"
CLUSTER_OPERATOR = "cluster-operator"


@dataclass(frozen=True, slots=True)
class Generations:
    """Generations of the authorities that pods and leaves of this pass belong to.

    `cluster_ca_cert` is the one that signed the leaves, which is an old one while trust in a new key is being spread.
    `old_cluster_ca`: certificates of older authorities are trusted too.
    """

    cluster_ca_cert: int = 0
    cluster_ca_key: int = 0
    clients_ca_cert: int = 0
    old_cluster_ca: bool = False

    def annotations(self) -> dict[str, str]:
        """What a pod carries to tell which cluster authorities it knows."""
        known = {
            CLUSTER_CA_CERT_GENERATION: str(self.cluster_ca_cert),
            CLUSTER_CA_KEY_GENERATION: str(self.cluster_ca_key),
        }
        return known | ({OLD_CLUSTER_CA: "true"} if self.old_cluster_ca else {})


@dataclass(frozen=True)
class LeafFiles:
    """A leaf as it is stored: PEM certificate and key, and with a password the same as PKCS#12."""

    certificate: bytes
    key: bytes
    store: bytes | None = None
    password: str | None = None

    def entries(self, name: str) -> dict[str, bytes]:
        """The Secret's entries `<name>.crt`, `.key`, `.p12`, `.password`."""
        files = {f"{name}.crt": self.certificate, f"{name}.key": self.key}
        if self.store is not None and self.password is not None:
            files |= {f"{name}.p12": self.store, f"{name}.password": self.password.encode()}
        return files


@dataclass(frozen=True)
class AuthorityFiles:
    """An authority's certificate Secret: the current certificate, older ones still trusted, the truststore."""

    certificate: bytes
    store: bytes
    password: str
    older: Mapping[str, bytes] = field(default_factory=dict)


def authority_certificate_secret(
    cluster: str,
    namespace: str,
    authority: str,
    files: AuthorityFiles,
    generation: int,
    owner: OwnerReference | None,
    inherited: Mapping[str, str],
    template: ResourceTemplate | None = None,
    notes: Mapping[str, str] | None = None,
) -> Secret:
    """`<cluster>-<authority>-cert`: what clients copy to trust the cluster. No owner: it outlives the cluster.

    `notes`: annotations that are there until the next write.
    """
    data = {
        "ca.crt": files.certificate,
        "ca.p12": files.store,
        "ca.password": files.password.encode(),
        **files.older,
    }
    place = metadata(
        authority_component(cluster, inherited),
        f"{cluster}-{authority}-cert",
        namespace,
        owner,
        template,
        annotations={CA_CERT_GENERATION: str(generation), **(notes or {})},
    )
    return Secret(metadata=place, type="Opaque", data=encoded(data))


def authority_key_secret(
    cluster: str,
    namespace: str,
    authority: str,
    key: bytes,
    generation: int,
    owner: OwnerReference | None,
    inherited: Mapping[str, str],
    notes: Mapping[str, str] | None = None,
) -> Secret:
    """`<cluster>-<authority>`: the private key, which only operators read."""
    place = metadata(
        authority_component(cluster, inherited),
        f"{cluster}-{authority}",
        namespace,
        owner,
        annotations={CA_KEY_GENERATION: str(generation), **(notes or {})},
    )
    return Secret(metadata=place, type="Opaque", data=encoded({"ca.key": key}))


def authority_component(cluster: str, inherited: Mapping[str, str]) -> Component:
    """Labels of the authorities' Secrets."""
    return Component(cluster, "strimzi", "certificate-authority", inherited=inherited)


def operator_component(cluster: str, inherited: Mapping[str, str]) -> Component:
    """Labels of the Secret by which the cluster operator speaks with the cluster."""
    return Component(cluster, "strimzi", "strimzi", inherited=inherited)


def leaf_secret(
    component: Component,
    name: str,
    namespace: str,
    owner: OwnerReference,
    leaves: Mapping[str, LeafFiles],
    generations: Generations,
    *,
    trusts_clients: bool = False,
) -> Secret:
    """A Secret of leaves (entry name -> files), noted with the generation that signed them.

    `trusts_clients`: the component also trusts the clients authority (brokers do).
    """
    annotations = {CLUSTER_CA_CERT_GENERATION: str(generations.cluster_ca_cert)}
    if trusts_clients:
        annotations[CLIENTS_CA_CERT_GENERATION] = str(generations.clients_ca_cert)
    entries: dict[str, bytes] = {}
    for entry, files in leaves.items():
        entries |= files.entries(entry)
    place = metadata(component, name, namespace, owner, annotations=annotations)
    return Secret(metadata=place, type="Opaque", data=encoded(entries))


def encoded(data: Mapping[str, bytes]) -> dict[str, str]:
    """Secret data as it goes over the wire."""
    return {key: b64encode(value).decode() for key, value in data.items()}
