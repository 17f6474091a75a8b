"""The exporter of a cluster: lags of consumer groups and offsets of topics, for Prometheus.

It has no Service: scrapers find its pod by labels and by its port's name.
"""

from klamm.desired.budgets import budget
from klamm.desired.kafka.listeners import METRICS_PORT
from klamm.desired.kafka_exporter.deployment import ExporterInputs, deployment
from klamm.desired.kafka_exporter.exporter import KafkaExporter
from klamm.desired.network_rules import rule
from klamm.desired.templates import metadata
from klamm.resources.native.access import ServiceAccount
from klamm.resources.native.metadata import LabelSelector
from klamm.resources.native.network import NetworkPolicy, NetworkPolicySpec
from klamm.resources.native.workloads import PodDisruptionBudget
from klamm.resources.structure import Block


def kafka_exporter_objects(exporter: KafkaExporter, inputs: ExporterInputs) -> list[Block]:
    """Everything but the Secret; empty when the resource asks for none. The Deployment is the last: its pod needs what
    is before it."""
    if not exporter.is_wanted:
        return []
    around = exporter.surroundings
    return [
        _service_account(exporter),
        *([_network_policy(exporter)] if around.network_policies else []),
        *([_budget(exporter)] if around.disruption_budgets else []),
        deployment(exporter, inputs),
    ]


def _service_account(exporter: KafkaExporter) -> ServiceAccount:
    """Without any rights: the exporter asks Kafka, and Kubernetes nothing."""
    template = exporter.template.service_account
    return ServiceAccount(
        metadata=metadata(exporter.component, exporter.name, exporter.namespace, exporter.owner, template)
    )


def _network_policy(exporter: KafkaExporter) -> NetworkPolicy:
    """Metrics for everybody; nothing else listens."""
    return NetworkPolicy(
        metadata=metadata(exporter.component, exporter.name, exporter.namespace, exporter.owner),
        spec=NetworkPolicySpec(
            policy_types=["Ingress"],
            ingress=[rule(METRICS_PORT)],
            pod_selector=LabelSelector(match_labels=exporter.component.selector()),
        ),
    )


def _budget(exporter: KafkaExporter) -> PodDisruptionBudget:
    """Of one pod, which may be evicted at any time if the template does not say otherwise."""
    template = exporter.template.pod_disruption_budget
    return budget(exporter.component, exporter.namespace, exporter.owner, 1, template)
