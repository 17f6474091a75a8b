"""The entity operator's account and what it may do, in the cluster's namespace and in those that it watches."""

from klamm.desired.cluster_operator.access import entity_operator_rules, rule
from klamm.desired.entity_operator.naming import ledger_name
from klamm.desired.entity_operator.operators import TOPIC, EntityOperator, Part
from klamm.desired.templates import metadata
from klamm.resources.native.access import Role, RoleBinding, RoleRef, ServiceAccount, Subject
from klamm.resources.structure import Block


def access_objects(operator: EntityOperator) -> list[Block]:
    """Account, roles and bindings.

    Both also work in the cluster's own namespace when they watch another: the clients authority is there, and the
    Kafka resource, with whose end topics are left alone, and what the topic operator notes.
    """
    places = {operator.namespace, *(part.watched_namespace for part in operator.parts)}
    objects: list[Block] = [_service_account(operator)]
    objects += [_role(operator, place) for place in sorted(places)]
    for part in operator.parts:
        objects += [_binding(operator, part, place) for place in sorted({part.watched_namespace, operator.namespace})]
    return objects


def _service_account(operator: EntityOperator) -> ServiceAccount:
    template = operator.template.service_account
    return ServiceAccount(
        metadata=metadata(operator.component, operator.name, operator.namespace, operator.owner, template)
    )


def _role(operator: EntityOperator, place: str) -> Role:
    owner = operator.owner if place == operator.namespace else None  # an owner must be in the same namespace
    template = operator.template.entity_operator_role
    ledger = rule("", ["configmaps"], ["get", "patch"], names=[ledger_name(operator.cluster)])
    return Role(
        metadata=metadata(operator.component, operator.name, place, owner, template),
        rules=[*entity_operator_rules(), *([ledger] if place == operator.namespace else [])],
    )


def _binding(operator: EntityOperator, part: Part, place: str) -> RoleBinding:
    own = operator.template
    template = own.topic_operator_role_binding if part.kind == TOPIC else own.user_operator_role_binding
    owner = operator.owner if place == operator.namespace else None
    return RoleBinding(
        metadata=metadata(part.component, part.role_binding, place, owner, template),
        role_ref=RoleRef(kind="Role", name=operator.name),
        subjects=[Subject(kind="ServiceAccount", name=operator.name, namespace=operator.namespace)],
    )
