"""Kafka: one pass over one cluster. The table of contents is `KafkaPass.steps`.

Certificates, accounts, claims, Services and policies do not wait for one another; pods wait for what they mount;
ZooKeeper's and the brokers' pods are made together; a roll begins when every object is as wanted, ZooKeeper first.
The pass never waits for pods: it says `Again`, and their changes trigger the next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from klamm.control.passes import Pass
from klamm.control.results import DONE, Again, Result
from klamm.control.steps import Outcome, Step, take
from klamm.desired.entity_operator.access import access_objects
from klamm.desired.entity_operator.deployment import EntityOperatorInputs, deployment
from klamm.desired.entity_operator.objects import config_maps as operator_config_maps
from klamm.desired.entity_operator.objects import network_policy as operator_network_policy
from klamm.desired.entity_operator.operators import EntityOperator
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
from klamm.desired.zookeeper import objects as zookeeper
from klamm.desired.zookeeper.configuration import config_map as zookeeper_config_map
from klamm.desired.zookeeper.ensemble import Ensemble, EnsembleInputs
from klamm.desired.zookeeper.network_policy import network_policy as zookeeper_network_policy
from klamm.desired.zookeeper.services import services as zookeeper_services
from klamm.kube.kinds import Kind, Name
from klamm.kube.native import CONFIG_MAPS, DEPLOYMENTS, SERVICES
from klamm.operators.cluster.hands import Hands
from klamm.operators.cluster.kafka import departure, report
from klamm.operators.cluster.kafka.addresses import known_addresses
from klamm.operators.cluster.kafka.checks import Checked, check
from klamm.operators.cluster.kafka.gather import Observed, gather, read_resource
from klamm.operators.cluster.kafka.rolling import admin_connection, is_due, observe_partitions, roll, zookeeper_leader
from klamm.operators.cluster.kafka.trust import Trust
from klamm.operators.cluster.pod_sets import is_ready
from klamm.resources.custom.kafka import Kafka
from klamm.resources.custom.listeners import ListenerStatus
from klamm.resources.custom.pod_set import StrimziPodSet
from klamm.resources.native.service import Service
from klamm.resources.reading import Reading
from klamm.resources.structure import Block

PAUSE = "strimzi.io/pause-reconciliation"
MANUAL_ROLLING_UPDATE = "strimzi.io/manual-rolling-update"

LOOK_AGAIN = 20.0
"""Seconds after which pods that are waited for are looked at without being told: a net under the watch."""


class KafkaReconciler:
    def __init__(self, hands: Hands) -> None:
        self._hands = hands

    async def reconcile(self, name: Name, pass_: Pass) -> Result:
        found = await read_resource(self._hands, name)
        if found is None:
            return await departure.clean_up(self._hands, name)
        resource, reading = found
        if resource.metadata.deletion_timestamp is not None:
            return DONE
        if reading.problems:
            return await report.write_problems(self._hands, resource, reading.problems)
        if resource.metadata.annotations.get(PAUSE) == "true":
            await report.write_paused(self._hands, resource)
            return DONE
        return await self._reconcile(resource, reading, pass_)

    async def _reconcile(self, resource: Kafka, reading: Reading, pass_: Pass) -> Result:
        if resource.status is None:
            await report.write_creating(self._hands, resource)
        checked = check(self._hands, resource, reading)
        if checked.problems:
            return await report.write_problems(self._hands, resource, checked.problems, checked.warnings)
        observed = await gather(self._hands, resource)
        one = KafkaPass(self._hands, observed, checked, pass_, self._hands.clock.now())
        outcome = await take(one.steps(), pass_)
        return await self._tell(one, outcome)

    async def _tell(self, one: "KafkaPass", outcome: Outcome) -> Result:
        """Write the status; the cluster's id is asked for once brokers answer, after the status says Ready."""
        findings = report.Findings(
            checked=one.checked, outcome=outcome, listeners=await one.listener_statuses(), cluster_id=one.cluster_id
        )
        status = await report.write_outcome(self._hands, one.observed.resource, findings)
        if outcome.result == DONE and not status.cluster_id:
            return Again(0.2, "the cluster's id is still to be asked for")
        return outcome.result


