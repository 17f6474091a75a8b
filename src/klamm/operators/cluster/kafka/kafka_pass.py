"""One pass over one cluster. The table of contents is `KafkaPass.steps`.

Certificates, accounts, claims, Services and policies do not wait for one another; pods wait for what they mount;
ZooKeeper's and the brokers' pods are made together; a roll begins when every object is as wanted, ZooKeeper first.
The pass never waits for pods: it says `Again`, and their changes trigger the next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from klamm.control.passes import Pass
from klamm.control.results import DONE, Again, Blocked, Result
from klamm.control.status import warning
from klamm.control.steps import Step
from klamm.desired.entity_operator.access import access_objects
from klamm.desired.entity_operator.objects import network_policy as operator_network_policy
from klamm.desired.entity_operator.operators import EntityOperator
from klamm.desired.jmx import jmx_secret, jmx_secret_name
from klamm.desired.kafka import ingresses
from klamm.desired.kafka.access import init_binding, service_account
from klamm.desired.kafka.cluster import KafkaCluster
from klamm.desired.kafka.configuration import ConfigurationInputs, config_maps
from klamm.desired.kafka.listeners import Addresses
from klamm.desired.kafka.network_policy import network_policy
from klamm.desired.kafka.objects import kafka_budget, kafka_claims, kafka_pod_set
from klamm.desired.kafka.pods import PodInputs
from klamm.desired.kafka.server_config import unknown_addresses
from klamm.desired.kafka.services import services
from klamm.desired.kafka_exporter.exporter import KafkaExporter
from klamm.desired.labels import Component
from klamm.desired.surroundings import Surroundings
from klamm.desired.zookeeper import objects as zookeeper
from klamm.desired.zookeeper.configuration import config_map as zookeeper_config_map
from klamm.desired.zookeeper.ensemble import Ensemble, EnsembleInputs
from klamm.desired.zookeeper.network_policy import network_policy as zookeeper_network_policy
from klamm.desired.zookeeper.services import services as zookeeper_services
from klamm.kube.catalogue import POD_SETS
from klamm.kube.kinds import Name, name_of
from klamm.kube.native import NAMESPACES, SECRETS, SERVICES
from klamm.operators.cluster.hands import Hands
from klamm.operators.cluster.kafka import asked, entity_operator, exporter, report, tidying
from klamm.operators.cluster.kafka.addresses import known_addresses
from klamm.operators.cluster.kafka.brokers import ask_brokers, ask_cluster_id
from klamm.operators.cluster.kafka.checks import Checked
from klamm.operators.cluster.kafka.claims import apply_claims
from klamm.operators.cluster.kafka.companions import has_rolled_out
from klamm.operators.cluster.kafka.gather import Observed
from klamm.operators.cluster.kafka.references import MetricsUnusable, References, read_references
from klamm.operators.cluster.kafka.rolling import is_due, roll, zookeeper_leader
from klamm.operators.cluster.kafka.scale import Scaled
from klamm.operators.cluster.kafka.trust import Trust
from klamm.operators.cluster.pod_sets import error_of, is_ready
from klamm.resources.custom.kafka import Kafka
from klamm.resources.custom.listeners import ListenerStatus
from klamm.resources.custom.pod_set import StrimziPodSet
from klamm.resources.custom.status import Condition
from klamm.resources.structure import Block

LOOK_AGAIN = 20.0
"""Seconds after which pods that are waited for are looked at without being told: a net under the watch."""


@dataclass
class KafkaPass:
    """The state of one pass: what was observed, and what each step leaves for the steps after it."""

    hands: Hands
    observed: Observed
    scaled: Scaled
    checked: Checked
    pass_: Pass
    now: datetime
    addresses: Addresses = field(default_factory=Addresses)
    references: References = field(default_factory=References)
    warnings: list[Condition] = field(default_factory=list)
    cluster_id: str | None = None
    asked_cluster_id: bool = False

    def __post_init__(self) -> None:
        around = self.hands.surroundings
        self.resource = _inheriting(self.scaled.resource, around)
        self.name = name_of(self.resource)
        self.warnings += self.scaled.warnings
        self.cluster = KafkaCluster(self.resource, around, self.checked.kafka_storage)
        self.ensemble = Ensemble(self.resource, around, self.checked.zookeeper_storage)
        self.operators = EntityOperator(self.resource, around)
        self.exporter = KafkaExporter(self.resource, around)
        self.trust = Trust(self.hands, self.observed, self.now)

    def steps(self) -> list[Step]:
        return [
            Step("authorities", self.authorities),
            Step("references", self.read_references),
            Step("metrics", self.metrics, after=("references",)),
            Step("services", self.services),
            Step("accounts", self.accounts),
            Step("operator accounts", self.operator_accounts),
            Step("policies", self.policies),
            Step("jmx passwords", self.jmx_passwords),
            Step("wishes", self.wishes),
            Step("storage", self.storage, after=("wishes",)),
            Step("zookeeper certificates", self.zookeeper_certificates, after=("authorities",)),
            Step("broker certificates", self.broker_certificates, after=("authorities", "services")),
            Step("operator certificates", self.operator_certificates, after=("authorities",)),
            Step("exporter certificate", self.exporter_certificate, after=("authorities",)),
            Step(
                "zookeeper pods",
                self.zookeeper_pods,
                after=("zookeeper certificates", "accounts", "storage", "references", "jmx passwords"),
            ),
            Step(
                "broker pods",
                self.broker_pods,
                after=("broker certificates", "accounts", "storage", "services", "references", "jmx passwords"),
            ),
            Step(
                "entity operator",
                self.entity_operator,
                after=("operator certificates", "operator accounts", "references"),
            ),
            Step("kafka exporter", self.kafka_exporter, after=("exporter certificate",)),
            Step("roll zookeeper", self.roll_zookeeper, after=("zookeeper pods",)),
            Step("roll brokers", self.roll_brokers, after=("broker pods", "roll zookeeper")),
            Step("ready", self.ready, after=("roll brokers", "entity operator", "kafka exporter")),
            Step("tidy", self.tidy, after=("ready", "policies")),
            Step("cluster id", self.ask_cluster_id, after=("ready",)),
        ]

    async def authorities(self) -> None:
        await self.trust.reconcile_authorities(self.cluster)

    async def read_references(self) -> None:
        self.references = await read_references(self.hands.client, self.resource, self.cluster.version)

    async def metrics(self) -> None:
        """A step that nobody waits for: what is wrong with metrics is told, and stops nothing."""
        found = self.references
        self.warnings += [warning("UnknownMetricsKey", remark) for remark in found.metrics_remarks]
        if found.metrics_problems:
            raise MetricsUnusable(". ".join(found.metrics_problems))

    async def services(self) -> Result:
        """All Services; brokers cannot start before they know the ports and addresses that clients are to use."""
        wanted = [*zookeeper_services(self.ensemble), *services(self.cluster)]
        applied = await self.hands.applier.answers(wanted)
        await self._apply(ingresses.ingresses(self.cluster))
        self.addresses = known_addresses(self.cluster, applied)
        missing = unknown_addresses(self.cluster, self.addresses)
        if not missing:
            return DONE
        for service in applied:  # a load balancer gets its address later, and no watch of ours tells of it
            self.hands.applier.forget(SERVICES, name_of(service))
        return Again(2.0, "; ".join(missing), "AddressMissing")

    async def accounts(self) -> None:
        needs = self.cluster.needs_init
        namespace = await self.hands.client.find(NAMESPACES, Name("", self.name.namespace)) if needs else None
        binding = init_binding(self.cluster, namespace.metadata if namespace else None)
        await self._apply(
            [
                zookeeper.service_account(self.ensemble),
                service_account(self.cluster),
                *([binding] if binding else []),
            ]
        )

    async def operator_accounts(self) -> None:
        """A step of their own: they also lie in namespaces that are to be watched, which may not be there."""
        if self.operators.parts:
            await self._apply(access_objects(self.operators))

    async def policies(self) -> None:
        wanted: list[Block] = []
        if self.hands.surroundings.network_policies:
            wanted += [zookeeper_network_policy(self.ensemble), network_policy(self.cluster)]
            wanted += [operator_network_policy(self.operators)] if self.operators.parts else []
        if self.hands.surroundings.disruption_budgets:
            wanted += [zookeeper.zookeeper_budget(self.ensemble), kafka_budget(self.cluster)]
        await self._apply(wanted)

    async def jmx_passwords(self) -> None:
        """Made once; whoever connects copies them from the Secret."""
        for component, options in (
            (self.cluster.component, self.cluster.spec.jmx_options),
            (self.ensemble.component, self.ensemble.spec.jmx_options),
        ):
            if options is not None and options.authentication is not None:
                await self._jmx_password(component)

    async def _jmx_password(self, component: Component) -> None:
        name = jmx_secret_name(component)
        stored = self.observed.secrets.get(name)
        if stored is None:
            place = Name(self.name.namespace, name)
            stored = (await self.hands.applier.asked_again(SECRETS, {}, [place])).get(name)
        new, owner = self.hands.new_password, self.cluster.owner
        await self._apply([jmx_secret(component, self.name.namespace, owner, stored, new)])

    async def wishes(self) -> Result:
        """What people asked for by annotations on pods and pod sets."""
        await asked.hand_on_manual_rolls(self.hands, self.observed)
        return await asked.renew_pod_and_claims(self.hands, self.observed)

    async def storage(self) -> Result:
        wanted = [*zookeeper.zookeeper_claims(self.ensemble), *kafka_claims(self.cluster)]
        outcome = await apply_claims(self.hands, self.name, wanted)
        self.warnings += outcome.warnings
        return outcome.result

    async def zookeeper_certificates(self) -> None:
        await self.trust.reconcile_zookeepers(self.cluster, self.ensemble)

    async def broker_certificates(self) -> None:
        await self.trust.reconcile_brokers(self.cluster, self.addresses)

    async def operator_certificates(self) -> None:
        await self.trust.reconcile_operators(self.cluster, self.operators)

    async def exporter_certificate(self) -> None:
        if self.exporter.is_wanted:
            await self.trust.reconcile_exporter(self.cluster, self.exporter)

    async def zookeeper_pods(self) -> None:
        texts = self.references
        inputs = EnsembleInputs(
            self.trust.ready.generations, self.trust.zookeepers, texts.zookeeper_logging, texts.zookeeper_metrics.text
        )
        await self._apply([zookeeper_config_map(self.ensemble, inputs)])
        self.zookeeper_pod_set = zookeeper.zookeeper_pod_set(self.ensemble, inputs)
        await self._apply_pod_set(self.zookeeper_pod_set)

    async def broker_pods(self) -> None:
        texts = self.references
        configuration = ConfigurationInputs(self.addresses, texts.kafka_logging, texts.kafka_metrics.text)
        inputs = PodInputs(configuration, self.trust.ready.generations, self.trust.brokers, texts.certificates)
        await self._apply(config_maps(self.cluster, configuration))
        self.broker_pod_set = kafka_pod_set(self.cluster, inputs)
        await self._apply_pod_set(self.broker_pod_set)

    async def entity_operator(self) -> None:
        if self.operators.parts:
            await entity_operator.apply_operators(self.hands, self.operators, self.trust, self.references)
        await entity_operator.delete_unwanted(self.hands, self.operators, self.observed)

    async def kafka_exporter(self) -> None:
        if self.exporter.is_wanted:
            await exporter.apply_exporter(self.hands, self.exporter, self.trust)
        await exporter.delete_unwanted(self.hands, self.exporter, self.observed)

    async def roll_zookeeper(self) -> Result:
        pod_set, pods = self.zookeeper_pod_set, self.observed.pods_of(self.ensemble.name)
        if not is_due(self.hands, pod_set, pods):
            return DONE
        hosts = {
            number: f"{pod}.{self.ensemble.nodes_service}.{self.cluster.namespace}.svc"
            for number, pod in enumerate(self.ensemble.pods)
        }
        asked = zookeeper_leader(self.hands, hosts, self.trust.identity)
        leader = await self.pass_.unless_superseded(asked)
        return await roll(self.hands, pod_set, pods, partitions=[], leader=leader, check=self.pass_.check)

    async def roll_brokers(self) -> Result:
        pod_set, pods = self.broker_pod_set, self.observed.pods_of(self.cluster.kafka)
        if not is_due(self.hands, pod_set, pods):
            return DONE
        if missing := self._unready(self.zookeeper_pod_set):
            return Again(LOOK_AGAIN, f"no broker is restarted while {missing[0]} is not ready", "ZooKeeperNotReady")
        said = await self.pass_.unless_superseded(ask_brokers(self.hands, self.name, self.trust.identity))
        partitions, leader = (said.partitions, said.controller) if said else (None, None)
        return await roll(self.hands, pod_set, pods, partitions=partitions, leader=leader, check=self.pass_.check)

    async def ready(self) -> Result:
        """A pod set whose pods the API refuses tells why: only the user can help."""
        for pod_set in self.observed.pod_sets.values():
            if (why := error_of(pod_set)) is not None:
                return Blocked(f"pods of {pod_set.metadata.name} cannot be made: {why}", "PodsRefused")
        missing = [*self._unready(self.zookeeper_pod_set), *self._unready(self.broker_pod_set)]
        if self.operators.parts and not has_rolled_out(self.observed.entity_operator):
            missing.append(self.operators.name)
        if self.exporter.is_wanted and not has_rolled_out(self.observed.kafka_exporter):
            missing.append(self.exporter.name)
        return Again(LOOK_AGAIN, f"waiting for {', '.join(missing)} to be ready", "PodsNotReady") if missing else DONE

    async def tidy(self) -> None:
        await tidying.delete_leftovers(self.hands, self.cluster, self.ensemble)

    async def ask_cluster_id(self) -> None:
        status = self.resource.status
        if status is None or status.cluster_id or not status.listeners:
            return
        self.asked_cluster_id = True
        asked = ask_cluster_id(self.hands, self.name, self.trust.identity)
        self.cluster_id = await self.pass_.unless_superseded(asked)

    async def listener_statuses(self) -> list[ListenerStatus]:
        return await report.listener_statuses(self.hands, self.cluster, self.observed, self.addresses, self.trust)

    async def _apply(self, objects: Sequence[Block]) -> None:
        await self.hands.applier.apply_all(objects)

    async def _apply_pod_set(self, wanted: StrimziPodSet) -> None:
        """Pods depend on it so much that one which somebody deleted is made again at once."""
        name = Name(self.name.namespace, wanted.metadata.name or "")
        if self.hands.pod_sets.get(name) is None:
            self.hands.applier.forget(POD_SETS, name)
        await self._apply([wanted])

    def _unready(self, pod_set: StrimziPodSet) -> list[str]:
        pods = self.observed.pods_of(pod_set.metadata.name or "")
        names = [description["metadata"]["name"] for description in pod_set.spec.pods]
        return [name for name in names if (pod := pods.get(name)) is None or not is_ready(pod)]


def _inheriting(resource: Kafka, around: Surroundings) -> Kafka:
    """The resource with the labels that its objects inherit."""
    metadata = msgspec.structs.replace(resource.metadata, labels=around.handed_on(resource.metadata.labels))
    return msgspec.structs.replace(resource, metadata=metadata)
