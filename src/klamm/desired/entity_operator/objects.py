"""The entity operator: topic and user operator of one cluster, as two containers of one pod.

There is no TLS sidecar: the topic operator works in one direction (resources are the truth) and never asks ZooKeeper.
What the resource does not ask for is not wanted, so the reconciler deletes it: all of it without `entityOperator`, the
parts of one operator without that operator.
"""

from collections.abc import Iterator

from klamm.desired.entity_operator.access import access_objects
from klamm.desired.entity_operator.deployment import EntityOperatorInputs, deployment
from klamm.desired.entity_operator.naming import ledger_name
from klamm.desired.entity_operator.operators import TOPIC, EntityOperator, Part
from klamm.desired.logging import LOG4J2, operator_logging
from klamm.desired.network_rules import rule
from klamm.desired.templates import metadata
from klamm.resources.native.configuration import ConfigMap
from klamm.resources.native.metadata import LabelSelector
from klamm.resources.native.network import NetworkPolicy, NetworkPolicySpec
from klamm.resources.structure import Block


def entity_operator_objects(operator: EntityOperator, inputs: EntityOperatorInputs) -> list[Block]:
    """Everything but Secrets, in an order in which it can be applied; empty when neither operator is asked for."""
    if not operator.parts:
        return []
    return [
        *access_objects(operator),
        network_policy(operator),
        *config_maps(operator, inputs),
        deployment(operator, inputs),
    ]


def network_policy(operator: EntityOperator) -> NetworkPolicy:
    """Health and metrics for everybody; nothing else listens."""
    return NetworkPolicy(
        metadata=metadata(operator.component, operator.name, operator.namespace, operator.owner),
        spec=NetworkPolicySpec(
            policy_types=["Ingress"],
            ingress=[rule(part.port) for part in operator.parts],
            pod_selector=LabelSelector(match_labels=operator.component.selector()),
        ),
    )


def config_maps(operator: EntityOperator, inputs: EntityOperatorInputs) -> list[ConfigMap]:
    """One ConfigMap an operator, with its log level, and the one in which the topic operator keeps its notes."""
    return [one for part in operator.parts for one in _config_maps(operator, part, inputs)]


def _config_maps(operator: EntityOperator, part: Part, inputs: EntityOperatorInputs) -> Iterator[ConfigMap]:
    yield ConfigMap(
        metadata=metadata(part.component, part.config_map, operator.namespace, operator.owner),
        data={LOG4J2: operator_logging(part.logging, inputs.external_logging.get(part.container))},
    )
    if part.kind == TOPIC:
        name = ledger_name(operator.cluster)
        yield ConfigMap(metadata=metadata(part.component, name, operator.namespace, operator.owner))
