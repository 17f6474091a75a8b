"""The certificates of one cluster: two authorities, the operator's own identity, and every component's leaves.

When the cluster authority gets a new key, the trust in it goes round in three steps, each a roll of all pods
(`planning.authorities.trust`): first everybody learns to trust it beside the old one, then leaves are signed by it,
then the old one is forgotten. This module takes the step that the pods' annotations call for, and hands the generations
on that pods are to carry; the restarts follow from their annotations, through the one roller.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from klamm.base import logs
from klamm.base.together import side_by_side
from klamm.certificates.issue import Subject
from klamm.certificates.read import read_certificate
from klamm.desired.entity_operator.operators import EntityOperator
from klamm.desired.kafka import certificate_subjects as broker_subjects
from klamm.desired.kafka.cluster import KafkaCluster
from klamm.desired.kafka.listeners import Addresses
from klamm.desired.kafka.pods import brokers_secret
from klamm.desired.kafka_exporter.exporter import KafkaExporter
from klamm.desired.labels import Component
from klamm.desired.pod_sets import CLUSTER_CA_CERT_GENERATION, CLUSTER_CA_KEY_GENERATION
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
from klamm.kube.kinds import Name
from klamm.kube.native import SECRETS
from klamm.operations.authorities import (
    AuthoritySpec,
    CurrentAuthority,
    forget_old_authorities,
    reconcile_authority,
)
from klamm.operations.leaves import Issuing, Leaf, WantedLeaf, decided, leaf
from klamm.operators.cluster.hands import Hands
from klamm.operators.cluster.kafka.gather import Observed
from klamm.operators.cluster.kafka.identity import Identity, operator_secret
from klamm.planning.authorities.authority import AuthorityRules, ExpirationPolicy
from klamm.planning.authorities.leaf import IssueLeaf
from klamm.planning.authorities.trust import DropOld, PodTrust, SpreadTrust, TrustStep, decide_trust
from klamm.planning.maintenance_windows import parse_window, window_open
from klamm.resources.custom.kafka import CertificateAuthority
from klamm.resources.native.pod import Pod

_log = logs.room("trust")


@dataclass(frozen=True, slots=True)
class Authorities:
    """Both authorities in this pass, and whether trust in the cluster's is still being spread."""

    cluster: CurrentAuthority
    clients: CurrentAuthority
    step: TrustStep

    @property
    def spreading(self) -> bool:
        return isinstance(self.step, SpreadTrust)

    @property
    def generations(self) -> Generations:
        """What pods made now carry: while trust is spread, leaves are still those of the authority before."""
        cluster, step = self.cluster, self.step
        signed = step.leaf_generation if isinstance(step, SpreadTrust) else cluster.certificate_generation
        return Generations(
            cluster_ca_cert=signed,
            cluster_ca_key=cluster.key_generation,
            clients_ca_cert=self.clients.certificate_generation,
            old_cluster_ca=bool(cluster.older),
        )