@dataclass
class KafkaPass:
    """The state of one pass: what was observed, and what each step leaves for the steps after it."""

    hands: Hands
    observed: Observed
    checked: Checked
    pass_: Pass
    now: datetime
    addresses: Addresses = field(default_factory=Addresses)
    cluster_id: str | None = None

    def __post_init__(self) -> None:
        resource, around = self.observed.resource, self.hands.surroundings
        self.cluster = KafkaCluster(resource, around, self.checked.kafka_storage)
        self.ensemble = Ensemble(resource, around, self.checked.zookeeper_storage)
        self.operators = EntityOperator(resource, around)
        self.trust = Trust(self.hands, self.observed, self.now)

    def steps(self) -> list[Step]:
        return [
            Step("authorities", self.authorities),
            Step("services", self.services),
            Step("accounts", self.accounts),
            Step("policies", self.policies),
            Step("storage", self.storage),
            Step("zookeeper certificates", self.zookeeper_certificates, after=("authorities",)),
            Step("broker certificates", self.broker_certificates, after=("authorities", "services")),
            Step("operator certificates", self.operator_certificates, after=("authorities",)),
            Step("zookeeper pods", self.zookeeper_pods, after=("zookeeper certificates", "accounts", "storage")),
            Step("broker pods", self.broker_pods, after=("broker certificates", "accounts", "storage", "services")),
            Step("entity operator", self.entity_operator, after=("operator certificates", "accounts")),
            Step("roll zookeeper", self.roll_zookeeper, after=("zookeeper pods",)),
            Step("roll brokers", self.roll_brokers, after=("broker pods", "roll zookeeper")),
            Step("pods", self.ready, after=("roll brokers", "entity operator")),
            Step("tidy", self.tidy, after=("pods", "policies")),
            Step("cluster id", self.ask_cluster_id, after=("pods",)),
        ]

    async def authorities(self) -> None:
        await self.trust.reconcile_authorities(self.cluster)

    async def services(self) -> Result:
        """All Services; brokers cannot start before they know the ports and addresses that clients are to use."""
        wanted = [*zookeeper_services(self.ensemble), *services(self.cluster)]
        applied = await self.hands.applier.apply_all(wanted)
        await self._apply(ingresses.ingresses(self.cluster))
        self.addresses = known_addresses(self.cluster, applied)
        missing = unknown_addresses(self.cluster, self.addresses)
        return Again(2.0, "; ".join(missing)) if missing else DONE

    async def accounts(self) -> None:
        binding = init_binding(self.cluster)
        await self._apply(
            [
                zookeeper.service_account(self.ensemble),
                service_account(self.cluster),
                *([binding] if binding else []),
                *(access_objects(self.operators) if self.operators.parts else []),
            ]
        )

    async def policies(self) -> None:
        await self._apply(
            [
                zookeeper_network_policy(self.ensemble),
                network_policy(self.cluster),
                zookeeper.zookeeper_budget(self.ensemble),
                kafka_budget(self.cluster),
                *([operator_network_policy(self.operators)] if self.operators.parts else []),
            ]
        )

    async def storage(self) -> None:
        await self._apply([*zookeeper.zookeeper_claims(self.ensemble), *kafka_claims(self.cluster)])

    async def zookeeper_certificates(self) -> None:
        await self.trust.reconcile_zookeepers(self.cluster, self.ensemble)

    async def broker_certificates(self) -> None:
        await self.trust.reconcile_brokers(self.cluster, self.addresses)

    async def operator_certificates(self) -> None:
        await self.trust.reconcile_operators(self.cluster, self.operators)

    async def zookeeper_pods(self) -> None:
        texts = self.observed.texts
        inputs = EnsembleInputs(
            self.trust.ready.generations, self.trust.zookeepers, texts.zookeeper_logging, texts.zookeeper_metrics
        )
        await self._apply([zookeeper_config_map(self.ensemble, inputs)])
        self.zookeeper_pod_set = zookeeper.zookeeper_pod_set(self.ensemble, inputs)
        await self._apply([self.zookeeper_pod_set])

    async def broker_pods(self) -> None:
        texts = self.observed.texts
        configuration = ConfigurationInputs(self.addresses, texts.kafka_logging, texts.kafka_metrics)
        inputs = PodInputs(configuration, self.trust.ready.generations, self.trust.brokers)
        await self._apply(config_maps(self.cluster, configuration))
        self.broker_pod_set = kafka_pod_set(self.cluster, inputs)
        await self._apply([self.broker_pod_set])

    async def entity_operator(self) -> None:
        if not self.operators.parts:
            await self.hands.client.delete(DEPLOYMENTS, Name(self.cluster.namespace, self.operators.name))
            return
        texts = self.observed.texts
        logging = {"topic-operator": texts.topic_operator_logging, "user-operator": texts.user_operator_logging}
        inputs = EntityOperatorInputs(
            self.trust.ready.generations,
            self.trust.operators,
            {container: text for container, text in logging.items() if text is not None},
        )
        await self._apply(operator_config_maps(self.operators, inputs))
        await self._apply([deployment(self.operators, inputs)])

    async def roll_zookeeper(self) -> Result:
        pod_set, pods = self.zookeeper_pod_set, self.observed.pods_of(self.ensemble.name)
        manual = self._is_manual(self.ensemble.name)
        if not is_due(pod_set, pods, manual):
            return DONE
        hosts = {
            number: f"{pod}.{self.ensemble.nodes_service}.{self.cluster.namespace}.svc"
            for number, pod in enumerate(self.ensemble.pods)
        }
        leader = await zookeeper_leader(hosts, self.trust.ready)
        return await roll(
            self.hands, pod_set, pods, manual=manual, partitions=[], leader=leader, check=self.pass_.check
        )

    async def roll_brokers(self) -> Result:
        pod_set, pods = self.broker_pod_set, self.observed.pods_of(self.cluster.kafka)
        manual = self._is_manual(self.cluster.kafka)
        if not is_due(pod_set, pods, manual):
            return DONE
        if missing := self._unready(self.zookeeper_pod_set):
            return Again(LOOK_AGAIN, f"no broker is restarted while {missing[0]} is not ready")
        partitions, controller = await observe_partitions(self.hands, self.cluster, self.trust.ready)
        return await roll(
            self.hands, pod_set, pods, manual=manual, partitions=partitions, leader=controller, check=self.pass_.check
        )

    async def ready(self) -> Result:
        missing = [*self._unready(self.zookeeper_pod_set), *self._unready(self.broker_pod_set)]
        if self.operators.parts and not self._entity_operator_is_ready():
            missing.append(self.operators.name)
        return Again(LOOK_AGAIN, f"waiting for {', '.join(missing)} to be ready") if missing else DONE

    async def tidy(self) -> None:
        """What was wanted once and is not any more: Services of removed listeners, ConfigMaps of removed brokers."""
        owner = self.observed.resource.metadata.uid or ""
        wanted: list[tuple[Kind[Service], dict[str, str], Sequence[Block]]] = [
            (SERVICES, self.cluster.component.selector(), services(self.cluster)),
        ]
        for kind, labels, keep in wanted:
            await self.hands.applier.prune(kind, self.cluster.namespace, labels, keep, owner)
        brokers = config_maps(self.cluster, ConfigurationInputs(self.addresses))
        labels = self.cluster.node_component.selector()
        await self.hands.applier.prune(CONFIG_MAPS, self.cluster.namespace, labels, brokers, owner)

    async def ask_cluster_id(self) -> None:
        status = self.observed.resource.status
        if status is None or status.cluster_id or not status.listeners:
            return
        async with await self.hands.open_admin(admin_connection(self.cluster, self.trust.ready)) as admin:
            self.cluster_id = (await admin.describe_cluster()).id

    async def listener_statuses(self) -> list[ListenerStatus]:
        return await report.listener_statuses(self.hands, self.cluster, self.observed, self.addresses, self.trust)

    async def _apply(self, objects: Sequence[Block]) -> None:
        await self.hands.applier.apply_all(objects)

    def _is_manual(self, pod_set: str) -> bool:
        observed = self.observed.pod_sets.get(pod_set)
        return observed is not None and observed.metadata.annotations.get(MANUAL_ROLLING_UPDATE) == "true"

    def _unready(self, pod_set: StrimziPodSet) -> list[str]:
        pods = self.observed.pods_of(pod_set.metadata.name or "")
        names = [description["metadata"]["name"] for description in pod_set.spec.pods]
        return [name for name in names if (pod := pods.get(name)) is None or not is_ready(pod)]

    def _entity_operator_is_ready(self) -> bool:
        found = self.observed.entity_operator
        status = found.status if found else None
        if found is None or status is None or status.observed_generation != found.metadata.generation:
            return False
        return (status.ready_replicas or 0) >= 1 and (status.updated_replicas or 0) >= 1
