"""Everything goes, in whatever order people take it away, and nobody has to help.

A release, a Kafka resource, its topics and users, and at last perhaps the namespace, in every order; with topic and
user operator alive, killed before, or alive and without rights (a namespace's objects go in any order, and so does what
a Kafka resource owns). Operators act with their accounts' tokens. On a real API server that enforces roles, and on
localkube, which does not.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.conformance.clusters import localkube_with_controllers
from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.operated import Operated, define_kinds, operated, until
from tests.kubernetes.pretended_nodes import ZONE
from tests.kubernetes.running_operator import RunningOperator, operator_settings
from tests.rights.accounts import connection_of
from tests.rights.entity_operators import put, topic_operator, until_ready, user_operator
from tests.rights.scenarios import EPHEMERAL, Scene

from klamm.base.together import outcomes_of, side_by_side
from klamm.desired.cluster_operator.access import bindings, cluster_roles, service_account
from klamm.desired.cluster_operator.naming import NAME
from klamm.desired.kafka.access import init_binding_name
from klamm.kube.catalogue import KAFKA_NAMES, KAFKA_TOPICS, KAFKA_USERS, POD_SETS, kind_of
from klamm.kube.client import connect
from klamm.kube.kinds import Kind, Name, name_of
from klamm.kube.native import (
    CLUSTER_ROLE_BINDINGS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    NAMESPACES,
    NETWORK_POLICIES,
    POD_DISRUPTION_BUDGETS,
    PODS,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
)
from klamm.resources.native.access import ClusterRoleBinding, RoleBinding

RELEASE, KAFKA, ENTITIES, NAMESPACE = "release", "Kafka", "topics and users", "namespace"
TAKEN = (RELEASE, KAFKA, ENTITIES)
ALIVE, KILLED, WITHOUT_RIGHTS = "alive", "killed before", "alive without rights"
GONE_WITHIN = 300.0
AT_ONCE = 6
"""Rows that are played side by side."""

_OWN = {"default", "kube-root-ca.crt"}
"""What Kubernetes makes in each namespace."""
_LEFT: tuple[Kind[Any], ...] = (
    KAFKA_NAMES,
    KAFKA_TOPICS,
    KAFKA_USERS,
    POD_SETS,
    PODS,
    SERVICES,
    SECRETS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    NETWORK_POLICIES,
    POD_DISRUPTION_BUDGETS,
    SERVICE_ACCOUNTS,
    ROLES,
    ROLE_BINDINGS,
)

_SPEC: dict[str, Any] = {
    **EPHEMERAL,
    "entityOperator": {"topicOperator": {}, "userOperator": {}},
}
_SPEC["kafka"] = {**_SPEC["kafka"], "rack": {"topologyKey": ZONE}}


@dataclass(frozen=True)
class Row:
    order: tuple[str, ...]
    operators: str

    def __str__(self) -> str:
        return f"{', '.join(self.order)}; topic and user operator {self.operators}"

    @property
    def may_keep_binding(self) -> bool:
        """The brokers' cluster-wide binding: only the cluster operator or the end of the namespace takes it away, and
        an operator that ends right after the Kafka resource need not come to it."""
        return NAMESPACE not in self.order


def rows() -> list[Row]:
    """All of it in every order; and the namespace's deletion after each part of it."""
    orders = [order for order in permutations(TAKEN)]
    orders += [(*order, NAMESPACE) for count in range(4) for order in permutations(TAKEN, count)]
    return [Row(order, operators) for order in orders for operators in (ALIVE, KILLED, WITHOUT_RIGHTS)]


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[ControlPlane]:
    async with localkube_with_controllers(tmp_path) as api:
        plane = ControlPlane(api.url, tmp_path)
        await define_kinds(plane)
        yield plane


async def test_nothing_is_left_and_nothing_hangs_on_kubernetes(audited: ControlPlane) -> None:
    await _play(audited)


async def test_nothing_is_left_and_nothing_hangs_on_localkube(local: ControlPlane) -> None:
    await _play(local)


async def _play(plane: ControlPlane) -> None:
    slots = asyncio.Semaphore(AT_ONCE)
    async with operated(plane) as place:

        async def played(number: int, row: Row) -> str | None:
            async with slots:
                try:
                    await _Life(place, f"removal-{number}", row).live()
                except Exception as error:
                    return f"{row}: {type(error).__name__}: {error}"
            return None

        failures = [said for said in await side_by_side(*(played(*one) for one in enumerate(rows()))) if said]
    assert not failures, "\n".join(failures)


