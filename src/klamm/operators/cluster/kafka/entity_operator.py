"""The entity operator's objects: made as wanted, and deleted when the resource no longer asks for them.

Which operator is left over is read off its Secret (`companions.py`), so that goes last.
"""

from klamm.base import logs
from klamm.desired.entity_operator.deployment import EntityOperatorInputs, deployment
from klamm.desired.entity_operator.naming import ledger_name
from klamm.desired.entity_operator.objects import config_maps
from klamm.desired.entity_operator.operators import TOPIC, USER, EntityOperator, Part
from klamm.kube.kinds import Name
from klamm.kube.native import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    NETWORK_POLICIES,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    SERVICE_ACCOUNTS,
)
from klamm.operators.cluster.hands import Hands
from klamm.operators.cluster.kafka.companions import is_left
from klamm.operators.cluster.kafka.gather import Observed
from klamm.operators.cluster.kafka.references import References
from klamm.operators.cluster.kafka.trust import Trust

_log = logs.room("entity operator")


async def apply_operators(hands: Hands, operator: EntityOperator, trust: Trust, references: References) -> None:
    """ConfigMaps and Deployment; account and policy are made by the steps for all accounts and policies."""
    texts = {"topic-operator": references.topic_operator_logging, "user-operator": references.user_operator_logging}
    inputs = EntityOperatorInputs(
        trust.ready.generations,
        trust.operators,
        {container: text for container, text in texts.items() if text is not None},
    )
    await hands.applier.apply_all(config_maps(operator, inputs))
    await hands.applier.apply(deployment(operator, inputs))


async def delete_unwanted(hands: Hands, operator: EntityOperator, observed: Observed) -> None:
    """What belongs to an operator that was wanted once; with both gone also what they shared."""
    wanted = {part.kind for part in operator.parts}
    gone = [operator.part(kind) for kind in (TOPIC, USER) if kind not in wanted]
    left = [part for part in gone if is_left(observed, part.secret)]
    if not left:
        return
    if not wanted:
        for kind in (DEPLOYMENTS, NETWORK_POLICIES, ROLES, SERVICE_ACCOUNTS):
            await hands.applier.delete(kind, Name(operator.namespace, operator.name))
    for part in left:
        _log.info(f"{operator.namespace}/{part.name} is not wanted any more; its objects are deleted")
        await _delete_part(hands, operator.namespace, part)


async def _delete_part(hands: Hands, namespace: str, part: Part) -> None:
    await hands.applier.delete(ROLE_BINDINGS, Name(namespace, part.role_binding))
    await hands.applier.delete(CONFIG_MAPS, Name(namespace, part.config_map))
    if part.kind == TOPIC:
        await hands.applier.delete(CONFIG_MAPS, Name(namespace, ledger_name(part.cluster)))
    await hands.applier.delete(SECRETS, Name(namespace, part.secret))
    hands.measures.no_leaves(Name(namespace, part.cluster), part.secret)
