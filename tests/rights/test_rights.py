"""Roles hold exactly what is used: nothing was refused, and every right that a role gives was needed.

Some roles the operator only hands on (Kubernetes lets nobody grant what he does not hold, so it is bound to them).
They are judged by those for whom they are: the entity operator's by the topic and user operator, the brokers' by their
init container. What the operator itself needs is in roles of its own.
"""

import pytest
from tests.rights.audit import granted, refusals, told, used
from tests.rights.conftest import Played

from klamm.desired.cluster_operator.access import cluster_roles
from klamm.desired.cluster_operator.naming import NAME

OPERATOR = (f":{NAME}",)
HANDED_ON = {
    "strimzi-entity-operator": (":my-cluster-entity-operator",),
    "strimzi-kafka-broker": (":my-cluster-kafka",),
}
ROLES = {role.metadata.name or "": role for role in cluster_roles()}


def test_nothing_was_refused(played: Played) -> None:
    refused = refusals(played.asked)
    assert not refused, f"these rights are missing:\n{refused}"


@pytest.mark.parametrize("name", sorted(ROLES))
def test_every_right_of_a_role_is_used(played: Played, name: str) -> None:
    unused = granted(ROLES[name]) - used(played.asked, HANDED_ON.get(name, OPERATOR))
    assert not unused, f"role {name} gives rights that nobody used:\n{told(unused)}"


def test_what_the_operator_needs_itself_is_in_its_own_roles(played: Played) -> None:
    own = {right for name, role in ROLES.items() if name not in HANDED_ON for right in granted(role)}
    borrowed = used(played.asked, OPERATOR) - own
    assert not borrowed, f"the operator uses rights that only roles for others give it:\n{told(borrowed)}"