class _Life:
    """A cluster with its own operators, from its installation to its end."""

    def __init__(self, place: Operated, namespace: str, row: Row) -> None:
        self.place = place
        self.row = row
        self.scene = Scene(place, namespace)
        self.home = f"{namespace}-operator"
        self.ending: list[asyncio.Task[None]] = []

    async def live(self) -> None:
        for name in (self.home, self.scene.namespace):
            await self.place.make_namespace(name)
        for block in (service_account(self.home), *cluster_roles(), *self._bindings()):
            await self.place.client.apply(kind_of(block), block)
        connection = await connection_of(self.place, Name(self.home, NAME))
        settings = replace(operator_settings(), namespaces=(self.scene.namespace,))
        operator = self.place.start_operator(connection=connection, settings=settings)
        try:
            await self._be_removed(operator)
        finally:
            await operator.end()
            await outcomes_of(*self.ending)
            await self.place.client.delete(NAMESPACES, Name("", self.home))

    async def _be_removed(self, operator: RunningOperator) -> None:
        await self.scene.ready(**_SPEC)
        async with AsyncExitStack() as operators:
            await self._start(operators)
            if self.row.operators == KILLED:
                await operators.aclose()
            if self.row.operators == WITHOUT_RIGHTS:
                await self._take_rights()
            for what in self.row.order:
                await self._take(what, operator)
            await until(f"everything to be gone ({self.row})", self._reason_left, GONE_WITHIN)

    def _bindings(self) -> list[ClusterRoleBinding | RoleBinding]:
        """Those that are cluster-wide under a name for each row."""
        bound = bindings(self.home, [self.scene.namespace])
        for one in bound:
            if isinstance(one, ClusterRoleBinding):
                one.metadata.name = f"{one.metadata.name}-{self.home}"
        return bound

    async def _start(self, operators: AsyncExitStack) -> None:
        name = self.scene.name
        connection = await connection_of(self.place, Name(name.namespace, f"{name.name}-entity-operator"))
        client = await operators.enter_async_context(connect(connection, "klamm-entity-operator", Random(1)))
        await operators.enter_async_context(topic_operator(client, name))
        await operators.enter_async_context(user_operator(client, name))
        await put(self.place, KAFKA_TOPICS, name, "t", {"partitions": 1, "replicas": 1})
        await put(self.place, KAFKA_USERS, name, "u", {"authentication": {"type": "scram-sha-512"}})
        await until_ready(self.place, KAFKA_TOPICS, Name(name.namespace, "t"))
        await until_ready(self.place, KAFKA_USERS, Name(name.namespace, "u"))

    async def _take_rights(self) -> None:
        for kind in ("topic", "user"):
            binding = f"{self.scene.name.name}-entity-{kind}-operator-role"
            await self.place.client.delete(ROLE_BINDINGS, Name(self.scene.namespace, binding))

    async def _take(self, what: str, operator: RunningOperator) -> None:
        client, namespace = self.place.client, self.scene.namespace
        match what:
            case "release":
                # As Helm does: the operator is told to end, and its rights go before it has.
                self.ending.append(asyncio.ensure_future(operator.stop()))
                for one in self._bindings():
                    await client.delete(kind_of(one), name_of(one))
                await client.delete(SERVICE_ACCOUNTS, Name(self.home, NAME))
            case "Kafka":
                await client.delete(KAFKA_NAMES, self.scene.name)
            case "topics and users":
                await client.delete(KAFKA_TOPICS, Name(namespace, "t"))
                await client.delete(KAFKA_USERS, Name(namespace, "u"))
            case "namespace":
                await client.delete(NAMESPACES, Name("", namespace))

    async def _reason_left(self) -> str | None:
        client, namespace = self.place.client, self.scene.namespace
        binding = Name("", init_binding_name(*self.scene.name))
        if not self.row.may_keep_binding and await client.find(CLUSTER_ROLE_BINDINGS, binding):
            return "its ClusterRoleBinding is there"
        if NAMESPACE in self.row.order:
            found = await client.find(NAMESPACES, Name("", namespace))
            return f"namespace {namespace} is there" if found else None
        left = [
            f"{kind.kind} {one.metadata.name}"
            for kind in _LEFT
            for one in (await client.list(kind, namespace)).items
            if one.metadata.name not in _OWN and not _is_of_release(one)
        ]
        return f"{', '.join(left)} are there" if left else None


def _is_of_release(one: Any) -> bool:
    return (one.metadata.name or "").startswith(NAME)
