"""The exporter's objects: made as wanted, and deleted when the resource no longer asks for them."""

from klamm.base import logs
from klamm.desired.kafka_exporter.deployment import ExporterInputs
from klamm.desired.kafka_exporter.exporter import KafkaExporter
from klamm.desired.kafka_exporter.objects import kafka_exporter_objects
from klamm.kube.kinds import Name
from klamm.kube.native import DEPLOYMENTS, NETWORK_POLICIES, POD_DISRUPTION_BUDGETS, SECRETS, SERVICE_ACCOUNTS
from klamm.operators.cluster.hands import Hands
from klamm.operators.cluster.kafka.companions import is_left
from klamm.operators.cluster.kafka.gather import Observed
from klamm.operators.cluster.kafka.trust import Trust

_log = logs.room("exporter")


async def apply_exporter(hands: Hands, exporter: KafkaExporter, trust: Trust) -> None:
    """All but its Secret, in one step of its own: whatever is refused here keeps nothing else from being done."""
    inputs = ExporterInputs(trust.ready.generations, trust.exporter)
    *before, deployment = kafka_exporter_objects(exporter, inputs)
    await hands.applier.apply_all(before)
    await hands.applier.apply(deployment)


async def delete_unwanted(hands: Hands, exporter: KafkaExporter, observed: Observed) -> None:
    if exporter.is_wanted or not is_left(observed, exporter.secret):
        return
    _log.info(f"{exporter.namespace}/{exporter.name} is not wanted any more; its objects are deleted")
    for kind in (DEPLOYMENTS, NETWORK_POLICIES, POD_DISRUPTION_BUDGETS, SERVICE_ACCOUNTS):
        await hands.applier.delete(kind, Name(exporter.namespace, exporter.name))
    await hands.applier.delete(SECRETS, Name(exporter.namespace, exporter.secret))
    hands.measures.no_leaves(Name(exporter.namespace, exporter.cluster), exporter.secret)
