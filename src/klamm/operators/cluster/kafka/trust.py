"""The certificates of one cluster: two authorities, the operator's own identity, and every component's leaves."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from klamm.certificates.issue import Subject
from klamm.desired.entity_operator.operators import EntityOperator
from klamm.desired.kafka import certificate_subjects as broker_subjects
from klamm.desired.kafka.cluster import KafkaCluster
from klamm.desired.kafka.listeners import Addresses
from klamm.desired.kafka.pods import brokers_secret
from klamm.desired.labels import Component
from klamm.desired.secrets import (
    CLIENTS_CA,
    CLUSTER_CA,
    CLUSTER_OPERATOR,
    Generations,
    leaf_secret,
    operator_component,
)
from klamm.desired.zookeeper import certificate_subjects as zookeeper_subjects
from klamm.desired.zookeeper.ensemble import Ensemble
from klamm.operations.authorities import AuthoritySpec, CurrentAuthority, reconcile_authority
from klamm.operations.leaves import Issuing, Leaf, WantedLeaf, leaves
from klamm.operators.cluster.hands import Hands
from klamm.operators.cluster.kafka.gather import Observed
from klamm.planning.authorities.authority import AuthorityRules, ExpirationPolicy
from klamm.planning.maintenance_windows import parse_window, window_open
from klamm.resources.custom.kafka import CertificateAuthority


@dataclass(frozen=True, slots=True)
class Authorities:
    """Both authorities after this pass, and the operator's identity (PEM)."""

    cluster: CurrentAuthority
    clients: CurrentAuthority
    operator: Leaf

    @property
    def generations(self) -> Generations:
        return Generations(
            cluster_ca_cert=self.cluster.certificate_generation,
            cluster_ca_key=self.cluster.key_generation,
            clients_ca_cert=self.clients.certificate_generation,
        )


@dataclass
class Trust:
    """The certificate steps of one pass; each leaves its result for the steps after it."""

    hands: Hands
    observed: Observed
    now: datetime
    authorities: Authorities | None = None
    brokers: Mapping[str, str] = field(default_factory=dict)
    zookeepers: Mapping[str, str] = field(default_factory=dict)
    operators: Mapping[str, str] = field(default_factory=dict)

    @property
    def ready(self) -> Authorities:
        assert self.authorities is not None, "this step comes after the authorities"
        return self.authorities

    async def reconcile_authorities(self, cluster: KafkaCluster) -> None:
        spec = self.observed.resource.spec
        cluster_ca, clients_ca = await asyncio.gather(
            self._authority(cluster, CLUSTER_CA, spec.cluster_ca or CertificateAuthority()),
            self._authority(cluster, CLIENTS_CA, spec.clients_ca or CertificateAuthority()),
        )
        wanted = {CLUSTER_OPERATOR: WantedLeaf(CLUSTER_OPERATOR, Subject(CLUSTER_OPERATOR))}
        component = operator_component(cluster.name, cluster.resource.metadata.labels)
        secret = f"{cluster.name}-cluster-operator-certs"
        made = await self._leaves(cluster, secret, component, wanted, cluster_ca, clients_ca)
        self.authorities = Authorities(cluster_ca, clients_ca, made[CLUSTER_OPERATOR])

    async def reconcile_brokers(self, cluster: KafkaCluster, addresses: Addresses) -> None:
        subject = Subject(broker_subjects.common_name(cluster))
        wanted = {
            node.pod: WantedLeaf(node.pod, subject, broker_subjects.alternative_names(cluster, node, addresses))
            for node in cluster.nodes
        }
        secret = brokers_secret(cluster)
        self.brokers = await self._component_leaves(cluster, secret, cluster.component, wanted, trusts_clients=True)

    async def reconcile_zookeepers(self, cluster: KafkaCluster, ensemble: Ensemble) -> None:
        subject = Subject(zookeeper_subjects.common_name(ensemble))
        wanted = {
            pod: WantedLeaf(pod, subject, zookeeper_subjects.alternative_names(ensemble, pod)) for pod in ensemble.pods
        }
        self.zookeepers = await self._component_leaves(cluster, ensemble.nodes_secret, ensemble.component, wanted)

    async def reconcile_operators(self, cluster: KafkaCluster, operator: EntityOperator) -> None:
        found: dict[str, str] = {}
        for part in operator.parts:
            wanted = {part.container: WantedLeaf("entity-operator", Subject(part.name))}
            found |= await self._component_leaves(cluster, part.secret, part.component, wanted)
        self.operators = found

    async def _authority(self, cluster: KafkaCluster, name: str, given: CertificateAuthority) -> CurrentAuthority:
        owned = given.generate_secret_owner_reference is not False
        spec = AuthoritySpec(
            cluster=cluster.name,
            namespace=cluster.namespace,
            name=name,
            rules=_rules(given),
            owner=cluster.owner if owned else None,
            labels=cluster.resource.metadata.labels,
            key_algorithm=self.hands.key_algorithm,
            template=cluster.template.cluster_ca_cert if name == CLUSTER_CA else None,
        )
        return await reconcile_authority(
            self.hands.applier,
            spec,
            self.observed.secrets,
            self.hands.new_password(),
            self.now,
            window_open=self._window_open(),
        )

    async def _component_leaves(
        self,
        cluster: KafkaCluster,
        secret: str,
        component: Component,
        wanted: Mapping[str, WantedLeaf],
        *,
        trusts_clients: bool = False,
    ) -> dict[str, str]:
        """Thumbprints by the keys of `wanted`."""
        current = self.ready
        made = await self._leaves(
            cluster, secret, component, wanted, current.cluster, current.clients, trusts_clients=trusts_clients
        )
        return {name: one.thumbprint for name, one in made.items()}

    async def _leaves(
        self,
        cluster: KafkaCluster,
        secret: str,
        component: Component,
        wanted: Mapping[str, WantedLeaf],
        cluster_ca: CurrentAuthority,
        clients_ca: CurrentAuthority,
        *,
        trusts_clients: bool = False,
    ) -> dict[str, Leaf]:
        issuing = Issuing(self.now, self._window_open(), self.hands.new_password, self.hands.key_algorithm)
        made = leaves(wanted, self.observed.secrets.get(secret), cluster_ca, issuing)
        files = {wanted[name].entry: one.files for name, one in made.items()}
        generations = Generations(
            cluster_ca.certificate_generation, cluster_ca.key_generation, clients_ca.certificate_generation
        )
        await self.hands.applier.apply(
            leaf_secret(
                component,
                secret,
                cluster.namespace,
                cluster.owner,
                files,
                generations,
                trusts_clients=trusts_clients,
            )
        )
        return made

    def _window_open(self) -> bool:
        windows = [parse_window(text) for text in self.observed.resource.spec.maintenance_time_windows]
        return window_open(windows, self.now)


def _rules(given: CertificateAuthority) -> AuthorityRules:
    return AuthorityRules(
        generated=given.generate_certificate_authority is not False,
        validity_days=given.validity_days or 365,
        renewal_days=given.renewal_days or 30,
        expiration_policy=ExpirationPolicy(given.certificate_expiration_policy or "renew-certificate"),
    )