@dataclass
class Trust:
    """The certificate steps of one pass; each leaves its result for the steps after it."""

    hands: Hands
    observed: Observed
    now: datetime
    authorities: Authorities | None = None
    operator: Identity | None = None
    brokers: Mapping[str, str] = field(default_factory=dict)
    zookeepers: Mapping[str, str] = field(default_factory=dict)
    operators: Mapping[str, str] = field(default_factory=dict)
    exporter: str | None = None

    @property
    def ready(self) -> Authorities:
        assert self.authorities is not None, "this step comes after the authorities"
        return self.authorities

    @property
    def identity(self) -> Identity:
        assert self.operator is not None, "this step comes after the authorities"
        return self.operator

    async def reconcile_authorities(self, cluster: KafkaCluster) -> None:
        """Both authorities, the step of trust, and the operator's own leaf."""
        spec = self.observed.resource.spec
        specs = (
            self._spec(cluster, CLUSTER_CA, spec.cluster_ca or CertificateAuthority()),
            self._spec(cluster, CLIENTS_CA, spec.clients_ca or CertificateAuthority()),
        )
        cluster_ca, clients_ca = await side_by_side(*(self._authority(one) for one in specs))
        self.authorities = Authorities(*await self._trusted(specs[0], cluster_ca, clients_ca))
        self._measure(cluster)
        wanted = {CLUSTER_OPERATOR: WantedLeaf(CLUSTER_OPERATOR, Subject(CLUSTER_OPERATOR))}
        component = operator_component(cluster.name, cluster.resource.metadata.labels)
        made = (await self._leaves(cluster, operator_secret(cluster.name), component, wanted))[CLUSTER_OPERATOR]
        self.operator = Identity(self.ready.cluster.trusted, made.files.certificate, made.files.key)

    async def _trusted(
        self, spec: AuthoritySpec, cluster_ca: CurrentAuthority, clients_ca: CurrentAuthority
    ) -> tuple[CurrentAuthority, CurrentAuthority, TrustStep]:
        """The step that is due; forgetting the old authority is done at once, the others take restarts."""
        pods = [_pod_trust(pod) for pod in self.observed.all_pods if pod.metadata.deletion_timestamp is None]
        step = decide_trust(
            pods, cluster_ca.certificate_generation, cluster_ca.key_generation, old_certificates=bool(cluster_ca.older)
        )
        if isinstance(step, DropOld):
            _log.info(f"the old cluster authority of {spec.namespace}/{spec.cluster} is forgotten: nobody shows it")
            password = self.hands.new_password()
            cluster_ca = await forget_old_authorities(self.hands.applier, spec, cluster_ca, password)
        return cluster_ca, clients_ca, step

    async def reconcile_brokers(self, cluster: KafkaCluster, addresses: Addresses) -> None:
        subject = Subject(broker_subjects.common_name(cluster))
        wanted = {
            node.pod: WantedLeaf(node.pod, subject, broker_subjects.alternative_names(cluster, node, addresses))
            for node in cluster.nodes
        }
        secret = brokers_secret(cluster)
        self.brokers = await self._thumbprints(cluster, secret, cluster.component, wanted, trusts_clients=True)

    async def reconcile_zookeepers(self, cluster: KafkaCluster, ensemble: Ensemble) -> None:
        subject = Subject(zookeeper_subjects.common_name(ensemble))
        wanted = {
            pod: WantedLeaf(pod, subject, zookeeper_subjects.alternative_names(ensemble, pod)) for pod in ensemble.pods
        }
        self.zookeepers = await self._thumbprints(cluster, ensemble.nodes_secret, ensemble.component, wanted)

    async def reconcile_operators(self, cluster: KafkaCluster, operator: EntityOperator) -> None:
        found: dict[str, str] = {}
        for part in operator.parts:
            wanted = {part.container: WantedLeaf("entity-operator", Subject(part.name))}
            found |= await self._thumbprints(cluster, part.secret, part.component, wanted)
        self.operators = found

    async def reconcile_exporter(self, cluster: KafkaCluster, exporter: KafkaExporter) -> None:
        wanted = {exporter.name: WantedLeaf("kafka-exporter", Subject(exporter.name))}
        made = await self._thumbprints(cluster, exporter.secret, exporter.component, wanted)
        self.exporter = made[exporter.name]

    def _spec(self, cluster: KafkaCluster, name: str, given: CertificateAuthority) -> AuthoritySpec:
        owned = given.generate_secret_owner_reference is not False
        return AuthoritySpec(
            cluster=cluster.name,
            namespace=cluster.namespace,
            name=name,
            rules=_rules(given),
            owner=cluster.owner if owned else None,
            labels=cluster.resource.metadata.labels,
            key_algorithm=self.hands.key_algorithm,
            template=cluster.template.cluster_ca_cert if name == CLUSTER_CA else None,
        )

    async def _authority(self, spec: AuthoritySpec) -> CurrentAuthority:
        return await reconcile_authority(
            self.hands.applier,
            spec,
            self.observed.secrets,
            self.hands.new_password(),
            self.now,
            window_open=self._window_open(),
        )

    async def _thumbprints(
        self,
        cluster: KafkaCluster,
        secret: str,
        component: Component,
        wanted: Mapping[str, WantedLeaf],
        *,
        trusts_clients: bool = False,
    ) -> dict[str, str]:
        """Of the leaves, by the keys of `wanted`."""
        made = await self._leaves(cluster, secret, component, wanted, trusts_clients=trusts_clients)
        return {name: one.thumbprint for name, one in made.items()}

    async def _leaves(
        self,
        cluster: KafkaCluster,
        secret: str,
        component: Component,
        wanted: Mapping[str, WantedLeaf],
        *,
        trusts_clients: bool = False,
    ) -> dict[str, Leaf]:
        authorities = self.ready
        issuing = Issuing(
            self.now,
            self._window_open(),
            self.hands.new_password,
            spreading=authorities.spreading,
            key_algorithm=self.hands.key_algorithm,
        )
        current = authorities.cluster
        stored = self.observed.secrets.get(secret)
        decisions = {name: decided(one, stored, current, issuing) for name, one in wanted.items()}
        if any(isinstance(decision, IssueLeaf) for decision in decisions.values()):
            place = Name(cluster.namespace, secret)
            stored = (await self.hands.applier.asked_again(SECRETS, {}, [place])).get(secret)
            decisions = {name: decided(one, stored, current, issuing) for name, one in wanted.items()}
        made = {name: leaf(one, stored, decisions[name], current, issuing) for name, one in wanted.items()}
        name = Name(cluster.namespace, cluster.name)
        self.hands.measures.leaves(name, secret, {wanted[key].entry: one.end for key, one in made.items()})
        files = {wanted[name].entry: one.files for name, one in made.items()}
        await self.hands.applier.apply(
            leaf_secret(
                component,
                secret,
                cluster.namespace,
                cluster.owner,
                files,
                authorities.generations,
                trusts_clients=trusts_clients,
            )
        )
        return made

    def _measure(self, cluster: KafkaCluster) -> None:
        name = Name(cluster.namespace, cluster.name)
        for type_, one in (("cluster-ca", self.ready.cluster), ("client-ca", self.ready.clients)):
            end = read_certificate(one.authority.certificate).not_after
            self.hands.measures.authority(name, type_, end)

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


def _pod_trust(pod: Pod) -> PodTrust:
    """Which authorities a pod was started with, from its annotations."""
    annotations = pod.metadata.annotations
    certificate, key = (
        int(text) if (text := annotations.get(name, "")).isdecimal() else 0
        for name in (CLUSTER_CA_CERT_GENERATION, CLUSTER_CA_KEY_GENERATION)
    )
    return PodTrust(pod.metadata.name or "", certificate, key)
