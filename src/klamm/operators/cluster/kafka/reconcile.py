"""Kafka: what a pass over one cluster begins and ends with; the work itself is `kafka_pass.KafkaPass`."""

from dataclasses import replace

from klamm.control.passes import Pass
from klamm.control.results import DONE, Again, Result
from klamm.control.status import is_paused
from klamm.control.steps import Outcome, take
from klamm.desired.containers import wanted_containers
from klamm.kube.kinds import Name, name_of
from klamm.operators.cluster.hands import Hands
from klamm.operators.cluster.kafka import departure, report
from klamm.operators.cluster.kafka.checks import Checked, check
from klamm.operators.cluster.kafka.gather import gather, read_resource
from klamm.operators.cluster.kafka.kafka_pass import KafkaPass
from klamm.operators.cluster.kafka.mentions import mentioned_config_maps
from klamm.operators.cluster.kafka.scale import scaled
from klamm.resources.custom.kafka import Kafka
from klamm.resources.reading import Reading


class KafkaReconciler:
    def __init__(self, hands: Hands) -> None:
        self._hands = hands

    async def reconcile(self, name: Name, pass_: Pass) -> Result:
        found = await read_resource(self._hands, name)
        if found is None:
            self._hands.measures.forget(name)
            return await departure.clean_up(self._hands, name)
        resource, reading = found
        if not _is_ours(self._hands, resource):
            self._hands.measures.forget(name)
            return DONE
        if resource.metadata.deletion_timestamp is not None:
            return DONE
        if not reading.problems:
            self._hands.measures.wanted(name, wanted_containers(resource))
        if is_paused(resource):
            await report.write_paused(self._hands, resource)
            return DONE
        if reading.problems:
            return await report.write_problems(self._hands, resource, reading.problems)
        return await self._reconcile(resource, reading, pass_)

    async def _reconcile(self, resource: Kafka, reading: Reading, pass_: Pass) -> Result:
        checked = check(self._hands, resource, reading)
        if checked.problems:
            return await report.write_problems(self._hands, resource, checked.problems, checked.warnings)
        if resource.status is None:
            await report.write_creating(self._hands, resource)
        self._hands.mentions.note(name_of(resource), mentioned_config_maps(resource))
        observed = await gather(self._hands, resource)
        used = await scaled(self._hands, observed)
        one = KafkaPass(self._hands, observed, used, checked, pass_, self._hands.clock.now())
        steps = [replace(step, deadline=self._hands.operation) for step in one.steps()]
        outcome = await take(steps, pass_)
        self._hands.measures.steps(pass_.name, outcome)
        return await self._tell(one, checked, outcome)

    async def _tell(self, one: KafkaPass, checked: Checked, outcome: Outcome) -> Result:
        """Write the status; the cluster's id is asked for once brokers answer, after the status says Ready."""
        findings = report.Findings(
            warnings=(*checked.warnings, *one.warnings),
            outcome=outcome,
            listeners=await one.listener_statuses(),
            cluster_id=one.cluster_id,
        )
        status = await report.write_outcome(self._hands, one.resource, findings)
        if outcome.result == DONE and not status.cluster_id:
            # At first at once; a cluster whose brokers do not answer is asked less and less often.
            return Again(None if one.asked_cluster_id else 0.2, "the cluster's id is still to be asked for")
        return outcome.result


def _is_ours(hands: Hands, resource: Kafka) -> bool:
    """Pods wake us for clusters that STRIMZI_CUSTOM_RESOURCE_SELECTOR leaves to another operator."""
    return hands.selector.items() <= resource.metadata.labels.items()
