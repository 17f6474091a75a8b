"""What Kafka knows of a user, brought to what its resource says: SCRAM credential, ACLs, quotas.

Kafka cannot tell which password a SCRAM credential is for. So it is set when there is none, when the password is
another than the one that this process has set, and once after each start; what was set is remembered as a hash.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Protocol

from klamm.base import logs
from klamm.kafka import users as kafka_users
from klamm.kafka.admin import Admin
from klamm.kafka.facts import AclRule, Quotas
from klamm.planning.users import Acl, Limits, Principal

_log = logs.room("users")

_SALT = 24
"""Bytes of salt, random for each credential (KIP-84 asks for some)."""


class UserStore(Protocol):
    """Kafka's side of users, one principal at a time."""

    async def has_scram(self, user: str) -> bool: ...

    async def set_scram(self, user: str, password: str) -> None: ...

    async def delete_scram(self, user: str) -> None: ...

    async def acls(self, user: str) -> frozenset[AclRule]: ...

    async def change_acls(self, create: frozenset[AclRule], delete: frozenset[AclRule]) -> None: ...

    async def quotas(self, user: str) -> Quotas: ...

    async def set_quotas(self, user: str, quotas: Quotas) -> None: ...


class AdminUserStore:
    """The real one, over an open connection. `salt` makes that many random bytes."""

    def __init__(self, admin: Admin, salt: Callable[[int], bytes]) -> None:
        self._admin = admin
        self._salt = salt

    async def has_scram(self, user: str) -> bool:
        return await kafka_users.has_scram_password(self._admin, user)

    async def set_scram(self, user: str, password: str) -> None:
        await kafka_users.set_scram_password(self._admin, user, password, self._salt(_SALT))

    async def delete_scram(self, user: str) -> None:
        await kafka_users.delete_scram_password(self._admin, user)

    async def acls(self, user: str) -> frozenset[AclRule]:
        return await kafka_users.acls_of(self._admin, user)

    async def change_acls(self, create: frozenset[AclRule], delete: frozenset[AclRule]) -> None:
        # First what is new: a user whose rules are rewritten never stands without the ones that stay in sense.
        await kafka_users.create_acls(self._admin, create)
        await kafka_users.delete_acls(self._admin, delete)

    async def quotas(self, user: str) -> Quotas:
        return await kafka_users.quotas_of(self._admin, user)

    async def set_quotas(self, user: str, quotas: Quotas) -> None:
        await kafka_users.change_quotas(self._admin, user, quotas)


class KafkaSide:
    """`keeps_acls`: the cluster's authorizer lets ACLs be managed through Kafka."""

    def __init__(self, keeps_acls: bool) -> None:
        self._keeps_acls = keeps_acls
        self._passwords: dict[str, bytes] = {}

    async def provide(
        self, store: UserStore, name: str, who: Principal, password: str | None, acls: frozenset[Acl], limits: Limits
    ) -> None:
        """`name` is the resource's; `password` is None for users without SCRAM credentials."""
        await self._provide_scram(store, name, password)
        if self._keeps_acls:
            await self._provide_acls(store, who.name, frozenset(map(_rule, acls)))
            await self._provide_acls(store, who.other, frozenset())
        await self._provide_quotas(store, who.name, _quotas(limits))
        await self._provide_quotas(store, who.other, Quotas())

    async def forget(self, store: UserStore, name: str, who: Principal) -> None:
        """Nothing is left of a user whose resource is gone."""
        await self.provide(store, name, who, None, frozenset(), Limits())
        _log.info(f"nothing is left of user {name} in Kafka")

    async def _provide_scram(self, store: UserStore, name: str, password: str | None) -> None:
        there = await store.has_scram(name)
        if password is None:
            self._passwords.pop(name, None)
            if there:
                await store.delete_scram(name)
                _log.info(f"the SCRAM credential of user {name} was deleted")
            return
        fingerprint = sha256(password.encode()).digest()
        if not there or self._passwords.get(name) != fingerprint:
            await store.set_scram(name, password)
            self._passwords[name] = fingerprint
            _log.info(f"the SCRAM credential of user {name} was set")

    async def _provide_acls(self, store: UserStore, user: str, wanted: frozenset[AclRule]) -> None:
        found = await store.acls(user)
        if found == wanted:
            return
        await store.change_acls(wanted - found, found - wanted)
        _log.info(f"ACLs of {user}: {len(wanted - found)} were created and {len(found - wanted)} deleted")

    async def _provide_quotas(self, store: UserStore, user: str, wanted: Quotas) -> None:
        if await store.quotas(user) != wanted:
            await store.set_quotas(user, wanted)
            _log.info(f"the quotas of {user} were changed")


def _rule(acl: Acl) -> AclRule:
    return AclRule(
        principal=acl.principal,
        resource_type=acl.resource_type,
        resource_name=acl.resource_name,
        pattern_type=acl.pattern_type,
        operation=acl.operation,
        permission=acl.permission,
        host=acl.host,
    )


def _quotas(limits: Limits) -> Quotas:
    return Quotas(
        limits.producer_byte_rate,
        limits.consumer_byte_rate,
        limits.request_percentage,
        limits.controller_mutation_rate,
    )
